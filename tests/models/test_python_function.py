from __future__ import annotations

import asyncio
import functools
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_ftgate.cases import Arm, EvalCase
from pytest_ftgate.completions import Completion, ToolCall, Usage
from pytest_ftgate.errors import ConfigError, ModelError
from pytest_ftgate.models.engine import CompletionEngine
from pytest_ftgate.models.functions.python_function import PythonFunction, as_model
from pytest_ftgate.models.price import Price
from tests.models.asking import answer_of, error_of
from tests.support.requests import request, requests

SHOWN = "python:bot:answer"


def model_of(function: Callable[..., Any], **settings: Any) -> PythonFunction:
    return PythonFunction("bot", function, shown=SHOWN, **settings)


def returning(value: Any) -> PythonFunction:
    return model_of(lambda prompt: value)


def test_a_function_gets_what_its_signature_names() -> None:
    given: dict[str, Any] = {}

    def answer(
        prompt: str, messages: list[Any], tools: list[Any], params: dict[str, Any], case: EvalCase
    ) -> str:
        given.update(prompt=prompt, messages=messages, tools=tools, params=params, case=case)
        return "Paris"

    tool = {"type": "function", "function": {"name": "f"}}
    asked = request("Capital?", tools=(tool,), params={"seed": 7}, repeat=2)
    answered = answer_of(model_of(answer, system="Be kind.", params={"top_p": 1}), asked)

    assert answered.text == "Paris"
    assert given == {
        "prompt": "Capital?",
        "messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Capital?"}],
        "tools": [tool],
        "params": {"seed": 8, "top_p": 1},
        "case": asked.case,
    }


def test_a_function_gets_nothing_else() -> None:
    def answer(case: EvalCase, temperature: float = 0.5, *rest: object) -> str:
        return f"{case.id} {temperature} {rest}"

    assert answer_of(model_of(answer)).text == "capital 0.5 ()"


def test_a_function_with_keywords_gets_everything() -> None:
    assert answer_of(model_of(lambda **given: ",".join(given))).text == "prompt,messages,tools,params,case"


def test_an_async_function_is_awaited() -> None:
    async def answer(prompt: str) -> str:
        await asyncio.sleep(0)
        return prompt

    assert answer_of(model_of(answer)).text == "What is the capital of France?"


def test_an_object_and_a_partial_may_be_async_too() -> None:
    class Bot:
        async def __call__(self, prompt: str) -> str:
            return "object"

    async def answer(how: str, prompt: str) -> str:
        return how

    assert answer_of(model_of(Bot())).text == "object"
    assert answer_of(model_of(functools.partial(answer, "partial"))).text == "partial"


def test_a_sync_function_may_return_something_to_await() -> None:
    async def answer() -> str:
        return "later"

    assert answer_of(model_of(lambda prompt: answer())).text == "later"


def test_a_function_may_change_what_it_is_given() -> None:
    asked = request()

    def answer(messages: list[dict[str, Any]]) -> str:
        messages[0]["content"] = "changed"
        messages.clear()
        return "x"

    answer_of(model_of(answer), asked)

    assert asked.case.prompt == "What is the capital of France?"


def test_a_mapping_may_hold_more_than_the_text() -> None:
    answer = answer_of(
        returning(
            {
                "text": "x\x00",
                "tool_calls": [{"name": "f", "arguments": {"a": "\ud800"}}, {"name": "g", "arguments": "{"}],
                "finish_reason": "length",
                "usage": {"input_tokens": 9, "output_tokens": 3},
                "latency_s": 1.5,
                "logprobs": [-0.5],
            }
        )
    )

    assert (answer.text, answer.finish_reason, answer.latency_s) == ("x\\x00", "length", 1.5)
    assert answer.tool_calls == (
        ToolCall(name="f", arguments={"a": "\\ud800"}),
        ToolCall(name="g", arguments=None, text="{"),
    )
    assert (answer.usage, answer.logprobs) == (Usage(input_tokens=9, output_tokens=3), (-0.5,))


def test_a_completion_is_taken_as_it_is() -> None:
    assert answer_of(returning(Completion(text="x", model="m"))).model == "m"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "a NoneType, not text or a mapping"),
        (7, "a int, not text or a mapping"),
        ({"txt": "x"}, "a mapping with 'txt' (did you mean 'text'?)"),
        ({"text": 7}, "'text' of type int, not text"),
        ({"latency_s": float("nan")}, "'latency_s' nan, not seconds from 0"),
        ({"latency_s": -1}, "'latency_s' -1, not seconds from 0"),
        ({"latency_s": True}, "'latency_s' True, not seconds from 0"),
        ({"logprobs": [float("inf")]}, "'logprobs' that are not a list of finite numbers"),
        ({"logprobs": 5}, "'logprobs' that are not a list of finite numbers"),
        ({"usage": [1]}, "'usage' [1], not a mapping with input_tokens and output_tokens"),
        (
            {"usage": {"input_tokens": 1.5}},
            "'usage' {'input_tokens': 1.5}, not a mapping with input_tokens and output_tokens",
        ),
        ({"tool_calls": 5}, "'tool_calls' 5, not a list"),
        ({"tool_calls": ["f()"]}, "a tool call 'f()', not a mapping with 'name' and 'arguments'"),
        ({"tool_calls": [{"name": "f", "arguments": [1]}]}, "a tool call with arguments [1], not a mapping"),
    ],
)
def test_anything_else_is_an_error_that_says_what_came(value: Any, said: str) -> None:
    error = error_of(returning(value))

    assert str(error) == f"python:bot:answer returned {said}"
    assert error.kind == "protocol"


def fails(prompt: str) -> str:
    raise ValueError("bad \x1b key")


async def fails_later(prompt: str) -> str:
    return fails(prompt)


@pytest.mark.parametrize("function", [fails, fails_later])
def test_an_exception_is_an_error_with_type_message_and_line(function: Callable[..., Any]) -> None:
    error = error_of(model_of(function))

    line = fails.__code__.co_firstlineno + 1
    assert str(error) == f"python:bot:answer raised ValueError: bad \\x1b key ({__file__}:{line})"
    assert error.kind == "raised"


@pytest.mark.parametrize(
    "raised", [SystemExit(0), KeyboardInterrupt(), StopIteration("x"), asyncio.CancelledError()]
)
def test_an_exception_that_would_end_the_run_ends_the_trial(raised: BaseException) -> None:
    def answer(prompt: str) -> str:
        raise raised

    async def answer_later(prompt: str) -> str:
        raise raised

    assert str(error_of(model_of(answer))).startswith(f"python:bot:answer raised {type(raised).__name__}")
    assert "raised" in str(error_of(model_of(answer_later)))


def test_latency_is_measured_around_the_call() -> None:
    def answer(prompt: str) -> str:
        time.sleep(0.1)
        return "x"

    async def answer_later(prompt: str) -> str:
        await asyncio.sleep(0.1)
        return "x"

    assert answer_of(model_of(answer)).latency_s == pytest.approx(0.1, abs=0.05)
    assert answer_of(model_of(answer_later)).latency_s == pytest.approx(0.1, abs=0.05)


def test_a_sync_function_runs_one_call_at_a_time_and_in_one_thread() -> None:
    threads: set[str] = set()
    running = threading.Lock()

    def answer(prompt: str) -> str:
        threads.add(threading.current_thread().name)
        with_lock = running.acquire(blocking=False)
        time.sleep(0.002)
        running.release()
        return str(with_lock)

    with CompletionEngine({Arm.MODEL: model_of(answer)}) as engine:
        engine.prefetch([[one] for one in requests(10)])
        texts = {engine.result(one).text for one in requests(10)}

    assert texts == {"True"}
    assert threads == {"ftgate-bot"}


def test_a_sync_function_may_run_several_calls_at_once() -> None:
    barrier = threading.Barrier(3, timeout=5)

    def answer(case: EvalCase) -> str:
        if case.id != "0":
            barrier.wait()
        return "met"

    with CompletionEngine({Arm.MODEL: model_of(answer, concurrency=3)}) as engine:
        engine.prefetch([[one] for one in requests(4)])
        assert [engine.result(one).text for one in requests(4)] == ["met"] * 4


def test_a_function_that_never_returns_is_a_timeout_and_does_not_keep_the_engine() -> None:
    never = threading.Event()
    started = time.monotonic()

    model = model_of(lambda prompt: never.wait(), timeout_s=0.1)
    with CompletionEngine({Arm.MODEL: model}) as engine, pytest.raises(ModelError) as caught:
        engine.result(request())
    never.set()

    assert str(caught.value) == "no answer from python:bot:answer within timeout_s 0.1"
    assert time.monotonic() - started < 30  # a bound against hanging


def test_a_price_makes_a_cost_of_the_tokens() -> None:
    answer: Mapping[str, Any] = {"text": "x", "usage": {"input_tokens": 1000, "output_tokens": 500}}

    assert answer_of(model_of(lambda prompt: answer, price=Price(input=2, output=8))).cost == pytest.approx(
        0.006
    )


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda promt: "x", "'promt'"),
        (lambda prompt, /: "x", "'prompt'"),
    ],
)
def test_a_signature_that_can_not_be_served_is_refused(function: Callable[..., Any], name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        model_of(function)

    assert str(caught.value) == (
        f"{SHOWN}: the function wants {name}; "
        "it can be given prompt, messages, tools, params, case, by name (did you mean 'prompt'?)"
    )


def test_a_hook_may_give_a_function() -> None:
    model = as_model(lambda prompt: "Paris", "my:bot")

    assert answer_of(model).text == "Paris"
    assert model.describe() == {"name": "my:bot", "kind": "python", "function": "my:bot"}


def test_a_hook_may_give_a_model() -> None:
    model = returning("x")

    assert as_model(model, "my:bot") is model


@pytest.mark.parametrize("value", ["gpt", 7, PythonFunction])
def test_a_hook_may_give_nothing_else(value: object) -> None:
    with pytest.raises(ConfigError) as caught:
        as_model(value, "my:bot")

    assert str(caught.value) == (
        "my:bot: a model is a function (of any of prompt, messages, tools, params, case) "
        f"or an object with the methods of pytest_ftgate.models.Model, not {value!r}"
    )


def test_the_test_file_is_the_users_own(tmp_path: Path) -> None:
    namespace: dict[str, Any] = {}
    code = "import json\ndef answer(prompt):\n    return json.loads('{')\n"
    exec(compile(code, str(tmp_path / "bot.py"), "exec"), namespace)

    error = error_of(model_of(namespace["answer"]))

    assert str(error).endswith(f"({tmp_path / 'bot.py'}:3)")
