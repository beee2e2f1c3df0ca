"""The four tool scorers: tool_call, tool_calls, any_tool_call, no_tool_call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_ftgate.cases import EvalCase
from pytest_ftgate.completions import Completion, ToolCall
from pytest_ftgate.scorers.explain import printable, quote, show, verdict
from pytest_ftgate.scorers.matching import unmatched
from pytest_ftgate.scorers.spec import Option, ScorerSpec, Subject
from pytest_ftgate.scorers.tool_arguments import ArgumentRules, Fields, from_any_of, from_arguments
from pytest_ftgate.scorers.tool_calls_text import decode_calls
from pytest_ftgate.scorers.tool_names import check_call_tools, check_calls_tools, flat
from pytest_ftgate.scorers.tool_options import (
    ARGUMENTS,
    ARGUMENTS_ANY_OF,
    CALLS,
    NAME,
    STRINGS,
    check_call,
    check_calls,
)
from pytest_ftgate.scores import Score


def calls_of(completion: Completion) -> tuple[ToolCall, ...]:
    """The calls of an answer: the API's, or if it has none those that the text consists of."""
    return completion.tool_calls or decode_calls(completion.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """One expected call; `fields` is None if any arguments will do."""

    name: str
    fields: Fields | None

    @classmethod
    def of(cls, call: Mapping[str, Any]) -> _Wanted:
        if "arguments_any_of" in call:
            return cls(name=call["name"], fields=from_any_of(call["arguments_any_of"]))
        arguments = call.get("arguments")
        return cls(name=call["name"], fields=None if arguments is None else from_arguments(arguments))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """Compares calls with expected ones by the tools of the case."""

    parameters: Mapping[str, Mapping[str, Any]]
    rules: ArgumentRules

    @classmethod
    def of(cls, case: EvalCase, options: Mapping[str, Any]) -> _Judge:
        functions = [tool.get("function", tool) for tool in case.tools]
        parameters = {str(f["name"]): f.get("parameters") or {} for f in functions if f.get("name")}
        return cls(
            parameters=parameters, rules=ArgumentRules(exact_strings=options.get("strings") == "exact")
        )

    def same_tool(self, wanted: str, got: str) -> bool:
        """Whether two names mean one tool; APIs that allow no dots are given `a_b` for `a.b`."""
        if wanted == got:
            return True
        name = flat(wanted)
        return name == flat(got) and sum(flat(declared) == name for declared in self.parameters) == 1

    def difference(self, wanted: _Wanted, got: ToolCall) -> str | None:
        """The first difference in words, or None."""
        if not self.same_tool(wanted.name, got.name):
            return f"got {_shown_call(got)}, expected a call of {wanted.name}"
        if got.arguments is None:
            return f"{wanted.name}: the arguments can't be read: {quote(got.text)}"
        if wanted.fields is None:
            return None
        found = self.rules.difference(wanted.fields, got.arguments, self._schema(wanted.name))
        return f"{wanted.name}: {found}" if found else None

    def _schema(self, name: str) -> Mapping[str, Any]:
        found = (schema for declared, schema in self.parameters.items() if self.same_tool(name, declared))
        return next(found, {})


def _tool_call(options: Mapping[str, Any], subject: Subject) -> Score:
    wanted, got = _Wanted.of(options), calls_of(subject.completion)
    if len(got) != 1:
        return verdict("tool_call", False, _wrong_count([wanted], got, subject.completion))
    found = _Judge.of(subject.case, options).difference(wanted, got[0])
    return verdict("tool_call", not found, found or f"got {_shown_call(got[0])}, as expected")


def _tool_calls(options: Mapping[str, Any], subject: Subject) -> Score:
    """The value is the share of matched calls, of the expected or given ones, whichever are more."""
    wanted = [_Wanted.of(call) for call in options["calls"]]
    got = calls_of(subject.completion)
    judge, strict = _Judge.of(subject.case, options), options.get("order") == "strict"
    missing, surplus = _unmatched(judge, wanted, got, strict=strict)
    matched = len(wanted) - len(missing)
    if len(wanted) != len(got):
        said = _wrong_count(wanted, got, subject.completion)
    elif missing:
        first = missing[0]
        nearest = got[first] if strict else _nearest(judge, wanted[first], [got[j] for j in surplus])
        place = f"call {first + 1}: " if strict else ""
        said = f"{place}{judge.difference(wanted[first], nearest)}"
    else:
        said = f"got {', '.join(_shown_call(call) for call in got)}, as expected"
    passed = matched == len(wanted) == len(got)
    value = matched / max(len(wanted), len(got))
    return Score(scorer="tool_calls", value=value, passed=passed, explanation=f"tool_calls: {said}")


def _unmatched(
    judge: _Judge, wanted: Sequence[_Wanted], got: Sequence[ToolCall], *, strict: bool
) -> tuple[list[int], list[int]]:
    def fits(i: int, j: int) -> bool:
        return (not strict or i == j) and judge.difference(wanted[i], got[j]) is None

    return unmatched(len(wanted), len(got), fits)


def _nearest(judge: _Judge, wanted: _Wanted, surplus: Sequence[ToolCall]) -> ToolCall:
    """The given call to compare with: one of the same tool, else the first."""
    return next((call for call in surplus if judge.same_tool(wanted.name, call.name)), surplus[0])


def _any_tool_call(_: Mapping[str, Any], subject: Subject) -> Score:
    got = calls_of(subject.completion)
    readable = [call for call in got if call.name and call.arguments is not None]
    if readable:
        return verdict("any_tool_call", True, f"got {_shown_call(readable[0])}, as expected")
    if got:
        return verdict("any_tool_call", False, f"the arguments can't be read: {_shown_call(got[0])}")
    return verdict("any_tool_call", False, f"{_no_call(subject.completion)}, expected a call")


def _no_tool_call(_: Mapping[str, Any], subject: Subject) -> Score:
    got = calls_of(subject.completion)
    if got:
        return verdict("no_tool_call", False, f"got {_shown_call(got[0])}, expected no call")
    return verdict("no_tool_call", True, f"{_no_call(subject.completion)}, as expected")


def _wrong_count(wanted: Sequence[_Wanted], got: Sequence[ToolCall], completion: Completion) -> str:
    names = ", ".join(call.name for call in wanted)
    if not got:
        return f"{_no_call(completion)}, expected {names}"
    given = printable(", ".join(call.name or "?" for call in got[:10]))
    return f"got {_count(len(got))} ({given}), expected {_count(len(wanted))} ({names})"


def _count(number: int) -> str:
    return "1 call" if number == 1 else f"{number} calls"


def _no_call(completion: Completion) -> str:
    return f"no tool call in {quote(completion.text)}"


def _shown_call(call: ToolCall) -> str:
    if call.arguments is None:
        return f"an unreadable call {quote(call.text or call.name)}"
    arguments = ", ".join(f"{name}={show(value, 60)}" for name, value in list(call.arguments.items())[:10])
    return printable(f"{call.name}({arguments})")


SCORERS = (
    ScorerSpec(
        name="tool_call",
        doc="Exactly one call, of this tool, with these `arguments` if given. Calls as text count.",
        score=_tool_call,
        options={
            "name": NAME,
            "arguments": ARGUMENTS,
            "arguments_any_of": ARGUMENTS_ANY_OF,
            "strings": STRINGS,
        },
        main="name",
        required=("name",),
        check=check_call,
        check_tools=check_call_tools,
    ),
    ScorerSpec(
        name="tool_calls",
        doc="Exactly these calls, in any order unless `order: strict`; the value is the share that match.",
        score=_tool_calls,
        options={
            "calls": CALLS,
            "order": Option(
                schema={"enum": ["any", "strict"]}, doc="Whether the order counts. Default: any."
            ),
            "strings": STRINGS,
        },
        main="calls",
        required=("calls",),
        check=check_calls,
        check_tools=check_calls_tools,
    ),
    ScorerSpec(
        name="any_tool_call",
        doc="At least one call, of any tool, with readable arguments.",
        score=_any_tool_call,
    ),
    ScorerSpec(
        name="no_tool_call",
        doc="No call of any tool; text that only mentions one is none.",
        score=_no_tool_call,
    ),
)
