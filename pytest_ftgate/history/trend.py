"""What past runs show beside each other: how the rate of a group went, and how much of that is noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_ftgate.history.runs import HistoryRate, HistoryRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The rates, 0…1, that are within noise of an earlier run's: the interval of its own rate.

    `run_id` is that of the last SHIP before the last run, or of the median one where none shipped; `of_ship`
    says which, and `when` when it began.
    """

    low: float
    high: float
    run_id: str
    when: str
    of_ship: bool

    @property
    def of(self) -> str:
        """Whose interval it is."""
        return "last SHIP" if self.of_ship else "median run"

    def place(self, rate: float) -> str:
        """Where a rate lies: `within` noise, `above` or `below` it."""
        if self.low <= rate <= self.high:
            return "within"
        return "below" if rate < self.low else "above"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """The model's rates of one category or role, or of all cases; None where a run had none.

    `rates` has one for each run, in their order. `band` is None where no comparable run has the group.
    """

    by: str
    value: str
    rates: tuple[HistoryRate | None, ...]
    band: Band | None

    @property
    def place(self) -> str | None:
        """Where the last run's rate lies, see `Band.place`; None where nothing is known."""
        last = self.rates[-1]
        return self.band.place(last.rate) if last is not None and self.band is not None else None


def trends_of(runs: Sequence[HistoryRun]) -> list[Trend]:
    """The trends of all cases, of roles and of categories, of these runs; the oldest comes first.

    Bands are those of runs before the last one that are comparable with it.
    """
    names = sorted({(group.by, group.value) for run in runs for group in run.groups}, key=_order)
    groups = [run.by_name for run in runs]
    comparable = [at for at, run in enumerate(runs[:-1]) if run.is_comparable(runs[-1])]
    trends = []
    for name in names:
        rates = tuple(each[name].model if name in each else None for each in groups)
        band = _band([(runs[at], rates[at]) for at in comparable])
        trends.append(Trend(by=name[0], value=name[1], rates=rates, band=band))
    return trends


def last_ship(runs: Sequence[HistoryRun]) -> HistoryRun | None:
    """The newest run that might ship; None if none did."""
    return next((run for run in reversed(runs) if run.is_ship), None)


def _order(group: tuple[str, str]) -> tuple[int, str]:
    by, value = group
    return ("all", "role", "category").index(by) if by in ("all", "role", "category") else 3, value


def _band(earlier: Sequence[tuple[HistoryRun, HistoryRate | None]]) -> Band | None:
    """Of the last SHIP, or of the run with the median rate; the lower of the two in the middle."""
    told = [(run, rate, rate.interval) for run, rate in earlier if rate is not None and rate.interval]
    if not told:
        return None
    shipped = [one for one in told if one[0].is_ship]
    by_rate = sorted(told, key=lambda one: one[1].rate)
    run, _, (low, high) = shipped[-1] if shipped else by_rate[(len(by_rate) - 1) // 2]
    return Band(low=low, high=high, run_id=run.run_id, when=run.when, of_ship=bool(shipped))
