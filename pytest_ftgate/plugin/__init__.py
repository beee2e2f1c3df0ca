"""The pytest plugin: what is registered in every session. It stays cheap: all else waits for a reason."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from pytest_ftgate.plugin import options
from pytest_ftgate.plugin.fixtures import baseline, eval_case, ftgate_baseline, ftgate_model, model
from pytest_ftgate.plugin.stash import session_key, taken_aliases_key

__all__ = ["baseline", "eval_case", "ftgate_baseline", "ftgate_model", "model"]

_SUFFIXES = (".evalcase.yaml", ".evalcase.yml")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declares the options."""
    options.add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declares our own hooks."""
    from pytest_ftgate.plugin import hookspecs  # noqa: PLC0415

    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None, object, object]:
    """Gives `--model` and `--baseline` their meaning, once it is known that nobody else wants these names."""
    try:
        result = yield
    except BaseException:
        from pytest_ftgate.plugin.activation import never_began  # noqa: PLC0415

        never_began(early_config, "the project's conftest could not be loaded")
        raise
    early_config.stash[taken_aliases_key] = options.rewrite_aliases(parser, args)
    return result


def pytest_configure(config: pytest.Config) -> None:
    """Starts a session if any option of ours is set; without one the first case file starts it.

    xdist's controller sees no case file, so it always listens.
    """
    config.addinivalue_line(
        "markers",
        "eval_case(path, ..., **selection): run a test for each case of a file, or an inline case",
    )
    if options.is_used(config) or config.getoption("dist", "no") != "no":
        from pytest_ftgate.plugin.activation import activate, give_up, refuse  # noqa: PLC0415

        try:
            refuse(activate(config))
        except pytest.UsageError as error:
            give_up(config, str(error))
            raise


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collects `*.evalcase.yaml` and `*.evalcase.yml`."""
    if not file_path.name.endswith(_SUFFIXES):
        return None
    from pytest_ftgate.plugin.activation import activate_for_cases  # noqa: PLC0415
    from pytest_ftgate.plugin.items import EvalCaseFile  # noqa: PLC0415

    return EvalCaseFile.of(parent, file_path, activate_for_cases(parent.config))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Runs a test marked with `eval_case` once for each of its cases."""
    if metafunc.definition.get_closest_marker("eval_case") is None:
        return
    if "eval_case" not in metafunc.fixturenames:
        pytest.fail("the marker eval_case needs the fixture: def test(eval_case, model)", pytrace=False)
    from pytest_ftgate.plugin.activation import activate_for_cases  # noqa: PLC0415
    from pytest_ftgate.plugin.markers import parametrize  # noqa: PLC0415

    parametrize(metafunc, activate_for_cases(metafunc.config))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Has the first and the last word of a run that was asked for a verdict, whatever others do."""
    if hasattr(config, "workerinput"):
        return (yield)
    is_asked = options.asked_for_model(config)
    if is_asked:
        from pytest_ftgate.plugin.activation import begin_verdict, last_word  # noqa: PLC0415

        begin_verdict(config)
    try:
        status = yield
    except pytest.UsageError as error:
        from pytest_ftgate.plugin.activation import harmless  # noqa: PLC0415

        raise harmless(config, error) from None
    except SystemExit as left:
        # Raised where pytest does not expect it, such as at the end of the session, it passes all else.
        if is_asked:
            raise SystemExit(last_word(config, left.code or 0)) from None
        raise
    return last_word(config, status) if is_asked else status


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Notes which eval tests a collector has, before node ids, --lf and the like leave some of them out."""
    report = yield
    session = collector.config.stash.get(session_key, None)
    is_python = isinstance(collector, pytest.Module | pytest.Class)
    if session is not None and is_python and report.passed and not collector.path.name.endswith(_SUFFIXES):
        session.note_tests(collector, report.result)
    return report
