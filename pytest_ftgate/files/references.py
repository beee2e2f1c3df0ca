"""Files that a case file or `ftgate.yaml` names: regular ones inside the rootdir, and no others.

Reads bytes; what they mean is for others. Never follows a path out of the rootdir, and never waits on a pipe.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pytest_ftgate.errors import FtgateError
from pytest_ftgate.files.nodes import Node, wrong
from pytest_ftgate.files.strict_json import strict_json
from pytest_ftgate.files.wording import quoted
from pytest_ftgate.files.yaml_text import LFS_POINTER

T = TypeVar("T")

MAX_CASE_FILE_BYTES = 32 * 2**20
MAX_REFERENCE_BYTES = 16 * 2**20

_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|~|[\\/]")


class Unusable(FtgateError):
    """Why a file can't be read, as half a sentence."""


def read_regular_file(path: Path, *, limit: int, remedy: str) -> bytes:
    """The bytes of a regular file of at most `limit` bytes; raises `Unusable`."""
    try:
        # Without O_NONBLOCK, opening a named pipe waits for somebody to write.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise Unusable(_reason(path, error)) from None
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise Unusable("is a folder" if stat.S_ISDIR(about.st_mode) else "is not a regular file")
        if about.st_size > limit:
            raise Unusable(f"has {about.st_size / 2**20:.1f} MB, more than {limit / 2**20:g}: {remedy}")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()
    except OSError as error:
        raise Unusable(f"can't be read: {error.strerror or error}") from None
    finally:
        os.close(descriptor)


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, IsADirectoryError) or path.is_dir():
        return "is a folder"
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    if isinstance(error, PermissionError):
        return "may not be read: its permissions forbid it"
    return f"can't be opened: {getattr(error, 'strerror', None) or error}"


def relative(path: Path, rootdir: Path) -> str:
    """`path` as messages, reports and node ids show it: from the rootdir, with slashes."""
    return Path(os.path.relpath(path, rootdir)).as_posix()


@dataclass(slots=True)
class References:
    """Reads the files that one case file (or `ftgate.yaml`) names; lives while that file is read.

    Every file is read and parsed once, and counts for `digest`.
    """

    folder: Path
    rootdir: Path
    digests: dict[str, str] = field(default_factory=dict)
    _parsed: dict[tuple[Path, Any], Any] = field(default_factory=dict)

    def resolve(self, written: str, node: Node) -> Path:
        """The path that `written` means; raises unless it lies inside the rootdir."""
        if "\0" in written or _ELSEWHERE.match(written):
            raise wrong(node, _outside(written))
        try:
            resolved = (self.folder / written).resolve()
            inside = resolved.is_relative_to(self.rootdir.resolve())
        except (OSError, RuntimeError):  # a loop of symbolic links; RuntimeError up to Python 3.12
            raise wrong(node, f"{quoted(written)} is a loop of symbolic links") from None
        if inside:
            return resolved
        # As written it may lie inside: then a link leads out, and the rule alone would puzzle its author.
        if Path(os.path.abspath(self.folder / written)).is_relative_to(os.path.abspath(self.rootdir)):
            raise wrong(
                node, f"{quoted(written)} leads out of the rootdir, through a symbolic link: copy the file"
            )
        raise wrong(node, _outside(written))

    def read(
        self, written: str, node: Node, *, limit: int = MAX_REFERENCE_BYTES, remedy: str = "split it"
    ) -> bytes:
        """The bytes of a file; raises with the nearest name if there is none."""
        path = self.resolve(written, node)
        try:
            raw = read_regular_file(path, limit=limit, remedy=remedy)
        except Unusable as reason:
            raise wrong(node, f"{quoted(written)} {reason}{_near(path)}") from None
        if raw.startswith(LFS_POINTER.encode()):
            raise wrong(
                node, f"{quoted(written)} is a Git LFS pointer, not the file itself: run 'git lfs pull'"
            )
        self.digests[relative(path, self.rootdir.resolve())] = hashlib.sha256(raw).hexdigest()
        return raw

    def read_json(self, written: str, node: Node, parse: Callable[[Any], T]) -> T:
        """`parse` of a JSON file's value; read and parsed once however many cases name it."""
        path = self.resolve(written, node)
        key = (path, parse)
        if key not in self._parsed:
            raw = self.read(written, node)
            try:
                self._parsed[key] = parse(strict_json(raw))
            except ValueError as error:
                raise wrong(node, f"{quoted(written)}: {error}") from None
        found: T = self._parsed[key]
        return found

    def read_text(self, written: str, node: Node) -> str:
        """The text of a file in UTF-8, without its final line break."""
        try:
            text = self.read(written, node).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise wrong(
                node, f"{quoted(written)}: byte 0x{error.object[error.start]:02x} is not UTF-8"
            ) from None
        return text.replace("\r\n", "\n").removesuffix("\n")

    def digest(self, raw: bytes) -> str:
        """Digest of a file's own bytes and of all files that it named."""
        parts = [
            hashlib.sha256(raw).hexdigest(),
            *(f"{path} {self.digests[path]}" for path in sorted(self.digests)),
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _outside(written: str) -> str:
    rule = "paths are relative to the file they stand in, and stay in the rootdir"
    return f"{quoted(written)} is outside the rootdir: {rule}"


def _near(path: Path) -> str:
    try:
        names = os.listdir(path.parent)
    except OSError:
        return ""
    near = difflib.get_close_matches(path.name, names, n=1) if path.name not in names else []
    return f". Did you mean {quoted(near[0])}?" if near else ""
