"""Ids, categories, tags and names: which characters they may have, and which of them look too much alike."""

from __future__ import annotations

import re
import sys
import unicodedata
from dataclasses import dataclass, field

from pytest_ftgate.files import values
from pytest_ftgate.files.nodes import Node, wrong
from pytest_ftgate.files.wording import escaped, quoted

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_LABEL = re.compile(r"[A-Za-z0-9_.-]+(?: [A-Za-z0-9_.-]+)*")
_LONGEST_LABEL = 100
_MOST_WARNINGS = 20


def case_id(node: Node) -> str:
    """The id of a case; raises with the character that may not stand in it."""
    written = values.text(node, "'id'")
    if _ID.fullmatch(written):
        return written
    rule = "an id has 1 to 100 of A-Z a-z 0-9 _ . - and begins with a letter or digit"
    if len(written) > 100:
        raise wrong(node, f"the id {quoted(written)} has {len(written)} characters: {rule}")
    raise wrong(node, f"{quoted(written)} can't be an id: {rule}")


def label(node: Node, what: str) -> str:
    """A category, tag, suite or metric name: letters, digits, `_ . -` and single spaces inside."""
    written = values.text(node, what)
    if _LABEL.fullmatch(written) and len(written) <= _LONGEST_LABEL:
        return sys.intern(written)  # rows of a data set say the same again and again
    problem = label_problem(written)
    if problem:
        raise wrong(node, f"{what} {quoted(written)} {problem}")
    return written


def label_problem(written: str) -> str | None:
    """What is wrong with a label, as half a sentence; None if nothing is."""
    if not written.strip():
        return "is empty"
    if len(written) > _LONGEST_LABEL:
        return f"has {len(written)} characters, more than {_LONGEST_LABEL}"
    if written != written.strip():
        return "begins or ends with a space"
    if "  " in written:
        return "has two spaces in a row"
    bad = next(
        (char for char in written if char not in " _.-" and unicodedata.category(char)[0] not in "LNM"), None
    )
    if bad is None:
        return None
    shown = escaped(bad) if bad.isprintable() else f"U+{ord(bad):04X} ({unicodedata.name(bad, 'unnamed')})"
    return f"has {shown}: letters, digits, '_', '.', '-' and single spaces are allowed"


@dataclass(slots=True)
class Labels:
    """Remembers one suite's labels, to warn of two that a reader would take for one."""

    warnings: list[str] = field(default_factory=list)
    _checked: set[tuple[str, str]] = field(default_factory=set)
    _first: dict[tuple[str, str], tuple[str, str, int]] = field(default_factory=dict)

    def note(self, kind: str, written: str, path: str, line: int) -> None:
        """Takes note of one label; only labels of one `kind` can be confused."""
        if (kind, written) in self._checked:
            return
        self._checked.add((kind, written))
        plain = written.isascii()
        folded = written.lower() if plain else unicodedata.normalize("NFKC", written).casefold()
        first = self._first.setdefault((kind, folded), (written, path, line))
        if first[0] != written:
            near = f"{quoted(first[0])} in {first[1]}:{first[2]}"
            self._warn(f"{path}:{line}: the {kind} {quoted(written)} is almost {near}")
        if not plain and len(scripts(written)) > 1:
            mixed = " and ".join(sorted(scripts(written)))
            self._warn(f"{path}:{line}: the {kind} {quoted(written)} mixes {mixed} letters")

    def _warn(self, warning: str) -> None:
        if len(self.warnings) < _MOST_WARNINGS:
            self.warnings.append(warning)


def scripts(written: str) -> set[str]:
    """The scripts of a text's letters, of those whose letters look alike: Latin, Greek, Cyrillic."""
    names = {unicodedata.name(char, "").split(" ")[0] for char in written if char.isalpha()}
    return {name.capitalize() for name in names & {"LATIN", "GREEK", "CYRILLIC"}}


def tags(node: Node) -> tuple[str, ...]:
    """The tags of a case, each once, in their order; one tag may stand without a list."""
    entries = values.items_or_none(node)
    if entries is None:
        if values.is_mapping(node):
            raise wrong(node, "'tags' takes a list, and this is a mapping")
        entries = [node]
    return tuple(dict.fromkeys(values.each(lambda entry: label(entry, "the tag"), entries)))
