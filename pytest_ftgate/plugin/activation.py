"""Starting a session on this process: which hooks it registers, and when the verdict file begins."""

from __future__ import annotations

import sys

import pytest

from pytest_ftgate.plugin.conclusion import DIST_EACH, Conclusion
from pytest_ftgate.plugin.decide_hooks import DecideHooks
from pytest_ftgate.plugin.generate_hooks import GenerateHooks
from pytest_ftgate.plugin.options import read_run_id, read_settings, read_verdict_path
from pytest_ftgate.plugin.safe_output import SafeOutput
from pytest_ftgate.plugin.session import FtgateSession
from pytest_ftgate.plugin.stash import session_key, verdict_file_key
from pytest_ftgate.plugin.verdict_file import VerdictFile

SAFE_OUTPUT = "ftgate-safe-output"


def activate(config: pytest.Config) -> FtgateSession:
    """The session of this process, started now if there is none yet; raises UsageError for what is wrong."""
    if session_key in config.stash:
        return config.stash[session_key]
    decides = not is_worker(config) and not is_dry(config)
    session = FtgateSession(config, read_settings(config))
    config.stash[session_key] = session
    _check(session)
    if not is_controller(config) and not is_dry(config):
        config.pluginmanager.register(GenerateHooks(session), "ftgate-generate")
    if decides:
        conclusion = Conclusion(session, verdict_file_of(config), is_controller=is_controller(config))
        config.pluginmanager.register(DecideHooks(conclusion), "ftgate-decide")
    # The last one is the first to be asked, and so the last to see what the others made of a report.
    config.pluginmanager.register(SafeOutput(session), SAFE_OUTPUT)
    return session


def refuse(session: FtgateSession) -> None:
    """Raises what is wrong with options or configuration; the verdict file says it too."""
    if session.usage_error and not is_worker(session.config):
        verdict_file_of(session.config).give_up(session.usage_error)
        raise pytest.UsageError(session.usage_error)


def verdict_file_of(config: pytest.Config) -> VerdictFile:
    """The verdict file of this run, one object for all who write it."""
    if verdict_file_key not in config.stash:
        config.stash[verdict_file_key] = VerdictFile(read_verdict_path(config), read_run_id(config))
    return config.stash[verdict_file_key]


def begin_verdict(config: pytest.Config) -> None:
    """Replaces an older verdict before anything can go wrong, our own usage errors included."""
    if not is_dry(config):
        verdict_file_of(config).begin()


def harmless(config: pytest.Config, error: pytest.UsageError) -> pytest.UsageError:
    """What pytest may print of a usage error, of whoever's, once this run is ours."""
    safe = config.pluginmanager.get_plugin(SAFE_OUTPUT)
    return safe.usage_error(error) if isinstance(safe, SafeOutput) else error


def last_word(config: pytest.Config, status: object) -> object:
    """The exit status, once all other hooks are done with it: 0 needs a verdict that allows it."""
    hooks = config.pluginmanager.get_plugin("ftgate-decide")
    if is_dry(config) or status != 0:
        return status
    return hooks.last_word() if isinstance(hooks, DecideHooks) else pytest.ExitCode.TESTS_FAILED


def activate_for_cases(config: pytest.Config) -> FtgateSession:
    """The session, now that there is a case: from here on the verdict is this run's.

    pytest would print what is raised here as an error of the folder, so it is kept for the end of collection.
    """
    session = activate(config)
    _make_importable(session)
    hooks = config.pluginmanager.get_plugin("ftgate-decide")
    if isinstance(hooks, DecideHooks):
        hooks.conclusion.verdict_file.begin()
    return session


def _make_importable(session: FtgateSession) -> None:
    """Case files and ftgate.yaml may name code of the project: its folder is on `sys.path` from here on."""
    folder = session.settings.config_path.parent if session.settings.config_path else session.config.rootpath
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def _check(session: FtgateSession) -> None:
    session.check(scorers=not is_controller(session.config))
    if session.settings.model and session.config.getoption("dist", "no") == "each":
        session.usage_error = DIST_EACH


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is an xdist worker."""
    return hasattr(config, "workerinput")


def is_controller(config: pytest.Config) -> bool:
    """Whether this process is xdist's controller: it runs no item and collects no file."""
    return not is_worker(config) and config.getoption("dist", "no") != "no"


def is_dry(config: pytest.Config) -> bool:
    """Whether this run executes nothing at all, so that no verdict changes."""
    shows = (
        "collectonly",
        "help",
        "version",
        "markers",
        "showfixtures",
        "show_fixtures_per_test",
        "cacheshow",
    )
    return any(config.getoption(name, False) for name in shows)
