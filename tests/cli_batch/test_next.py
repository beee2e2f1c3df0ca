"""What `ftgate batch` says to do next: commands that can be copied, with all that the user gave."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from pytest_ftgate.cli.pytest_args import without_options
from tests.cli_batch.project import BOTH, by_prompt, collect, pytest_run, rows, run, submit, verdict
from tests.support.batch_server import EXPIRED, BatchServer


def commands(printed: str) -> list[str]:
    """The lines below the last `next:`."""
    return printed.rpartition("next:\n")[2].splitlines()


def test_paths_selection_and_limits_are_those_that_were_given(server: BatchServer) -> None:
    server.answer, server.statuses = by_prompt(Paris=EXPIRED), ("expired",)

    submit("--to=my batch", "--max-requests=2", "evals", "-k", "not poem", "--model=tuned", "--baseline=prod")
    collected = run("collect", "--to=my batch", "-o", "my answers.jsonl")

    assert commands(collected.stdout) == [
        "  ftgate batch submit --missing --to 'my batch' --max-requests=2 -p no:cacheprovider evals "
        "-k 'not poem' --model=tuned --baseline=prod",
        "  ftgate batch status --wait --to 'my batch'",
        "  ftgate batch collect --to 'my batch' -o 'my answers.jsonl'",
    ]


def test_all_of_them_can_be_run_as_they_stand(server: BatchServer) -> None:
    server.answer, server.statuses = by_prompt(Paris=EXPIRED), ("expired",)
    submit(*BOTH)
    missing, wait, again = (shlex.split(line)[2:] for line in commands(collect().stdout))
    server.answer, server.statuses = by_prompt(), ("completed",)

    last = [run(*missing), run(*wait), run(*again)][-1]
    (judge,) = commands(last.stdout)
    done = pytest_run(*shlex.split(judge)[1:])

    assert len(rows()) == 10
    assert (done.returncode, verdict()["verdict"]) == (0, "SHIP"), done.stdout


def test_an_arm_that_was_not_submitted_stays_as_it_was_given(server: BatchServer, folder: Path) -> None:
    (folder / "bot.py").write_text("def answer(prompt): return prompt\n", encoding="utf-8")

    submit("evals", "--model=tuned", "--baseline=bot")

    assert commands(collect().stdout) == [
        "  pytest --model=recorded:answers.jsonl -p no:cacheprovider evals --baseline=bot"
    ]


@pytest.mark.usefixtures("server")
def test_options_that_were_spelt_in_full_stay_so(folder: Path) -> None:
    (folder / "conftest.py").write_text(
        "def pytest_addoption(parser): parser.addoption('--model', default='mine')\n", encoding="utf-8"
    )

    submit("--ftgate-model", "tuned", "--", "evals")

    assert commands(collect().stdout) == [
        "  pytest --ftgate-model=recorded:answers.jsonl -p no:cacheprovider -- evals"
    ]


@pytest.mark.parametrize(
    ("given", "left"),
    [
        (["--model=a", "evals"], ["evals"]),
        (["--ftgate-model", "a", "evals"], ["evals"]),
        (["--model", "evals"], ["evals"]),
        (["evals", "--", "--model=a"], ["evals", "--", "--model=a"]),
        (["-k", "x", "--models=a"], ["-k", "x", "--models=a"]),
    ],
)
def test_only_the_option_and_its_value_are_taken_out(given: list[str], left: list[str]) -> None:
    assert without_options(given, ["--model", "--ftgate-model"]) == left


def test_sentences_keep_to_the_terminals_width_and_commands_to_one_line(
    server: BatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    server.statuses = ("in_progress",)
    submit("evals", "-k", "tokyo or paris or poem or capital", "--model=tuned", "--baseline=prod")
    submit("evals", "-k", "tokyo or paris or poem or capital", "--model=tuned", "--baseline=prod")

    running = submit("evals", "-k", "tokyo or paris or poem or capital", "--missing", *BOTH[1:])
    early = collect()

    assert running.stderr == (
        "ftgate: --missing: not known yet: 1-model-001, 1-baseline-001 still run;\n"
        "  `ftgate batch status --wait` waits for them\n"
    )
    assert early.stdout.endswith(
        "as it is, a run with recorded:answers.jsonl refuses to begin\n"
        "next:\n"
        "  ftgate batch status --wait\n"
        "  ftgate batch collect -o answers.jsonl\n"
    )
