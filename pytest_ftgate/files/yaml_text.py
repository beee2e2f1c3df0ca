"""Bytes of a case file → text that a YAML parser may see, or one message that says which byte is wrong where.

Knows encodings, control characters, merge conflicts and LFS pointers, and nothing of YAML's grammar.
"""

from __future__ import annotations

import codecs
import re

from pytest_ftgate.files.nodes import NodeError
from pytest_ftgate.files.wording import escaped

LFS_POINTER = "version https://git-lfs.github.com/spec/"

# What PyYAML's own reader refuses; found here because its errors give only a position in bytes.
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONFLICT = re.compile(r"^(?:<{7}|>{7})(?: |$)", re.MULTILINE)
_WIDEST_SNIPPET = 100


def decoded(raw: bytes) -> str:
    """The text of a file with Unix line ends: UTF-8, with or without a byte order mark, or UTF-16."""
    encoding = "utf-16" if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise _undecodable(raw, error) from None
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _undecodable(raw: bytes, error: UnicodeDecodeError) -> NodeError:
    if error.encoding.startswith("utf-16"):
        return NodeError((1, 1, "not valid UTF-16, though it begins like it: save the file as UTF-8"))
    before = raw[: error.start].decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    line, column = place(before, len(before))
    return NodeError((line, column, f"byte 0x{raw[error.start]:02x} is not UTF-8: save the file as UTF-8"))


def checked(text: str) -> str:
    """`text`, if nothing in it shows that it is no YAML file at all."""
    if text.startswith(LFS_POINTER):
        raise NodeError((1, 1, "this is a Git LFS pointer, not the file itself: run 'git lfs pull'"))
    _refuse_control_characters(text)
    conflict = _CONFLICT.search(text) if "<<<<<<<" in text or ">>>>>>>" in text else None
    if conflict:
        line, _ = place(text, conflict.start())
        raise NodeError(
            (line, 1, "a merge conflict is left in the file: resolve it" + snippet(text, line, 1))
        )
    return text


def _refuse_control_characters(text: str) -> None:
    found = _CONTROL.search(text)
    if found:
        line, column = place(text, found.start())
        message = f"a control character, {escaped(found.group())}: write it as an escape in double quotes"
        raise NodeError((line, column, message + snippet(text, line, column)))


def place(text: str, position: int) -> tuple[int, int]:
    """Line and column, counted from 1, of a position in `text`."""
    start = text.rfind("\n", 0, position) + 1
    return text.count("\n", 0, start) + 1, position - start + 1


def snippet(text: str, line: int, column: int) -> str:
    """Two more lines for a message: the line of the text, and a caret under the column."""
    lines = text.split("\n", line)
    whole = lines[line - 1] if line <= len(lines) else ""
    start = max(0, column - 1 - _WIDEST_SNIPPET // 2)
    before = escaped(whole[start : column - 1].replace("\t", " "))
    after = escaped(whole[column - 1 : start + _WIDEST_SNIPPET].replace("\t", " "))
    return f"\n    {before}{after}\n    {' ' * len(before)}^"
