"""Fields → eval cases: defaults merged, the conversation put together, ids unique. No I/O, no YAML."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ftgate.cases import EvalCase, Role
from pytest_ftgate.files.fields import FieldReader, Fields
from pytest_ftgate.files.labels import Labels
from pytest_ftgate.files.mistakes import Mistakes
from pytest_ftgate.files.nodes import MapNode, Node, NodeError, Note, Scalar, wrong
from pytest_ftgate.files.wording import quoted

MERGED = ("params", "metadata")
_CONVERSATIONS = ("prompt", "messages", "turns")


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteHead:
    """What all cases of a suite have in common."""

    name: str
    role: Role
    path: str
    expect_required: bool = True


class CaseReader:
    """Makes the cases of one suite; keeps their ids and labels, and lives as long as the suite is read."""

    def __init__(self, head: SuiteHead, fields: FieldReader, mistakes: Mistakes) -> None:
        self.head = head
        self.fields = fields
        self.mistakes = mistakes
        self.labels = Labels()
        self.cases: list[EvalCase] = []
        self._places: dict[str, tuple[str, int]] = {}

    def read(self, node: MapNode, defaults: Fields) -> None:
        """Adds the case of one entry under `cases:`, or what is wrong with it."""
        notes: list[Note] = []
        own = self.fields.read(entries(node), notes)
        name = own.get("id")
        if "id" not in node.values:
            notes.append(
                (node.line, node.column, "a case needs an 'id', one that stays when cases are added or moved")
            )
        if name is not None:
            name = self.claim(name, node.keys["id"], self.head.path, notes)
        case = None if notes else self.build(merged(defaults, own), node, notes)
        if case is not None:
            self.add(case, case.path, case.line)
        else:
            self.mistakes.add(notes, case=name or f"case-at-line-{node.line}")

    def claim(self, name: str, at: Scalar, path: str, notes: list[Note]) -> str | None:
        """The id, if no case before it has it; `path` and the line of `at` are where the author finds it."""
        first = self._places.get(name)
        if first is None:
            self._places[name] = (path, at.line)
            return name
        notes.append((at.line, at.column, f"the id {quoted(name)} is taken, by {first[0]}:{first[1]}"))
        return None

    def build(
        self, fields: Fields, node: MapNode, notes: list[Note], *, from_dataset: bool = False
    ) -> EvalCase | None:
        """The case of merged fields; None if they do not fit together, which `notes` then say."""
        try:
            self._check_together(fields, node)
            messages = _messages(fields, node)
        except NodeError as error:
            notes.extend(error.notes)
            return None
        rest = {key: value for key, value in fields.items() if key not in _TALK}
        head = self.head
        return EvalCase(
            suite=head.name,
            role=head.role,
            path=head.path,
            line=node.line,
            column=node.column,
            messages=messages,
            turns=tuple(turn.within(fields) for turn in fields.get("turns") or ()),
            from_dataset=from_dataset,
            **rest,
        )

    def add(self, case: EvalCase, path: str, line: int) -> None:
        """Keeps a case; `path` and `line` are where the author finds it."""
        self.cases.append(case)
        self.labels.note("id", case.id, path, line)
        self.labels.note("category", case.category, path, line)
        for tag in case.tags:
            self.labels.note("tag", tag, path, line)

    def _check_together(self, fields: Fields, node: MapNode) -> None:
        notes = list(self.fields.misfits(fields))
        turns = fields.get("turns") or ()
        if self.head.expect_required and "expect" not in fields and not any(turn.expect for turn in turns):
            message = "a case needs 'expect': what the answer must be, or 'expect: none'"
            if "expect" in node.values:
                message += "; if the answer is the word null, quote it"
            notes.append((node.line, node.column, message))
        talks = [key for key in _CONVERSATIONS if key in fields]
        if not talks:
            notes.append((node.line, node.column, "a case needs a 'prompt', 'messages' or 'turns'"))
        if len(talks) > 1:
            remedy = next(
                (
                    f"; write '{key}: null' to leave out the default"
                    for key in talks
                    if key not in node.values
                ),
                "",
            )
            either = " or ".join(map(quoted, talks))
            notes.append((node.line, node.column, f"a case has {either}, not {_BOTH[len(talks)]}{remedy}"))
        if "tool_results" in node.values and fields.get("tool_results") and not turns:
            at = node.keys["tool_results"]
            message = "'tool_results' goes with 'turns': write the prompt as turns: [{user: …}]"
            notes.append((at.line, at.column, message))
        if notes:
            raise NodeError(*notes)


_TALK = ("system", "prompt", "messages", "turns", "tool_results")
_BOTH = {2: "both", 3: "all three"}


def _messages(fields: Fields, node: MapNode) -> tuple[Mapping[str, Any], ...]:
    """The messages of the case; of a conversation, those before its turns."""
    system, prompt = fields.get("system"), fields.get("prompt")
    talk = fields.get("messages") or (() if prompt is None else ({"role": "user", "content": prompt},))
    if system is None:
        return tuple(talk)
    if talk and talk[0]["role"] in ("system", "developer"):
        remedy = "" if "system" in node.values else "; write 'system: null' to leave out the default"
        raise wrong(node, f"the case has a 'system', and its messages begin with another one{remedy}")
    return ({"role": "system", "content": system}, *talk)


def merged(defaults: Fields, own: Fields) -> Fields:
    """`own` over `defaults`: params and metadata by their keys, all else whole; None takes a default away."""
    fields = {**defaults, **own}
    for key in MERGED:
        if fields.get(key) is not None:
            both = {**(defaults.get(key) or {}), **(own.get(key) or {})} if key in own else fields[key]
            fields[key] = {name: value for name, value in both.items() if value is not None}
    return {key: value for key, value in fields.items() if value is not None}


def entries(node: MapNode) -> Iterable[tuple[Scalar, Node]]:
    """The keys of a mapping with their values, in the order of the file."""
    return ((node.keys[key], value) for key, value in node.values.items())
