from __future__ import annotations

import pytest

from pytest_ftgate.cases import Arm, Expectation
from pytest_ftgate.completions import ToolCall, Usage
from pytest_ftgate.models import Request
from pytest_ftgate.models.price import Price
from tests.models.asking import KEY, answer_of, answers_of, chat, error_of
from tests.support.requests import case, request, requests
from tests.support.server import ChatServer, Reply, error_reply

TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


def test_a_request_holds_model_messages_and_parameters_and_nothing_else() -> None:
    with ChatServer() as server:
        answer_of(chat(server.url), request("Hello?", params={"temperature": 0, "max_tokens": 20}))

    assert server.requests[0].path == "/v1/chat/completions"
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert server.requests[0].body == {
        "model": "ft:gpt",
        "messages": [{"role": "user", "content": "Hello?"}],
        "temperature": 0,
        "max_tokens": 20,
    }


def test_tools_are_sent_when_the_case_has_some() -> None:
    with ChatServer() as server:
        answer_of(chat(server.url), request(tools=(TOOL,)))

    assert server.requests[0].body["tools"] == [TOOL]


def test_log_probabilities_are_asked_for_when_a_check_needs_them() -> None:
    perplexity = Expectation(scorer="perplexity", options={"at_most": 2})

    with ChatServer(lambda _: Reply(text="Paris", logprobs=[-0.1, -0.2])) as server:
        answer = answer_of(chat(server.url), request(expect=(perplexity,)))

    assert server.requests[0].body["logprobs"] is True
    assert answer.logprobs == (-0.1, -0.2)


def test_the_entrys_parameters_win_and_null_removes_one() -> None:
    params = {"max_tokens": None, "max_completion_tokens": 400, "temperature": 1}

    with ChatServer() as server:
        answer_of(
            chat(server.url, params=params), request(params={"temperature": 0, "max_tokens": 20, "top_p": 1})
        )

    sent = server.requests[0].body
    assert {name: sent[name] for name in sent if name not in ("model", "messages")} == {
        "temperature": 1,
        "top_p": 1,
        "max_completion_tokens": 400,
    }


def test_a_seed_moves_along_with_the_repeat_wherever_it_comes_from() -> None:
    own, entrys = request(params={"seed": 7}, repeat=3), request(repeat=3)

    with ChatServer() as server:
        answer_of(chat(server.url), own)
        answer_of(chat(server.url, params={"seed": 40}), entrys)

    assert [received.body["seed"] for received in server.requests] == [9, 42]


@pytest.mark.parametrize("role", ["system", "developer"])
def test_the_entrys_system_message_replaces_the_suites(role: str) -> None:
    messages = ({"role": role, "content": "Be brief."}, {"role": "user", "content": "Hello?"})

    with ChatServer() as server:
        answer_of(chat(server.url, system="Be kind."), request(messages=messages))

    assert server.requests[0].body["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello?"},
    ]


def test_the_entrys_system_message_comes_first_where_there_is_none() -> None:
    with ChatServer() as server:
        answer_of(chat(server.url, system="Be kind."), request("Hello?"))

    assert [message["role"] for message in server.requests[0].body["messages"]] == ["system", "user"]


def test_headers_of_the_entry_are_sent() -> None:
    with ChatServer() as server:
        answer_of(chat(server.url, headers={"X-Team": "support"}))

    assert server.requests[0].headers["x-team"] == "support"


def test_without_a_key_no_authorization_is_sent() -> None:
    with ChatServer() as server:
        answer_of(chat(server.url, api_key=None, api_key_env=None))

    assert "authorization" not in server.requests[0].headers


def test_user_password_and_query_of_the_url_reach_the_server_and_nothing_else() -> None:
    with ChatServer() as server:
        url = server.url.replace("http://", "http://user:pass-word-1@") + "?api-version=7"
        model = chat(url, api_key=None)
        answer_of(model)

    assert server.requests[0].headers["authorization"] == "Basic dXNlcjpwYXNzLXdvcmQtMQ=="
    assert server.requests[0].path == "/v1/chat/completions?api-version=7"
    assert model.describe()["host"] == server.url
    assert "pass-word" not in repr(model)


def test_an_answer_keeps_what_the_endpoint_says_of_it() -> None:
    with ChatServer(lambda _: Reply(text="Paris", finish_reason="length", usage=(9, 3))) as server:
        answer = answer_of(chat(server.url))

    assert (answer.text, answer.finish_reason, answer.model) == ("Paris", "length", "ft:gpt")
    assert answer.usage == Usage(input_tokens=9, output_tokens=3)
    assert answer.source == "live"
    assert answer.created is not None


def test_tool_calls_are_parsed() -> None:
    calls = [{"name": "get_weather", "arguments": '{"city": "Tokyo"}'}, {"name": "stop", "arguments": ""}]

    with ChatServer(lambda _: Reply(tool_calls=calls)) as server:
        answer = answer_of(chat(server.url))

    assert answer.text == ""
    assert answer.tool_calls == (
        ToolCall(name="get_weather", arguments={"city": "Tokyo"}),
        ToolCall(name="stop", arguments={}),
    )


def test_a_refusal_is_an_answer() -> None:
    with ChatServer(lambda _: Reply(refusal="I can't help with that.")) as server:
        answer = answer_of(chat(server.url))

    assert (answer.text, answer.refusal) == ("", "I can't help with that.")


def test_a_content_filter_is_an_answer_even_as_http_400() -> None:
    with ChatServer(lambda _: error_reply(400, "filtered", code="content_filter")) as server:
        answer = answer_of(chat(server.url))

    assert (answer.text, answer.finish_reason, server.count) == ("", "content_filter", 1)


def test_the_cost_comes_from_the_price_per_million_tokens() -> None:
    with ChatServer(lambda _: Reply(text="x", usage=(1000, 500))) as server:
        priced = answer_of(chat(server.url, price=Price(input=2.0, output=8.0)))
        free = answer_of(chat(server.url))

    assert priced.cost == pytest.approx(0.006)
    assert free.cost is None


def test_without_token_counts_a_price_gives_no_cost() -> None:
    with ChatServer(lambda _: Reply(text="x", usage=None)) as server:
        answer = answer_of(chat(server.url, price=Price(input=2.0, output=8.0)))

    assert answer.cost is None


def test_the_description_says_who_answers_and_where_without_secrets() -> None:
    model = chat(
        "https://user:pass-word-1@llm.example/v1/?token=abc", revision="step-4200", system="Be kind."
    )

    assert model.describe() == {
        "name": "tuned",
        "kind": "openai",
        "model": "ft:gpt",
        "host": "https://llm.example/v1",
        "revision": "step-4200",
        "system": "Be kind.",
    }


def test_a_key_that_the_model_repeats_is_not_in_its_answer() -> None:
    with ChatServer(lambda _: f"My key is {KEY}!") as server:
        answer = answer_of(chat(server.url))

    assert answer.text == "My key is [redacted]!"


def test_the_model_that_was_served_stands_in_the_answer() -> None:
    with ChatServer(lambda _: Reply(text="x", served="llama\x00")) as server:
        model = chat(server.url)

        assert answer_of(model).model == "llama\\x00"
    assert model.remarks() == ()


def test_answers_are_not_mixed_up() -> None:
    asked = requests(50)

    with ChatServer() as server:
        answers = answers_of(chat(server.url), asked)

    assert [answer.text for answer in answers] == [str(number) for number in range(50)]


def test_unencodable_text_of_an_answer_becomes_visible() -> None:
    with ChatServer(lambda _: "a\ud800b\x00c\r\nd") as server:
        answer = answer_of(chat(server.url))

    assert answer.text == "a\\ud800b\\x00c\nd"


def test_a_bad_request_is_the_trials_error_and_not_retried() -> None:
    with ChatServer(
        lambda _: error_reply(400, "too many tokens", headers={"x-should-retry": "true"})
    ) as server:
        error = error_of(chat(server.url))

    assert str(error) == f'HTTP 400 from {server.url}: "too many tokens"'
    assert (error.kind, server.count) == ("status", 1)


def test_a_request_is_the_same_for_equal_suite_id_arm_and_repeat() -> None:
    first = Request(case=case("a"), arm=Arm.MODEL)
    second = Request(case=case("b"), arm=Arm.MODEL, repeat=1)

    assert first.key == second.key == ("facts", "capital", Arm.MODEL, 1, "")
