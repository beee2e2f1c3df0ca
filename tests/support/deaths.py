"""Code for a `conftest.py` whose process dies, hangs or leaves at one stage of a run, and says so."""

from __future__ import annotations

#: How a process ends so that no code of the plugin runs any more.
DEATHS = {
    "kill": "os.kill(os.getpid(), signal.SIGKILL)",
    "segv": "os.kill(os.getpid(), signal.SIGSEGV)",
    "exit 0": "os._exit(0)",
    "exit 1": "os._exit(1)",
    "hang": "time.sleep(600)",
}
#: How code leaves a run that the plugin can still conclude.
LEAVES = {
    "pytest.exit 0": "pytest.exit('enough', returncode=0)",
    "sys.exit 0": "sys.exit(0)",
    "raise": "raise RuntimeError('a plugin of somebody else')",
}
STAGES = {
    "configure": "def pytest_configure(config): end(config)",
    "collect": "def pytest_collection_modifyitems(config): end(config)",
    "setup": "def pytest_runtest_setup(item): end(item.config)",
    "call": "def pytest_runtest_call(item): end(item.config)",
    "teardown": "def pytest_runtest_teardown(item): end(item.config)",
    # First, so that on a worker the plugin has no last words.
    "sessionfinish": (
        "@pytest.hookimpl(tryfirst=True)\ndef pytest_sessionfinish(session): end(session.config)"
    ),
}
#: The file that says that it has come to the end that was asked for.
NOTE = "has-ended"

_CONFTEST = """
import os, pathlib, pytest, signal, sys, time

WHO, AT = {who!r}, {at}
calls = 0

def end(config):
    global calls
    worker = getattr(config, "workerinput", {{}}).get("workerid", "main")
    if WHO not in (worker, "each" if worker != "main" else None):
        return
    calls += 1
    if calls == AT:
        pathlib.Path({note!r}).touch()
        {how}

{stage}
"""


def ending_conftest(how: str, stage: str, *, who: str = "main", at: int = 1) -> str:
    """Ends `who` ("main", "gw0", or "each" worker) when it comes to a stage for the n-th time."""
    code = {**DEATHS, **LEAVES}[how]
    return _CONFTEST.format(who=who, at=at, note=NOTE, how=code, stage=STAGES[stage])
