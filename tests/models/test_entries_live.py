"""From `ftgate.yaml` to the bytes on the wire: each key of an entry, over a real socket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ftgate.cases import Arm, EvalCase
from pytest_ftgate.errors import ConfigError
from pytest_ftgate.files.case_file import read_suite
from pytest_ftgate.files.config_file import read_config
from pytest_ftgate.models import Model, Request
from pytest_ftgate.models.make import make_model
from pytest_ftgate.scorers import BUILTIN
from tests.models.asking import answer_of, error_of
from tests.support.requests import request
from tests.support.server import ChatServer, Reply

Made = Callable[..., Model]
IMAGE = [
    {"type": "text", "text": "What is it?"},
    {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    def make(entry: str, **environ: str) -> Model:
        (tmp_path / "ftgate.yaml").write_text(f"models:\n  tuned: {entry}\n")
        config = read_config(None, tmp_path)
        return make_model("tuned", Arm.MODEL, config, rootdir=tmp_path, environ=environ)

    return make


def test_the_url_comes_from_the_variable_that_is_named(made: Made) -> None:
    with ChatServer() as server:
        answer = answer_of(made("{name: x, base_url_env: BASE_URL}", BASE_URL=server.url))

    assert answer.text == "What is the capital of France?"


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_system_message_comes_from_its_file(made: Made, tmp_path: Path, api: str) -> None:
    (tmp_path / "base.txt").write_text("Be brief.\nAlways.\n")
    suites = ({"role": "system", "content": "Be long."}, {"role": "user", "content": "Hi"})

    with ChatServer() as server:
        model = made(f"{{name: x, base_url: '{server.url}', system: {{file: base.txt}}, api: {api}}}")
        answer_of(model, request(messages=suites))

    sent = server.requests[0].body
    assert sent["messages" if api == "chat" else "input"] == [
        {"role": "system", "content": "Be brief.\nAlways."},
        {"role": "user", "content": "Hi"},
    ]
    assert model.describe()["system"] == "Be brief.\nAlways."


@pytest.mark.parametrize(
    ("api", "expected"),
    [
        ("chat", {"max_completion_tokens": 400, "top_p": 1}),
        ("responses", {"max_output_tokens": 400, "top_p": 1, "store": False}),
    ],
)
def test_null_takes_a_parameter_of_the_case_away(made: Made, api: str, expected: dict[str, object]) -> None:
    params = "{max_tokens: null, temperature: null, max_completion_tokens: 400}"

    with ChatServer() as server:
        model = made(f"{{name: x, base_url: '{server.url}', api: {api}, params: {params}}}")
        answer_of(model, request(params={"max_tokens": 20, "temperature": 0, "top_p": 1}))

    sent = server.requests[0].body
    assert {name: sent[name] for name in sent if name not in ("model", "messages", "input")} == expected


def test_headers_are_sent_and_their_words_may_be_answered(made: Made) -> None:
    with ChatServer(lambda _: "Ask our support team: gw-0123456789") as server:
        headers = "{X-Team: support team, X-Gateway-Token: gw-0123456789}"
        answer = answer_of(made(f"{{name: x, base_url: '{server.url}', headers: {headers}}}"))

    assert server.requests[0].headers["x-team"] == "support team"
    assert server.requests[0].headers["x-gateway-token"] == "gw-0123456789"
    assert answer.text == "Ask our support team: [redacted]"


def test_whom_openai_bills_is_told_with_openais_key_alone(made: Made) -> None:
    billed = {"OPENAI_ORG_ID": "org-a", "OPENAI_PROJECT_ID": "proj-b"}
    keys = {"OPENAI_API_KEY": "sk-0123456789", "VLLM_KEY": "vllm-0123456789"}

    with ChatServer() as server:
        for name in keys:
            answer_of(made(f"{{name: x, base_url: '{server.url}', api_key_env: {name}}}", **billed, **keys))

    openais, others = (received.headers for received in server.requests)
    assert (openais["openai-organization"], openais["openai-project"]) == ("org-a", "proj-b")
    assert not {"openai-organization", "openai-project"} & {name.lower() for name in others}


def test_the_version_of_an_api_in_the_url_may_be_answered_and_a_token_may_not(made: Made) -> None:
    with ChatServer(lambda _: "2024-10-21, t0k3n-abc") as server:
        url = f"{server.url}?api-version=2024-10-21&token=t0k3n-abc"
        answer = answer_of(made("{name: x, base_url_env: BASE_URL}", BASE_URL=url))

    assert server.requests[0].path == "/v1/chat/completions?api-version=2024-10-21&token=t0k3n-abc"
    assert answer.text == "2024-10-21, [redacted]"


def test_streaming_is_a_key_of_the_entry(made: Made) -> None:
    with ChatServer() as server:
        answer = answer_of(made(f"{{name: x, base_url: '{server.url}', stream: true}}"))

    assert server.requests[0].body["stream"] is True
    assert answer.time_to_first_token_s is not None


def test_content_parts_go_through_as_they_are_in_chat(made: Made) -> None:
    with ChatServer(lambda _: "A cat.") as server:
        answer_of(
            made(f"{{name: x, base_url: '{server.url}'}}"),
            request(messages=({"role": "user", "content": IMAGE},)),
        )

    assert server.requests[0].body["messages"] == [{"role": "user", "content": IMAGE}]


def test_content_parts_are_translated_for_responses(made: Made) -> None:
    with ChatServer(lambda _: "A cat.") as server:
        answer_of(
            made(f"{{name: x, base_url: '{server.url}', api: responses}}"),
            request(messages=({"role": "user", "content": IMAGE},)),
        )

    assert server.requests[0].body["input"][0]["content"] == [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": "https://x/y.png", "detail": "auto"},
    ]


def test_content_parts_of_a_case_file_are_asked_and_digested(made: Made, tmp_path: Path) -> None:
    def read(url: str) -> EvalCase:
        path = tmp_path / "images.evalcase.yaml"
        parts = f"[{{type: text, text: What is it?}}, {{type: image_url, image_url: '{url}'}}]"
        path.write_text(f"cases: [{{id: a, expect: cat, messages: [{{role: user, content: {parts}}}]}}]")
        return read_suite(path, tmp_path, BUILTIN).cases[0]

    cat = read("https://x/y.png")
    with ChatServer(lambda _: "cat") as server:
        answer_of(made(f"{{name: x, base_url: '{server.url}'}}"), Request(case=cat, arm=Arm.MODEL))

    assert server.requests[0].body["messages"] == [{"role": "user", "content": IMAGE}]
    assert cat.asked == read("https://x/y.png").asked != read("https://x/z.png").asked


AZURE_KEY = "azure-0123456789abcdef"


def azure(server: ChatServer, **keys: str) -> str:
    given = {"name": "gpt-4o", "azure_endpoint": f"'{server.url}/'", "api_version": "2024-10-21", **keys}
    return "{" + ", ".join(f"{key}: {value}" for key, value in given.items()) + "}"


def test_azures_dated_api_has_the_deployment_in_its_path_and_a_header_for_the_key(made: Made) -> None:
    with ChatServer(lambda _: Reply(text="Paris", served="gpt-4o-2024-08-06"), path="") as server:
        model = made(azure(server, deployment="support ft"), AZURE_OPENAI_API_KEY=AZURE_KEY)
        answer = answer_of(model)

    sent = server.requests[0]
    assert answer.text == "Paris"
    assert sent.path == "/openai/deployments/support%20ft/chat/completions?api-version=2024-10-21"
    assert sent.headers["api-key"] == AZURE_KEY
    assert "authorization" not in sent.headers
    assert sent.body["model"] == "support ft"
    assert model.describe() == {
        "name": "tuned",
        "kind": "openai",
        "model": "gpt-4o",
        "host": f"{server.url}/openai/deployments/support%20ft",
        "deployment": "support ft",
    }


def test_azures_dated_responses_have_no_deployment_in_their_path(made: Made) -> None:
    with ChatServer(path="") as server:
        answer_of(made(azure(server, api="responses", stream="true"), AZURE_OPENAI_API_KEY=AZURE_KEY))

    assert server.requests[0].path == "/openai/responses?api-version=2024-10-21"
    assert server.requests[0].body["model"] == "gpt-4o"


def test_azures_endpoint_and_key_may_stand_in_variables_of_ones_own(made: Made) -> None:
    entry = "{name: gpt-4o, azure_endpoint_env: WHERE, api_version: 2024-10-21, api_key_env: KEY}"

    with ChatServer(path="") as server:
        answer_of(made(entry, WHERE=server.url, KEY=AZURE_KEY))

    assert server.requests[0].path == "/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21"
    assert server.requests[0].headers["api-key"] == AZURE_KEY


def test_azures_undated_api_is_an_endpoint_like_others(made: Made) -> None:
    served = Reply(text="x", served="gpt-4o-2024-08-06")

    with ChatServer(lambda _: served, path="/openai/v1") as server:
        where = f"base_url: '{server.url}/', api_key_env: AZURE_OPENAI_API_KEY"
        model = made(f"{{name: gpt-4o, deployment: support-ft, {where}}}", AZURE_OPENAI_API_KEY=AZURE_KEY)
        answer = answer_of(model)

    assert server.requests[0].body["model"] == "support-ft"
    assert (answer.model, model.describe()["model"]) == ("gpt-4o-2024-08-06", "gpt-4o")
    assert server.requests[0].path == "/openai/v1/chat/completions"
    assert server.requests[0].headers["authorization"] == f"Bearer {AZURE_KEY}"


def test_the_key_of_azure_is_in_no_message(made: Made) -> None:
    said = b'{"error": {"code": "401", "message": "wrong key ' + AZURE_KEY.encode() + b'"}}'

    with ChatServer(lambda _: Reply(status=401, body=said), path="") as server:
        error = error_of(made(azure(server), AZURE_OPENAI_API_KEY=AZURE_KEY))

    assert str(error) == (
        f"HTTP 401 from {server.url}/openai/deployments/gpt-4o/chat/completions for model 'gpt-4o': "
        '"wrong key [redacted]". Check the key in AZURE_OPENAI_API_KEY, and that it may use this model'
    )


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"KEY": "x"}, "model 'tuned': azure_endpoint_env names WHERE, which is not set"),
        (
            {"WHERE": "http://h"},
            "model 'tuned': no key: the environment variable AZURE_OPENAI_API_KEY is not set",
        ),
        ({"WHERE": "h"}, "WHERE: not an http(s) URL, such as http://localhost:8000/v1"),
    ],
)
def test_what_azure_needs_of_the_environment_is_named(made: Made, environ: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        made("{name: gpt-4o, azure_endpoint_env: WHERE, api_version: 2024-10-21}", **environ)

    assert str(caught.value) == said
