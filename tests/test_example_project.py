"""The example project is run as its users run it: the commands of its README and CI files, on copies."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from pytest_ftgate.files.schema import case_file_schema
from pytest_ftgate.scorers import BUILTIN
from tests.support.rows import unwrapped

EXAMPLE = Path(__file__).parents[1] / "example_project"
SHIP = "pytest --model=tuned-v2 --baseline=base"
FORGETFUL = "pytest --model=tuned-v1 --baseline=base"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A finished run of the example: its exit status, what it printed, its report and its JUnit file."""

    status: int
    output: str
    report: dict[str, Any]
    junit: ElementTree.Element

    @property
    def verdict(self) -> str:
        return str(self.report["verdict"])

    @property
    def criteria(self) -> dict[str, dict[str, Any]]:
        return {criterion["name"]: criterion for criterion in self.report["criteria"]}

    @property
    def statuses(self) -> dict[str, str]:
        """Of each criterion but those on times: a busy machine can't measure them."""
        rows = self.criteria.items()
        return {name: row["status"] for name, row in rows if not name.startswith("latency")}

    @property
    def counts(self) -> dict[str, tuple[object, ...]]:
        """Of each criterion but those on times, what was observed on how many cases."""
        return {
            name: (row["observed"], row["n"])
            for name, row in self.criteria.items()
            if not name.startswith("latency")
        }

    @property
    def flips(self) -> dict[str, str]:
        return {case["nodeid"]: case["flip"] for case in self.report["cases"]}

    def group(self, by: str, value: str) -> dict[str, Any]:
        return next(group for group in self.report["groups"] if (group["by"], group["value"]) == (by, value))


def copied(folder: Path) -> Path:
    """The project as a user has it after a clone."""
    ignored = shutil.ignore_patterns(".ftgate", ".pytest_cache", "__pycache__", "build", "*.egg-info")
    return shutil.copytree(EXAMPLE, folder / "example", ignore=ignored)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    return copied(tmp_path)


def run(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs a shell command in a folder, with this environment's programs first and none of its options."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if key == "PYTEST_ADDOPTS" or not key.startswith(("PYTEST", "FTGATE", "GITHUB", "CI", "PARCEL"))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = kept | {"PATH": path, "COLUMNS": "80"} | variables
    return subprocess.run(
        ["bash", "-euc", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def gated(command: str, folder: Path) -> Done:
    """Runs a gate to its end, with a report and a JUnit file."""
    done = run(f"{command} --ftgate-report=report.json --junitxml=junit.xml", folder)
    return Done(
        status=done.returncode,
        output=done.stdout + done.stderr,
        report=json.loads((folder / "report.json").read_text(encoding="utf-8")),
        junit=ElementTree.parse(folder / "junit.xml").getroot(),
    )


def verdict(example: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((example / ".ftgate" / "verdict.json").read_text(encoding="utf-8"))
    return content


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The run of the README's first command."""
    return gated(SHIP, copied(tmp_path_factory.mktemp("shipped")))


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory: pytest.TempPathFactory) -> Done:
    """The run of the model that was tuned on its task alone."""
    return gated(FORGETFUL, copied(tmp_path_factory.mktemp("forgetful")))


def test_the_second_fine_tune_ships_with_all_measured_but_human_preference(shipped: Done) -> None:
    assert shipped.status == 0, shipped.output
    assert shipped.verdict == "SHIP"
    assert shipped.statuses == {
        "target_task_improvement": "GO",
        "general_regression": "GO",
        "exact_match_accuracy": "GO",
        "adversarial_robustness": "GO",
        "schema_compliance": "GO",
        "human_preference": "NOT MEASURED",
        "summary_quality": "GO",
        "other_cases": "GO",
    }
    # Measured in any case; of a machine that is too busy to measure times it is only shown.
    latency = shipped.criteria["latency_p50"]
    assert (latency["n"], latency["observed"] < 2) == (136, True)
    assert latency["status"] == "GO" or not latency["decides"]


def test_the_models_answer_live_over_http(shipped: Done) -> None:
    completions = [trial["completion"] for case in shipped.report["cases"] for trial in case["trials"]]

    assert shipped.report["mode"] == "live"
    assert re.search(r"model tuned-v2 \(http://127\.0\.0\.1:\d+/v1\), baseline base \(http", shipped.output)
    assert all(answer["latency_s"] > 0 and answer["usage"]["output_tokens"] > 0 for answer in completions)


def test_the_models_make_mistakes(shipped: Done) -> None:
    """No model of this size is right always: a suite that nobody misses tells nothing."""
    flips = list(shipped.flips.values())

    assert flips.count("fixed") > 10
    assert flips.count("both failed") + flips.count("regression") > 0


def test_the_first_fine_tune_is_better_at_its_task_and_does_not_ship(forgetful: Done) -> None:
    assert forgetful.status == 1
    assert forgetful.verdict == "ITERATE"
    assert forgetful.group("role", "target")["delta"]["value"] > 0.05
    assert forgetful.criteria["general_regression"]["status"] == "NO-GO"
    assert forgetful.criteria["general_regression"]["observed"] < -0.3


def test_the_forgotten_categories_are_named(forgetful: Done) -> None:
    sentence = str(forgetful.report["sentence"])
    table = forgetful.output.partition("category ")[2]

    assert "general_regression" in sentence
    assert re.search(r"flagged: categories \w+ \(-", sentence)
    for category in ("arithmetic", "calendar", "capitals", "nature", "opposites", "summary"):
        assert forgetful.group("category", category)["delta"]["value"] < -0.05
        assert re.search(rf"^{category} +general .*!", table, re.MULTILINE)


def test_a_regression_is_shown_with_both_answers(forgetful: Done) -> None:
    regressed = next(name for name, flip in forgetful.flips.items() if flip == "regression")

    testcases = {case.get("name"): case for case in forgetful.junit.iter("testcase")}
    failure = testcases[regressed.partition("::")[2]].find("failure")

    assert failure is not None
    text = failure.text or ""
    assert "regression: " in text
    assert re.search(r"^model: failed.*^baseline: passed", text, re.MULTILINE | re.DOTALL)


def test_verify_refuses_what_did_not_ship(example: Path) -> None:
    run(f"{FORGETFUL} -q", example)

    refused = run("ftgate verify --max-age 1h", example)

    assert refused.returncode == 1
    sentence = verdict(example)["sentence"]
    assert unwrapped(refused.stderr).startswith(f"ftgate: The verdict is ITERATE: {sentence}")


def test_the_base_model_is_no_improvement_over_itself(example: Path) -> None:
    done = gated("pytest -q --model=base --baseline=base", example)

    assert done.status == 1, done.output
    assert done.verdict == "ITERATE"
    assert done.criteria["target_task_improvement"]["observed"] == 0
    assert set(done.flips.values()) <= {"both passed", "both failed", "unknown", "model only"}


def test_other_weights_give_another_verdict(example: Path) -> None:
    """Nothing is arranged: what is called tuned-v2 ships only if it is."""
    weights = example / "assistant" / "weights"
    shutil.copy(weights / "tuned-v1.npz", weights / "tuned-v2.npz")

    done = gated(f"{SHIP} -q", example)

    assert done.status == 1, done.output
    assert done.verdict == "ITERATE"


def test_two_workers_reach_the_same_verdict(example: Path, shipped: Done) -> None:
    pytest.importorskip("xdist")

    done = gated(f"{SHIP} -q -n 2", example)

    assert done.status == 0, done.output
    assert (done.verdict, done.statuses, done.counts) == (shipped.verdict, shipped.statuses, shipped.counts)
    assert done.flips == shipped.flips


def test_the_saved_baseline_reaches_the_same_verdict(example: Path, shipped: Done) -> None:
    done = gated("pytest -q --model=tuned-v2 --baseline=base-saved", example)

    assert done.status == 0, done.output
    assert (done.verdict, done.report["mode"]) == ("SHIP", "mixed")
    assert done.counts == shipped.counts
    assert done.flips == shipped.flips


def test_the_saved_baseline_is_what_the_base_model_answers(example: Path) -> None:
    """Up to times: whoever trains anew saves anew."""
    run("pytest -q --model=tuned-v2 --baseline=base --ftgate-save-answers=now.jsonl", example)

    saved, now = (
        [answered(row) for row in rows(example / name) if row["arm"] == "baseline"]
        for name in ("baselines/base.jsonl", "now.jsonl")
    )

    assert saved == now


def rows(path: Path) -> Iterator[dict[str, Any]]:
    _, *lines = path.read_text(encoding="utf-8").splitlines()
    yield from map(json.loads, lines)


def answered(row: dict[str, Any]) -> dict[str, Any]:
    left_out = ("created", "latency_s", "logprobs")
    return {key: value for key, value in row.items() if key not in left_out}


def test_busy_neighbours_change_no_verdict(example: Path, shipped: Done) -> None:
    with busy_processes(2):
        done = gated(f"{SHIP} -q", example)

    assert done.status == 0, done.output
    assert (done.verdict, done.statuses, done.counts) == (shipped.verdict, shipped.statuses, shipped.counts)


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """Processes that compute without end."""
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def test_cases_alone_are_no_release_decision(example: Path) -> None:
    run("pytest -q -k joke --model=tuned-v2", example)

    assert verdict(example)["verdict"] == "INCOMPLETE"


def test_the_unit_tests_alone_ask_nobody(example: Path) -> None:
    done = run("pytest -q tests/test_order_form.py", example)

    assert done.returncode == 0, done.stdout
    assert not (example / ".ftgate").exists()


def test_the_readme_says_of_each_command_what_it_gives(example: Path) -> None:
    text = (example / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^(pytest [^#\n]*?) +# (SHIP|ITERATE)\b", text, re.MULTILINE)

    assert [command for command, _ in commands] == [
        SHIP,
        FORGETFUL,
        "pytest --model=base --baseline=base",
        "pytest --model=tuned-v2 --baseline=base-saved",
        "pytest --model=tuned-v2 --baseline=base -n 2",
        "pytest --model=tuned-v2 --baseline=base --ftgate-review=review.json",
    ]
    # What each of them gives is tested above.
    assert [word for _, word in commands] == ["SHIP", "ITERATE", "ITERATE", "SHIP", "SHIP", "SHIP"]


def test_one_command_makes_the_page_and_opens_it(
    example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (example / "README.md").read_text(encoding="utf-8")
    command = next(line for line in text.splitlines() if "webbrowser" in line)
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\necho "$1" > opened.txt\n', encoding="utf-8")
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", f"{browser} %s")

    done = run("set +e; " + command.replace("python -m", f"{sys.executable} -m"), example)

    page = example / "report.html"
    assert f"\nreport: {page.as_uri()}\n" in done.stdout
    assert (example / "opened.txt").read_text(encoding="utf-8").strip() == f"file://{page}"
    assert "<title>ITERATE: tuned-v1</title>" in page.read_text(encoding="utf-8")


def test_the_readme_has_people_asked_and_their_votes_counted(example: Path) -> None:
    text = (example / "README.md").read_text(encoding="utf-8")
    export, apply, count = re.findall(
        r"^((?:ftgate review|pytest .*--ftgate-review).*?) {2,}#", text, re.MULTILINE
    )
    gated(f"{SHIP} --ftgate-report=run.jsonl", example)

    exported, applied = run(export, example), run(apply, example)
    done = gated(count, example)

    assert exported.returncode == 0, exported.stderr
    assert len(list((example / "batch" / "for-reviewers").glob("*.html"))) == 3
    assert applied.returncode == 0, applied.stderr
    assert "135 votes on 45 pairs, by majority" in applied.stdout
    assert "Not counted" not in applied.stdout
    assert (done.status, done.verdict) == (0, "SHIP"), done.output
    preference = done.criteria["human_preference"]
    assert (preference["status"], preference["decides"]) == ("GO", True)
    # One answer or the other may come out differently on another kind of processor.
    assert preference["n"] >= 40


def test_the_votes_of_the_example_are_those_that_its_script_writes(example: Path) -> None:
    gated(f"{SHIP} --ftgate-report=run.jsonl", example)
    before = {path.name: path.read_bytes() for path in (example / "reviews" / "votes").iterdir()}

    done = run("python reviews/voters.py run.jsonl reviews/batch/key.json", example)

    assert done.returncode == 0, done.stderr
    assert before == {path.name: path.read_bytes() for path in (example / "reviews" / "votes").iterdir()}


def ci_script(example: Path, name: str) -> list[str]:
    """The commands of a CI file that can be run here: all but the installation."""
    content = yaml.safe_load((example / name).read_text(encoding="utf-8"))
    job = content["jobs"]["test"] if "jobs" in content else content["test"]
    steps = job["script"] if "script" in job else [step["run"] for step in job["steps"] if "run" in step]
    return [command for command in steps if not command.startswith("pip install")]


@pytest.mark.parametrize("name", [".github/workflows/test.yml", ".gitlab-ci.yml"])
def test_the_ci_stage_passes_publishes_junit_and_ends_with_verify(example: Path, name: str) -> None:
    commands = ci_script(example, name)

    done = run(" && ".join(commands), example, FTGATE_RUN_ID="4711")

    assert done.returncode == 0, done.stdout + done.stderr
    assert commands[-1].startswith("ftgate verify ")
    assert 'name="verdict"' in (example / "junit.xml").read_text(encoding="utf-8")
    assert verdict(example)["run_id"] == "4711"


@pytest.mark.parametrize("name", [".github/workflows/test.yml", ".gitlab-ci.yml"])
def test_the_ci_stage_fails_if_the_gate_did_not_run(example: Path, name: str) -> None:
    *_, verify = ci_script(example, name)

    done = run(f"pytest -q -p no:ftgate tests/test_order_form.py && {verify}", example, FTGATE_RUN_ID="4711")

    assert done.returncode == 1
    reason = "There is no verdict file .ftgate/verdict.json: the run did not start, or wrote elsewhere."
    assert unwrapped(done.stderr) == f"ftgate: {reason}\n"


def test_the_schema_beside_the_cases_is_what_ftgate_schema_writes() -> None:
    written = json.loads((EXAMPLE / "ftgate.schema.json").read_text(encoding="utf-8"))

    assert written == case_file_schema(BUILTIN), (
        "run: ftgate schema --output example_project/ftgate.schema.json"
    )


@pytest.mark.parametrize("path", sorted(EXAMPLE.glob("evals/*.evalcase.yaml")), ids=lambda path: path.stem)
def test_case_files_begin_with_the_line_that_editors_read(path: Path) -> None:
    first = path.read_text(encoding="utf-8").partition("\n")[0]

    assert first == "# yaml-language-server: $schema=../ftgate.schema.json"
    assert (path.parent / first.partition("$schema=")[2]).exists()
