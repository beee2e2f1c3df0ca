"""Transcripts in the documentation: commands are run as a reader runs them, and their output compared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ELISION = "[...]"

#: What differs from machine to machine, and what stands in its place.
VARIABLE = (
    (re.compile(r"^platform .*"), "platform …"),
    (re.compile(r"^plugins: .*"), "plugins: …"),
    (re.compile(r"^(rootdir: ).*?([^/]*)$"), r"\1…/\2"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:…"),
    (re.compile(r"^=+ (.*) in [\d.]+s =+$"), r"\1 in … s"),
    # Whether the latency decides hangs on how busy the machine is: one criterion more or less.
    (re.compile(r"\b\d+ passed, \d+ skipped, (\d+ missed)"), r"… passed, … skipped, \1"),
    (re.compile(r"\b(all|4 of) [67] deciding criteria\b"), r"\1 … deciding criteria"),
    (re.compile(r"\band [34] more\b"), "and … more"),
)


def run(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of the README with this environment's programs, on a terminal of 80 columns."""
    kept = {
        k: v
        for k, v in os.environ.items()
        if k == "PYTEST_ADDOPTS" or not k.startswith(("PYTEST", "FTGATE", "OPENAI", "CI", "GITHUB"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euc", command.replace(".venv/bin/", "")],
        cwd=folder,
        env=kept | {"PATH": path, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONUTF8": "1"} | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def settled(text: str) -> Iterator[str]:
    """The lines, without what differs from machine to machine; the row of latencies is left out."""
    in_latency = False
    for line in text.splitlines():
        in_latency = " latency_p50 " in line or (in_latency and line.startswith(" " * 14))
        if in_latency:
            continue
        shown = line.rstrip()
        for pattern, replacement in VARIABLE:
            shown = pattern.sub(replacement, shown)
        yield shown


def pieces_of(transcript: str) -> list[str]:
    """The stretches between elisions, each to be found as it is."""
    lines = list(settled(transcript))[1:]
    pieces = ("\n" + "\n".join(lines) + "\n").split(f"\n{ELISION}\n")
    return [piece.strip("\n") for piece in pieces if piece.strip("\n")]


def missing_pieces(transcript: str, output: str) -> list[str]:
    """What of a transcript does not stand in the output, in this order."""
    rest = "\n" + "\n".join(settled(output)) + "\n"
    missing = []
    for piece in pieces_of(transcript):
        before, found, after = rest.partition(f"\n{piece}\n")
        rest = "\n" + after if found else before
        missing += [] if found else [piece]
    return missing
