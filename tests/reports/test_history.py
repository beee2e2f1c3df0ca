"""Past runs as they are shown: rows, marks, trends and the noise band, in colour, without, and in ASCII."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pytest_ftgate.history import HistoryGroup, HistoryModel, HistoryRate, HistoryRun
from pytest_ftgate.reports.history import Shown, history_json, render_history
from pytest_ftgate.reports.lines import ansi_text, cells, plain_text
from tests.history.test_history import a_run
from tests.support.hostile import HOSTILE, assert_inert


def told(rate: float, n: int = 40) -> HistoryRate:
    return HistoryRate(rate=rate, n=n, interval=(rate - 0.1, rate + 0.1))


def day(number: int, verdict: str, rates: Sequence[float], **changes: object) -> HistoryRun:
    """A run of a day in March: the rates of all cases, of role target, and of `simple` and `edge_case`."""
    places = (("all", "all"), ("role", "target"), ("category", "simple"), ("category", "edge_case"))
    groups = tuple(
        HistoryGroup(by=by, value=value, n=40, model=told(rate), baseline=told(0.5))
        for (by, value), rate in zip(places, rates, strict=False)
    )
    made = a_run(f"r-{number}", started=f"2026-03-{number:02}T10:00:00+00:00", verdict=verdict, groups=groups)
    return replace(made, **changes)  # type: ignore[arg-type]  # what dataclasses.replace takes is not known


RUNS = [
    day(1, "ITERATE", (0.6, 0.6, 0.6, 0.6), plan="older"),
    day(2, "ITERATE", (0.7, 0.7, 0.72, 0.68)),
    day(3, "SHIP", (0.8, 0.8, 0.85, 0.75)),
    day(4, "INCONCLUSIVE", (0.78, 0.78, 0.7, 0.87)),
    day(5, "ITERATE", (0.75, 0.75, 0.65)),
]


def test_runs_and_trends_at_80_columns() -> None:
    shown = plain_text(
        render_history([*RUNS[:4], day(5, "ITERATE", (0.75, 0.75, 0.65, 0.9))], Shown(), width=80)
    )

    assert shown == (
        "   started           verdict       model         all cases, 95% CI   n  baseline\n"
        " x 2026-03-01 10:00  ITERATE       tuned step-1   60.0% [50%, 70%]  40     50.0%\n"
        "   2026-03-02 10:00  ITERATE       tuned step-1   70.0% [60%, 80%]  40     50.0%\n"
        "*  2026-03-03 10:00  SHIP          tuned step-1   80.0% [70%, 90%]  40     50.0%\n"
        "   2026-03-04 10:00  INCONCLUSIVE  tuned step-1   78.0% [68%, 88%]  40     50.0%\n"
        "   2026-03-05 10:00  ITERATE       tuned step-1   75.0% [65%, 85%]  40     50.0%\n"
        "* the last SHIP\n"
        "x not comparable with the last run: other cases, or another gate\n"
        "\n"
        "             trend   last  baseline  noise band  it is   band of\n"
        "all          x▁▅▄▃  75.0%     50.0%  [70%, 90%]  within  2026-03-03 10:00\n"
        "role target  x▁▅▄▃  75.0%     50.0%  [70%, 90%]  within  2026-03-03 10:00\n"
        "edge_case    x▁▄██  90.0%     50.0%  [65%, 85%]  above   2026-03-03 10:00\n"
        "simple       x▂▆▂▁  65.0%     50.0%  [75%, 95%]  below   2026-03-03 10:00\n"
        "noise band: the 95% interval of the rate in the last SHIP before the last run;\n"
        "bars are the runs above, each row from its lowest to its highest rate or bound\n"
    )


def test_one_category_is_shown_with_its_own_rates() -> None:
    shown = plain_text(render_history(RUNS, Shown(last=2, category="edge_case"), width=80))

    assert shown == (
        "   started           verdict       model         category, 95% CI   n  baseline\n"
        "   2026-03-04 10:00  INCONCLUSIVE  tuned step-1  87.0% [77%, 97%]  40     50.0%\n"
        "   2026-03-05 10:00  ITERATE       tuned step-1                 -   -         -\n"
        "the last SHIP is earlier: run r-3, started 2026-03-03T10:00\n"
        "\n"
        "           trend  last  baseline  noise band  it is  band of\n"
        "edge_case  █.        -         -  [65%, 85%]  -      2026-03-03 10:00\n"
        "noise band: the 95% interval of the rate in the last SHIP before the last run;\n"
        "bars are the runs above, each row from its lowest to its highest rate or bound;\n"
        ". no such case was measured\n"
    )


def test_without_a_ship_the_band_is_the_median_runs() -> None:
    shown = plain_text(render_history([RUNS[1], RUNS[3]], Shown(), width=80))

    assert "\nno run here is a SHIP\n" in shown
    assert "all          ▅█     78.0%     50.0%  [60%, 80%]  within  2026-03-02 10:00\n" in shown
    assert "in the run with the median rate: it says what was usual, not what is good;" in " ".join(
        shown.split()
    )


def test_where_there_is_no_room_the_baseline_is_left_out() -> None:
    runs = [day(1 + number % 28, "SHIP", (0.8, 0.8, 0.8, 0.8)) for number in range(30)]

    narrow, wide = (plain_text(render_history(runs, Shown(last=30), width=width)) for width in (80, 160))

    assert [row.split() for row in narrow.splitlines() if " trend " in row] == [
        ["trend", "last", "noise", "band", "it", "is", "band", "of"]
    ]
    assert [row.split() for row in wide.splitlines() if " trend " in row] == [
        ["trend", "last", "baseline", "noise", "band", "it", "is", "band", "of"]
    ]


def test_without_a_band_nothing_is_said_of_one() -> None:
    shown = plain_text(render_history([RUNS[1]], Shown(), width=80))

    assert "noise band:" not in shown
    assert "bars are the runs above" in shown


def test_a_long_name_does_not_cost_the_baseline() -> None:
    name = "category " * 18
    group = HistoryGroup(by="category", value=name, n=40, model=told(0.5), baseline=told(0.5))

    shown = plain_text(render_history([replace(RUNS[1], groups=(group,))], Shown(), width=100))

    assert " last  baseline  noise band" in shown
    assert max(map(cells, shown.splitlines())) <= 100


def test_colour_marks_verdicts_and_where_rates_left_the_band() -> None:
    shown = ansi_text(render_history(RUNS, Shown(), width=80))

    assert "\x1b[32mSHIP        \x1b[0m" in shown
    assert "\x1b[31mbelow \x1b[0m" in shown
    assert "\x1b[2mx 2026-03-01 10:00" in shown


def test_ascii_has_digits_for_bars() -> None:
    shown = plain_text(render_history(RUNS, Shown(), width=80, ascii_only=True))

    assert shown.isascii()
    assert "all          x7877  75.0%" in shown
    assert "digits are tenths of the rate, 9 for 90% and more" in " ".join(shown.split())


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_of_a_history_reaches_the_terminal_as_it_is(text: str, width: int) -> None:
    group = HistoryGroup(by="category", value=text, n=1, model=told(0.5))
    run = a_run(text, started=text, verdict=text, models={"model": HistoryModel(name=text)}, groups=(group,))

    rows = plain_text(render_history([run, run], Shown(), width=width))

    assert_inert(rows)
    assert max(map(cells, rows.splitlines())) <= width


def test_programs_get_marks_and_bands() -> None:
    told = history_json(RUNS, Shown(last=2, category="simple"))

    assert told["schema"] == "ftgate.history_report/1"
    runs, trends = told["runs"], told["trends"]
    assert isinstance(runs, list)
    assert [(run["run_id"], run["last_ship"], run["comparable"]) for run in runs] == [
        ("r-4", False, True),
        ("r-5", False, True),
    ]
    assert trends == [
        {
            "by": "category",
            "value": "simple",
            "rates": [told_json(0.7), told_json(0.65)],
            "band": {
                "low": 0.75,
                "high": pytest.approx(0.95),
                "run_id": "r-3",
                "started": "2026-03-03 10:00",
                "of": "last SHIP",
            },
            "last": "below",
        }
    ]


def told_json(rate: float) -> dict[str, object]:
    return {"rate": rate, "n": 40, "interval": [rate - 0.1, rate + 0.1]}
