"""Faults of the gate and of runs as a user meets them: thresholds, selections, interruptions, other "
"plugins."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from pytest_ftgate.cli import main
from tests.plugin.catalogue import BAD, GATE, GOOD, Catalogue, catalogue_of
from tests.plugin.conftest import CASES, Project
from tests.support.server import ChatServer, Reply

FINITE = "is not a finite number: write e.g. 85% or 0.85"


@pytest.fixture
def catalogue(empty_project: Project) -> Catalogue:
    """Four capitals, all known to the good model, three to the bad one."""
    made = catalogue_of(empty_project)
    made.write(sound=CASES)
    return made


def gate(criterion: str) -> str:
    return f"gate:\n  min_cases: 1\n  criteria:\n    right: {{{criterion}}}\n"


def verify(catalogue: Catalogue, *args: str) -> tuple[int, str]:
    """`ftgate verify` of this project's verdict file."""
    path = str(catalogue.path / ".ftgate/verdict.json")
    result = CliRunner(env={"COLUMNS": None}).invoke(main, ["verify", path, *args])
    return result.exit_code, result.output.removeprefix("ftgate: ").rstrip()


#: Rows 36 and 46: what stands in `ftgate.yaml`, and all that is told of it.
MISTAKES: list[tuple[str, str, list[str]]] = [
    *(
        (
            f"36 {written or 'empty'}",
            gate(f"metric: pass_rate, at_least: {written}"),
            [f"4:32: criteria.right.at_least: {message}"],
        )
        for written, message in (
            (".nan", f".nan {FINITE}"),
            (".inf", f".inf {FINITE}"),
            ("1e999", f"1e999 {FINITE}"),
            ("most", f"most {FINITE}"),
            ("null", "the number is missing: write e.g. 85% or 0.85"),
            ("", "the number is missing: write e.g. 85% or 0.85"),
            ("true", "true is not a number: write e.g. 85% or 0.85"),
            ("[85%]", "a list is not a number: write e.g. 85% or 0.85"),
            ("85", "85 is not a rate: write 85% or 0.85"),
            ("101%", "101% is not a rate: rates go from 0 to 1, or from 0% to 100%"),
            ("0.8%", "0.8% is less than one percent; probably 80%: write 80% or 0.8"),
            ("-5%", "-5% is negative: that takes `compare: delta`, else a number from 0"),
        )
    ),
    (
        "36 no bound",
        gate("metric: pass_rate"),
        ["4:5: criteria.right: write `at_least` or `at_most`; neither is given"],
    ),
    (
        "36 ratio",
        gate("metric: latency_p99, compare: ratio, at_most: 200%"),
        ["4:50: criteria.right.at_most: 200% is a percentage, but a ratio takes a plain number, e.g. 2"],
    ),
    (
        "37 metric",
        gate("metric: pass_rat, at_least: 85%"),
        ["4:13: criteria.right.metric: unknown metric 'pass_rat'. Did you mean 'pass_rate'?"],
    ),
    (
        "37 role",
        gate("metric: pass_rate, role: genral, at_least: 85%"),
        ["4:32: criteria.right.role: 'genral' is none of target | general. Did you mean 'general'?"],
    ),
    (
        "all at once",
        "modells: {}\ngate:\n  min_case: 1\n  criteria:\n    a: {metrik: pass_rate, at_least: 85}\n    b: "
        "{}\n",
        [
            "1:1: unknown key 'modells'. Did you mean 'models'?",
            "3:3: min_case: unknown key 'min_case'. Did you mean 'min_cases'?",
            "5:9: criteria.a.metrik: unknown key 'metrik'. Did you mean 'metric'?",
            "6:5: criteria.b: `metric` is missing, e.g. `metric: pass_rate`",
            "6:5: criteria.b: write `at_least` or `at_most`; neither is given",
        ],
    ),
]


@pytest.mark.parametrize(
    ("text", "messages"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_a_mistaken_gate_is_told_in_full_and_nothing_is_sent(
    catalogue: Catalogue, text: str, messages: list[str]
) -> None:
    catalogue.put("ftgate.yaml", text)

    assert catalogue.usage_error() == [f"ftgate.yaml:{message}" for message in messages]


def test_row_46_a_weight_is_a_number_above_0(catalogue: Catalogue) -> None:
    weights = ("0", "-1", ".nan", ".inf", "1e400", "true", "much")
    rows = (
        f"  - {{id: w{at}, prompt: x, expect: {{contains: x, weight: {one}}}}}\n"
        for at, one in enumerate(weights)
    )
    catalogue.write(w="cases:\n" + "".join(rows))

    finite = "is no finite number: quote it if it is text"
    assert catalogue.refused() == [
        "evals/w.evalcase.yaml:2:55: case 'w0': 'weight' takes a number above 0, and this is '0'",
        "evals/w.evalcase.yaml:3:55: case 'w1': 'weight' takes a number above 0, and this is '-1'",
        f"evals/w.evalcase.yaml:4:55: case 'w2': '.nan' {finite}",
        f"evals/w.evalcase.yaml:5:55: case 'w3': '.inf' {finite}",
        f"evals/w.evalcase.yaml:6:55: case 'w4': '1e400' {finite}",
        "evals/w.evalcase.yaml:7:55: case 'w5': 'weight' takes a number above 0, and this is 'true'",
        "evals/w.evalcase.yaml:8:55: case 'w6': 'weight' takes a number above 0, and this is 'much'",
    ]


#: Rows 37, 38 and 42: a criterion, the model, the verdict and its sentence.
JUDGED: list[tuple[str, str, str, str, str]] = [
    (
        "37 category",
        "metric: pass_rate, category: wst, at_least: 50%",
        GOOD,
        "INCONCLUSIVE",
        "1 of 2 deciding criteria is not decided: right (no case has the category 'wst'. Did you mean "
        "'west'?)",
    ),
    (
        "37 scorer",
        "metric: exact_mach, at_least: 50%",
        GOOD,
        "INCONCLUSIVE",
        "1 of 2 deciding criteria is not decided: right (no case has an entry 'exact_mach'. Did you mean "
        "'exact_match'?)",
    ),
    (
        "37 role",
        "metric: pass_rate, role: general, at_least: 50%",
        GOOD,
        "INCONCLUSIVE",
        "1 of 2 deciding criteria is not decided: right (no suite has `role: general`)",
    ),
    (
        "38 too few",
        "metric: pass_rate, at_least: 50%, min_cases: 5",
        GOOD,
        "INCONCLUSIVE",
        "the one deciding criterion is not decided: right (100% on 4 cases; 5 cases are the least that "
        "decide (min_cases))",
    ),
    (
        "42 at the threshold",
        "metric: pass_rate, at_least: 75%",
        BAD,
        "SHIP",
        "the one deciding criterion is met: right (75% on 4 cases, ≥ 75% is needed; noise could explain it)",
    ),
    (
        "42 a hair below",
        "metric: pass_rate, at_least: 75.0000000001%",
        BAD,
        "ITERATE",
        "the one deciding criterion is not met: right (75% on 4 cases, ≥ 75.0000000001% is needed; "
        "noise could explain it)",
    ),
]


@pytest.mark.parametrize(
    ("criterion", "model", "word", "sentence"), [row[1:] for row in JUDGED], ids=[row[0] for row in JUDGED]
)
def test_a_criterion_is_judged_exactly_and_never_passes_on_nothing(
    catalogue: Catalogue, criterion: str, model: str, word: str, sentence: str
) -> None:
    catalogue.put("ftgate.yaml", gate(criterion))

    result = catalogue.run(model)

    assert (catalogue.verdict["verdict"], catalogue.verdict["sentence"]) == (word, sentence)
    assert result.ret == (0 if word == "SHIP" else 1)


MORE = "cases:\n  - {id: x, prompt: Capital of Italy?, expect: Rome}\n"


SOUND = [f"sound.evalcase.yaml::{name}" for name in ("france", "italy", "japan", "spain")]
EXTRA = "sub/more.evalcase.yaml::x"

#: Row 39: what narrows a run, pytest's exit status, and what was left out.
SELECTIONS: list[tuple[list[str], int, list[str]]] = [
    (["-k", "france"], 0, [*SOUND[1:], EXTRA]),
    (["-k", "nothing_of_that_name"], 5, [*SOUND, EXTRA]),
    (["--deselect=evals/sound.evalcase.yaml::japan"], 0, [SOUND[2]]),
    (["--ignore=evals/sub/more.evalcase.yaml"], 0, [EXTRA]),
    (["--ignore=evals/sub"], 0, [EXTRA]),
    (["--ignore-glob=*/more.*"], 0, [EXTRA]),
    ([f"evals/{EXTRA}", f"evals/{SOUND[2]}"], 0, [SOUND[0], SOUND[1], SOUND[3]]),
]


@pytest.mark.parametrize(
    ("selection", "status", "left_out"), SELECTIONS, ids=[" ".join(row[0]) for row in SELECTIONS]
)
def test_row_39_a_selection_is_incomplete_and_names_what_it_left_out(
    catalogue: Catalogue, selection: list[str], status: int, left_out: list[str]
) -> None:
    catalogue.put("evals/sub/more.evalcase.yaml", MORE)

    result = catalogue.run(GOOD, *selection)

    assert result.ret == status
    assert catalogue.verdict["verdict"] == "INCOMPLETE"
    assert catalogue.verdict["sentence"].startswith("narrowed: left out before the start: evals/")
    assert catalogue.verdict["plan"]["left_out"] == [f"evals/{name}" for name in left_out]
    assert "ftgate::verdict" not in result.stdout.str()


def test_row_39_a_required_verdict_fails_a_selection(catalogue: Catalogue) -> None:
    result = catalogue.run(GOOD, "-k", "france", "--ftgate-require-verdict")

    assert result.ret == 1
    result.stdout.fnmatch_lines(["FAILED ftgate::verdict*"])  # with its text from pytest 9 on


@pytest.mark.parametrize(
    "option",
    ["--lf", "--stepwise"],
)
def test_row_39_what_an_earlier_failure_selects_is_incomplete(catalogue: Catalogue, option: str) -> None:
    runpytest = catalogue.project.pytester.runpytest
    catalogue.put("ftgate.yaml", gate("metric: pass_rate, at_least: 80%"))
    catalogue.write(sound=CASES.replace("Tokyo}", "Kyoto}"))
    runpytest(GOOD, *([option] if option == "--stepwise" else []))

    result = runpytest(GOOD, option)

    assert result.ret != 0
    assert catalogue.verdict["verdict"] == "INCOMPLETE"
    assert catalogue.verdict["sentence"].startswith("narrowed: ")


def test_row_39_everything_skipped_is_no_pass(catalogue: Catalogue) -> None:
    catalogue.write(sound="cases:\n  - {id: a, prompt: x, expect: y, skip: later}\n")

    result = catalogue.run()

    assert result.ret == 1
    assert catalogue.verdict["sentence"] == "nothing was planned: the only case is skipped"


# Row 40: what cuts a run short.

STOP_AT_SPAIN = "def pytest_runtest_logstart(nodeid):\n    if 'spain' in nodeid:\n        {}\n"
EXIT_0 = "import pytest\n" + STOP_AT_SPAIN.format("pytest.exit('enough', returncode=0)")
DID_NOT_FINISH = "of 4 selected tests did not finish"
CUT: list[tuple[str, str, list[str], int, str]] = [
    ("Ctrl-C", STOP_AT_SPAIN.format("raise KeyboardInterrupt"), [GOOD], 2, f"2 {DID_NOT_FINISH} (Ctrl-C)"),
    ("exit 0", EXIT_0, [GOOD], 1, f"2 {DID_NOT_FINISH} (enough)"),
    ("-x", "", [BAD, "-x"], 1, f"3 {DID_NOT_FINISH} (stopping after 1 failures)"),
    ("--maxfail", "", [BAD, "--maxfail=1"], 1, f"3 {DID_NOT_FINISH} (stopping after 1 failures)"),
]


@pytest.mark.parametrize(
    ("conftest", "args", "status", "sentence"), [row[1:] for row in CUT], ids=[row[0] for row in CUT]
)
def test_row_40_a_run_cut_short_is_one_readable_sentence(
    catalogue: Catalogue, conftest: str, args: list[str], status: int, sentence: str
) -> None:
    catalogue.put("conftest.py", conftest)

    result = catalogue.project.run_apart(*args)  # pytester would raise Ctrl-C here, too

    assert result.ret == status
    assert (catalogue.verdict["verdict"], catalogue.verdict["sentence"]) == ("INCOMPLETE", sentence)


@pytest.mark.parametrize(
    ("conftest", "args", "status"), [row[1:4] for row in CUT], ids=[row[0] for row in CUT]
)
def test_row_40_a_run_cut_short_is_incomplete_and_names_what_is_missing(
    catalogue: Catalogue, conftest: str, args: list[str], status: int
) -> None:
    catalogue.put("conftest.py", conftest)

    result = catalogue.project.run_apart(*args)  # pytester would raise Ctrl-C here, too

    missing = [
        name for name in ("france", "italy", "japan", "spain") if name in catalogue.verdict["reasons"][1]
    ]
    assert result.ret == status
    assert catalogue.verdict["verdict"] == "INCOMPLETE"
    assert missing in (["japan", "spain"], ["italy", "japan", "spain"])
    assert f"{len(missing)} of 4 planned trials are missing: evals/sound" in catalogue.verdict["reasons"][1]


SLOW = """
import os, time
from pathlib import Path

def good(prompt):
    Path(__file__).with_name("begun").touch()
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_row_40_a_signal_ends_the_run_at_once_and_nothing_ships(catalogue: Catalogue, number: int) -> None:
    catalogue.put("bots.py", SLOW)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", GOOD]
    run = subprocess.Popen(command, cwd=catalogue.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    _await((catalogue.path / "begun").exists)

    sent = time.monotonic()
    run.send_signal(number)
    run.communicate(timeout=30)

    assert time.monotonic() - sent < 10
    assert run.returncode != 0
    assert catalogue.verdict["verdict"] == "INCOMPLETE"


def _await(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.02)


# Row 41: runs without a verdict, and what the release step makes of them.


@pytest.mark.parametrize(
    "args",
    [["-p", "no:ftgate"], [GOOD, "-p", "no:ftgate"], [GOOD, "--co"], ["--version"]],
    ids=" ".join,
)
def test_row_41_a_run_that_decides_nothing_does_not_verify(catalogue: Catalogue, args: list[str]) -> None:
    catalogue.run(GOOD, "--ftgate-run-id=before")

    catalogue.run(*args, *(["--ftgate-run-id=now"] if "no:ftgate" not in args else []))

    assert verify(catalogue, "--run-id=before")[0] == 0
    assert verify(catalogue, "--run-id=now") == (1, "The verdict is of run 'before', not of run 'now'.")


def test_row_43_answers_that_the_baseline_lacks_are_listed_before_the_first_request(
    catalogue: Catalogue,
) -> None:
    catalogue.put("b.jsonl", '{"id": "france", "text": "Paris"}\n{"id": "italy", "text": "Rome"}\n')

    assert catalogue.usage_error(GOOD, "--baseline=recorded:b.jsonl") == [
        "evals/sound.evalcase.yaml:6: case 'spain': no answer in b.jsonl",
        "evals/sound.evalcase.yaml:7: case 'japan': no answer in b.jsonl",
    ]
    assert catalogue.verdict["sentence"] == (
        "evals/sound.evalcase.yaml:6: case 'spain': no answer in b.jsonl (and 1 more)"
    )


def test_row_44_a_baseline_of_errors_is_no_improvement(catalogue: Catalogue) -> None:
    catalogue.put("ftgate.yaml", gate("metric: pass_rate, compare: delta, at_least: 5%"))

    result = catalogue.run(GOOD, "--baseline=python:bots:broken")

    assert result.ret == 1
    assert catalogue.verdict["verdict"] == "INCOMPLETE"
    assert catalogue.verdict["sentence"].startswith(
        "4 of 8 trials errored, more than max_errors: 0 (4 raised); first: evals/sound.evalcase.yaml::france "
        "(baseline): python:bots:broken raised RuntimeError: out of memory ("
    )


def test_row_45_a_run_of_a_model_against_itself_says_so(catalogue: Catalogue) -> None:
    catalogue.run(GOOD, "--baseline=python:bots:good")

    assert catalogue.verdict["warnings"] == [
        "model and baseline are both 'python:bots:good': an A/A run, which compares a model with itself"
    ]


def test_row_45_another_model_than_was_asked_for_is_named(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TUNED_KEY", "sk-canary-123456")
    with ChatServer(answer=lambda _: Reply(text="Paris", served="other-2")) as server:
        models = f"models:\n  tuned: {{name: tuned-1, base_url: '{server.url}', api_key_env: TUNED_KEY}}\n"
        catalogue.put("ftgate.yaml", GATE + models)

        catalogue.run("--model=tuned")

    assert catalogue.verdict["warnings"] == ["the model was asked for as 'tuned-1', and served by 'other-2'"]


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["alone", "workers"])
@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "def good(prompt:\n",
            "python:bots:good: importing bots raised SyntaxError: '(' was never closed (bots.py, line 1)",
        ),
        ("", "python:bots:good: bots has no 'good'"),
    ],
)
def test_a_model_that_can_not_be_made_is_told_once(
    catalogue: Catalogue, code: str, message: str, workers: list[str]
) -> None:
    if workers:
        pytest.importorskip("xdist")
    catalogue.put("bots.py", code)

    result = catalogue.project.run_apart(GOOD, *workers)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == [f"ERROR: {message}"]
    assert catalogue.verdict["sentence"] == message


def test_row_47_an_item_that_another_plugin_runs_again_counts_once(catalogue: Catalogue) -> None:
    catalogue.put(
        "conftest.py",
        "from _pytest.runner import runtestprotocol\n"
        "def pytest_runtest_protocol(item, nextitem):\n"
        "    runtestprotocol(item, nextitem=item)\n"
        "    runtestprotocol(item, nextitem=nextitem)\n"
        "    return True\n",
    )

    result = catalogue.run()

    assert result.ret == 0
    assert catalogue.verdict["verdict"] == "SHIP"
    assert catalogue.verdict["criteria"][0]["n"] == 4


def test_row_49_an_older_verdict_is_replaced_before_anything_runs(catalogue: Catalogue) -> None:
    catalogue.run(GOOD, "--ftgate-run-id=before")
    catalogue.put("conftest.py", "import os\ndef pytest_sessionstart():\n    os._exit(0)\n")

    result = catalogue.project.run_apart(GOOD, "--ftgate-run-id=now")

    assert result.ret == 0
    assert (catalogue.verdict["verdict"], catalogue.verdict["run_id"]) == ("INCOMPLETE", "now")
    assert verify(catalogue, "--run-id=now") == (1, "The verdict is INCOMPLETE: the run has not finished.")


FINISH = "import pytest\n@pytest.hookimpl({})\ndef pytest_sessionfinish(session):\n    {}\n"


def test_row_50_a_status_that_another_plugin_lowers_does_not_verify(catalogue: Catalogue) -> None:
    catalogue.put("ftgate.yaml", gate("metric: pass_rate, at_least: 80%"))
    catalogue.put("conftest.py", FINISH.format("trylast=True", "session.exitstatus = 0"))

    result = catalogue.run(BAD, "--ftgate-run-id=now")

    assert result.ret == 1
    assert verify(catalogue, "--run-id=now") == (
        1,
        "The verdict is ITERATE: the one deciding criterion is not met: right (75% on 4 cases, ≥ 80% is "
        "needed; noise could explain it).",
    )


@pytest.mark.parametrize("order", ["tryfirst=True", "trylast=True"])
@pytest.mark.parametrize("error", ["RuntimeError('theirs')", "SystemExit(0)"])
def test_row_50_a_session_that_breaks_at_its_end_does_not_verify(
    catalogue: Catalogue, order: str, error: str
) -> None:
    catalogue.put("conftest.py", FINISH.format(order, f"raise {error}"))

    catalogue.project.run_apart(GOOD, "--ftgate-run-id=now")

    assert catalogue.verdict["verdict"] == "INCOMPLETE"
    assert verify(catalogue, "--run-id=now")[0] == 1


def test_row_51_a_gate_that_is_not_the_committed_one_does_not_verify(
    catalogue: Catalogue, tmp_path: Path
) -> None:
    committed = tmp_path / "committed.yaml"
    committed.write_text(gate("metric: pass_rate, at_least: 80%"), encoding="utf-8")

    catalogue.run(BAD, "--ftgate-run-id=now")
    status, output = verify(catalogue, "--run-id=now", "--gate", str(committed))

    assert (catalogue.verdict["verdict"], status) == ("SHIP", 1)
    assert "The run was judged by another gate than" in output


def test_row_51_an_option_that_touched_the_gate_stands_in_the_verdict(catalogue: Catalogue) -> None:
    catalogue.run(GOOD, "--ftgate-strict")

    assert catalogue.verdict["gate"]["options"] == ["--ftgate-strict"]
    assert catalogue.verdict["warnings"] == ["options touched the gate: --ftgate-strict"]


def test_row_52_repeats_count_by_their_mean_and_never_by_their_best(catalogue: Catalogue) -> None:
    catalogue.put(
        "bots.py",
        "import itertools\nanswers = itertools.cycle(['Rome', 'no'])\n"
        "def good(prompt):\n    return next(answers)\n",
    )
    catalogue.write(sound="cases:\n  - {id: a, prompt: x, expect: Rome, repeat: 4}\n")

    result = catalogue.run()

    assert result.ret == 1
    assert catalogue.verdict["sentence"] == (
        "the one deciding criterion is not met: "
        "right (50% on 1 case, ≥ 75% is needed; noise could explain it)"
    )
    result.stdout.fnmatch_lines(
        [
            "failed: exact_match: got 'no', expected 'Rome' (unstable, 2 of 4 repeats passed)",
            "model: unstable, 2 of 4 repeats passed, score 0.50",
        ]
    )


def test_a_category_of_one_case_is_flagged_in_plain_words(catalogue: Catalogue) -> None:
    catalogue.run(BAD, "--baseline=python:bots:good")

    assert catalogue.verdict["sentence"] == (
        "the one deciding criterion is met: right (75% on 4 cases, ≥ 75% is needed; noise could "
        "explain it); flagged: category west (-100 points, -100 to 100, on 1 case) "
        "dropped by more than 5 points"
    )


def test_nothing_of_this_process_is_left_behind(catalogue: Catalogue) -> None:
    folder = os.getcwd()

    catalogue.run()

    assert os.getcwd() == folder
