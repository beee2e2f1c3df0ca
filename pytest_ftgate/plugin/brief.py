"""How an xdist worker of a large run tells of a case where all went well: in one message instead of five.

The controller is one process and hears of every case, and execnet takes each message apart in Python. There
the reports of setup and teardown are made again, so that other plugins hear of them.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from pytest_ftgate.plugin import transport
from pytest_ftgate.plugin.private import reports_of

#: Where the report of a call has the times of setup and teardown.
TIMES = "ftgate_times"
_TIMED = ("duration", "start", "stop")


def may_be_brief(config: pytest.Config) -> bool:
    """Whether nobody watches single tests start and end, and no other plugin runs tests its own way."""
    hook = config.hook
    runs = [each for each in hook.pytest_runtest_protocol.get_hookimpls() if not _is_wrapper(each)]
    heard = [
        *hook.pytest_runtest_logstart.get_hookimpls(),
        *hook.pytest_runtest_logreport.get_hookimpls(),
        *hook.pytest_runtest_logfinish.get_hookimpls(),
    ]
    # With a limit of failures pytest has to hear of each before it runs the next item's setup.
    is_watched = config.get_verbosity() > 0 or config.option.maxfail
    return not is_watched and all(_is_known(each.plugin) for each in (*runs, *heard))


def run_in_brief(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Runs an item and tells of it; None where pytest has to run it itself."""
    reports = reports_of(item, nextitem)
    if reports is None:
        return None
    if [one.when for one in reports if _went_well(one) and _is_usual(one)] == ["setup", "call", "teardown"]:
        item.ihook.pytest_runtest_logreport(report=_in_one(*reports))
        return True
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def left_out(report: pytest.TestReport) -> tuple[pytest.TestReport, pytest.TestReport] | None:
    """The reports of setup and teardown that this one of the call stands for, once; None for any other."""
    times: Mapping[str, Mapping[str, float]] | None = report.__dict__.pop(TIMES, None)
    if times is None:
        return None
    setup, teardown = (_twin(report, when, times[when]) for when in ("setup", "teardown"))
    setup.user_properties = []
    return setup, teardown


def _in_one(
    setup: pytest.TestReport, call: pytest.TestReport, teardown: pytest.TestReport
) -> pytest.TestReport:
    transport.move(setup, call)
    call.user_properties = teardown.user_properties
    setattr(call, TIMES, {"setup": _times(setup), "teardown": _times(teardown)})
    return call


def _times(report: pytest.TestReport) -> dict[str, float]:
    return {name: getattr(report, name) for name in _TIMED if hasattr(report, name)}


def _twin(report: pytest.TestReport, when: Any, times: Mapping[str, float]) -> pytest.TestReport:
    made = copy.copy(report)
    vars(made).update(times)
    vars(made).pop(transport.ATTRIBUTE, None)
    made.when, made.keywords = when, {}
    return made


def _went_well(report: pytest.TestReport) -> bool:
    return report.passed and not report.sections and not hasattr(report, "wasxfail")


def _is_usual(report: pytest.TestReport) -> bool:
    """Whether no other plugin put something on it."""
    return vars(report).keys() - {transport.ATTRIBUTE} <= _USUAL


_USUAL = vars(pytest.TestReport("", ("", 0, ""), {}, "passed", None, "call")).keys()


def _is_wrapper(impl: Any) -> bool:
    return bool(impl.wrapper or impl.hookwrapper)


def _is_known(plugin: object) -> bool:
    name = getattr(plugin, "__name__", None) or type(plugin).__module__
    # execnet runs xdist's worker as a module of its own name.
    return str(name).split(".")[0] in ("_pytest", "xdist", "__channelexec__", "pytest_ftgate")
