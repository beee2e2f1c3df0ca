"""Cases of the page: as values that the template and the script show alike, and as islands of them.

Texts are bounded so that the page of 10,000 cases stays a page; the JSON report and the record hold all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from markupsafe import Markup

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.record import CaseKey, Outcome, Trial
from pytest_ftgate.reports.answers import answer_of, answer_text, visible
from pytest_ftgate.reports.case_text import headline
from pytest_ftgate.reports.html.differences import differences
from pytest_ftgate.reports.inert import inert_line, inert_text
from pytest_ftgate.reports.numbers import amount, fixed
from pytest_ftgate.reports.one_file import island
from pytest_ftgate.reports.outcomes import of_arm, repeats_passed
from pytest_ftgate.reports.reasons import said_of, score_name
from pytest_ftgate.scores import Score
from pytest_ftgate.summary import CaseResult, Flip

#: How a case is filtered, in the order in which cases are shown: what needs reading first.
KINDS = (
    "regression",
    "error",
    "failed",
    "both failed",
    "fixed",
    "not judged",
    "passed",
    "both passed",
    "skipped",
)
_FLIPS = {
    Flip.REGRESSION: "regression",
    Flip.BOTH_FAILED: "both failed",
    Flip.FIXED: "fixed",
    Flip.BOTH_PASSED: "both passed",
}
#: Most characters of one text, the largest first; the first with which all cases fit is taken.
_LIMITS = (20_000, 8_000, 3_000, 1_200, 500, 250)
#: Characters of all islands together, and of what a case takes besides its texts.
_ROOM, _PER_CASE = 22_000_000, 900
_PER_ISLAND = 250
_MAX_PAIRS, _MAX_CHECKS, _MAX_DEPTH = 5, 30, 6

CaseJson = dict[str, Any]


def case_order(cases: Iterable[CaseResult]) -> list[CaseResult]:
    """What needs reading first: regressions, then errors, failures, what was fixed, and the rest."""
    return sorted(cases, key=lambda case: (KINDS.index(kind_of(case)), case.planned.suite, case.planned.id))


def kind_of(case: CaseResult) -> str:
    """One of the kinds by which cases are filtered."""
    if case.planned.skip is not None:
        return "skipped"
    if any(trial.outcome is Outcome.ERRORED for trial in case.trials):
        return "error"
    if case.flip is Flip.MODEL_ONLY:
        return "passed" if case.outcome[Arm.MODEL] is Outcome.PASSED else "failed"
    return _FLIPS.get(case.flip, "not judged")


def anchor_of(case: CaseResult) -> str:
    """The fragment that leads to a case, in a form that no browser changes."""
    name = f"{case.planned.suite}/{case.planned.id}"
    return f"case-{quote(name, safe='/-_.~', errors='backslashreplace')}"


def filter_of(field: str, value: str) -> str:
    """The fragment that leads to the list of cases, filtered by this field alone."""
    return f"cases?{urlencode({field: value}, errors='backslashreplace')}"


def fitting(cases: Sequence[CaseResult]) -> int:
    """The most characters of one text with which all cases find room, at least the smallest limit."""
    lengths = [_lengths(case) for case in cases]
    for limit in _LIMITS:
        texts = sum(min(length, limit) for each in lengths for length in each)
        if texts + _PER_CASE * len(lengths) <= _ROOM:
            return limit
    return _LIMITS[-1]


def islands(
    cases: Sequence[CaseResult], limit: int, criteria: Sequence[Collection[CaseKey]]
) -> Iterator[Markup]:
    """The cases as JSON, some hundred in each island, until the room is used up.

    `criteria` are the cases that each criterion reads: of each case it is said which of them do.
    """
    room = _ROOM
    for start in range(0, len(cases), _PER_ISLAND):
        rows = []
        for case in cases[start : start + _PER_ISLAND]:
            readers = [place for place, read in enumerate(criteria) if case.planned.key in read]
            row = island({**case_json(case, limit), "criteria": readers})
            room -= len(row)
            if room < 0:
                break
            rows.append(row)
        if rows:
            yield Markup("[{}]").format(Markup(",\n".join(rows)))  # noqa: S704  (JSON without a sign of HTML)
        if room < 0:
            return


def case_json(case: CaseResult, limit: int) -> CaseJson:
    """One case as builtins, every text harmless and no longer than `limit` characters."""
    planned = case.planned
    return {
        "anchor": anchor_of(case),
        "id": inert_line(planned.id),
        "suite": inert_line(planned.suite),
        "category": inert_line(planned.category),
        "role": str(planned.role),
        "tags": [inert_line(tag) for tag in planned.tags],
        "kind": kind_of(case),
        "where": inert_line(f"{planned.path}:{planned.line}"),
        "turns": planned.turns,
        "prompt": bounded(planned.prompt, limit),
        "reason": reason_of(case),
        "arms": {str(arm): state_of(case, arm) for arm in Arm},
        "pairs": _pairs(case, limit),
        "more": max(len(_grouped(case)) - _MAX_PAIRS, 0),
        "votes": [[inert_line(vote.key.reviewer), vote.overall.value] for vote in case.votes.counted],
    }


def bounded(text: str, limit: int) -> str:
    """The text, harmless, and a note of what was cut."""
    if len(text) <= limit:
        return inert_text(text)
    return f"{inert_text(text[:limit])}… ({len(text) - limit:,} more characters: see the JSON report)"


def _lengths(case: CaseResult) -> list[int]:
    said = [len(score.explanation) for trial in case.trials for score in trial.scores]
    answers = [_length(trial.completion) for trial in case.trials if trial.completion]
    return [len(case.planned.prompt), *answers, *(min(length, 1500) for length in said)]


def _length(completion: Completion) -> int:
    calls = sum(len(call.text) + len(str(call.arguments)) for call in completion.tool_calls)
    return len(completion.text) + calls + sum(map(_length, completion.steps))


def reason_of(case: CaseResult) -> str:
    """In one line why it came out as it did."""
    if case.planned.skip is not None:
        return inert_line(case.planned.skip)
    if not case.trials:
        return "its trials are missing"
    if kind_of(case) == "not judged" and not any(trial.scores for trial in case.trials):
        return "no check: its answers are for people and for what is measured"
    return headline(case).partition(": ")[2]


def state_of(case: CaseResult, arm: Arm) -> dict[str, Any] | None:
    """What one arm made of the case; None if it was not asked."""
    own = of_arm(case.trials, arm)
    if not own:
        return None
    outcome, score = case.outcome[arm], case.score[arm]
    return {
        "outcome": "asked" if outcome is None else str(outcome),
        "repeats": repeats_passed(own),
        "score": None if score is None else fixed(score, 2),
    }


def _grouped(case: CaseResult) -> list[dict[Arm, Trial]]:
    """The trials of both arms by repeat and item; what did not go well first."""
    found: dict[tuple[int, str], dict[Arm, Trial]] = {}
    for trial in case.trials:
        found.setdefault((trial.key.repeat, trial.key.item), {})[trial.key.arm] = trial
    return sorted(
        found.values(), key=lambda pair: all(one.outcome is Outcome.PASSED for one in pair.values())
    )


def _pairs(case: CaseResult, limit: int) -> list[dict[str, Any]]:
    pairs = _grouped(case)
    items = {trial.key.item for trial in case.trials}
    return [_pair(pair, limit, _label(pair, len(pairs), len(items))) for pair in pairs[:_MAX_PAIRS]]


def _label(pair: dict[Arm, Trial], pairs: int, items: int) -> str:
    key = next(iter(pair.values())).key
    if pairs < 2:
        return ""
    return f"repeat {key.repeat}" + (f" of {inert_line(key.item)}" if items > 1 else "")


def _pair(pair: dict[Arm, Trial], limit: int, label: str) -> dict[str, Any]:
    model, baseline = (pair.get(arm) for arm in Arm)
    ours, theirs = (_answer(trial, limit) for trial in (model, baseline))
    marked = ([ours], [theirs]) if ours is None or theirs is None else differences(ours, theirs)
    return {
        "label": label,
        "same": ours is not None and ours == theirs,
        "model": _trial(model, marked[0], limit),
        "baseline": _trial(baseline, marked[1], limit),
    }


def _answer(trial: Trial | None, limit: int) -> str | None:
    if trial is None or trial.completion is None:
        return None
    text = answer_text(visible(answer_of(trial.completion)))
    if len(text) > limit:
        text = f"{text[:limit]}… ({len(text) - limit:,} more characters: see the JSON report)"
    finish = trial.completion.finish_reason
    return f"{text}\n[cut off: finish reason 'length']" if finish == "length" else text


def _trial(trial: Trial | None, answer: Sequence[str | None], limit: int) -> dict[str, Any] | None:
    if trial is None:
        return None
    error = trial.error
    return {
        "outcome": "asked" if trial.outcome is Outcome.PASSED and not trial.scores else str(trial.outcome),
        "error": bounded(f"{error.kind}: {error.message}", min(limit, 2000)) if error else None,
        "answer": None if answer[0] is None else list(answer),
        "checks": list(_checks(trial.scores, min(limit, 1500)))[:_MAX_CHECKS],
        "took": _took(trial.completion),
    }


def _checks(
    scores: Sequence[Score], limit: int, depth: int = 0, *, is_aside: bool = False
) -> Iterator[list[Any]]:
    """Passed or not, name, what was compared, and how deep it stands in other checks.

    What stands in a `not` is neither: there a miss is what was wanted.
    """
    for score in scores:
        passed = None if is_aside else score.passed
        yield [passed, score_name(score), bounded(said_of(score), limit), depth]
        if depth < _MAX_DEPTH:
            below = is_aside or score.scorer == "not"
            yield from _checks(score.children, limit, depth + 1, is_aside=below)


def _took(completion: Completion | None) -> str:
    if completion is None:
        return ""
    usage = completion.usage
    parts = []
    if completion.latency_s is not None and completion.source != "recorded":
        parts.append(f"{amount(completion.latency_s)} s")
    if usage.output_tokens is not None:
        before = f"{usage.input_tokens:,} + " if usage.input_tokens is not None else ""
        parts.append(f"{before}{usage.output_tokens:,} tokens")
    if completion.cost is not None:
        parts.append(f"cost {amount(completion.cost)}")
    return " · ".join(parts)
