"""The keys of an eval case, each with the function that reads its value. No key knows of another one here."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pytest_ftgate.cases import AnswerRule
from pytest_ftgate.files import conversation, values
from pytest_ftgate.files.expectations import ExpectationReader
from pytest_ftgate.files.labels import case_id, label, tags
from pytest_ftgate.files.nodes import MapNode, Node, NodeError, Note, Scalar, wrong
from pytest_ftgate.files.references import References
from pytest_ftgate.files.tools import openai_tools
from pytest_ftgate.files.wording import quoted

Fields = dict[str, Any]

#: Parameters that are not the author's to set, and where each belongs.
_RESERVED_PARAMS = {
    "model": "the model is named by --model",
    "messages": "write 'messages:' of the case",
    "tools": "write 'tools:' of the case",
    "stream": "answers are read whole",
    "n": "write 'repeat:' of the case",
}


class FieldReader:
    """Reads the fields of the cases of one suite; lives as long as the suite is read."""

    def __init__(self, expectations: ExpectationReader, references: References) -> None:
        self._expectations = expectations
        self._references = references
        self._readers: Mapping[str, Callable[[Node], Any]] = {
            "id": case_id,
            "category": lambda node: label(node, "the category"),
            "tags": tags,
            "system": conversation.system,
            "prompt": conversation.prompt,
            "messages": conversation.messages,
            "tools": self._tools,
            "params": params,
            "metadata": lambda node: _plain_mapping(node, "'metadata'"),
            "expect": expectations.read,
            "answer": answer_rule,
            "repeat": lambda node: values.whole_number(node, "'repeat'", least=1),
            "must_pass": lambda node: values.boolean(node, "'must_pass'"),
            "accept_truncated": lambda node: values.boolean(node, "'accept_truncated'"),
            "skip": lambda node: _reason(node, "'skip'"),
            "xfail": lambda node: _reason(node, "'xfail'"),
            "turns": conversation.TurnReader(expectations.read, answer_rule).read,
            "tool_results": conversation.tool_results,
        }

    def read(self, entries: Iterable[tuple[Scalar, Node]], notes: list[Note]) -> Fields:
        """The values of all keys, None where null takes a default away; what is wrong goes into `notes`."""
        fields: Fields = {}
        for key, node in entries:
            reader = self._readers.get(key.text)
            if reader is None:
                notes.append(values.unknown_key(key, KEYS))
                continue
            try:
                fields[key.text] = None if values.is_null(node) else reader(node)
            except NodeError as error:
                notes.extend(error.notes)
        return fields

    def misfits(self, fields: Fields) -> Iterator[Note]:
        """What one field says and another one does not allow: calls of tools that the case does not have."""
        tools = fields.get("tools") or ()
        if not tools:
            return  # nothing is said of a case without tools
        for part in (fields, *map(_fields_of, fields.get("turns") or ())):
            yield from self._expectations.misfits(part.get("expect") or (), tools)
            yield from (part.get("tool_results") or conversation.ToolResults()).misfits(tools)

    def _tools(self, node: Node) -> tuple[Mapping[str, Any], ...]:
        value = values.plain(node)
        if isinstance(value, str):
            return self._references.read_json(value, node, openai_tools)
        try:
            return openai_tools(value)
        except ValueError as error:
            raise wrong(node, f"'tools': {error}") from None


def params(node: Node) -> dict[str, Any]:
    """Parameters of the request; None takes a default away."""
    found = _plain_mapping(node, "'params'")
    reserved = next((key for key in found if key in _RESERVED_PARAMS), None)
    if reserved is not None:
        where = values.mapping(node, "'params'").keys[reserved]
        raise wrong(where, f"{quoted(reserved)} can't be a parameter: {_RESERVED_PARAMS[reserved]}")
    return found


def answer_rule(node: Node) -> AnswerRule:
    """What of the answer's text the text scorers see."""
    rule = values.mapping(node, "'answer'")
    values.known_keys(rule, _ANSWER)
    given = {key: _ANSWER[key](value) for key, value in rule.values.items()}
    cutters = [key for key in ("after", "regex", "json") if key in given]
    if len(cutters) > 1:
        both = " and ".join(map(quoted, cutters))
        raise wrong(rule.keys[cutters[1]], f"'answer' cuts in one way, and this one has {both}")
    if not given:
        raise wrong(node, f"'answer' is empty. Keys: {', '.join(_ANSWER)}")
    _refuse_idle_keys(rule, cutters)
    return AnswerRule(**given)


def _refuse_idle_keys(rule: MapNode, cutters: Iterable[str]) -> None:
    for key in ("which", "ignore_case"):
        if key in rule.values and not {"after", "regex"} & set(cutters):
            raise wrong(rule.keys[key], f"{quoted(key)} goes with 'after' or 'regex'")


def _pattern(node: Node) -> str:
    regex: Any = importlib.import_module("regex")  # only who writes a pattern pays for it

    pattern = values.text(node, "'regex'")
    try:
        regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        raise wrong(node, f"{quoted(pattern)} is not a regular expression: {error}") from None
    return pattern


_ANSWER: Mapping[str, Callable[[Node], Any]] = {
    "after": lambda node: values.filled_text(node, "'after'"),
    "which": lambda node: values.choice(node, "'which'", ("first", "last")),
    "ignore_case": lambda node: values.boolean(node, "'ignore_case'"),
    "regex": _pattern,
    "json": lambda node: values.filled_text(node, "'json'"),
    "lines": lambda node: values.whole_number(node, "'lines'", least=1),
    "strip": lambda node: values.text(node, "'strip'"),
}


def _plain_mapping(node: Node, what: str) -> dict[str, Any]:
    return {key: values.plain(value) for key, value in values.mapping(node, what).values.items()}


def _reason(node: Node, what: str) -> str:
    reason = values.filled_text(node, what)
    if type(node) is not Scalar and not isinstance(getattr(node, "value", None), str):
        raise wrong(node, f"{what} takes the reason as text, and this is {values.shown(node)}")
    if type(node) is Scalar and isinstance(values.plain(node), bool):
        raise wrong(node, f"{what} takes the reason as text, and this is {quoted(reason)}")
    return reason


def _fields_of(turn: conversation.ScriptedTurn) -> Fields:
    return {"expect": turn.expect, "tool_results": turn.tool_results}


#: All keys of a case that are offered when one is misspelt.
KEYS = (
    "id", "category", "tags", "system", "prompt", "messages", "turns", "tools", "tool_results", "params",
    "metadata", "expect", "answer", "repeat", "must_pass", "accept_truncated", "skip", "xfail",
)  # fmt: skip
