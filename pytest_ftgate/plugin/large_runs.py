"""What a run of many cases does without, so that its memory lasts: half of it would be for what nobody reads.

Nothing that was measured is among it: trials, plan and record are whole in every run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pytest_ftgate.cases import NOTHING, EvalCase
from pytest_ftgate.plugin.eval_test import EvalTest

#: More cases than this are a large run.
LARGE = 10_000
#: In place of a case that was judged; its plan and its trials are in the record.
_DONE = EvalCase(suite="", id="done", path="", line=1, messages=())


class PassedCase(pytest.TestReport):
    """What pytest's terminal keeps of a case that passed, where a whole report of each would be too much.

    A report that says no more than that; what all of them have in common stands in the class.
    """

    when = "call"
    outcome = "passed"
    longrepr = None
    sections: list[tuple[str, str]] = []  # noqa: RUF012 - pytest declares it for instances
    user_properties: list[tuple[str, object]] = []  # noqa: RUF012 - likewise
    keywords: Mapping[str, Any] = NOTHING

    def __init__(self, report: pytest.TestReport) -> None:
        self.nodeid = report.nodeid
        self.duration = report.duration

    @property
    def location(self) -> tuple[str, int | None, str]:  # type: ignore[override] # made when somebody asks
        """The case's file and id; no line."""
        path, _, name = self.nodeid.partition("::")
        return path, None, name


def forget_passed(reporter: Any, report: pytest.TestReport, *, is_large: bool) -> None:
    """Has pytest's terminal not keep to the end what it never shows of a case of a file that went well.

    The reports of setup and teardown are that, but for `--durations`; in a large run that of the call is kept
    as its id alone, unless the test printed something.
    """
    if not report.passed or reporter is None:
        return
    if report.when != "call":
        kept = reporter.stats.get("") if reporter.config.option.durations is None else None
        if kept and kept[-1] is report:
            kept.pop()
    elif is_large and not report.sections:
        kept = reporter.stats.get("passed")
        if kept and kept[-1] is report:
            kept[-1] = PassedCase(report)


def forget_case(test: EvalTest) -> None:
    """Drops the case of an item that is done."""
    test.case = _DONE
