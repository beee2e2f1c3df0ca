"""One run of more than 10,000 cases: it does without what nobody reads, and with nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_ftgate.plugin.large_runs import LARGE, PassedCase, forget_passed

COUNT = LARGE + 1
_CONFTEST = """
from collections import Counter

heard = Counter()

class Listens:
    starts = 0

    def pytest_runtest_logstart(self):
        Listens.starts += 1

    def pytest_runtest_logreport(self, report):
        heard[report.when] += 1
        assert report.location[2] and isinstance(report.location, tuple)

def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Listens())

def pytest_terminal_summary(terminalreporter):
    kept = terminalreporter.stats
    print("heard:", sorted(heard.items()))
    print("starts:", Listens.starts)
    print("kept:", sorted((name, len(reports)) for name, reports in kept.items() if name != "warnings"))
    print("types:", sorted({type(report).__name__ for report in kept["passed"]}))
"""


@dataclass
class Large:
    """What the run printed and wrote."""

    folder: Path
    status: int
    printed: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "run.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Large:
    folder = tmp_path_factory.mktemp("large")
    rows = [{"id": f"c{n}", "q": f"{n} + 1?", "a": str(n + 1), "k": f"k{n % 7}"} for n in range(COUNT)]
    _write_lines(folder / "rows.jsonl", rows)
    entry = "{path: rows.jsonl, id: '{{id}}', prompt: '{{q}}', expect: '{{a}}', category: '{{k}}'}"
    (folder / "rows.evalcase.yaml").write_text(f"datasets:\n  - {entry}\n")
    (folder / "ftgate.yaml").write_text(
        "gate: {criteria: {right: {metric: pass_rate, at_least: 99%}, each: "
        "{metric: pass_rate, at_least: 99%, per: category}}}\n"
    )
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "conftest.py").write_text(_CONFTEST)
    for arm in ("model", "baseline"):
        said = [
            {"id": row["id"], "text": "?" if arm == "model" and n in (4, 5) else row["a"]}
            for n, row in enumerate(rows)
        ]
        _write_lines(folder / f"{arm}.jsonl", said)
    return _run(folder)


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="module")
def spread(large: Large, tmp_path_factory: pytest.TempPathFactory) -> Large:
    """The same by two workers."""
    pytest.importorskip("xdist")
    folder = shutil.copytree(
        large.folder,
        tmp_path_factory.mktemp("spread") / "x",
        ignore=shutil.ignore_patterns(".ftgate", "junit.xml"),
    )
    return _run(folder, "-n2")


def _run(folder: Path, *more: str) -> Large:
    command = [sys.executable, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider", *more]
    # Others of this environment listen to each report, and then workers leave none out.
    plugins = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "pytest_ftgate.plugin"}
    if more:
        plugins["PYTEST_PLUGINS"] += ",xdist.plugin"
    arms = ["--model=recorded:model.jsonl", "--baseline=recorded:baseline.jsonl"]
    reports = ["--junitxml=junit.xml", "--ftgate-report=run.jsonl"]
    done = subprocess.run(
        [*command, *arms, *reports],
        cwd=folder,
        env=os.environ | plugins,
        capture_output=True,
        text=True,
        check=False,
    )
    return Large(folder, done.returncode, done.stdout + done.stderr)


def test_it_is_decided_on_all_cases(large: Large) -> None:
    verdict = json.loads((large.folder / ".ftgate/verdict.json").read_text())

    assert large.status == 0, large.printed[-3000:]
    assert (verdict["verdict"], verdict["plan"]["cases"]) == ("SHIP", COUNT)
    assert f"{COUNT - 2} passed, 2 missed in " in large.printed


def test_missed_cases_are_shown_as_in_any_run(large: Large) -> None:
    assert "rows.evalcase.yaml::c4 " in large.printed
    assert "exact_match: got '?', expected '5'" in large.printed


def test_the_record_holds_every_trial_with_its_answer_and_scores(large: Large) -> None:
    trials = [row for row in large.rows if row.get("kind") == "trial"]

    assert len(trials) == 2 * COUNT
    assert all(trial["completion"]["text"] and trial["scores"] for trial in trials)
    assert sum(trial["outcome"] == "failed" for trial in trials) == 2


def test_junit_has_a_line_for_each_case_and_the_properties_of_those_that_did_not_pass(large: Large) -> None:
    suite = ET.parse(large.folder / "junit.xml").getroot()[0]
    cases = {case.get("name"): case for case in suite.iter("testcase")}

    assert len([name for name in cases if name and name.startswith("c")]) == COUNT
    assert {name for name, case in cases.items() if case.find("properties") is not None} == {"c4", "c5"}
    assert cases["c4"].find("failure") is not None


def test_pytest_keeps_of_passed_cases_their_ids_alone(large: Large) -> None:
    assert f"kept: [('', 27), ('missed', 2), ('passed', {COUNT - 2})]" in large.printed
    assert "types: ['PassedCase']" in large.printed


def test_two_workers_record_and_show_the_same(large: Large, spread: Large) -> None:
    def trials(run: Large) -> list[dict[str, Any]]:
        return [row for row in run.rows if row.get("kind") == "trial"]

    def decided(run: Large) -> dict[str, Any]:
        verdict = json.loads((run.folder / ".ftgate/verdict.json").read_text())
        return {name: verdict[name] for name in ("verdict", "sentence", "criteria", "plan", "complete")}

    assert trials(spread) == trials(large)
    assert decided(spread) == decided(large)
    assert spread.status == 0, spread.printed[-3000:]


def test_other_plugins_hear_of_setup_call_and_teardown_whether_workers_tell_of_them_or_not(
    large: Large, spread: Large
) -> None:
    # Nine reports more are those of the criteria and the verdict.
    heard = next(line for line in large.printed.splitlines() if line.startswith("heard:"))

    assert heard == f"heard: [('call', {COUNT + 9}), ('setup', {COUNT + 9}), ('teardown', {COUNT + 9})]"
    assert heard in spread.printed.splitlines()
    # Of what passed the workers said no more than that, else this would not be the test that it is.
    assert "starts: 2" in spread.printed.splitlines()


def test_the_junit_file_of_two_workers_has_the_same_cases(large: Large, spread: Large) -> None:
    def cases(run: Large) -> list[tuple[str, ...]]:
        found = ET.parse(run.folder / "junit.xml").getroot()[0].iter("testcase")
        return sorted(
            (case.get("classname") or "", case.get("name") or "", *(child.tag for child in case))
            for case in found
        )

    assert cases(spread) == cases(large)


class _Reporter:
    """As much of pytest's terminal reporter as is asked for."""

    def __init__(self, durations: int | None = None) -> None:
        self.stats: dict[str, list[Any]] = {"": [], "passed": [], "failed": []}
        self.config = type("Config", (), {"option": type("Option", (), {"durations": durations})})

    def add(self, category: str, report: pytest.TestReport, *, is_large: bool = False) -> list[Any]:
        self.stats[category].append(report)
        forget_passed(self, report, is_large=is_large)
        return self.stats[category]


def _report(when: str = "call", outcome: str = "passed", **fields: Any) -> pytest.TestReport:
    location = ("a.evalcase.yaml", 3, "one")
    return pytest.TestReport(
        "a.evalcase.yaml::one", location, {}, outcome, None, when, duration=0.5, **fields  # type: ignore[arg-type]
    )  # fmt: skip


def test_the_report_of_a_setup_that_went_well_is_kept_for_durations_only() -> None:
    setup = _report("setup")

    assert _Reporter().add("", setup) == []
    assert _Reporter(durations=3).add("", setup) == [setup]


def test_what_did_not_pass_or_printed_something_is_kept_whole() -> None:
    for report in (_report(outcome="failed"), _report(sections=[("Captured stdout call", "hello")])):
        category = report.outcome if report.failed else "passed"
        assert _Reporter().add(category, report, is_large=True) == [report]


def test_the_report_of_a_passed_case_is_whole_but_in_a_large_run() -> None:
    report = _report()

    assert _Reporter().add("passed", report) == [report]
    (kept,) = _Reporter().add("passed", report, is_large=True)
    assert isinstance(kept, PassedCase)
    assert (kept.nodeid, kept.duration, kept.when, kept.passed) == (report.nodeid, 0.5, "call", True)
    assert (kept.location, kept.head_line) == (("a.evalcase.yaml", None, "one"), "one")
