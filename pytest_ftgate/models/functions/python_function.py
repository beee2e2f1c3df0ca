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

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ConfigError, ModelError
from pytest_ftgate.models import Model, Request
from pytest_ftgate.models.asked import asked_messages, asked_params
from pytest_ftgate.models.boundary import safe_text
from pytest_ftgate.models.cancellation import was_cancelled
from pytest_ftgate.models.functions.function_answer import as_completion
from pytest_ftgate.models.functions.worker_threads import WorkerThreads
from pytest_ftgate.models.price import Price
from pytest_ftgate.models.wording import did_you_mean

ARGUMENTS = ("prompt", "messages", "tools", "params", "case")
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
        #: Nobody asked for one call at a time: it is because of threads, which processes don't share.
        self.is_limited_by_process = concurrency is None
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
            "prompt": lambda: request.prompt,
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


def _is_async(function: Callable[..., Any]) -> bool:
    call = getattr(function, "__call__", None)  # noqa: B004 - an object with an async __call__ counts too
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)
