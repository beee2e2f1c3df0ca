"""Workers that are other processes in other folders, as on other hosts: each request once, no false SHIP."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import execnet
import pytest

from tests.plugin.conftest import Project
from tests.plugin.workers import asked, each_once, write_suite
from tests.support.server import ChatServer

pytest.importorskip("xdist")

#: Has all workers but the first believe that the controller is another machine.
APART = """
import pytest
class Apart:
    @pytest.hookimpl(trylast=True, optionalhook=True)
    def pytest_configure_node(self, node):
        if node.workerinput["workerid"] != "gw0":
            node.workerinput["ftgate"]["where"] = ["another machine", "1", "2"]
def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Apart())
"""


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "sk-none")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """Where the other host has its copy of the project, once it is `copied`."""
    return tmp_path / "elsewhere"


def copied(project: Project, elsewhere: Path) -> list[str]:
    """Copies the project as it is, and gives the options for a worker here and one there."""
    shutil.copytree(project.pytester.path, elsewhere)
    (elsewhere / "conftest.py").unlink(missing_ok=True)
    return ["--tx=popen", f"--tx=popen//python={sys.executable}//chdir={elsewhere}", "-p", "no:cacheprovider"]


def test_a_worker_in_another_folder_of_this_machine_shares_the_answers(
    project: Project, elsewhere: Path
) -> None:
    with ChatServer() as server:
        write_suite(project, server, 12)
        workers = copied(project, elsewhere)

        result = project.run_apart("--model=tuned", "--baseline=base", "--dist=load", *workers)

    assert asked(server) == each_once(12, "tuned", "base")
    assert (result.ret, project.verdict["verdict"]) == (0, "SHIP")
    assert not (elsewhere / ".ftgate").exists()


def test_files_that_are_copied_to_the_worker_are_tested_there(project: Project, elsewhere: Path) -> None:
    elsewhere.mkdir()
    folder = str(project.pytester.path)
    with ChatServer() as server:
        write_suite(project, server, 12)

        result = project.run_apart(
            "--model=tuned",
            "--dist=load",
            f"--tx=2*popen//chdir={elsewhere}",
            f"--rsyncdir={folder}",
            "-p",
            "no:cacheprovider",
            folder,
        )

    assert asked(server) == each_once(12, "tuned")
    assert (result.ret, project.verdict["verdict"]) == (0, "SHIP")


def test_a_worker_behind_a_socket_is_one_as_any_other(project: Project, elsewhere: Path) -> None:
    script = Path(execnet.__file__).parent / "script" / "socketserver.py"
    with ChatServer() as server:
        write_suite(project, server, 12)
        copied(project, elsewhere)
        gateways = subprocess.Popen(
            [sys.executable, str(script), "127.0.0.1:0"],
            cwd=elsewhere,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert gateways.stdout is not None
            port = next(line for line in gateways.stdout if "Entering Accept loop" in line)
            port = port.rpartition(",")[2].strip(" )\n")

            result = project.run_as_installed(
                "--model=tuned",
                "--dist=load",
                "--tx=popen",
                f"--tx=socket=127.0.0.1:{port}//chdir={elsewhere}",
                "-p",
                "no:cacheprovider",
            )
        finally:
            gateways.kill()
            gateways.communicate()

    assert asked(server) == each_once(12, "tuned")
    assert (result.ret, project.verdict["verdict"]) == (0, "SHIP")


@pytest.mark.parametrize(
    "args", [["--dist=load"], ["--dist=worksteal"], ["--dist=load", "--ftgate-cache=off"]]
)
def test_a_worker_that_sees_no_common_store_asks_for_what_it_runs(
    project: Project, elsewhere: Path, args: list[str]
) -> None:
    project.write("conftest.py", APART)
    with ChatServer(latency_s=0.02) as server:
        write_suite(project, server, 20)
        workers = copied(project, elsewhere)

        result = project.run_apart(
            "--model=tuned", "--baseline=base", "--ftgate-concurrency=3", *args, *workers
        )

    assert asked(server) == each_once(20, "tuned", "base")
    assert server.most_at_once <= 3
    assert (result.ret, project.verdict["verdict"]) == (0, "SHIP")


def test_a_case_with_several_tests_is_said_to_be_asked_by_each_worker_that_keeps_answers_apart(
    project: Project, elsewhere: Path
) -> None:
    project.write("conftest.py", APART)
    project.write(
        "test_more.py",
        "import pytest\n@pytest.mark.eval_case('evals/capitals.evalcase.yaml')\n"
        "def test_more(eval_case, model): assert model(eval_case).text.startswith('Say')\n",
    )
    with ChatServer() as server:
        write_suite(project, server, 2)
        workers = copied(project, elsewhere)

        result = project.run_apart("--model=tuned", "--dist=load", *workers)

    assert (result.ret, project.verdict["verdict"]) == (0, "SHIP")
    said = (
        "workers kept their answers apart: of cases with several tests, each worker asked by itself (c0, c1)"
    )
    assert said in project.verdict["warnings"]


@pytest.mark.parametrize(
    ("option", "entry", "said"),
    [
        (
            "--ftgate-concurrency=1",
            "",
            "--ftgate-concurrency is 1, and that can't be kept by 2 workers of which gw1 keeps answers "
            "elsewhere: allow 2 requests at once, or use 1 worker",
        ),
        (
            "--ftgate-concurrency=8",
            ", concurrency: 1",
            "'concurrency' of model 'tuned' is 1, and that can't be kept by 2 workers of which gw1 keeps "
            "answers elsewhere: allow 2 requests at once, or use 1 worker",
        ),
        (
            "--ftgate-max-tokens=100000",
            "",
            "--ftgate-max-tokens and --ftgate-max-cost can't be kept, since gw1 keeps answers elsewhere: "
            "use workers of one machine",
        ),
    ],
)
def test_limits_that_can_not_be_kept_without_a_common_store_are_refused(
    project: Project, elsewhere: Path, option: str, entry: str, said: str
) -> None:
    project.write("conftest.py", APART)
    with ChatServer() as server:
        write_suite(project, server, 8, entry=entry)
        workers = copied(project, elsewhere)

        result = project.run_apart("--model=tuned", "--dist=load", option, *workers)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {said}"])
    assert project.verdict["verdict"] == "INCOMPLETE"


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        (
            "evals/capitals.evalcase.yaml",
            ("prompt: Say 4,", "prompt: Say four,"),
            "the workers collected different cases: capitals/c4",
        ),
        (
            "evals/capitals.evalcase.yaml",
            ("id: c4,", "id: another,"),
            "the workers collected different tests: only some of them have "
            "evals/capitals.evalcase.yaml::another, evals/capitals.evalcase.yaml::c4",
        ),
        ("ftgate.yaml", ("name: tuned,", "name: older,"), "the workers ask different models: model: host "),
    ],
)
def test_a_host_whose_files_differ_leaves_the_run_incomplete(
    project: Project, elsewhere: Path, name: str, change: tuple[str, str], said: str
) -> None:
    with ChatServer(latency_s=0.02) as server:
        write_suite(project, server, 12)
        workers = copied(project, elsewhere)
        text = (elsewhere / name).read_text(encoding="utf-8")
        assert change[0] in text
        (elsewhere / name).write_text(text.replace(*change), encoding="utf-8")

        result = project.run_apart("--model=tuned", "--dist=load", "--ftgate-cache=refresh", *workers)

    assert result.ret > 0
    assert project.verdict["verdict"] == "INCOMPLETE"
    assert said in project.verdict["sentence"]
