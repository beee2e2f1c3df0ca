"""The memory of past runs: a line for each whole run, and what they show side by side."""

from pytest_ftgate.history.file import (
    HISTORY_MARK,
    HISTORY_SCHEMA,
    History,
    add_to_history,
    past_runs,
    read_history,
)
from pytest_ftgate.history.making import history_run
from pytest_ftgate.history.runs import (
    HistoryCriterion,
    HistoryGroup,
    HistoryModel,
    HistoryRate,
    HistoryRun,
)
from pytest_ftgate.history.trend import Band, Trend, last_ship, trends_of

__all__ = [
    "HISTORY_MARK",
    "HISTORY_SCHEMA",
    "Band",
    "History",
    "HistoryCriterion",
    "HistoryGroup",
    "HistoryModel",
    "HistoryRate",
    "HistoryRun",
    "Trend",
    "add_to_history",
    "history_run",
    "last_ship",
    "past_runs",
    "read_history",
    "trends_of",
]
