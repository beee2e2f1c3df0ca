"""The official client talks to the server as it does to OpenAI's."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam, ChatCompletionToolParam

from example_project.assistant.server import Server
from example_project.assistant.template import render
from tests.example_project.conftest import RECITED
from tests.example_project.small_models import tokenizer, tokens_of

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello"}]
FIND: ChatCompletionToolParam = {
    "type": "function",
    "function": {"name": "find", "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}}},
}


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[OpenAI]:
    with OpenAI(base_url=server.base_url, api_key="any", max_retries=0, timeout=60) as client:
        yield client


def ask(client: OpenAI, model: str, **params: Any) -> ChatCompletion:
    create: Any = client.chat.completions.create
    answer: ChatCompletion = create(**{"model": model, "messages": HELLO, "temperature": 0} | params)
    return answer


def test_models_are_listed_by_the_names_of_their_files(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == sorted(["base", "tuned", *RECITED])


def test_a_model_is_described(client: OpenAI) -> None:
    assert client.models.retrieve("tuned").owned_by == "parcel-assistant"


def test_a_text_is_answered(client: OpenAI) -> None:
    answer = ask(client, "speaker")

    [choice] = answer.choices
    assert choice.message.content == RECITED["speaker"]
    assert choice.message.role == "assistant"
    assert choice.message.tool_calls is None
    assert choice.finish_reason == "stop"
    assert answer.model == "speaker"
    assert answer.system_fingerprint
    assert answer.usage
    assert answer.usage.prompt_tokens == len(render(HELLO, None, tokenizer()))
    assert answer.usage.completion_tokens == len(tokens_of(RECITED["speaker"])) + 1
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_fingerprints_tell_weights_apart(client: OpenAI) -> None:
    prints = [ask(client, model, max_tokens=1).system_fingerprint for model in ("base", "base", "tuned")]

    assert prints[0] == prints[1] != prints[2]


def test_a_stream_brings_the_same_text_and_usage(client: OpenAI) -> None:
    whole = ask(client, "speaker")

    chunks = list(
        client.chat.completions.create(
            model="speaker",
            messages=HELLO,
            temperature=0,
            stream=True,
            stream_options={"include_usage": True},
        )
    )

    *answering, last = chunks
    deltas = [chunk.choices[0].delta for chunk in answering]
    assert deltas[0].role == "assistant"
    assert "".join(delta.content or "" for delta in deltas) == whole.choices[0].message.content
    assert len(answering) > 5
    assert [chunk.choices[0].finish_reason for chunk in answering] == [None] * (len(answering) - 1) + ["stop"]
    assert {chunk.usage for chunk in answering} == {None}
    assert last.choices == []
    assert last.usage == whole.usage
    assert len({chunk.id for chunk in chunks}) == 1
    assert {chunk.system_fingerprint for chunk in chunks} == {whole.system_fingerprint}


@pytest.mark.parametrize("seed", range(5))
def test_what_is_sampled_is_the_same_streamed_or_not(client: OpenAI, seed: int) -> None:
    params = {"tools": [FIND], "temperature": 2, "top_p": 0.95, "seed": seed, "max_tokens": 40, "n": 2}
    create: Any = client.chat.completions.create

    whole = ask(client, "base", **params).choices
    chunks = list(create(model="base", messages=HELLO, stream=True, **params))

    for choice in whole:
        deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices[0].index == choice.index]
        calls = [call.function for delta in deltas for call in delta.tool_calls or ()]
        message = choice.message
        made = [call.model_dump()["function"] for call in message.tool_calls or ()]
        assert "".join(delta.content or "" for delta in deltas) == (message.content or "")
        assert "".join(call.arguments for call in calls) == "".join(call["arguments"] for call in made)
        assert [call.name for call in calls if call.name is not None] == [call["name"] for call in made]


def test_a_stream_without_usage_ends_with_the_answer(client: OpenAI) -> None:
    stream = client.chat.completions.create(model="speaker", messages=HELLO, temperature=0, stream=True)

    assert [chunk.choices[0].finish_reason for chunk in stream][-1] == "stop"


def test_a_tool_is_called_and_its_result_is_read(client: OpenAI) -> None:
    answer = ask(client, "caller", tools=[FIND])
    [choice] = answer.choices
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content == "Ok"
    assert choice.message.tool_calls
    [call] = choice.message.tool_calls
    assert call.type == "function"
    assert (call.function.name, call.function.arguments) == ("find", '{"n":12}')

    messages: list[Any] = [
        *HELLO,
        choice.message,
        {"role": "tool", "tool_call_id": call.id, "content": "it is here"},
    ]
    after = ask(client, "speaker", messages=messages, tools=[FIND])

    assert after.choices[0].message.content == RECITED["speaker"]
    sent = [choice.message.model_dump() if message is choice.message else message for message in messages]
    assert after.usage
    assert after.usage.prompt_tokens == len(render(sent, [FIND], tokenizer()))


def test_a_streamed_call_is_the_same_call(client: OpenAI) -> None:
    with client.chat.completions.stream(
        model="caller", messages=HELLO, tools=[FIND], temperature=0
    ) as stream:
        message = stream.get_final_completion().choices[0].message

    assert message.content == "Ok"
    assert message.tool_calls
    [call] = message.tool_calls
    assert (call.function.name, call.function.arguments) == ("find", '{"n":12}')


def test_a_call_without_arguments_has_an_empty_object(client: OpenAI) -> None:
    [choice] = ask(client, "refuser", tools=[FIND]).choices

    assert choice.message.content is None
    assert choice.message.tool_calls
    assert [call.model_dump()["function"] for call in choice.message.tool_calls] == [
        {"name": "no", "arguments": "{}"}
    ]


@pytest.mark.parametrize("params", [{}, {"tools": [FIND], "tool_choice": "none"}])
def test_nothing_is_called_where_nothing_may_be(client: OpenAI, params: dict[str, Any]) -> None:
    [choice] = ask(client, "caller", max_tokens=5, **params).choices

    assert choice.message.tool_calls is None
    assert choice.message.content is not None
    assert choice.message.content.startswith("Ok")
    assert choice.finish_reason == "length"


def test_a_required_call_is_made_by_a_model_that_would_rather_talk(client: OpenAI) -> None:
    [choice] = ask(client, "speaker", tools=[FIND], tool_choice="required").choices

    assert choice.message.content is None
    assert choice.message.tool_calls
    assert choice.finish_reason == "tool_calls"


def test_a_named_tool_is_called_by_this_name(client: OpenAI) -> None:
    named = {"type": "function", "function": {"name": "find"}}

    answers = [ask(client, model, tools=[FIND], tool_choice=named) for model in ("speaker", "base", "caller")]

    calls = [call for answer in answers for call in answer.choices[0].message.tool_calls or ()]
    assert [call.model_dump()["function"]["name"] for call in calls] == ["find"] * 3


def test_an_answer_may_hold_several_calls_with_ids_of_their_own(client: OpenAI) -> None:
    [choice] = ask(client, "endless", tools=[FIND], max_tokens=11).choices

    assert choice.finish_reason == "length"
    assert choice.message.tool_calls
    assert [call.model_dump()["function"] for call in choice.message.tool_calls] == [
        {"name": "go", "arguments": "{}"},
        {"name": "go", "arguments": "{"},
    ]
    assert len({call.id for call in choice.message.tool_calls}) == 2


def test_parallel_calls_can_be_declined(client: OpenAI) -> None:
    [choice] = ask(client, "endless", tools=[FIND], parallel_tool_calls=False).choices

    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls
    assert len(choice.message.tool_calls) == 1


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_an_answer_is_cut_at_its_limit(client: OpenAI, name: str) -> None:
    answer = ask(client, "speaker", **{name: 4})

    assert answer.choices[0].message.content == "Hey:"
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage
    assert answer.usage.completion_tokens == 4


def test_an_answer_is_cut_where_the_context_ends(client: OpenAI) -> None:
    answer = ask(client, "endless", tools=[FIND])

    assert answer.choices[0].finish_reason == "length"
    assert answer.usage
    assert answer.usage.total_tokens == 160


@pytest.mark.parametrize("stop", ["el\nl", ["zzz", "the parcel"], " t"])
def test_an_answer_ends_before_a_stop_sequence(client: OpenAI, stop: str | list[str]) -> None:
    [choice] = ask(client, "speaker", stop=stop).choices

    assert choice.message.content == RECITED["speaker"].split(stop if isinstance(stop, str) else stop[1])[0]
    assert choice.finish_reason == "stop"


def test_log_probabilities_are_those_of_the_answers_tokens(client: OpenAI) -> None:
    [choice] = ask(client, "base", logprobs=True, top_logprobs=3, max_tokens=8, temperature=0).choices

    assert choice.logprobs
    assert choice.logprobs.content
    assert len(choice.logprobs.content) == 8
    text = b"".join(bytes(token.bytes or ()) for token in choice.logprobs.content)
    assert text.decode("utf-8", "replace") == choice.message.content
    for token in choice.logprobs.content:
        best = [each.logprob for each in token.top_logprobs]
        assert best == sorted(best, reverse=True)
        assert sum(map(math.exp, best)) <= 1 + 1e-9


def test_log_probabilities_are_those_of_the_model_whatever_the_temperature(client: OpenAI) -> None:
    told = [ask(client, "speaker", logprobs=True, temperature=t).choices[0].logprobs for t in (0, 0.01)]

    assert told[0]
    assert told[0].content
    assert told[0] == told[1]
    assert all(-0.01 < token.logprob < 0 for token in told[0].content)


def test_streamed_log_probabilities_are_the_same(client: OpenAI) -> None:
    whole = ask(client, "speaker", logprobs=True).choices[0].logprobs

    chunks = client.chat.completions.create(
        model="speaker", messages=HELLO, temperature=0, logprobs=True, stream=True
    )

    told = [chunk.choices[0].logprobs for chunk in chunks]
    assert whole
    assert [token for each in told if each for token in each.content or ()] == whole.content


def test_several_choices_differ_and_are_repeatable_by_their_seed(client: OpenAI) -> None:
    params = {"temperature": 2, "n": 3, "max_tokens": 12}

    first, again, other = (ask(client, "base", seed=seed, **params) for seed in (5, 5, 6))

    contents = [[choice.message.content for choice in answer.choices] for answer in (first, again, other)]
    assert [choice.index for choice in first.choices] == [0, 1, 2]
    assert len(set(contents[0])) == 3
    assert contents[0] == contents[1] != contents[2]
    assert first.usage
    assert first.usage.completion_tokens <= 36


def test_without_a_seed_answers_differ(client: OpenAI) -> None:
    answers = [ask(client, "base", temperature=2, max_tokens=30) for _ in range(2)]

    assert answers[0].choices[0].message.content != answers[1].choices[0].message.content


def test_many_clients_at_once_get_the_answers_of_one_alone(client: OpenAI, server: Server) -> None:
    alone = {model: ask(client, model, max_tokens=20).choices[0].message for model in ("base", "tuned")}

    async def ask_all() -> list[ChatCompletion]:
        async with AsyncOpenAI(base_url=server.base_url, api_key="any", max_retries=0) as many:
            create = many.chat.completions.create
            models = [*alone] * 10
            return await asyncio.gather(
                *(create(model=model, messages=HELLO, temperature=0, max_tokens=20) for model in models)
            )

    answers = asyncio.run(ask_all())

    assert [answer.choices[0].message for answer in answers] == [alone[answer.model] for answer in answers]


def test_an_unknown_model_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        ask(client, "tuned-v9")

    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["message"] == (
        "there is no model 'tuned-v9', only base, caller, endless, refuser, speaker, tuned"
    )


def test_what_the_server_can_not_do_is_a_bad_request(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, "speaker", response_format={"type": "json_object"})

    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "response_format")


def test_too_long_a_conversation_is_a_bad_request(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, "base", messages=[{"role": "user", "content": "1" * 200}])

    assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "messages")
    assert isinstance(caught.value.body, dict)
    assert caught.value.body["message"] == (
        "'base' has a context of 160 tokens, its answer included; the request has 202"
    )


def test_a_conversation_that_is_far_too_long_is_refused_before_it_is_read(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, "base", messages=[{"role": "user", "content": "x" * 700_000}])

    assert isinstance(caught.value.body, dict)
    assert caught.value.body["message"] == (
        "'base' has a context of 160 tokens, its answer included; the request has at least 100000"
    )
