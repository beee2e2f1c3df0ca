"""Trends: the rates of past runs in a row, and the band of what is noise."""

from __future__ import annotations

from pytest_ftgate.history import Band, HistoryModel, Trend, trends_of
from pytest_ftgate.history.trend import last_ship
from tests.history.test_history import a_run


def trend_of(*runs: object) -> Trend:
    (found,) = trends_of(runs)  # type: ignore[arg-type]  # runs, made by a_run
    return found


def test_the_band_is_the_interval_of_the_last_ship() -> None:
    runs = [a_run("a", 0.5, verdict="SHIP"), a_run("b", 0.7, verdict="SHIP"), a_run("c", 0.9)]

    trend = trend_of(*runs)

    assert trend.band == Band(low=0.6, high=0.8, run_id="b", when="2026-03-02 10:00", of_ship=True)
    assert [rate.rate for rate in trend.rates if rate] == [0.5, 0.7, 0.9]
    assert [trend.band.place(rate) for rate in (0.59, 0.6, 0.8, 0.81)] == [
        "below",
        "within",
        "within",
        "above",
    ]
    assert (trend.band.of, trend.place) == ("last SHIP", "above")


def test_without_a_ship_it_is_the_interval_of_the_median_run() -> None:
    runs = [a_run("a", 0.9), a_run("b", 0.5), a_run("c", 0.7), a_run("d", 0.6), a_run("e", 0.1)]

    assert trend_of(*runs).band == Band(low=0.5, high=0.7, run_id="d", when="2026-03-02 10:00", of_ship=False)


def test_only_runs_that_compare_with_the_last_one_make_the_band() -> None:
    judged = {"model": HistoryModel(name="tuned"), "judge": HistoryModel(name="another")}
    others = [
        a_run("a", 0.5, verdict="SHIP", plan="plan-0"),
        a_run("b", 0.5, verdict="SHIP", gate="gate-0"),
        a_run("c", 0.5, verdict="SHIP", models=judged),
    ]

    trend = trend_of(*others, a_run("d", 0.7), a_run("e", 0.7))

    assert trend.band == Band(low=0.6, high=0.8, run_id="d", when="2026-03-02 10:00", of_ship=False)
    assert len(trend.rates) == 5


def test_a_run_is_never_within_the_noise_of_itself() -> None:
    dropped = trend_of(a_run("a", 0.9, verdict="SHIP"), a_run("b", 0.6, verdict="SHIP"))

    assert (dropped.place, dropped.band) == (
        "below",
        Band(low=0.8, high=1.0, run_id="a", when="2026-03-02 10:00", of_ship=True),
    )
    assert trend_of(a_run("a", 0.9, verdict="SHIP")).place is None


def test_a_run_without_the_group_has_a_gap_there() -> None:
    trend = trend_of(a_run("a", groups=()), a_run("b"))

    assert trend.rates[0] is None
    assert trend.rates[1] is not None


def test_nothing_makes_no_trend() -> None:
    assert trends_of([]) == []
    assert last_ship([]) is None
    assert last_ship([a_run("a", verdict="SHIP"), a_run("b")]) == a_run("a", verdict="SHIP")
