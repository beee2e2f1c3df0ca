"""What a failed case shows, in pytest's failure section and in JUnit XML: plain text, bounded, harmless."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from pytest_ftgate.cases import Arm, EvalCase, Expectation, message_text
from pytest_ftgate.completions import Completion, ToolCall, turn_answers
from pytest_ftgate.record import Outcome, PlannedCase, Trial
from pytest_ftgate.reports.inert import inert_block, inert_line
from pytest_ftgate.reports.numbers import fixed
from pytest_ftgate.reports.outcomes import of_arm, repeats_passed, result_of
from pytest_ftgate.reports.reasons import score_lines, short_reason
from pytest_ftgate.summary import CaseResult, Flip

#: Bytes of one text once it is escaped for XML; readers of JUnit files refuse much larger nodes.
MAX_BYTES = 60_000

_MAX_REPEATS = 5
_MAX_TOOL_CALLS = 12
_MAX_EXPECTED = 12
_MAX_STEPS = 24
_MAIN_OPTIONS = {"reference", "pattern", "schema", "at_most"}
_ENDS_AS_USUAL = {None, "stop", "tool_calls"}


def render_case(case: EvalCase | PlannedCase, trials: Sequence[Trial]) -> str:
    """One case with what both arms answered and why it passed or failed.

    The first line stands on its own. `trials` are those of one item, of both arms and all repeats.
    """
    lines = [headline(result_of(case, trials)), "", *_where(case), *_prompt(case), *_expected(case)]
    for arm in Arm:
        if own := of_arm(trials, arm):
            lines += ["", *_arm(case, arm, own, trials)]
    return _bounded(lines)


def headline(result: CaseResult) -> str:
    """One line: regression, shared failure, fixed, failed or error, and the first reason."""
    trials, outcome = result.trials, result.outcome
    errored = [trial for trial in trials if trial.outcome is Outcome.ERRORED]
    if errored and outcome[Arm.MODEL] is not Outcome.FAILED:
        whose = "" if errored[0].key.arm is Arm.MODEL else " of the baseline"
        return f"error{whose}: {short_reason(errored[0])}"
    if result.flip is Flip.FIXED:
        return f"fixed: the model passed; the baseline did not: {_first_reason(trials)}"
    word, note = _WORDS.get(result.flip) or (
        "failed" if outcome[Arm.MODEL] is Outcome.FAILED else "passed",
        "",
    )
    if outcome[Arm.BASELINE] is Outcome.ERRORED:
        note = "the baseline's trial is an error"
    notes = [part for part in (_more(trials), repeats_passed(of_arm(trials, Arm.MODEL)), note) if part]
    tail = f" ({'; '.join(notes)})" if notes else ""
    return f"{word}: {_first_reason(trials)}{tail}"


_WORDS = {
    Flip.REGRESSION: ("regression", "the baseline passed"),
    Flip.BOTH_FAILED: ("shared failure", "the baseline failed too"),
    Flip.BOTH_PASSED: ("passed", "the baseline passed too"),
}


def _first_reason(trials: Sequence[Trial]) -> str:
    missed = _first_missed(trials)
    return short_reason(missed) if missed else "every check passed"


def _more(trials: Sequence[Trial]) -> str:
    """How many further checks the same trial missed; "" for none."""
    missed = _first_missed(trials)
    further = sum(not score.passed for score in missed.scores) - 1 if missed else 0
    return f"{further} more {'check' if further == 1 else 'checks'} failed" if further > 0 else ""


def _first_missed(trials: Sequence[Trial]) -> Trial | None:
    missed = [trial for arm in Arm for trial in of_arm(trials, arm) if trial.outcome is Outcome.FAILED]
    return missed[0] if missed else None


def _where(case: EvalCase | PlannedCase) -> Iterator[str]:
    tags = f", tags {', '.join(case.tags)}" if case.tags else ""
    yield inert_line(
        f"{case.path}:{case.line}: {case.id} (suite {case.suite}, category {case.category}{tags})"
    )


def _prompt(case: EvalCase | PlannedCase) -> Iterator[str]:
    before = len(case.messages) - 1 if isinstance(case, EvalCase) else 0
    if case.turns:
        turns = case.turns if isinstance(case.turns, int) else len(case.turns)
        yield f"prompts of a conversation of {turns} {'turns' if turns > 1 else 'turn'}"
    else:
        yield (
            f"prompt (the last user message; the conversation has {before + 1} messages)"
            if before > 0
            else "prompt"
        )
    yield from inert_block(case.prompt, limit=2000, max_lines=30)


def _expected(case: EvalCase | PlannedCase) -> Iterator[str]:
    """What was expected, as far as it is known: a planned case knows the checks without their options."""
    if not isinstance(case, EvalCase) or not case.checks:
        return
    yield "expected"
    of_turns = [
        (f"turn {number}: ", check) for number, turn in enumerate(case.turns, 1) for check in turn.expect
    ]
    checks = [*of_turns, *(("", check) for check in case.expect)]
    for where, check in checks[:_MAX_EXPECTED]:
        yield f"  {where}{inert_line(_expectation(check), limit=600)}"
    if len(checks) > _MAX_EXPECTED:
        yield f"  ({len(checks) - _MAX_EXPECTED} more checks)"


def _expectation(expectation: Expectation) -> str:
    name = f"{expectation.name} = " if expectation.name else ""
    if expectation.children:
        return f"{name}{expectation.scorer}: [{', '.join(map(_expectation, expectation.children))}]"
    options = dict(expectation.options)
    if len(options) == 1 and options.keys() <= _MAIN_OPTIONS:
        (only,) = options.values()
        return f"{name}{expectation.scorer}: {_json(only)}"
    return f"{name}{expectation.scorer}: {_json(options) if options else 'true'}"


def _arm(
    case: EvalCase | PlannedCase, arm: Arm, own: Sequence[Trial], trials: Sequence[Trial]
) -> Iterator[str]:
    yield f"{arm}: {_state(own)}"
    shown = [trial for trial in own if trial.outcome is not Outcome.PASSED] or own[:1]
    for trial in shown[:_MAX_REPEATS]:
        if len(own) > 1:
            yield f"{arm}, {_which(trial, own)}: {trial.outcome}"
        yield from _trial(trial, _same_answer(trial, trials), _said_by_user(case))
    if len(shown) > _MAX_REPEATS:
        yield f"({len(shown) - _MAX_REPEATS} more trials that did not pass)"


def _state(own: Sequence[Trial]) -> str:
    values = [trial.score for trial in own if trial.score is not None]
    score = f", score {fixed(sum(values) / len(values), 2)}" if values else ""
    passed = sum(trial.outcome is Outcome.PASSED for trial in own)
    one = str(own[0].outcome) if len(own) == 1 else f"{passed} of {len(own)} tests passed"
    return f"{repeats_passed(own) or one}{score}"


def _which(trial: Trial, own: Sequence[Trial]) -> str:
    several_items = len({other.key.item for other in own}) > 1
    return f"repeat {trial.key.repeat}" + (f" of {inert_line(trial.key.item)}" if several_items else "")


def _trial(trial: Trial, same: bool, said: Sequence[str]) -> Iterator[str]:
    if trial.error is not None:
        yield f"  error: {inert_line(trial.error.kind, limit=40)}"
        yield from inert_block(trial.error.message, limit=2000, max_lines=20)
    if trial.completion is None:
        yield "  no answer arrived"
    elif same:
        yield "  the same answer as the model's"
    elif trial.completion.steps:
        yield from _conversation(trial.completion, said)
    else:
        yield from _answer(trial.completion)
    yield from score_lines(trial.scores)


def _said_by_user(case: EvalCase | PlannedCase) -> list[str]:
    turns = case.turns if isinstance(case, EvalCase) else ()
    return [message_text(turn.message) for turn in turns]


def _conversation(completion: Completion, said: Sequence[str]) -> Iterator[str]:
    """Turn by turn: what the user said in a line, and what was answered, calls and all."""
    shown = completion.steps[:_MAX_STEPS]
    for number, steps in groupby(shown, key=lambda step: step.turn or 0):
        user = f": {inert_line(said[number - 1], limit=200)}" if 0 < number <= len(said) else ""
        yield f"  turn {number}{user}"
        for step in steps:
            yield from _answer(step)
    if len(completion.steps) > _MAX_STEPS:
        yield f"  ({len(completion.steps) - _MAX_STEPS} more answers)"


def _answer(completion: Completion) -> Iterator[str]:
    if completion.text:
        yield from inert_block(completion.text, limit=6000, max_lines=80)
    elif not completion.tool_calls:
        yield "  (an empty answer)"
    for call in completion.tool_calls[:_MAX_TOOL_CALLS]:
        yield f"  tool call: {inert_line(_call(call), limit=1000)}"
    if len(completion.tool_calls) > _MAX_TOOL_CALLS:
        yield f"  ({len(completion.tool_calls) - _MAX_TOOL_CALLS} more tool calls)"
    if completion.refusal:
        yield f"  refusal: {inert_line(completion.refusal, limit=600)}"
    if completion.finish_reason not in _ENDS_AS_USUAL:
        yield f"  finish reason: {inert_line(str(completion.finish_reason), limit=60)}"


def _call(call: ToolCall) -> str:
    if call.arguments is None:
        return f"{call.name}, arguments that are not a JSON object: {call.text}"
    return f"{call.name}({', '.join(f'{key}={_json(value)}' for key, value in call.arguments.items())})"


def _same_answer(trial: Trial, trials: Iterable[Trial]) -> bool:
    """Whether the model gave this same answer in the same repeat of the same item."""
    if trial.key.arm is Arm.MODEL or trial.completion is None:
        return False
    twin = trial.key._replace(arm=Arm.MODEL)
    return any(
        other.key == twin
        and other.outcome is not Outcome.PASSED
        and other.completion is not None
        and _said(other.completion) == _said(trial.completion)
        for other in trials
    )


def _said(completion: Completion) -> tuple[object, ...]:
    own = completion.text, completion.tool_calls, completion.refusal, completion.finish_reason
    return (*own, *map(_said, turn_answers(completion))) if completion.steps else own


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _bounded(lines: Sequence[str]) -> str:
    kept: list[str] = []
    used = 0
    for position, text in enumerate(lines):
        used += xml_bytes(text) + 1
        if used > MAX_BYTES:
            kept.append(f"({len(lines) - position} more lines, cut; the JSON report has all)")
            break
        kept.append(text)
    return "\n".join(kept) + "\n"


def xml_bytes(text: str) -> int:
    """How many bytes a text takes once it is escaped for XML."""
    return len(html.escape(text).encode("utf-8", "backslashreplace"))
