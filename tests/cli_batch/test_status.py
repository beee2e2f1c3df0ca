"""`ftgate batch status`: what it shows, how it waits, and what it exits with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli_batch.project import (
    BOTH,
    CONFIG,
    collect,
    run,
    submit,
)
from tests.support.batch_server import BatchServer, Fault


@pytest.mark.parametrize("what", [["status"], ["collect", "-o", "answers.jsonl"]])
def test_before_anything_was_submitted_there_is_nothing_to_see(what: list[str]) -> None:
    result = run(*what)

    message = "ftgate: .ftgate/batch: nothing was submitted from here; `ftgate batch submit` does it\n"
    assert (result.exit_code, result.stderr) == (2, message)
    assert not Path(".ftgate").exists()


def test_the_table_of_batches_fits_a_terminal(server: BatchServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.0 + 3 * 3600)
    server.statuses = ("in_progress",)
    submit(*BOTH)

    result = run("status")

    assert (result.exit_code, result.stderr) == (3, "")
    assert result.stdout == (
        f"model tuned: ft-1 at {server.url}\n"
        f"baseline prod: gpt-base at {server.url}\n"
        "part            batch    status       done  failed  age  ends by\n"
        "1-model-001     batch_1  in_progress   0/5       0   3h   in 21h\n"
        "1-baseline-001  batch_2  in_progress   0/5       0   3h   in 21h\n"
    )


def test_waiting_tells_what_changes_and_ends_with_the_batches(server: BatchServer) -> None:
    server.statuses = ("validating", "validating", "completed")
    submit(*BOTH)

    result = run("status", "--wait", "--poll=1s")

    assert result.exit_code == 0
    told = [line[9:] for line in result.stdout.splitlines() if line[2:3] == ":"]
    assert told == ["2 validating 0/10", "2 completed 10/10"]


def test_waiting_ends_with_the_time(server: BatchServer) -> None:
    server.statuses = ("in_progress",)
    submit(*BOTH)

    result = run("status", "--wait", "--deadline=1s")

    assert result.exit_code == 3
    assert "in_progress" in result.stdout


def test_waiting_outlasts_an_outage_of_the_provider(server: BatchServer) -> None:
    server.statuses = ("in_progress", "completed")
    submit(*BOTH)
    server.fault("batch", *[Fault(status=500, headers={"Retry-After": "3600"})] * 2)

    result = run("status", "--wait", "--poll=1s")

    assert (result.exit_code, result.stderr) == (0, "")


def test_a_batch_that_is_not_there_is_not_taken_for_one_that_failed(server: BatchServer) -> None:
    submit(*BOTH)
    server.fault("batch", *[Fault(status=404, message="no such batch")] * 3)

    results = [run("status"), collect(), submit("--missing", *BOTH)]

    message = (
        f'ftgate: 1-model-001: batch_1 can\'t be asked about: HTTP 404 from {server.url}: "no such batch". '
        "Is it the key, and the project, that it was submitted with?\n"
    )
    assert {(result.exit_code, result.stderr) for result in results} == {(2, message)}
    assert len(server.batches) == 2


def test_an_endpoint_that_moved_is_not_asked_about_batches_of_another(
    server: BatchServer, folder: Path
) -> None:
    submit(*BOTH)
    moved = CONFIG.format(url="http://127.0.0.1:9/v1")
    (folder / "ftgate.yaml").write_text(moved, encoding="utf-8")

    result = run("status")

    assert (result.exit_code, result.stderr) == (
        2,
        f"ftgate: model tuned is now ft-1 at http://127.0.0.1:9/v1; its batches were submitted to "
        f"ft-1 at {server.url}. Put it back, or call this in the folder in which you submitted them\n",
    )


def test_another_file_of_models_is_found_again(server: BatchServer, folder: Path) -> None:
    (folder / "ftgate.yaml").rename(folder / "evals/models.yaml")
    submit(*BOTH, "--ftgate-config=evals/models.yaml")

    assert run("status").exit_code == 0
    (folder / "evals/models.yaml").unlink()
    gone = run("status")

    assert (gone.exit_code, gone.stderr) == (
        2,
        "ftgate: evals/models.yaml is not here: call this in the folder "
        "in which you called `ftgate batch submit`\n",
    )


def test_a_gate_in_a_unit_of_the_project_does_not_keep_batches_from_being_asked_about(
    server: BatchServer, folder: Path
) -> None:
    hook = (
        "from pytest_ftgate.gates import Metric\n"
        "def pytest_ftgate_metrics(config):\n"
        "    return {'smell': Metric(name='smell', doc='Smell.', unit='seconds', nothing='none')}\n"
    )
    (folder / "conftest.py").write_text(hook, encoding="utf-8")
    with (folder / "ftgate.yaml").open("a", encoding="utf-8") as config:
        config.write("    smelly: {metric: smell, at_most: 3, advisory: true}\n")
    submit(*BOTH)

    looked = run("status")

    assert (looked.exit_code, looked.stderr) == (0, "")


@pytest.mark.parametrize("option", ["--poll=5", "--deadline=soon"])
def test_what_is_no_time_is_wrong_use(option: str) -> None:
    result = run("status", "--wait", option)

    name, _, text = option.partition("=")
    assert result.exit_code == 2
    assert result.stderr.endswith(
        f"Error: Invalid value for '{name}': '{text}' is not a length of time; "
        "write such as 90s, 30m, 2h or 1d\n"
    )


def test_a_folder_without_a_state_is_one_from_which_nothing_was_submitted(folder: Path) -> None:
    (folder / "mine").mkdir()

    result = run("status", "--to=mine")

    message = "ftgate: mine: nothing was submitted from here; `ftgate batch submit` does it\n"
    assert (result.exit_code, result.stderr) == (2, message)


@pytest.mark.parametrize(
    ("hours", "shown"),
    [(0.01, "36s  in 23h"), (0.5, "30m  in 23h"), (25, "25h  60m ago"), (71, "2d  47h ago")],
)
def test_ages_are_rounded(
    server: BatchServer, monkeypatch: pytest.MonkeyPatch, hours: float, shown: str
) -> None:
    monkeypatch.setattr("time.time", lambda: 1_700_000_000.0 + hours * 3600)
    server.statuses = ("in_progress",)
    submit("evals", "--model=tuned")

    line = run("status").stdout.splitlines()[-1]

    assert line.split(maxsplit=5)[-1].split() == shown.split()


def test_waiting_gives_up_on_an_address_where_nobody_is(server: BatchServer) -> None:
    submit(*BOTH)
    server.fault("batch", *[Fault(status=503, headers={"Retry-After": "3600"})] * 5)

    result = run("status", "--wait", "--poll=1s")

    assert (result.exit_code, result.stderr) == (
        2,
        f'ftgate: 1-model-001: batch_1 can\'t be asked about: HTTP 503 from {server.url}: "a fault"\n',
    )
