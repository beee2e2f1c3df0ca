"""Processes that die, or leave with status 0, at every stage of a run: no SHIP, and no green exit status.

`benchmarks/endurance/deaths.py` plays all combinations.
"""

from __future__ import annotations

import os
import signal

import pytest

from tests.plugin.conftest import Project
from tests.support.deaths import NOTE, ending_conftest

OLD = '{"schema": "ftgate.report/1", "run_id": "old", "verdict": "SHIP", "complete": true}'
RUN = ("--model=python:bots:good", "--ftgate-run-id=this", "-p", "no:cacheprovider")


def ending(project: Project, how: str, stage: str, *args: str, who: str = "main") -> pytest.RunResult:
    """A run that ends so, over the verdict of an older one that shipped; it has to come that far."""
    project.write(".ftgate/verdict.json", OLD)
    at = 2 if who == "main" and stage in ("setup", "call", "teardown") else 1
    project.write("conftest.py", ending_conftest(how, stage, who=who, at=at))
    result = project.run_apart(*RUN, *args)
    assert (project.pytester.path / NOTE).exists()
    return result


def incomplete(project: Project) -> bool:
    """Whether the verdict is that of this run, and says that it is not whole."""
    return (project.verdict["run_id"], project.verdict["verdict"]) == ("this", "INCOMPLETE")


def without_our_traceback(result: pytest.RunResult) -> bool:
    output = result.stdout.str() + result.stderr.str()
    return "pytest_ftgate/" not in output or "Traceback" not in output


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize(
    ("how", "stage", "status"),
    [
        ("exit 0", "collect", 0),
        ("segv", "setup", -signal.SIGSEGV),
        ("kill", "teardown", -signal.SIGKILL),
        ("exit 0", "sessionfinish", 0),
    ],
)
def test_a_death_leaves_the_verdict_of_this_run_incomplete(
    project: Project, how: str, stage: str, status: int
) -> None:
    result = ending(project, how, stage)

    assert incomplete(project)
    assert result.ret == status  # nothing of ours runs after it: `ftgate verify` catches a 0


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize(
    ("how", "stage", "args"),
    [
        ("exit 0", "configure", ["--max-worker-restart=0"]),
        ("segv", "setup", []),
        ("exit 0", "call", ["--max-worker-restart=0"]),
    ],
)
def test_a_workers_death_fails_the_run(project: Project, how: str, stage: str, args: list[str]) -> None:
    pytest.importorskip("xdist")

    result = ending(project, how, stage, "-n2", *args, who="gw0")

    assert result.ret > 0
    assert incomplete(project)
    assert without_our_traceback(result)
    assert any(
        "a worker died (Not properly terminated): lines above may say why; if memory ran out, take fewer "
        "workers; -n 0 shows the crash itself" in reason
        for reason in project.verdict["reasons"]
    )


@pytest.mark.parametrize("stage", ["collect", "setup", "teardown"])
def test_leaving_with_status_0_fails_the_run(project: Project, stage: str) -> None:
    result = ending(project, "pytest.exit 0", stage)

    assert result.ret > 0
    assert incomplete(project)
    assert without_our_traceback(result)


@pytest.mark.parametrize(("how", "said"), [("raise", "a plugin of somebody else"), ("sys.exit 0", "")])
def test_a_session_end_of_another_plugin_that_breaks_leaves_no_verdict(
    project: Project, how: str, said: str
) -> None:
    result = ending(project, how, "sessionfinish")

    assert incomplete(project)
    assert said in result.stdout.str() + result.stderr.str()
    assert result.ret > 0


def test_a_worker_whose_end_broke_has_not_said_all_it_knew(project: Project) -> None:
    pytest.importorskip("xdist")

    result = ending(project, "raise", "sessionfinish", "-n2", who="gw0")

    assert result.ret > 0
    assert incomplete(project)
    said = "a worker has not come to its end, where it says what else it knows"
    assert said in project.verdict["sentence"]


def test_a_reason_that_can_not_be_written_leaves_the_verdict_incomplete_without_a_traceback(
    project: Project,
) -> None:
    project.write(
        "conftest.py",
        "import pytest\n"
        "def pytest_runtestloop():\n"
        "    import os, pathlib\n"
        "    os.open = lambda *_, **__: (_ for _ in ()).throw(OSError(28, 'No space left on device'))\n"
        "    raise pytest.UsageError('the run can not start')\n",
    )

    result = project.run_apart(*RUN)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert incomplete(project)
    result.stderr.fnmatch_lines(["ERROR: the run can not start"])
    assert without_our_traceback(result)
