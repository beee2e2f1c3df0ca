"""A batch is ordered once, whatever dies, is lost or refused on the way."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.cli_batch.project import (
    BOTH,
    KEY,
    by_prompt,
    collect,
    command,
    held,
    ordered_once,
    rows,
    run,
    submit,
)
from tests.support.batch_server import DROPPED, EXPIRED, LOST, BatchServer, Fault, Step


def test_a_second_submit_sends_nothing(server: BatchServer) -> None:
    submit(*BOTH)
    server.steps.clear()

    again = submit(*BOTH)

    assert (again.exit_code, again.stderr) == (0, "")
    assert again.stdout == (
        "nothing was sent: submitted before are 10 requests in 2 batches\n"
        "next:\n"
        "  ftgate batch status --wait\n"
        "  ftgate batch collect -o answers.jsonl\n"
    )
    assert server.steps == []


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", ["upload", "create"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_process_killed_at_any_step_is_gone_on_with_and_nothing_is_ordered_twice(
    server: BatchServer, step: Step, done: bool, nth: int
) -> None:
    server.fault(step, *[None] * (nth - 1))
    event = held(server, step, done=done)
    process = command("submit", "-p", "no:cacheprovider", *BOTH)
    assert event.wait(60)

    process.send_signal(signal.SIGKILL)
    process.communicate()
    again = submit(*BOTH)

    assert (again.exit_code, again.stderr) == (0, "")
    ordered_once(server)
    assert len(server.batches) == 2
    if step == "upload" and done:
        assert server.steps.count("upload") == 2  # an uploaded file is used, not sent again
    if step == "create" and done:
        assert "found again, batch_" in again.stdout
    assert collect().exit_code == 0
    assert len(rows()) == 10


@pytest.mark.parametrize("step", ["batch", "content"])
def test_a_process_killed_while_it_collects_loses_nothing(server: BatchServer, step: Step) -> None:
    submit(*BOTH)
    event = held(server, step, done=True)
    process = command("collect", "-o", "answers.jsonl")
    assert event.wait(60)

    process.send_signal(signal.SIGKILL)
    process.communicate()

    assert not Path("answers.jsonl").exists()
    assert collect().exit_code == 0
    assert len(rows()) == 10
    ordered_once(server)


@pytest.mark.parametrize(
    "fault", [LOST, Fault(done=True, status=500), Fault(done=True, status=200, body=b"oops")]
)
def test_a_creation_whose_reply_is_lost_is_looked_for_and_not_done_again(
    server: BatchServer, fault: Fault
) -> None:
    server.fault("create", fault)

    result = submit(*BOTH)

    assert (result.exit_code, result.stderr) == (0, "")
    assert "1-model-001: found again, batch_1\n" in result.stdout
    ordered_once(server)


def test_a_batch_is_found_by_its_file_where_metadata_are_not_kept_however_long_the_list(
    server: BatchServer,
) -> None:
    server.keeps_metadata, server.page = False, 1
    server.fault("create", None, LOST)

    result = submit("--max-requests=2", *BOTH)

    assert (result.exit_code, result.stderr) == (0, "")
    assert "1-model-002: found again, batch_2\n" in result.stdout
    ordered_once(server)
    assert len(server.batches) == 6


def test_a_creation_that_was_not_done_is_done_after_a_look(server: BatchServer) -> None:
    server.fault("create", DROPPED)

    result = submit(*BOTH)

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[1] == (
        f"1-model-001: ServerDisconnectedError: Server disconnected, from {server.url}; "
        "looking whether the batch was created"
    )
    ordered_once(server)


@pytest.mark.parametrize("status", [404, 405, 501])
def test_where_batches_can_not_be_listed_a_person_has_to_look(server: BatchServer, status: int) -> None:
    server.fault("create", LOST)
    server.fault("batches", *[Fault(status=status, message="no such route")] * 3)

    result = submit(*BOTH)
    again = submit(*BOTH)

    state = json.loads(Path(".ftgate/batch/state.json").read_text(encoding="utf-8"))
    token = state["parts"][0]["token"]
    said = (
        "ftgate: 1-model-001: its creation got no reply, and it can't be found out whether there is such a "
        f'batch: HTTP {status} from {server.url}: "no such route". None is created now, since it might be '
        "paid for twice. Look at the provider's page for a batch of the file file-1 "
        f"(metadata ftgate: {token}), then run this again with --found BATCH_ID, or with --not-created\n"
    )
    assert (result.exit_code, result.stderr) == (2, said)
    assert (again.exit_code, again.stderr) == (2, said)
    assert len(server.batches) == 1

    found = submit("--found=batch_1", *BOTH)

    assert (found.exit_code, found.stderr) == (0, "")
    ordered_once(server)


def test_a_person_who_looked_says_that_none_was_created(server: BatchServer) -> None:
    server.fault("create", DROPPED)
    server.fault("batches", Fault(status=404))
    submit(*BOTH)

    looked = run("status")
    both = submit("--found=batch_1", "--not-created", *BOTH)
    result = submit("--not-created", *BOTH)

    assert (looked.exit_code, looked.stdout.splitlines()[3].split()[2:4]) == (2, ["in", "doubt"])
    assert (both.exit_code, both.stderr) == (2, "ftgate: --found and --not-created: one of them, not both\n")
    assert (result.exit_code, result.stderr) == (0, "")
    ordered_once(server)


def test_a_batch_of_another_file_is_not_taken_for_the_one_in_doubt(server: BatchServer) -> None:
    server.fault("create", None, LOST)
    server.fault("batches", Fault(status=404))
    submit(*BOTH)

    result = submit("--found=batch_1", *BOTH)

    assert result.exit_code == 2
    assert result.stderr == (
        "ftgate: --found batch_1: that batch is made of the file file-1, and 1-baseline-001 is file-2\n"
    )


@pytest.mark.parametrize("step", ["upload", "create", "batch", "content"])
def test_too_many_requests_are_waited_for(server: BatchServer, step: Step) -> None:
    server.fault(step, Fault(status=429, headers={"Retry-After": "0"}))

    assert submit(*BOTH).exit_code == 0
    assert collect().exit_code == 0
    ordered_once(server)


@pytest.mark.parametrize("step", ["upload", "batch", "content"])
@pytest.mark.parametrize("fault", [DROPPED, Fault(status=503), Fault(done=True, half=True)])
def test_what_costs_nothing_is_tried_again(server: BatchServer, step: Step, fault: Fault) -> None:
    server.fault(step, fault)

    assert submit(*BOTH).exit_code == 0
    assert collect().exit_code == 0
    ordered_once(server)


@pytest.mark.parametrize("status", [400, 401, 413])
@pytest.mark.parametrize("step", ["upload", "create"])
def test_a_refusal_is_said_and_what_was_submitted_before_is_kept(
    server: BatchServer, step: Step, status: int
) -> None:
    server.fault(step, None, Fault(status=status, message=f"No {KEY}"))

    refused, looked, collected, again = submit(*BOTH), run("status"), collect(), submit(*BOTH)

    assert (refused.exit_code, again.exit_code) == (2, 0)
    advice = ". Check the key in BATCH_KEY, and that it may use batches" if status == 401 else ""
    assert refused.stderr == f'ftgate: HTTP {status} from {server.url}: "No [redacted]"{advice}\n'
    said = (
        "ftgate: 1-baseline-001: not submitted yet; `ftgate batch submit -p no:cacheprovider evals "
        "--model=tuned --baseline=prod` goes on with it\n"
    )
    assert (looked.exit_code, looked.stderr) == (2, said)
    assert looked.stdout.splitlines()[-1].split() == [
        *("1-baseline-001", "-", "not", "submitted"),
        *("0/5", "-", "-", "-"),
    ]
    assert (collected.exit_code, collected.stderr) == (2, said)
    ordered_once(server)
    assert "batches" not in server.steps  # a refusal leaves no doubt


def test_a_creation_that_gets_no_reply_time_after_time_is_given_up(server: BatchServer) -> None:
    server.fault("create", *[Fault(status=500)] * 3)

    given_up, again = submit("evals", "--model=tuned"), submit("evals", "--model=tuned")

    assert (given_up.exit_code, again.exit_code) == (2, 0)
    assert given_up.stderr == (
        "ftgate: 1-model-001: its creation got no reply, 3 times; "
        "run the same command again later: it looks for it first\n"
    )
    assert len(server.batches) == 1


def test_redirects_are_not_followed(server: BatchServer) -> None:
    server.fault("upload", Fault(status=307, headers={"Location": "http://elsewhere.example/v1/files?k=1"}))

    result = submit(*BOTH)

    assert result.exit_code == 2
    assert result.stderr == (
        f'ftgate: HTTP 307 from {server.url}: redirected to "http://elsewhere.example/v1/files"; '
        "redirects are not followed, base_url must name the final address\n"
    )


@pytest.mark.parametrize("option", ["--found=batch_1", "--not-created"])
def test_what_was_found_out_needs_a_batch_in_doubt(server: BatchServer, option: str) -> None:
    submit(*BOTH)

    result = submit(option, *BOTH)

    assert (result.exit_code, result.stderr) == (
        2,
        "ftgate: --found and --not-created: no batch is in doubt here\n",
    )


def test_one_command_at_a_time_works_in_a_folder(server: BatchServer) -> None:
    event = held(server, "create", done=True)
    process = command("submit", "-p", "no:cacheprovider", *BOTH)
    assert event.wait(60)

    results = [submit(*BOTH), run("status"), collect()]

    process.kill()
    process.communicate()
    message = "ftgate: .ftgate/batch: another `ftgate batch` is at work in it; wait until it has ended\n"
    assert {(result.exit_code, result.stderr) for result in results} == {(2, message)}
    assert len(server.batches) == 1


def test_ctrl_c_while_waiting_loses_nothing(server: BatchServer) -> None:
    submit(*BOTH)
    event = held(server, "batch", done=False)
    process = command("status", "--wait")
    assert event.wait(60)

    process.send_signal(signal.SIGINT)
    out, err = process.communicate()

    message = (
        "ftgate: stopped; what was submitted goes on at the provider, and this finds it:\n"
        "  ftgate batch status\n"
    )
    assert (process.returncode, out, err) == (130, "", message)
    assert collect().exit_code == 0


def test_ids_that_are_no_ids_are_not_put_into_addresses(server: BatchServer) -> None:
    server.fault("upload", Fault(status=200, body=b'{"id": "../batches/x"}'))

    result = submit(*BOTH)

    assert (result.exit_code, result.stderr) == (
        2,
        f'ftgate: {server.url} sent no file: its id is "../batches/x"\n',
    )


def test_a_round_of_missing_ones_that_was_killed_is_gone_on_with(server: BatchServer) -> None:
    server.answer, server.statuses = by_prompt(Paris=EXPIRED), ("expired",)
    submit(*BOTH)
    run("status")
    server.answer, server.statuses = by_prompt(), ("completed",)
    event = held(server, "create", done=True)
    process = command("submit", "--missing", "-p", "no:cacheprovider", *BOTH)
    assert event.wait(60)

    process.send_signal(signal.SIGKILL)
    process.communicate()
    again = submit("--missing", *BOTH)

    assert (again.exit_code, again.stderr) == (0, "")
    assert [len(server.input_of(batch)) for batch in server.batches] == [5, 5, 2]
    assert collect().exit_code == 0


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"data": null}', b'{"data": [1]}', b"<html>"])
def test_a_list_that_is_none_is_not_taken_for_an_empty_one(server: BatchServer, body: bytes) -> None:
    server.fault("create", LOST)
    server.fault("batches", Fault(status=200, body=body))

    result = submit(*BOTH)

    assert result.exit_code == 2
    assert "None is created now, since it might be paid for twice" in result.stderr
    assert len(server.batches) == 1
    assert submit(*BOTH).exit_code == 0
    ordered_once(server)


def test_a_reply_about_another_batch_is_refused(server: BatchServer) -> None:
    submit(*BOTH)
    server.fault("batch", Fault(status=200, body=b'{"id": "batch_2", "status": "completed"}'))

    result = run("status")

    assert (result.exit_code, result.stderr) == (
        2,
        "ftgate: 1-model-001: batch_1 can't be asked about: "
        f"{server.url} was asked about batch_1, and sent batch_2\n",
    )


def test_what_a_person_found_must_be_an_id(server: BatchServer) -> None:
    server.fault("create", DROPPED)
    server.fault("batches", Fault(status=404))
    submit(*BOTH)

    result = submit("--found=../files", *BOTH)

    assert (result.exit_code, result.stderr) == (2, 'ftgate: "../files" is no id of a batch\n')


def test_where_files_can_not_be_listed_a_file_is_sent_again(server: BatchServer) -> None:
    event = held(server, "upload", done=True)
    process = command("submit", "-p", "no:cacheprovider", *BOTH)
    assert event.wait(60)
    process.kill()
    process.communicate()
    server.fault("files", Fault(status=404))

    result = submit(*BOTH)

    assert (result.exit_code, result.stderr) == (0, "")
    assert server.steps.count("upload") == 3  # one is an orphan, which costs nothing
    ordered_once(server)
