"""The page on statistics says what is computed: its figures are computed again, its table is whole."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pytest_ftgate.reports.numbers import p_value, points_interval
from pytest_ftgate.stats.estimates import interval
from pytest_ftgate.stats.paired_passes import PairedEstimate, mcnemar_p
from pytest_ftgate.stats.rates import RateEstimate

ROOT = Path(__file__).parents[1]
#: On one line, since paragraphs are wrapped wherever they happen to be.
PAGE = " ".join((ROOT / "docs" / "statistics.md").read_text(encoding="utf-8").split())
LIVE_RELEVANCE = PairedEstimate(wins=2, losses=6, n=18)
UNCHANGED = PairedEstimate(wins=0, losses=0, n=10)


def test_every_module_of_statistics_has_its_place_in_the_table() -> None:
    modules = {path.stem for path in (ROOT / "pytest_ftgate" / "stats").glob("*.py")} - {"__init__"}
    table = PAGE.partition("## Where it is computed")[2]

    assert set(re.findall(r"`([a-z_]+)`", table)) - {"pass_at"} == modules


@pytest.mark.parametrize(
    ("sentence", "figure"),
    [
        ("-22.2! {} 2/6/10", points_interval(interval(LIVE_RELEVANCE, 0.95))),
        ("McNemar's p = {}.", p_value(mcnemar_p(2, 6))),
        ('"at most {} points with 95% confidence;', f"{LIVE_RELEVANCE.upper(0.95) * 100:+.1f}"),
        ("passes 128, {} %.", f"{RateEstimate(passed=128, n=139).value * 100:.1f}"),
        ("as low as {} %.", f"{RateEstimate(passed=128, n=139).lower(0.95) * 100:.1f}"),
        ("Wilson says {} % or more, one-sided.", f"{RateEstimate(passed=10, n=10).lower(0.95) * 100:.1f}"),
        ("without any change give {}, not", points_interval(interval(UNCHANGED, 0.95))),
    ],
)
def test_the_figures_of_the_page_are_what_is_computed(sentence: str, figure: str) -> None:
    assert sentence.format(figure) in PAGE
