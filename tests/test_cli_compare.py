"""`ftgate compare`: two records in, the report of a run out, and no verdict unless a gate is named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pytest_ftgate.cli import main
from pytest_ftgate.record import Record, RunInfo, parse_record, record_lines
from tests.reports.samples import Category, record
from tests.support.rows import unwrapped

EARLIER = (Category("simple", both=8, neither=2), Category("edge_case", both=3, neither=2))
LATER = (Category("simple", both=9, neither=1), Category("edge_case", both=2, neither=3))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["compare", *args], prog_name="ftgate")


def save(name: str, categories: tuple[Category, ...], model: str) -> Record:
    models = {"model": {"name": model}, "baseline": {"name": "prod"}}
    made = record(categories, run=RunInfo(run_id=f"r-{model}", version="0.1.0", models=models))
    asked = tuple(replace(case, asked=case.id, digest=case.id) for case in made.plan.cases)
    made = replace(made, plan=replace(made.plan, cases=asked))
    Path(name).write_text("".join(f"{row}\n" for row in record_lines(made)), encoding="utf-8")
    return made


def save_both() -> None:
    save("a.jsonl", EARLIER, "tuned-v1")
    save("b.jsonl", LATER, "tuned-v2")


def test_the_report_of_a_run_is_printed_without_a_verdict() -> None:
    save_both()

    result = run("a.jsonl", "b.jsonl")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == (
        "The model of b.jsonl, beside the model of a.jsonl as its baseline\n"
        "\n"
        "model tuned-v2, baseline tuned-v1\n"
        "category    n  model  baseline  delta      95% CI  wins  losses  ties\n"
        "edge_case   5  40.0%     60.0%  -20.0! [-66, +39]     0       1     4\n"
        "simple     10  90.0%     80.0%  +10.0  [-23, +42]     1       0     9\n"
        "─────────────────────────────────────────────────────────────────────\n"
        "all        15  73.3%     73.3%    0.0  [-26, +26]     1       1    13\n"
        "! dropped by more than 5 points\n"
        "\n"
        "1 case regressed (the baseline passed)\n"
        "  evals/tools.evalcase.yaml::edge_case-03\n"
        "    exact_match: got 'Lyon', expected 'Paris'\n"
        "1 case fixed, 3 cases failed on both arms\n"
    )


def test_cases_that_are_not_compared_are_named() -> None:
    save("a.jsonl", EARLIER, "tuned-v1")
    save("b.jsonl", LATER[:1], "tuned-v2")

    result = run("a.jsonl", "b.jsonl")

    assert result.exit_code == 0
    assert " ".join(result.stdout.split()).endswith(
        "warning: 5 cases are answered only in a.jsonl, and not compared: tools::edge_case-01, "
        "tools::edge_case-02, tools::edge_case-03, tools::edge_case-04, tools::edge_case-05"
    )


def test_a_gate_that_is_named_judges_the_comparison() -> None:
    save_both()
    Path("gate.yaml").write_text(
        "gate: {min_cases: 1, criteria: {better: {metric: pass_rate, compare: delta, at_least: 5%}}}\n"
    )

    result = run("a.jsonl", "b.jsonl", "--ftgate-config", "gate.yaml")

    assert result.exit_code == 0
    assert "NO-GO  better  0.0 points  ≥ 5%  n=15" in result.stdout
    assert "\nITERATE: " in result.stdout


def test_a_gate_ships_nothing_that_was_dropped() -> None:
    save("a.jsonl", EARLIER, "tuned-v1")
    save("b.jsonl", (Category("simple", both=10),), "tuned-v2")
    Path("gate.yaml").write_text("gate: {criteria: {holds: {metric: pass_rate, at_least: 50%}}}\n")

    result = run("a.jsonl", "b.jsonl", "--gate", "gate.yaml")

    assert "\nINCOMPLETE: 5 of 15 cases of a.jsonl are not compared: tools::edge_case-01" in result.stdout
    assert "\nSHIP" not in result.stdout


def test_the_runs_own_gate_is_not_called_another_one() -> None:
    save_both()
    Path("gate.yaml").write_text("gate: {}\n")

    own = run("a.jsonl", "b.jsonl", "--gate", "gate.yaml")
    Path("gate.yaml").write_text("gate: {min_cases: 3}\n")
    other = run("a.jsonl", "b.jsonl", "--gate", "gate.yaml")

    assert "another gate" not in own.stdout
    assert "warning: judged by another gate (" in other.stdout


def test_with_v_what_was_fixed_is_named() -> None:
    save_both()

    result = run("a.jsonl", "b.jsonl", "-v")

    assert (
        "\n1 case fixed (the model passed, the baseline did not)\n  evals/tools.evalcase.yaml::simple-09\n"
    ) in result.stdout


def test_reports_are_those_of_a_run_and_can_not_be_taken_for_a_ship() -> None:
    save_both()

    result = run("a.jsonl", "b.jsonl", "--report", "c.json", "--report", "c.md", "--report", "c.jsonl")

    report = json.loads(Path("c.json").read_text(encoding="utf-8"))
    both = parse_record(Path("c.jsonl").read_text(encoding="utf-8").splitlines(), "c.jsonl")
    assert result.exit_code == 0
    assert (report["verdict"], report["criteria"]) == ("INCOMPLETE", [])
    assert report["sentence"] == "two runs are compared, and no gate judged them"
    assert (report["model"], report["baseline"]) == (
        {"name": "tuned-v2", "run": "r-tuned-v2 of "},
        {"name": "tuned-v1", "run": "r-tuned-v1 of "},
    )
    assert both.run.run_id == "r-tuned-v1..r-tuned-v2"
    assert (
        Path("c.md")
        .read_text(encoding="utf-8")
        .startswith(
            "## Two runs compared\n\n"
            "model `tuned-v2` · baseline `tuned-v1` · run `r-tuned-v1..r-tuned-v2`\n\n"
            "| category | n | model | baseline | delta | 95% CI | w/l/t |\n"
        )
    )


def test_the_same_record_twice_has_only_ties() -> None:
    save_both()

    (everything,) = (row for row in run("a.jsonl", "a.jsonl").stdout.splitlines() if row.startswith("all "))

    assert everything.split()[:5] == ["all", "15", "73.3%", "73.3%", "0.0"]
    assert everything.split()[-3:] == ["0", "0", "15"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["a.jsonl", "none.jsonl"], "ftgate: none.jsonl can't be read: No such file or directory\n"),
        (
            ["a.jsonl", "b.jsonl", "--report", "b.jsonl"],
            "ftgate: b.jsonl is named twice: a file can't be read and written, or written twice\n",
        ),
        (
            ["a.jsonl", "other.jsonl"],
            "ftgate: a.jsonl and other.jsonl have no case to compare"
            "; 15 cases are answered only in a.jsonl, and not compared: tools::edge_case-01, "
            "tools::edge_case-02, tools::edge_case-03, tools::edge_case-04, tools::edge_case-05 and 10 more"
            "; 1 case is answered only in other.jsonl, and not compared: facts::capitals-01\n",
        ),
    ],
)
def test_files_that_can_not_be_used_are_named(args: list[str], message: str) -> None:
    save_both()
    save("other.jsonl", (Category("capitals", both=1, suite="facts"),), "tuned-v1")

    result = run(*args)

    assert (result.exit_code, result.stdout, unwrapped(result.stderr)) == (2, "", message)
