"""Which of PyYAML's two loaders parses: libyaml's, or the Python one with libyaml's rules for plain text.

Left alone, the Python one refuses a tab between two words, and a question mark inside brackets or braces.
"""

from __future__ import annotations

from typing import Any

import yaml

_ENDS = "\0 \t\n"


class PythonLoader(yaml.SafeLoader):
    """PyYAML's Python loader with libyaml's plain scalars; every line break is a line feed."""

    def scan_to_next_token(self) -> None:
        """Skips spaces, comments and line breaks, and tabs where no key can begin."""
        while True:
            tab = "\t" if self.flow_level or not self.allow_simple_key else " "
            while self.peek() in (" ", tab):
                self.forward()
            if self.peek() == "#":
                while self.peek() not in "\0\n":
                    self.forward()
            if not self._line_break():
                return
            if not self.flow_level:
                self.allow_simple_key = True

    def scan_plain(self) -> Any:
        """The token of text without quotes, its line breaks folded."""
        start = end = self.get_mark()
        indent = self.indent + 1
        pieces: list[str] = []
        gap = ""
        while self.peek() != "#":
            length = self._word_length()
            if not length:
                break
            self.allow_simple_key = False
            pieces += (gap, self.prefix(length))
            self.forward(length)
            end = self.get_mark()
            gap = self._gap(indent)
            if not gap or (not self.flow_level and self.column < indent):
                break
        return yaml.ScalarToken("".join(pieces), True, start, end)

    def _word_length(self) -> int:
        length = 0
        while (char := self.peek(length)) not in _ENDS:
            ends_key = char == ":" and self.peek(length + 1) in _ENDS + (",[]{}" if self.flow_level else "")
            if ends_key or (self.flow_level and char in ",[]{}"):
                break
            length += 1
        return length

    def _gap(self, indent: int) -> str:
        """What stands between two words: blanks as they are, line breaks folded; "" if the text ends."""
        length = 0
        while self.peek(length) in " \t":
            length += 1
        blanks: str = self.prefix(length)
        self.forward(length)
        if self.peek() != "\n":
            return blanks
        breaks = 0
        while self.peek() in " \t\n":
            if self.peek() != "\n":
                self._blank(indent)
                continue
            self._line_break()
            breaks += 1
            self.allow_simple_key = True
            if self.prefix(3) in ("---", "...") and self.peek(3) in _ENDS:
                return ""
        return "\n" * (breaks - 1) or " "

    def _line_break(self) -> bool:
        return bool(self.scan_line_break())  # type: ignore[no-untyped-call]  # the stubs leave it out

    def _blank(self, indent: int) -> None:
        if self.peek() == "\t" and self.column < indent:
            mark = self.get_mark()
            problem = "found character '\\t' that cannot start any token"
            raise yaml.scanner.ScannerError(None, None, problem, mark)
        self.forward()


def quickest() -> Any:
    """The loader of libyaml where PyYAML was built with it, else the Python one."""
    return getattr(yaml, "CSafeLoader", PythonLoader)
