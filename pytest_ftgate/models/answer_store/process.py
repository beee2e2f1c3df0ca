"""Which process this is, and whether another one still lives. Reads what the system says; writes nothing."""

from __future__ import annotations

import contextlib
import os
import platform
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process, as the store writes it down.

    `boot` is the machine since it was started: times of `time.monotonic` compare within one only. `pids` is
    where process ids are counted, which differs between containers on one machine.
    """

    boot: str
    pids: str
    pid: int

    def is_dead_to(self, other: Process) -> bool:
        """Whether `other` can see that this one has ended; False where it can't see that."""
        if self.boot != other.boot:
            return True
        if self.pids != other.pids or not hasattr(os, "kill") or os.name == "nt":
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:  # it belongs to somebody else, and is there
            return False
        return False


def this_process() -> Process:
    """The process that asks."""
    boot = _read(Path("/proc/sys/kernel/random/boot_id")) or platform.node()
    pids = ""
    with contextlib.suppress(OSError):
        pids = os.readlink("/proc/self/ns/pid")
    return Process(boot=boot, pids=pids or platform.node(), pid=os.getpid())


def _read(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(encoding="ascii").strip()
    return ""
