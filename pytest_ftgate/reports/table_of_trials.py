"""The CSV report: one row for each trial, to be opened in a spreadsheet or read by a program.

The record (`.jsonl`) is its twin without loss; texts here are bounded, and changed where a spreadsheet would
take them for a formula: the column `altered` names those cells.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from pytest_ftgate.gates import Assessment
from pytest_ftgate.record import Trial
from pytest_ftgate.reports.answers import answer_of, answer_text
from pytest_ftgate.reports.cells import safe_cell
from pytest_ftgate.reports.reasons import short_reason
from pytest_ftgate.scores import Score
from pytest_ftgate.summary import CaseResult

COLUMNS = (
    "suite",
    "case",
    "category",
    "role",
    "tags",
    "arm",
    "repeat",
    "item",
    "outcome",
    "flip",
    "score",
    "scorers",
    "latency_s",
    "time_to_first_token_s",
    "input_tokens",
    "output_tokens",
    "cost",
    "finish_reason",
    "prompt",
    "answer",
    "reasons",
    "altered",
)


def csv_parts(assessment: Assessment) -> Iterator[str]:
    """The header, then one row for each trial, by suite, case, arm, repeat and item; every cell is quoted."""
    yield "\ufeff" + _line(COLUMNS)  # without the mark Excel takes UTF-8 for another encoding
    for case in assessment.summary.cases:
        for trial in case.trials:
            yield _row(_cells(case, trial))


def _row(cells: Mapping[str, str]) -> str:
    safe = {name: safe_cell(cell) for name, cell in cells.items()}
    altered = [name for name, cell in safe.items() if cell != cells[name]]
    return _line([*safe.values(), " ".join(altered)])


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(cells)
    return out.getvalue()


def _cells(case: CaseResult, trial: Trial) -> dict[str, str]:
    planned, key = case.planned, trial.key
    return {
        "suite": planned.suite,
        "case": planned.id,
        "category": planned.category,
        "role": str(planned.role),
        "tags": " ".join(planned.tags),
        "arm": str(key.arm),
        "repeat": str(key.repeat),
        "item": key.item,
        "outcome": str(trial.outcome),
        "flip": str(case.flip),
        "score": _number(trial.score),
        "scorers": " ".join(map(_score, trial.scores)),
        **_measured(trial),
        "prompt": planned.prompt,
        "answer": answer_text(answer_of(trial.completion)) if trial.completion else "",
        "reasons": "\n".join(_reasons(trial)),
    }


def _measured(trial: Trial) -> dict[str, str]:
    """Times of saved answers are not told: they were measured elsewhere, if at all."""
    answer = trial.completion
    is_live = answer is not None and answer.source != "recorded"
    return {
        "latency_s": _number(answer.latency_s if answer and is_live else None),
        "time_to_first_token_s": _number(answer.time_to_first_token_s if answer and is_live else None),
        "input_tokens": _number(answer.usage.input_tokens if answer else None),
        "output_tokens": _number(answer.usage.output_tokens if answer else None),
        "cost": _number(answer.cost if answer else None),
        "finish_reason": (answer.finish_reason or "") if answer else "",
    }


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"


def _score(score: Score) -> str:
    return f"{score.name or score.scorer}={score.value:.4g}"


def _reasons(trial: Trial) -> Iterator[str]:
    """Why it did not pass: the error, or every check that failed; empty for a trial that passed."""
    if trial.error is not None or not any(not score.passed for score in trial.scores):
        yield short_reason(trial) if trial.outcome != "passed" else ""
        return
    for score in trial.scores:
        if not score.passed:
            yield f"{score.name or score.scorer}: {score.explanation}"
