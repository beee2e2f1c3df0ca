"""`ftgate batch submit`: what is asked, what is left out, and what is refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.cli_batch.project import (
    BOTH,
    CONFIG,
    KEY,
    TALK,
    TOOLS,
    collect,
    gate,
    rows,
    run,
    submit,
    verdict,
)
from tests.support.batch_server import BatchServer


def test_bodies_are_those_of_a_live_run_but_for_streaming(server: BatchServer) -> None:
    submit(*BOTH)

    model, baseline = (server.input_of(batch) for batch in server.batches)
    assert [(row["method"], row["url"]) for row in model] == [("POST", "/v1/chat/completions")] * 5
    paris = [row["body"] for row in model if "-paris-" in row["custom_id"]]
    said = [{"role": "user", "content": "Paris"}]
    one = {"max_tokens": 50, "seed": 7, "model": "ft-1", "messages": said}
    assert paris == [one, {**one, "seed": 8}]
    assert baseline[-1]["body"] == {
        "max_tokens": 50,
        "model": "gpt-base",
        "messages": [{"role": "user", "content": "Tokyo"}],
    }
    order = server.batches[0].order
    assert order == {
        "input_file_id": "file-1",
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"ftgate": order["metadata"]["ftgate"]},
    }
    assert server.files["file-1"][0] == f"{order['metadata']['ftgate']}.jsonl"


def test_files_are_split_at_both_limits(server: BatchServer) -> None:
    by_count = submit("--max-requests=2", *BOTH)
    by_size = submit("--max-bytes=450", "--to=other", *BOTH)

    assert (by_count.exit_code, by_size.exit_code) == (0, 0)
    assert [len(server.input_of(batch)) for batch in server.batches] == [2, 2, 1, 2, 2, 1] * 2
    assert by_size.stdout.endswith(
        "submitted: 10 requests in 6 batches\n"
        "next:\n"
        "  ftgate batch status --wait --to other\n"
        "  ftgate batch collect --to other -o other.jsonl\n"
    )
    assert collect("--to=other").exit_code == 0
    assert len(rows()) == 10


def test_a_request_that_no_file_holds_is_named(server: BatchServer) -> None:
    result = submit("--max-bytes=100", *BOTH)

    assert result.exit_code == 2
    assert result.stderr == (
        "ftgate: evals/general.evalcase.yaml:4: case 'capital' (model): "
        "its request has 184 bytes, and a file holds at most 100\n"
    )
    assert server.steps == []
    assert submit(*BOTH).exit_code == 0


def test_other_requests_need_another_folder(server: BatchServer, folder: Path) -> None:
    submit(*BOTH)
    changed = TOOLS.replace("prompt: Tokyo", "prompt: Kyoto").replace("id: poem", "id: verse")
    (folder / "evals/tools.evalcase.yaml").write_text(changed, encoding="utf-8")

    result = submit(*BOTH)

    asks_else = "asks something else than what was submitted, or somebody else"
    assert result.exit_code == 2
    assert result.stderr == (
        "ftgate: .ftgate/batch holds batches of other requests:\n"
        "ftgate: evals/tools.evalcase.yaml:6: case 'poem' (baseline) was submitted, and is not asked now\n"
        "ftgate: evals/tools.evalcase.yaml:6: case 'poem' (model) was submitted, and is not asked now\n"
        f"ftgate: evals/tools.evalcase.yaml:4: case 'tokyo' (baseline) {asks_else}\n"
        f"ftgate: evals/tools.evalcase.yaml:4: case 'tokyo' (model) {asks_else}\n"
        "ftgate: evals/tools.evalcase.yaml:6: case 'verse' (baseline) is asked now, and was not submitted\n"
        "ftgate: evals/tools.evalcase.yaml:6: case 'verse' (model) is asked now, and was not submitted\n"
        "ftgate: submit these with another --to FOLDER; what was submitted stays, and can be collected\n"
    )
    assert len(server.batches) == 2


def test_a_selection_is_a_selection_here_too(server: BatchServer) -> None:
    result = submit("evals", "-ktokyo or capital", "--model=tuned")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-4] == "submitted: 2 requests in 1 batch"


def test_conversations_are_named_and_refused(server: BatchServer, folder: Path) -> None:
    (folder / "evals/talk.evalcase.yaml").write_text(TALK, encoding="utf-8")

    result = submit(*BOTH)
    without = submit(*BOTH, "--deselect=evals/talk.evalcase.yaml::refund")

    assert (result.exit_code, without.exit_code) == (2, 0)
    assert result.stderr == (
        "ftgate: 1 scripted conversation can't be asked in a batch: "
        "each turn needs the answer to the one before\n"
        "ftgate: evals/talk.evalcase.yaml:3: case 'refund'\n"
        "ftgate: leave them out here (-k, -m, or --deselect=evals/talk.evalcase.yaml::refund), "
        "and run them live with --ftgate-save-answers=FILE\n"
    )


@pytest.mark.parametrize(
    ("baseline", "why"),
    [
        ("saved", "saved answers are played"),
        ("bot", "a Python function has no batch endpoint"),
        ("plug:x", "a plugin's model has no batch endpoint"),
    ],
)
def test_an_arm_without_a_batch_endpoint_is_left_out_and_said(
    server: BatchServer, folder: Path, baseline: str, why: str
) -> None:
    (folder / "saved.jsonl").write_text('{"id": "tokyo", "text": "x"}\n', encoding="utf-8")
    hook = "def pytest_ftgate_make_model(config, spec):\n    return print if spec == 'plug:x' else None\n"
    (folder / "conftest.py").write_text(hook, encoding="utf-8")

    result = submit("evals", "--model=tuned", f"--baseline={baseline}")
    alone = submit("evals", f"--model={baseline}", "--to=other")

    assert (result.exit_code, alone.exit_code) == (0, 2)
    left_out = f"left out: 5 requests to {{}} {baseline}: {why}\n"
    assert result.stdout.startswith(left_out.format("baseline"))
    assert {row["body"]["model"] for row in server.sent} == {"ft-1"}
    assert alone.stderr == (
        "ftgate: nothing is left for a batch to ask: only endpoints have one\nftgate: "
        + left_out.format("model")
    )


def test_an_arm_that_a_conftest_replaces_is_left_out_where_it_does(server: BatchServer, folder: Path) -> None:
    override = (
        "import pytest\nfrom pytest_ftgate import as_model\n"
        "@pytest.fixture\ndef model(request):\n    return as_model(request, lambda prompt: prompt)\n"
    )
    (folder / "evals/own").mkdir()
    (folder / "evals/own/conftest.py").write_text(override, encoding="utf-8")
    (folder / "evals/own/more.evalcase.yaml").write_text(
        "cases: [{id: rome, prompt: Rome, expect: Rome}]\n", encoding="utf-8"
    )

    result = submit(*BOTH)

    assert (result.exit_code, result.stderr) == (0, "")
    why = "a conftest puts another model in its place"
    assert result.stdout.startswith(f"left out: 1 request to model tuned: {why}\n")
    assert collect().exit_code == 0
    assert gate().returncode == 0
    assert verdict()["verdict"] == "SHIP"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["evals"], "no model is named: say whose answers are wanted with --model=NAME, and --baseline=NAME"),
        (
            ["evals", "-knothing", "--model=tuned"],
            "there is no eval case to ask in what pytest collects here.",
        ),
        (["--missing", *BOTH], "--missing: nothing was submitted from .ftgate/batch yet"),
        (["--found=b", *BOTH], "--found: nothing was submitted from .ftgate/batch yet"),
        (["--not-created", *BOTH], "--not-created: nothing was submitted from .ftgate/batch yet"),
        (
            ["evals", "-p", "no:ftgate"],
            "`ftgate batch submit` needs the plugin, and it is not loaded (-p no:ftgate?)",
        ),
    ],
)
def test_wrong_use_is_told_before_anything_is_sent(
    server: BatchServer, args: list[str], message: str
) -> None:
    result = submit(*args)

    assert result.exit_code == 2
    assert message in result.stderr + result.stdout
    assert server.steps == []
    assert not Path(".ftgate/batch/state.json").exists()


def test_a_missing_key_is_told_as_a_run_tells_it(
    server: BatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BATCH_KEY")

    result = submit(*BOTH)

    assert result.exit_code == 2
    assert result.stderr == ("ftgate: model 'tuned': no key: the environment variable BATCH_KEY is not set\n")


def test_mistakes_in_case_files_look_as_they_always_do(server: BatchServer, folder: Path) -> None:
    (folder / "evals/broken.evalcase.yaml").write_text("cases: [{id: a, promt: x}]\n", encoding="utf-8")

    result = submit(*BOTH)

    assert result.exit_code == 2
    assert "broken.evalcase.yaml:1" in result.stdout
    assert server.steps == []


@pytest.mark.parametrize("text", ["", "{}", '{"schema": "ftgate.batch/2"}', "\udcff"])
def test_a_damaged_state_is_left_alone(server: BatchServer, text: str) -> None:
    submit(*BOTH)
    path = Path(".ftgate/batch/state.json")
    path.write_text(text, encoding="utf-8", errors="surrogateescape")

    results = [run("status"), collect(), submit(*BOTH)]

    assert [result.exit_code for result in results] == [2, 2, 2]
    assert all(result.stderr.startswith(f"ftgate: {path} ") for result in results)
    assert path.read_text(encoding="utf-8", errors="surrogateescape") == text
    assert len(server.batches) == 2


def test_azure_has_batches_beside_its_deployments(folder: Path) -> None:
    with BatchServer(path="/openai") as azure:
        root = azure.url.removesuffix("/openai")
        entry = f"{{name: base-4o, azure_endpoint: '{root}', api_version: '2024-10-21'"
        config = f"models:\n  az: {entry}, api_key_env: BATCH_KEY, deployment: my-dep}}\n"
        (folder / "ftgate.yaml").write_text(config, encoding="utf-8")

        submitted, collected = submit("evals", "--model=az"), collect()

        assert (submitted.exit_code, submitted.stderr) == (0, "")
        assert (collected.exit_code, collected.stderr) == (0, "")
        assert collected.stdout.endswith(
            "\n  pytest --model=recorded:answers.jsonl -p no:cacheprovider evals\n"
        )
        assert {row["url"] for row in azure.sent} == {"/chat/completions"}
        assert {row["body"]["model"] for row in azure.sent} == {"my-dep"}
        assert azure.batches[0].order["endpoint"] == "/chat/completions"
        assert azure.queries == [{"api-version": "2024-10-21"}] * 4
        assert {headers["api-key"] for headers in azure.headers} == {KEY}


def test_the_responses_api_has_batches_too(server: BatchServer, folder: Path) -> None:
    entry = f"{{name: ft-1, base_url: '{server.url}', api_key_env: BATCH_KEY, api: responses}}"
    (folder / "ftgate.yaml").write_text(f"models:\n  tuned: {entry}\n", encoding="utf-8")

    submitted, collected = submit("evals", "--model=tuned"), collect()

    assert (submitted.exit_code, collected.exit_code) == (0, 0), submitted.stderr + collected.stderr
    assert {row["url"] for row in server.sent} == {"/v1/responses"}
    assert {row["text"] for row in rows()} == {"Tokyo", "Paris", "Poem", "Capital"}


def test_roles_have_their_own_models_and_files(server: BatchServer, folder: Path) -> None:
    config = (
        CONFIG.format(url=server.url) + "model: tuned\nbaseline: prod\nroles: {general: {baseline: tuned}}\n"
    )
    (folder / "ftgate.yaml").write_text(config, encoding="utf-8")

    submitted, collected = submit("evals"), collect()

    assert (submitted.exit_code, collected.exit_code) == (0, 0), submitted.stderr + collected.stderr
    asked = [(row["custom_id"].split("-")[0], row["body"]["model"]) for row in server.sent]
    assert Counter(asked) == {("model", "ft-1"): 5, ("baseline", "ft-1"): 1, ("baseline", "gpt-base"): 4}
    assert len(rows()) == 10
