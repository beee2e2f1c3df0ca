"""What tests written in Python are handed: `model` and `baseline` to ask, and `as_model` to replace them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ftgate.cases import Arm, EvalCase, Role, digest
from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ConfigError, ModelError
from pytest_ftgate.plugin.stash import session_key

if TYPE_CHECKING:
    from pytest_ftgate.models import Model, Request
    from pytest_ftgate.plugin.judgement import CaseHandle
    from pytest_ftgate.plugin.session import FtgateSession


class ModelHandle:
    """Asks one arm: `model(eval_case)`, `model("any prompt")`, or `await model.acomplete(…)` of either.

    Answers to eval cases were generated ahead, together with all others; each case is asked once. The
    `Completion` knows its arm. Raises `ModelError` where no answer can be had, which makes the trial errored.
    """

    def __init__(self, arm: Arm, session: FtgateSession, model: Model | None = None) -> None:
        self.arm = arm
        self._session = session
        self._model = model
        # Names are no identity: two folders may call their functions alike.
        self._via = f"{model.name} ({id(model)})" if model is not None else ""

    def __repr__(self) -> str:
        return f"<ftgate {self.arm} {self._model.name}>" if self._model else f"<ftgate {self.arm}>"

    def __call__(self, asked: CaseHandle | str) -> Completion:
        """The answer; waits for it."""
        __tracebackhide__ = True
        request = self._request(asked)
        try:
            answer = self._session.answer(request)
        except ModelError as error:
            self._note_error(asked, error)
            raise
        return self._hand_over(asked, answer)

    async def acomplete(self, asked: CaseHandle | str) -> Completion:
        """The answer; lets the event loop of the test go on meanwhile (asyncio, or trio by way of anyio)."""
        __tracebackhide__ = True
        from anyio import to_thread  # noqa: PLC0415  (only async tests need it)

        request = self._request(asked)
        try:
            answer = await to_thread.run_sync(self._session.answer, request)
        except ModelError as error:
            self._note_error(asked, error)
            raise
        return self._hand_over(asked, answer)

    def request(self, case: EvalCase, repeat: int) -> Request:
        """The request for a case, to this arm's model or the one that replaces it."""
        from pytest_ftgate.models import Request  # noqa: PLC0415  (not before the first answer is needed)

        via = self._via if self._model else ""
        return Request(case=case, arm=self.arm, repeat=repeat, model=self._model, via=via)

    def _request(self, asked: CaseHandle | str) -> Request:
        if not isinstance(asked, str):
            return self.request(asked.case, asked.repeat)
        test = self._session.current
        around = test.case if test is not None else None
        name = f"{around.id if around else 'prompt'}.{digest(asked)}"
        prompt = EvalCase(
            suite=around.suite if around else "prompts",
            role=around.role if around else Role.TARGET,
            id=name,
            path=around.path if around else "",
            line=around.line if around else 1,
            messages=({"role": "user", "content": asked},),
        )
        return self.request(prompt, 1)

    def _note_error(self, asked: CaseHandle | str, error: ModelError) -> None:
        test = self._session.current
        if test is not None and test.judgement is not None and not isinstance(asked, str):
            test.judgement.note_error(self.arm, error)

    def _hand_over(self, asked: CaseHandle | str, answer: Completion) -> Completion:
        whose = None if isinstance(asked, str) else (asked.case.suite, asked.case.id, asked.repeat)
        answer = replace(answer, arm=self.arm, answers=whose)
        test = self._session.current
        if test is not None and test.judgement is not None:
            test.judgement.note_answer(answer, is_aside=whose is None)
        return answer


def as_model(request: pytest.FixtureRequest, model: str | Callable[..., Any]) -> ModelHandle:
    """Replaces `model` or `baseline` for a folder: what the overriding fixture in its conftest returns.

    `model` is what `--model` takes, or a function as for `python:`. Raises UsageError for anything else, and
    outside a fixture named `model` or `baseline`. Example::

        @pytest.fixture
        def model(request):
            return as_model(request, my_app.answer)
    """
    from pytest_ftgate.plugin.activation import activate  # noqa: PLC0415  (a conftest may import this first)

    session = activate(request.config)
    try:
        arm = Arm(str(request.fixturename))
    except ValueError:
        raise pytest.UsageError(
            f"as_model is for fixtures named 'model' or 'baseline', not for '{request.fixturename}'"
        ) from None
    try:
        return ModelHandle(arm, session, session.arms.made(arm, model))
    except ConfigError as error:
        raise pytest.UsageError(str(error)) from None


def handle_for(request: pytest.FixtureRequest, arm: Arm) -> ModelHandle:
    """What the plugin's own fixtures give; skips the test where this run has no such arm."""
    session = request.config.stash.get(session_key, None)
    if session is None or not session.arms.has(arm):
        option = f"--{arm}" if session is None else session.settings.option_of(arm)
        pytest.skip(f"no {arm}: name one with {option}=NAME")
    return ModelHandle(arm, session)


def own_handle(value: object, arm: Arm) -> ModelHandle:
    """What an overriding fixture returned, if `as_model` made it; anything else is a usage error."""
    if isinstance(value, ModelHandle) and value.arm is arm:
        return value
    pytest.fail(
        f"the fixture '{arm}' that replaces ftgate's must return as_model(request, model), "
        f"not {type(value).__name__}",
        pytrace=False,
    )
