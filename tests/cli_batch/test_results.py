"""What came back, and what becomes of it: answers, missing ones, a verdict."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.cli_batch.project import (
    BOTH,
    KEY,
    TALK,
    by_prompt,
    collect,
    gate,
    pytest_run,
    rows,
    run,
    submit,
    verdict,
)
from tests.support.batch_server import EXPIRED, BatchServer, Fault
from tests.support.server import ChatServer, Reply, error_reply

PARTS = "1-model-001.output.jsonl"


def test_from_the_cases_to_the_verdict(server: BatchServer) -> None:
    submitted, looked, collected = submit(*BOTH), run("status"), collect()

    assert (submitted.exit_code, submitted.stderr) == (0, "")
    assert submitted.stdout == (
        "1-model-001: uploading 5 requests, 966 bytes\n"
        "1-model-001: submitted, batch_1\n"
        "1-baseline-001: uploading 5 requests, 956 bytes\n"
        "1-baseline-001: submitted, batch_2\n"
        "submitted: 10 requests in 2 batches\n"
        "next:\n"
        "  ftgate batch status --wait\n"
        "  ftgate batch collect -o answers.jsonl\n"
    )
    assert (looked.exit_code, looked.stderr) == (0, "")
    assert (collected.exit_code, collected.stderr) == (0, "")
    assert collected.stdout == (
        "answers.jsonl: 10 of 10 answers\n"
        "  model: 5 of 5, by ft-1\n"
        "  baseline: 5 of 5, by gpt-base\n"
        "next:\n"
        "  pytest --model=recorded:answers.jsonl --baseline=recorded:answers.jsonl "
        "-p no:cacheprovider evals\n"
    )

    done = gate("--ftgate-report=report.json")

    assert (done.returncode, verdict()["verdict"]) == (0, "SHIP"), done.stdout
    report = json.loads(Path("report.json").read_text(encoding="utf-8"))
    assert report["mode"] == "recorded"
    fast = next(each for each in report["criteria"] if each["name"] == "fast")
    assert fast["status"] == "NOT MEASURED"
    assert set(server.steps) == {"upload", "create", "batch", "content"}


def test_an_expired_batch_keeps_what_it_brought_and_the_rest_is_submitted_again(server: BatchServer) -> None:
    server.answer = by_prompt(Paris=EXPIRED, Poem=None)
    server.statuses = ("expired",)
    submit(*BOTH)

    looked, collected = run("status"), collect()

    assert (looked.exit_code, collected.exit_code) == (1, 1)
    assert collected.stdout == (
        "answers.jsonl: 7 of 10 answers\n"
        "  model: 2 of 5, by ft-1\n"
        "  baseline: 5 of 5, by gpt-base\n"
        "as it is, a run with recorded:answers.jsonl refuses to begin\n"
        "next:\n"
        "  ftgate batch submit --missing -p no:cacheprovider evals --model=tuned --baseline=prod\n"
        "  ftgate batch status --wait\n"
        "  ftgate batch collect -o answers.jsonl\n"
    )
    assert collected.stderr == (
        "ftgate: evals/tools.evalcase.yaml:5: case 'paris' (model): "
        "batch_expired: This request could not be executed in time.\n"
        "ftgate: evals/tools.evalcase.yaml:5: case 'paris' (model, repeat 2): "
        "batch_expired: This request could not be executed in time.\n"
        "ftgate: evals/tools.evalcase.yaml:6: case 'poem' (model): 1-model-001, batch_1 is expired\n"
    )
    assert len(rows()) == 7
    refused = gate()
    assert refused.returncode == 4
    assert "case 'poem': no answer in answers.jsonl" in refused.stderr
    assert not Path(".ftgate/verdict.json").exists() or verdict()["verdict"] == "INCOMPLETE"

    server.answer, server.statuses = by_prompt(), ("completed",)
    again = submit("--missing", *BOTH)

    assert (again.exit_code, again.stderr) == (0, "")
    assert again.stdout.splitlines()[-4] == "submitted: 3 requests in 1 batch"
    assert [row["body"]["messages"][0]["content"] for row in server.input_of(server.batches[2])] == [
        "Paris",
        "Paris",
        "Poem",
    ]
    assert (run("status").exit_code, collect().exit_code) == (0, 0)
    assert len(rows()) == 10
    assert gate().returncode == 0
    assert verdict()["verdict"] == "SHIP"
    nothing = submit("--missing", *BOTH)
    assert nothing.stdout.startswith(
        "nothing is missing\nnothing was sent: submitted before are 3 requests in 1 batch\n"
    )
    assert len(server.batches) == 3


def test_a_batch_that_failed_validation_says_why(server: BatchServer) -> None:
    server.statuses = ("validating", "failed")
    server.errors = [{"code": "invalid_json_line", "line": 2, "message": f"Bad line, {KEY}", "param": None}]
    submit("evals/general.evalcase.yaml", "--model=tuned")

    first, second, collected = run("status"), run("status"), collect()

    assert (first.exit_code, second.exit_code, collected.exit_code) == (3, 1, 1)
    assert second.stdout.splitlines()[-1] == "    line 2: invalid_json_line: Bad line, [redacted]"
    assert collected.stderr == (
        "ftgate: evals/general.evalcase.yaml:4: case 'capital' (model): 1-model-001, batch_1 is failed: "
        "line 2: invalid_json_line: Bad line, [redacted]\n"
    )
    assert rows() == []


def test_a_cancelled_batch_is_collected_as_far_as_it_got(server: BatchServer) -> None:
    server.answer, server.statuses = by_prompt(Tokyo=None), ("cancelling", "cancelled")
    submit(*BOTH)

    running, ended = collect(), collect()

    assert (running.exit_code, ended.exit_code) == (3, 1)
    assert "case 'capital' (model): 1-model-001, batch_1 is still cancelling\n" in running.stderr
    assert running.stdout.endswith(
        "as it is, a run with recorded:answers.jsonl refuses to begin\n"
        "next:\n"
        "  ftgate batch status --wait\n"
        "  ftgate batch collect -o answers.jsonl\n"
    )
    assert ended.stderr == (
        "ftgate: evals/tools.evalcase.yaml:4: case 'tokyo' (model): 1-model-001, batch_1 is cancelled\n"
    )
    assert len(rows()) == 9


def test_errors_are_missing_and_what_a_live_run_takes_for_an_answer_is_one(server: BatchServer) -> None:
    server.answer = by_prompt(
        Tokyo=error_reply(500, f"overloaded {KEY}"),
        Paris=error_reply(400, "filtered", code="content_filter"),
        Poem=Reply(refusal="No.", finish_reason="length", logprobs=[-0.5], usage=(3, 4)),
        Capital=Reply(tool_calls=[{"name": "look", "arguments": '{"a": 1}'}], finish_reason="tool_calls"),
    )
    submit(*BOTH)

    result = collect()

    assert result.exit_code == 1
    assert result.stderr == (
        "ftgate: evals/tools.evalcase.yaml:4: case 'tokyo' (model): "
        f'HTTP 500 from {server.url}: "overloaded [redacted]"\n'
    )
    model = {row["id"]: row for row in rows() if row["arm"] == "model"}
    assert model["paris"]["finish_reason"] == "content_filter"
    assert model["poem"]["refusal"] == "No."
    assert model["poem"]["finish_reason"] == "length"
    assert model["poem"]["logprobs"] == [-0.5]
    assert model["poem"]["usage"] == {"input_tokens": 3, "output_tokens": 4}
    assert model["capital"]["tool_calls"] == [{"name": "look", "arguments": {"a": 1}}]
    assert model["capital"]["created"] == 1.0
    assert not any("latency_s" in row for row in rows())
    assert all(
        row["asked"] and row["model"] in ("ft-1", "gpt-base") for row in rows() if row["id"] != "paris"
    )


def mangled(server: BatchServer, change: Any) -> Result:
    """What collecting says if the model's output file is changed."""

    def edit(output: list[bytes], errors: list[bytes]) -> tuple[list[bytes], list[bytes]]:
        return (change(output) if b"ft-1" in output[0] else output), errors

    server.edit = edit
    submit(*BOTH)
    return collect()


def other(line: bytes) -> bytes:
    return line.replace(b'"content": "', b'"content": "not ')


@pytest.mark.parametrize(
    ("change", "status", "said"),
    [
        (lambda lines: lines[::-1], 0, ""),
        (lambda lines: [*lines, lines[0]], 0, ""),
        (lambda lines: [line.replace(b"\n", b"\r\n\n") for line in lines], 0, ""),
        (lambda lines: [*lines[:-1], lines[-1].rstrip()], 0, ""),
        (
            lambda lines: [*lines, lines[0].replace(b"model-", b"other-")],
            0,
            "ftgate: 1-model-001: results that nobody asked for there: 1 ('other-capital-1-{capital}')\n",
        ),
        (
            lambda lines: lines[1:],
            1,
            "ftgate: evals/general.evalcase.yaml:4: case 'capital' (model): "
            "no result for it came in 1-model-001, batch_1\n",
        ),
        (
            lambda lines: [*lines, other(lines[0])],
            1,
            "ftgate: evals/general.evalcase.yaml:4: case 'capital' (model): different answers to it came: "
            f"{PARTS}:1 and {PARTS}:6\n",
        ),
        (
            lambda lines: [*lines[1:], lines[0][:50]],
            1,
            f'ftgate: .ftgate/batch/{PARTS}:5: no result: "{{start}}"\n'
            "ftgate: evals/general.evalcase.yaml:4: case 'capital' (model): "
            "no result for it came in 1-model-001, batch_1\n",
        ),
        (
            lambda lines: [lines[0].replace(b'"choices"', b'"chances"'), *lines[1:]],
            1,
            "ftgate: evals/general.evalcase.yaml:4: case 'capital' (model): {url} sent no chat completion: "
            'the body has no choices: "{',
        ),
        (
            lambda lines: [lines[0].replace(b'"response"', b'"respond"'), *lines[1:]],
            1,
            "ftgate: evals/general.evalcase.yaml:4: case 'capital' (model): "
            "its result has neither response nor error\n",
        ),
        (
            lambda lines: [lines[0].replace(b"200", b'"OK"'), *lines[1:]],
            1,
            "ftgate: evals/general.evalcase.yaml:4: case 'capital' (model): "
            'its result has the status "OK"\n',
        ),
        (
            lambda lines: [b"[]\n", b"\xff\n", b"[" * 100_000 + b"\n", *lines],
            0,
            f'ftgate: .ftgate/batch/{PARTS}:1: no result: "[]"\n'
            f'ftgate: .ftgate/batch/{PARTS}:2: no result: "\ufffd"\n'
            f"ftgate: .ftgate/batch/{PARTS}:3: no result: ",
        ),
    ],
    ids=[
        *("reordered", "repeated", "crlf", "unended", "unknown", "lacking", "conflicting", "broken"),
        *("malformed", "empty", "status", "junk"),
    ],
)
def test_results_are_joined_by_their_id_and_nothing_else(
    server: BatchServer, change: Any, status: int, said: str
) -> None:
    result = mangled(server, change)

    sent = next(row["custom_id"] for row in server.sent if row["custom_id"].startswith("model-capital"))
    assert result.exit_code == status
    assert len(rows()) == 10 - status
    assert all(row["text"].lower() == row["id"] for row in rows())
    expected = said.replace("{capital}", sent.rpartition("-")[2]).replace("{url}", server.url)
    start = json.dumps(f'{{"id": "batch_req_{sent}'[:50])[1:-1]
    expected = expected.replace("{start}", start)
    if expected.endswith("\n") or not expected:
        assert result.stderr == expected
    else:
        assert result.stderr.startswith(expected)


def test_a_file_that_broke_off_is_fetched_again(server: BatchServer) -> None:
    submit(*BOTH)
    run("status")
    whole = {name: content for name, content in server.files.items() if content[0] == "output.jsonl"}
    for name, (shown, content) in whole.items():
        server.files[name] = (shown, content[:-20])
    broken = collect()
    server.files |= whole

    mended = collect()

    assert (broken.exit_code, mended.exit_code) == (1, 0)
    assert len(rows()) == 10
    server.steps.clear()
    assert collect().exit_code == 0
    assert server.steps == []  # all is here by now


def test_results_that_can_not_be_fetched_are_named_and_the_others_are_kept(server: BatchServer) -> None:
    submit(*BOTH)
    server.fault("content", Fault(status=404, message="expired"))

    result = collect()

    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == (
        f'ftgate: 1-model-001.output.jsonl: not fetched: HTTP 404 from {server.url}: "expired"'
    )
    assert len(rows()) == 5
    assert submit("--missing", *BOTH).exit_code == 0  # fetched by now: nothing is missing
    assert len(server.batches) == 2


def test_the_key_is_sent_and_stands_nowhere(server: BatchServer, folder: Path) -> None:
    server.answer = lambda body: f"the key is {KEY} \ud800\x1b[2J"
    submitted, collected = submit(*BOTH), collect()

    assert {headers["authorization"] for headers in server.headers} == {f"Bearer {KEY}"}
    assert KEY not in submitted.output + collected.output
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert [path.name for path in files if KEY.encode() in path.read_bytes()] == []
    if os.name == "posix":
        below = [folder / ".ftgate/batch", *(folder / ".ftgate/batch").iterdir()]
        assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in below} == {0}
    assert {row["text"] for row in rows()} == {"the key is [redacted] \\ud800\\x1b[2J"}


def test_missing_is_not_known_while_batches_run(server: BatchServer) -> None:
    server.statuses = ("in_progress",)
    submit(*BOTH)

    result = submit("--missing", *BOTH)

    assert (result.exit_code, result.stderr) == (
        2,
        "ftgate: --missing: not known yet: 1-model-001, 1-baseline-001 still run; "
        "`ftgate batch status --wait` waits for them\n",
    )
    assert len(server.batches) == 2


def test_conversations_are_run_live_and_their_answers_put_beside(server: BatchServer, folder: Path) -> None:
    (folder / "evals/talk.evalcase.yaml").write_text(TALK, encoding="utf-8")
    submit(*BOTH, "--deselect=evals/talk.evalcase.yaml::refund")
    collect()
    assert gate().returncode == 4  # the conversation has no answers

    with ChatServer() as chat:
        entries = f"{{tuned: {{name: t, base_url: '{chat.url}'}}, prod: {{name: p, base_url: '{chat.url}'}}}}"
        (folder / "live.yaml").write_text(f"models: {entries}\n", encoding="utf-8")
        live = pytest_run(
            "evals/talk.evalcase.yaml",
            "--ftgate-config=live.yaml",
            "--ftgate-save-answers=talks.jsonl",
            *BOTH[1:],
        )
    talks = (folder / "talks.jsonl").read_text(encoding="utf-8")
    answers = (folder / "answers.jsonl").read_text(encoding="utf-8")
    (folder / "answers.jsonl").write_text(answers + talks, encoding="utf-8")

    done = gate()

    assert live.returncode in (0, 1), live.stdout
    assert (done.returncode, verdict()["verdict"]) == (0, "SHIP"), done.stdout


def test_of_many_missing_requests_the_first_fifty_are_named(server: BatchServer, folder: Path) -> None:
    server.answer = lambda body: EXPIRED
    cases = "".join(f"  - {{id: c{number}, prompt: 'No. {number}', expect: x}}\n" for number in range(60))
    (folder / "evals/many.evalcase.yaml").write_text(f"cases:\n{cases}", encoding="utf-8")
    submit("evals/many.evalcase.yaml", "--model=tuned")

    lines = collect().stderr.splitlines()

    assert len(lines) == 51
    assert lines[-1] == "ftgate: … and 10 more without an answer"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("requests.jsonl", "{}\n", "is damaged: it is not what `ftgate batch submit` wrote"),
        ("requests.jsonl", None, "can't be read: No such file or directory"),
        ("1-model-001.input.jsonl", "x\n", "is damaged or gone: it says what was asked in 1-model-001"),
        ("1-model-001.input.jsonl", None, "is damaged or gone: it says what was asked in 1-model-001"),
    ],
)
def test_files_that_were_damaged_are_named(
    server: BatchServer, name: str, content: str | None, message: str
) -> None:
    submit(*BOTH)
    path = Path(".ftgate/batch") / name
    path.unlink()
    if content is not None:
        path.write_text(content, encoding="utf-8")

    result = collect()

    assert (result.exit_code, result.stderr) == (2, f"ftgate: {path} {message}\n")
    assert not Path("answers.jsonl").exists()


def test_answers_that_can_not_be_written_are_still_in_the_folder(server: BatchServer, folder: Path) -> None:
    submit(*BOTH)
    (folder / "file").write_text("", encoding="utf-8")

    result = run("collect", "-o", "file/answers.jsonl")

    assert result.exit_code == 2
    assert result.stderr.startswith("ftgate: file/answers.jsonl: the answers can't be saved: ")
    assert collect().exit_code == 0


def test_results_that_can_not_be_put_on_disk_are_named(server: BatchServer, folder: Path) -> None:
    submit(*BOTH)
    (folder / ".ftgate/batch/1-model-001.output.jsonl").mkdir()

    result = collect()

    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == (
        "ftgate: 1-model-001.output.jsonl: not fetched: .ftgate/batch/1-model-001.output.jsonl "
        "can't be written: Is a directory"
    )
    assert len(rows()) == 5


def test_missing_is_not_known_while_results_can_not_be_fetched(server: BatchServer) -> None:
    submit(*BOTH)
    server.fault("content", Fault(status=403, message="no"))

    result = submit("--missing", *BOTH)

    assert (result.exit_code, result.stderr) == (
        2,
        "ftgate: --missing: not known yet:\n"
        f'ftgate: 1-model-001.output.jsonl: not fetched: HTTP 403 from {server.url}: "no". '
        "Check the key in BATCH_KEY, and that it may use batches\n",
    )
    assert len(server.batches) == 2


def test_answers_that_are_not_handed_out_yet_are_not_missing(server: BatchServer) -> None:
    submit("evals", "--model=tuned")
    batch = {"id": "batch_1", "status": "completed", "request_counts": {"completed": 5, "failed": 0}}
    server.fault("batch", *[Fault(status=200, body=json.dumps(batch).encode())] * 2)

    early, missing, later = collect(), submit("evals", "--model=tuned", "--missing"), collect()

    said = "1-model-001: not fetched: batch_1 has 5 answers and names no file of them; collect again later"
    assert (early.exit_code, early.stderr.splitlines()[0]) == (1, f"ftgate: {said}")
    assert (missing.exit_code, missing.stderr) == (2, f"ftgate: --missing: not known yet:\nftgate: {said}\n")
    assert later.exit_code == 0
    ordered = [row["custom_id"] for row in server.sent]
    assert len(ordered) == len(set(ordered)) == 5


def test_answers_are_never_written_over_a_file_of_another_kind(server: BatchServer) -> None:
    suite = Path("evals/tools.evalcase.yaml")
    before = suite.read_text(encoding="utf-8")
    submit(*BOTH)

    collected = run("collect", "-o", str(suite))

    assert (collected.exit_code, collected.stdout) == (2, "")
    assert collected.stderr == (
        f"ftgate: {suite} holds no saved answers and is left as it is: "
        "name another file, or delete it first\n"
    )
    assert suite.read_text(encoding="utf-8") == before


def test_answers_of_another_folder_are_not_the_ones_that_the_hint_names(server: BatchServer) -> None:
    submitted = submit(*BOTH, "--to", "october")

    assert submitted.stdout.endswith("\n  ftgate batch collect --to october -o october.jsonl\n")
