"""The model beside its baseline, and the repeats of each, as parts of the JSON report."""

from __future__ import annotations

from typing import Any

from pytest_ftgate.reports.json_values import number, plain
from pytest_ftgate.summary import Comparison, Estimated, Repeats, Sides


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """Wins, scores, times, tokens and cost, each with its interval; null where nothing was measured."""
    return {
        "wins": comparison.wins,
        "losses": comparison.losses,
        "ties": comparison.ties,
        "sign_p": number(comparison.sign_p),
        "win_rate": _estimated(comparison.win_rate),
        "score_delta": _estimated(comparison.score_delta),
        "latency": {f"p{percent}": _sides(sides) for percent, sides in comparison.latency.items()},
        "time_to_first_token": {
            f"p{percent}": _sides(sides) for percent, sides in comparison.time_to_first_token.items()
        },
        "tokens": _sides(comparison.tokens),
        "cost": _sides(comparison.cost),
    }


def repeats_json(repeats: Repeats | None) -> dict[str, Any] | None:
    """How many cases were answered several times, which of them flip, and the variances."""
    if repeats is None:
        return None
    return {
        "cases": repeats.cases,
        "unstable": [{"suite": suite, "id": case} for suite, case in repeats.unstable],
        "within": number(repeats.within),
        "between": number(repeats.between),
    }


def _sides(sides: Sides | None) -> dict[str, Any] | None:
    if sides is None:
        return None
    return {name: _estimated(getattr(sides, name)) for name in ("model", "baseline", "ratio")}


def _estimated(found: Estimated | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "value": number(found.value),
        "n": found.n,
        "interval": plain(found.interval),
        "thin": found.thin,
    }
