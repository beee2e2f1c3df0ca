"""Starting a session on this process: which hooks it registers, and when the verdict file begins."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys

import pytest

from pytest_ftgate.plugin.conclusion import DIST_EACH, Conclusion
from pytest_ftgate.plugin.decide_hooks import DecideHooks
from pytest_ftgate.plugin.generate_hooks import GenerateHooks
from pytest_ftgate.plugin.notices import NoticeHooks
from pytest_ftgate.plugin.options import asked_for_model
from pytest_ftgate.plugin.safe_output import SafeOutput
from pytest_ftgate.plugin.session import FtgateSession
from pytest_ftgate.plugin.settings import has_run_id, read_run_id, read_settings, read_verdict_path
from pytest_ftgate.plugin.sharding import ShardHooks, forget_older_record
from pytest_ftgate.plugin.stash import session_key, verdict_file_key
from pytest_ftgate.plugin.verdict_file import VerdictFile

SAFE_OUTPUT = "ftgate-safe-output"
NO_RUN_ID = "--ftgate-shard={}/{}: all shards need one --ftgate-run-id or $FTGATE_RUN_ID"


def activate(config: pytest.Config) -> FtgateSession:
    """The session of this process, started now if there is none yet; raises UsageError for what is wrong."""
    if session_key in config.stash:
        return config.stash[session_key]
    decides = not is_worker(config) and not is_dry(config)
    session = FtgateSession(config, read_settings(config))
    config.stash[session_key] = session
    if session.settings.shard is not None and decides:
        _keep_durations(session)
        forget_older_record(session.settings.reports)
    _keep_history(session)
    _check(session)
    if session.sharding is not None and not is_controller(config):
        # Before the next: of hooks that want to be last, the last registered is.
        config.pluginmanager.register(ShardHooks(session, session.sharding), "ftgate-shard")
    if not is_controller(config) and not is_dry(config):
        config.pluginmanager.register(GenerateHooks(session), "ftgate-generate")
    if decides:
        conclusion = Conclusion(session, verdict_file_of(config), is_controller=is_controller(config))
        config.pluginmanager.register(DecideHooks(conclusion), "ftgate-decide")
        config.pluginmanager.register(NoticeHooks(conclusion), "ftgate-notices")
    # The last one is the first to be asked, and so the last to see what the others made of a report.
    config.pluginmanager.register(SafeOutput(session), SAFE_OUTPUT)
    return session


def _keep_durations(session: FtgateSession) -> None:
    settings = session.settings
    written = {path.resolve() for path in settings.reports}
    for path in settings.shard_durations:
        if path.resolve() in written:
            raise pytest.UsageError(f"{path} is named twice: a file can't be read and written")


def _keep_history(session: FtgateSession) -> None:
    """No other file of the run takes the place of the history, which is the only one of past runs."""
    settings = session.settings
    if (path := settings.history_path) is None:
        return
    others = [settings.verdict_path, *settings.reports]
    others += [settings.save_answers] if settings.save_answers else []
    if path.resolve() in {other.resolve() for other in others}:
        raise pytest.UsageError(
            f"{path} is named twice: the history needs a file of its own (--ftgate-history)"
        )


def refuse(session: FtgateSession) -> None:
    """Raises what is wrong with options or configuration."""
    if session.usage_error and not is_worker(session.config):
        raise pytest.UsageError(session.usage_error)


def give_up(config: pytest.Config, reason: str) -> None:
    """A run that can't begin leaves no older verdict behind, whoever names its model."""
    if not is_worker(config) and not is_dry(config):
        with contextlib.suppress(pytest.UsageError):  # what is raised already is said first
            verdict_file_of(config).begin()
        verdict_file_of(config).give_up(reason)


def never_began(early_config: pytest.Config, reason: str) -> None:
    """The same before pytest has read its options, for a run that names a model."""
    given = early_config.known_args_namespace
    if not asked_for_model(early_config) or getattr(given, "collectonly", False):
        return
    written = getattr(given, "ftgate_verdict", None)
    path = early_config.invocation_params.dir / written if written else None
    run_id = getattr(given, "ftgate_run_id", None) or os.environ.get("FTGATE_RUN_ID") or secrets.token_hex(8)
    file = VerdictFile(path or early_config.rootpath / ".ftgate" / "verdict.json", run_id)
    with contextlib.suppress(pytest.UsageError):
        file.begin()
    file.give_up(reason)


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
        try:
            hooks.conclusion.verdict_file.begin()
        except pytest.UsageError as error:
            session.usage_error = session.usage_error or str(error)
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
    config, shard = session.config, session.settings.shard
    if shard is not None and not is_dry(config) and not has_run_id(config):
        session.usage_error = session.usage_error or NO_RUN_ID.format(*shard)


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
