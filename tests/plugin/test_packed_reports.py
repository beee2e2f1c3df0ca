"""What is made short on its way from worker to controller arrives as it was."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ftgate.plugin import transport
from pytest_ftgate.plugin.brief import left_out, may_be_brief
from pytest_ftgate.plugin.packed_reports import packed_report, unpacked_report
from tests.plugin.test_transport import report

#: A conftest that has every test told of as a worker of a large run tells of cases.
BRIEF = """
        from pytest_ftgate.plugin.brief import run_in_brief

        def pytest_runtest_protocol(item, nextitem):
            return run_in_brief(item, nextitem)
"""
plain = st.one_of(st.text(), st.integers(), st.floats(allow_nan=False), st.booleans(), st.none())


def data_of(made: pytest.TestReport) -> dict[str, Any]:
    """As pytest makes a report ready for its way."""
    return {**made._to_json(), "$report_type": "TestReport"}


def arrived(made: pytest.TestReport, **added: Any) -> dict[str, Any] | None:
    """What the controller unpacks, beside what xdist adds on the way."""
    return unpacked_report({**packed_report(data_of(made), made), **added})


@given(st.lists(st.tuples(st.text(), plain)), plain)
def test_a_report_of_what_passed_arrives_as_it_was(
    properties: list[tuple[str, object]], more: object
) -> None:
    made = report("teardown")
    made.user_properties = properties
    made.said = more  # type: ignore[attr-defined]  # another plugin's attribute

    assert arrived(made, item_index=3) == {**data_of(made), "item_index": 3}


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "failed"},
        {"sections": [("Captured stdout call", "hello")]},
        {"said": b"bytes"},
        {"said": (1, 2)},
        {"user_properties": [("a", {"b": 1})]},
    ],
)
def test_what_json_would_change_and_what_did_not_pass_is_left_as_it_is(changes: dict[str, Any]) -> None:
    made = report("call")
    vars(made).update(changes)
    data = data_of(made)

    assert packed_report(data, made) is data
    assert unpacked_report(data) is None


def test_setup_and_teardown_are_made_again_from_the_report_of_the_call(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(BRIEF)
    pytester.makepyfile(
        """
        def test_passes(record_property):
            record_property("a", 1)

        def test_fails():
            assert False
        """
    )

    result = pytester.inline_run()
    reports = [call.report for call in result.getcalls("pytest_runtest_logreport")]
    starts = [call.nodeid for call in result.getcalls("pytest_runtest_logstart")]

    passed, *others = reports
    assert [one.when for one in others] == ["setup", "call", "teardown"]
    assert starts == [others[0].nodeid]
    twins = left_out(passed)
    assert twins is not None
    setup, teardown = twins
    assert (setup.when, passed.when, teardown.when) == ("setup", "call", "teardown")
    assert (setup.user_properties, teardown.user_properties) == ([], [("a", 1)])
    assert setup.stop <= passed.start <= passed.stop <= teardown.start
    assert left_out(passed) is None


def test_what_a_setup_told_goes_on_with_the_call() -> None:
    setup, call = report("setup"), report("call")
    transport.attach(setup, {"going_on": "x"})
    transport.attach(call, {"attempt": 2})
    transport.move(setup, call)

    assert transport.take(setup) == ({}, [])
    assert transport.take(call) == ({"going_on": "x", "attempt": 2}, [])


class Runs:
    def pytest_runtest_protocol(self) -> None: ...


class Watches:
    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Any:
        return (yield)


class Listens:
    def pytest_runtest_logreport(self) -> None: ...


class HearsTheStart:
    def pytest_runtest_logstart(self) -> None: ...


@pytest.mark.parametrize(
    ("args", "plugin", "is_brief"),
    [
        ((), None, True),
        ((), Watches(), True),
        ((), Runs(), False),
        ((), Listens(), False),
        ((), HearsTheStart(), False),
        (("-v",), None, False),
        (("--maxfail=2",), None, False),
    ],
)
def test_who_listens_watches_or_runs_tests_himself_gets_every_message(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    args: tuple[str, ...],
    plugin: object,
    is_brief: bool,
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    config = pytester.parseconfigure(*args)
    if plugin is not None:
        config.pluginmanager.register(plugin)

    assert may_be_brief(config) is is_brief


def test_a_report_on_which_another_plugin_put_something_is_sent_as_it_is(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(
        BRIEF
        + """
        import pytest

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_makereport(call):
            report = yield
            report.cost = 2
            return report
        """
    )
    pytester.makepyfile("def test_passes(): pass")

    result = pytester.inline_run()
    reports = [call.report for call in result.getcalls("pytest_runtest_logreport")]

    assert [(one.when, one.cost) for one in reports] == [("setup", 2), ("call", 2), ("teardown", 2)]
