"""A function of the user's as a model: called with what its signature names, sync or async.

Whatever it raises, `SystemExit` included, is the error of that one trial. Finding and importing the function
is in `python_import`.
"""

from __future__ import annotations

import asyncio
import copy
import inspect
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

from pytest_ftgate.completions import Completion, Usage
from pytest_ftgate.errors import ConfigError, ModelError
from pytest_ftgate.models import Model, Request
from pytest_ftgate.models.asked import asked_messages, asked_params
from pytest_ftgate.models.boundary import safe_json, safe_text
from pytest_ftgate.models.chat_answer import is_number, tool_call
from pytest_ftgate.models.openai_chat import Price
from pytest_ftgate.models.wording import did_you_mean
from pytest_ftgate.models.worker_threads import WorkerThreads

ARGUMENTS = ("prompt", "messages", "tools", "params", "case")
ANSWER_KEYS = ("text", "tool_calls", "finish_reason", "refusal", "usage", "latency_s", "logprobs", "model")
DEFAULT_TIMEOUT_S = 120.0


class PythonFunction:
    """A model that calls a function. A sync one runs in threads, one call at a time by default."""

    def __init__(
        self,
        name: str,
        function: Callable[..., Any],
        *,
        concurrency: int | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        params: Mapping[str, Any] | None = None,
        system: str | None = None,
        revision: str | None = None,
        price: Price | None = None,
        shown: str | None = None,
    ) -> None:
        self.name = name
        self._shown = shown or name
        self._function = function
        self._wanted = wanted_arguments(function, self._shown)
        self._is_async = _is_async(function)
        self.concurrency = concurrency or (None if self._is_async else 1)
        self._timeout_s = timeout_s
        self._params = params or {}
        self._system = system
        self._revision = revision
        self._price = price
        self._threads = WorkerThreads(f"ftgate-{name}")

    def describe(self) -> dict[str, Any]:
        """Builtins for header and record."""
        row = {"name": self.name, "kind": "python", "function": self._shown}
        shown = {"revision": self._revision, "system": self._system}
        return row | {key: value for key, value in shown.items() if value is not None}

    def missing(self, requests: Sequence[Request]) -> Sequence[str]:  # noqa: ARG002 - a function has to be asked
        """Nothing: a function has to be asked."""
        return ()

    def remarks(self) -> Sequence[str]:
        """Nothing to add."""
        return ()

    async def complete(self, request: Request) -> Completion:
        """What the function returns, as a completion; raises `ModelError` for everything else."""
        arguments = self._arguments(request)
        try:
            async with asyncio.timeout(self._timeout_s):
                result, latency_s = await self._call(arguments)
        except TimeoutError:
            raise ModelError(
                f"no answer from {self._shown} within timeout_s {self._timeout_s:g}", kind="timeout"
            ) from None
        answer = as_completion(result, self._shown)
        if answer.latency_s is None:
            answer = replace(answer, latency_s=latency_s)
        cost = self._price.of(answer.usage) if self._price else answer.cost
        return replace(answer, cost=cost, created=time.time())

    async def aclose(self) -> None:
        """Lets the threads end."""
        self._threads.close()

    def _arguments(self, request: Request) -> dict[str, Any]:
        make: dict[str, Callable[[], Any]] = {
            "prompt": lambda: request.case.prompt,
            "messages": lambda: list(copy.deepcopy(asked_messages(request, self._system))),
            "tools": lambda: list(copy.deepcopy(request.case.tools)),
            "params": lambda: copy.deepcopy(asked_params(request, self._params)),
            "case": lambda: request.case,
        }
        return {name: make[name]() for name in self._wanted}

    async def _call(self, arguments: Mapping[str, Any]) -> tuple[Any, float]:
        started = time.perf_counter()
        if self._is_async:
            result = self._guarded(arguments)
        else:
            result, finished = await self._threads.run(
                lambda: (self._guarded(arguments), time.perf_counter())
            )
        if inspect.isawaitable(result):
            result = await self._awaited(result)
            finished = time.perf_counter()
        if isinstance(result, ModelError):
            raise result
        return result, finished - started

    def _guarded(self, arguments: Mapping[str, Any]) -> Any:
        """The function's result, or the `ModelError` that its exception amounts to."""
        try:
            return self._function(**arguments)
        except BaseException as error:  # noqa: BLE001 - around a user's model; SystemExit must not end a run
            return self._raised(error)

    async def _awaited(self, result: Any) -> Any:
        try:
            return await result
        except GeneratorExit:
            raise
        except asyncio.CancelledError as error:
            if was_cancelled():
                raise
            return self._raised(error)
        except BaseException as error:  # noqa: BLE001 - around a user's model; SystemExit must not end a run
            return self._raised(error)

    def _raised(self, error: BaseException) -> ModelError:
        if isinstance(error, ModelError):
            return error
        text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        message = f"{self._shown} raised {safe_text(text)}{self._where(error.__traceback__)}"
        return ModelError(message, kind="raised")

    def _where(self, trace: TracebackType | None) -> str:
        """The innermost line of the function's own file: the one that a user can do something about."""
        frames = [frame for frame in traceback.extract_tb(trace) if frame.filename != __file__]
        code = getattr(inspect.unwrap(self._function), "__code__", None)
        own = [frame for frame in frames if code is not None and frame.filename == code.co_filename]
        return f" ({(own or frames)[-1].filename}:{(own or frames)[-1].lineno})" if frames else ""


def as_model(value: object, name: str) -> Model:
    """What a hook or an override gave, as a model: a model as it is, a function wrapped.

    Raises `ConfigError` for anything else.
    """
    if isinstance(value, Model) and not isinstance(value, type):
        return value
    if callable(value) and not isinstance(value, type):
        return PythonFunction(name, value)
    raise ConfigError(
        f"{name}: a model is a function (of any of {', '.join(ARGUMENTS)}) "
        f"or an object with the methods of pytest_ftgate.models.Model, not {value!r}"
    )


def wanted_arguments(function: Callable[..., Any], shown: str) -> tuple[str, ...]:
    """Which of the five a function's signature names; raises `ConfigError` for one that it can't be given."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        raise ConfigError(f"{shown}: the function has no signature to read") from None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return ARGUMENTS
    named = [parameter for parameter in parameters if parameter.kind is not parameter.VAR_POSITIONAL]
    for parameter in named:
        is_known = parameter.name in ARGUMENTS and parameter.kind is not parameter.POSITIONAL_ONLY
        if not is_known and parameter.default is parameter.empty:
            raise ConfigError(
                f"{shown}: the function wants '{parameter.name}'; it can be given "
                f"{', '.join(ARGUMENTS)}, by name{did_you_mean(parameter.name, ARGUMENTS)}"
            )
    return tuple(
        parameter.name
        for parameter in named
        if parameter.name in ARGUMENTS and parameter.kind is not parameter.POSITIONAL_ONLY
    )


def as_completion(result: object, shown: str) -> Completion:
    """A text, a mapping with the keys of DESIGN 6, or a completion; raises `ModelError` for anything else."""
    if isinstance(result, Completion):
        return replace(result, text=safe_text(result.text))
    if isinstance(result, str):
        return Completion(text=safe_text(result))
    if not isinstance(result, Mapping):
        raise _wrong(shown, f"a {type(result).__name__}, not text or a mapping")
    return _from_mapping(result, shown)


def _from_mapping(row: Mapping[Any, Any], shown: str) -> Completion:
    unknown = next((name for name in row if name not in ANSWER_KEYS), None)
    if unknown is not None:
        raise _wrong(shown, f"a mapping with {unknown!r}{did_you_mean(str(unknown), ANSWER_KEYS)}")
    for name in ("text", "finish_reason", "refusal", "model"):
        if not isinstance(row.get(name), str | None):
            raise _wrong(shown, f"{name!r} of type {type(row[name]).__name__}, not text")
    latency_s = row.get("latency_s")
    if latency_s is not None and not (is_number(latency_s) and latency_s >= 0):
        raise _wrong(shown, f"'latency_s' {latency_s!r}, not seconds from 0")
    logprobs = row.get("logprobs")
    if logprobs is not None and not (isinstance(logprobs, Sequence) and all(map(is_number, logprobs))):
        raise _wrong(shown, "'logprobs' that are not a list of finite numbers")
    calls = row.get("tool_calls")
    if calls is not None and not isinstance(calls, list | tuple):
        raise _wrong(shown, f"'tool_calls' {calls!r}, not a list")
    row = {name: safe_json(value) for name, value in row.items()}
    return Completion(
        text=row.get("text") or "",
        tool_calls=tuple(_call_of(call, shown) for call in row.get("tool_calls") or ()),
        finish_reason=row.get("finish_reason"),
        refusal=row.get("refusal"),
        usage=_usage(row.get("usage"), shown),
        latency_s=None if latency_s is None else float(latency_s),
        logprobs=None if logprobs is None else tuple(map(float, logprobs)),
        model=row.get("model"),
    )


def _call_of(call: object, shown: str) -> Any:
    if not isinstance(call, Mapping) or not isinstance(call.get("name"), str):
        raise _wrong(shown, f"a tool call {call!r}, not a mapping with 'name' and 'arguments'")
    arguments = call.get("arguments")
    if not isinstance(arguments, Mapping | str | None):
        raise _wrong(shown, f"a tool call with arguments {arguments!r}, not a mapping")
    return tool_call(call["name"], arguments)


def _usage(usage: object, shown: str) -> Usage:
    if usage is None:
        return Usage()
    names = ("input_tokens", "output_tokens")
    if not isinstance(usage, Mapping) or not all(_is_count(usage.get(name)) for name in names):
        raise _wrong(shown, f"'usage' {usage!r}, not a mapping with input_tokens and output_tokens")
    return Usage(**{name: usage.get(name) for name in names})


def _is_count(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 0)


def _wrong(shown: str, what: str) -> ModelError:
    return ModelError(f"{shown} returned {safe_text(what)}", kind="protocol")


def was_cancelled() -> bool:
    """Whether somebody cancelled this task; else a `CancelledError` is an error of the code that let it out."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _is_async(function: Callable[..., Any]) -> bool:
    call = getattr(function, "__call__", None)  # noqa: B004 - an object with an async __call__ counts too
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)
