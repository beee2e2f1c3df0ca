"""Ways in which shards could ship what one run would not; none of them does."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from pytest_ftgate.cli import main
from tests.plugin.conftest import GATE, Project

GOOD, BAD = "--model=python:bots:good", "--model=python:bots:bad"
NAMES = ("ftgate-shard-1-of-2.jsonl", "ftgate-shard-2-of-2.jsonl")


@pytest.fixture
def shards(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Two shards that ship together; each test spoils the second."""
    monkeypatch.chdir(project.pytester.path)
    monkeypatch.delenv("GITHUB_SHA", raising=False)
    monkeypatch.delenv("CI_COMMIT_SHA", raising=False)
    project.write("ftgate.yaml", GATE.replace("75%", "100%"))
    assert [run(project, number).ret for number in (1, 2)] == [0, 0]
    assert decide(project).exit_code == 0
    assert project.verdict["verdict"] == "SHIP"
    return project


def run(project: Project, number: int, *args: str, of: int = 2, run_id: str = "ci-7") -> pytest.RunResult:
    args = args if any(arg.startswith("--model") for arg in args) else (GOOD, *args)
    return project.run(*args, f"--ftgate-run-id={run_id}", f"--ftgate-shard={number}/{of}")


def decide(project: Project, *names: str) -> Result:
    return CliRunner(env={"COLUMNS": None}).invoke(
        main, ["decide", *(names or NAMES), "--verdict=.ftgate/verdict.json"]
    )


def refused(project: Project, *names: str) -> str:
    """Why the records are not judged; also asserts that no verdict lets a release through."""
    result = decide(project, *names)
    verified = CliRunner(env={"COLUMNS": None}).invoke(main, ["verify", "--run-id", "ci-7"])

    assert (result.exit_code, verified.exit_code) == (2, 1)
    assert project.verdict["verdict"] == "INCOMPLETE"
    return result.stderr.removeprefix("ftgate: these records can't be judged together: ").rstrip("\n")


def incomplete(project: Project) -> str:
    """Why the records, though judged, don't ship."""
    assert decide(project).exit_code == 1
    assert project.verdict["verdict"] == "INCOMPLETE"
    return str(project.verdict["sentence"])


def test_an_artefact_of_an_earlier_run(shards: Project) -> None:
    run(shards, 2, run_id="ci-6")

    assert refused(shards) == "their run ids differ: ci-7 (shard 1), ci-6 (shard 2)"


def test_one_shard_twice_and_the_other_missing(shards: Project) -> None:
    assert refused(shards, NAMES[0], NAMES[0]) == "shard 2 of 2 is missing"


def test_a_shard_that_could_not_start_leaves_no_record(shards: Project) -> None:
    (shards.pytester.path / NAMES[1]).unlink()

    assert run(shards, 2, "--model=nowhere:x").ret == pytest.ExitCode.USAGE_ERROR
    assert "can't be read" in refused(shards) or "differ" in refused(shards)


def test_other_numbers_of_shards(shards: Project) -> None:
    run(shards, 2, of=3)

    assert "their numbers of shards differ: 2 (shard 1), 3 (shard 2)" in refused(
        shards, NAMES[0], "ftgate-shard-2-of-3.jsonl"
    )


@pytest.mark.parametrize("name", ["conftest.py", "evals/conftest.py", "bots.py", "test_more.py"])
def test_other_code_behind_the_same_plan(shards: Project, name: str) -> None:
    test = (
        "import pytest\n@pytest.mark.eval_case(id='x', prompt='Hi')\n"
        "def test_x(eval_case, model): model(eval_case)\n"
    )
    if name == "test_more.py":
        shards.write(name, test)
        run(shards, 1)
    path = shards.pytester.path / name
    shards.write(name, f"{path.read_text() if path.exists() else ''}\nCHANGED = True\n")
    run(shards, 2)

    assert refused(shards).startswith(f"their test code differs in {name}: ")


def test_another_commit(shards: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, commit in ((1, "0ddba11"), (2, "5eed")):
        monkeypatch.setenv("CI_COMMIT_SHA", commit)
        run(shards, number)

    assert refused(shards) == "their test code differs in commit: 0ddba11 (shard 1), 5eed (shard 2)"


def test_other_cases(shards: Project) -> None:
    path = shards.pytester.path / "evals" / "capitals.evalcase.yaml"
    path.write_text(path.read_text().replace("expect: Madrid", "expect: {contains: M}"))
    run(shards, 2)

    assert refused(shards).startswith("their plans differ: ")


def test_another_model(shards: Project) -> None:
    run(shards, 2, BAD)

    name = "model.name: python:bots:good (shard 1), python:bots:bad (shard 2)"
    assert f"their models differ in {name}" in refused(shards)


def test_a_lower_bar(shards: Project) -> None:
    shards.write("ftgate.yaml", GATE)
    run(shards, 2)

    assert refused(shards) == "their gates differ in criteria.right.at_least: 100% (shard 1), 75% (shard 2)"


def test_an_option_that_touches_the_gate(shards: Project) -> None:
    run(shards, 2, "--ftgate-strict")

    assert refused(shards) == "their gate options differ: none (shard 1), --ftgate-strict (shard 2)"


def test_shares_that_were_not_balanced_alike(shards: Project) -> None:
    shards.write(
        "slow.py", "def answer(prompt):\n    return {'text': 'x', 'latency_s': float(len(prompt))}\n"
    )
    shards.run("--model=python:slow:answer", "--ftgate-report=before.jsonl")
    (shards.pytester.path / "slow.py").unlink()
    run(shards, 2, "--ftgate-shard-durations=before.jsonl")

    assert refused(shards).startswith(
        "their ways to share out the cases differ: by key (shard 1), balanced ("
    )


def test_a_shard_that_was_cut_short(shards: Project) -> None:
    shards.write("evals/conftest.py", "def pytest_runtest_setup(item): item.session.shouldstop = 'enough'\n")
    run(shards, 1)
    run(shards, 2)

    assert "did not finish" in incomplete(shards)


def test_a_shard_that_stopped_at_the_first_miss(shards: Project) -> None:
    for number in (1, 2):
        run(shards, number, BAD, "-x")

    assert "did not finish" in incomplete(shards)


def test_a_narrowed_shard(shards: Project) -> None:
    run(shards, 2, "-k", "france")

    assert incomplete(shards).startswith("narrowed: left out before the start: ")


def test_a_test_that_was_skipped_on_the_way(shards: Project) -> None:
    shards.write("evals/conftest.py", "import pytest\ndef pytest_runtest_setup(item): pytest.skip('later')\n")
    for number in (1, 2):
        run(shards, number)

    assert "4 of 4 planned trials are missing" in incomplete(shards)


def test_a_worker_that_died_in_a_shard(shards: Project) -> None:
    pytest.importorskip("xdist")
    shards.write(
        "evals/conftest.py",
        "import os\ndef pytest_runtest_teardown(item):\n"
        "    if hasattr(item.config, 'workerinput'): os._exit(0)\n",
    )
    for number, workers in ((1, ()), (2, ("-n1", "--max-worker-restart=0"))):
        shards.run_apart(GOOD, "--ftgate-run-id=ci-7", f"--ftgate-shard={number}/2", *workers)

    assert "a worker died" in incomplete(shards)


def missed_to_passed(text: str) -> str:
    return text.replace('"outcome": "failed"', '"outcome": "passed"')


def without_a_trial(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not ('"kind": "trial"' in line and "france" in line))


def of_another_run(text: str) -> str:
    return text.replace("ci-7", "ci-8")


def cut_off(text: str) -> str:
    return text[:-100]


@pytest.mark.parametrize("edit", [missed_to_passed, without_a_trial, of_another_run, cut_off])
def test_a_record_that_was_edited(shards: Project, edit: Callable[[str], str]) -> None:
    for number in (1, 2):
        run(shards, number, BAD)
    for name in NAMES:
        path = shards.pytester.path / name
        path.write_text(edit(path.read_text()))

    assert refused(shards).startswith("ftgate: ftgate-shard-")


def test_a_missed_case_in_a_green_shard(shards: Project) -> None:
    assert [run(shards, number, BAD).ret for number in (1, 2)] == [0, 0]

    assert decide(shards).exit_code == 1
    assert shards.verdict["verdict"] == "ITERATE"


def test_a_second_try_that_went_better(shards: Project) -> None:
    for number in (1, 2):
        run(shards, number, BAD)
        (shards.pytester.path / NAMES[number - 1]).rename(f"first-{number}.jsonl")
    shards.write("bots.py", "def bad(prompt):\n    return 'Paris'\n")
    names = [f"first-{number}.jsonl" for number in (1, 2)]
    lines = (shards.pytester.path / names[1]).read_text().splitlines()
    code = json.loads(lines[0])["code"]["bots.py"]

    for number in (1, 2):
        run(shards, number, BAD)

    assert f"{code} (shard" in refused(shards, *names, *NAMES)


def test_a_scorer_of_the_project_that_differs_in_one_job(shards: Project) -> None:
    shards.write("marks.py", "def easy(completion): return True\n")
    run(shards, 2)

    assert "marks.py" in refused(shards)


def test_code_that_only_a_model_imports_differs_in_one_job(shards: Project) -> None:
    shards.write("lib/helper.py", "CAPITAL = 'Paris'\n")
    run(shards, 2)

    assert "lib/helper.py" in refused(shards)


def test_an_environment_within_the_project_is_not_its_code(shards: Project) -> None:
    for name in (".venv/x.py", "env/pyvenv.cfg", "env/lib/x.py", "node_modules/x.py"):
        shards.write(name, "changed = 1\n")
    run(shards, 2)

    assert decide(shards).exit_code == 0


@pytest.mark.parametrize("how", ["killed", "--ftgate-config=missing.yaml"])
def test_a_second_try_that_comes_to_nothing_is_not_judged_by_the_first(shards: Project, how: str) -> None:
    if how == "killed":
        shards.write("evals/conftest.py", "import os\ndef pytest_runtest_setup(item): os._exit(9)\n")
        shards.run_apart(GOOD, "--ftgate-run-id=ci-7", "--ftgate-shard=2/2")
        (shards.pytester.path / "evals/conftest.py").unlink()
    else:
        run(shards, 2, how)

    assert decide(shards).exit_code == 2
    assert shards.verdict["verdict"] == "INCOMPLETE"


def test_a_blank_run_id_is_none(shards: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FTGATE_RUN_ID", "  ")

    result = shards.run(GOOD, "--ftgate-shard=2/2")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--ftgate-shard=2/2: all shards need one --ftgate-run-id*"])


def test_verify_says_why_shards_were_refused(shards: Project) -> None:
    decide(shards, NAMES[0])

    verified = CliRunner(env={"COLUMNS": None}).invoke(main, ["verify", "--run-id", "ci-7"])

    assert verified.exit_code == 1
    assert "shard 2 of 2 is missing" in " ".join(verified.output.split())


def test_the_record_to_balance_by_is_not_written_over(shards: Project) -> None:
    before = (shards.pytester.path / NAMES[0]).read_bytes()

    result = run(shards, 1, f"--ftgate-shard-durations={NAMES[0]}")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*is named twice: a file can't be read and written*"])
    assert (shards.pytester.path / NAMES[0]).read_bytes() == before
