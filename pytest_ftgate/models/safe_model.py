"""The door through which all that a model says comes in: safe, bounded, and without secrets.

Whatever a model is (an endpoint, saved answers, a user's function, a plugin's), it stands behind this one, so
that no other code has to ask whether a text was made safe. Nothing here judges or sends.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pytest_ftgate.completions import Completion, ToolCall
from pytest_ftgate.errors import ModelError
from pytest_ftgate.models import Model, Request
from pytest_ftgate.models.boundary import Redactor, bounded, safe_json, safe_message, safe_text
from pytest_ftgate.models.outcomes import raised

#: Of names that an endpoint gives: the served model, its fingerprint, a tool, why it stopped.
_NAME_LENGTH = 500


class SafeModel:
    """A model whose answers and errors are safe; it is that model in every other respect."""

    def __init__(self, model: Model, redact: Redactor) -> None:
        self.inner = model
        self.is_replay = bool(getattr(model, "is_replay", False))
        self._redact = redact

    def __getattr__(self, name: str) -> Any:
        """What only some models have, such as `asks` of an endpoint: it is no text for people."""
        # `inner` is missed by a copy that is being made; an answer never goes past this door.
        if name in ("inner", "answer_now"):
            raise AttributeError(name)
        return getattr(self.inner, name)

    def __repr__(self) -> str:
        return f"SafeModel({self._redact(repr(self.inner))})"

    @property
    def name(self) -> str:
        """The model's own."""
        return self.inner.name

    @property
    def concurrency(self) -> int | None:
        """The model's own."""
        return self.inner.concurrency

    def describe(self) -> dict[str, Any]:
        """The model's own, made safe."""
        described: dict[str, Any] = self._redact.json(safe_json(self.inner.describe()))
        return described

    def missing(self, requests: Sequence[Request]) -> Sequence[str]:
        """The model's own, made safe."""
        return [self._said(line) for line in self.inner.missing(requests)]

    def remarks(self) -> Sequence[str]:
        """The model's own, made safe."""
        return [self._said(line) for line in self.inner.remarks()]

    async def complete(self, request: Request) -> Completion:
        """The model's answer; whatever else it does is a `ModelError`."""
        try:
            answer = await self.inner.complete(request)
        except ModelError as error:
            raise self._error(error) from None
        except (Exception, SystemExit) as error:  # noqa: BLE001 - around a user's model
            raise self._error(raised(self.inner, error)) from None
        return self.safe(answer)

    async def aclose(self) -> None:
        """Closes the model."""
        await self.inner.aclose()

    def safe(self, answer: object) -> Completion:
        """An answer of this model, made safe, however it came; raises `ModelError` if it is none."""
        if not isinstance(answer, Completion):
            what = f"{self.name} answered with a {type(answer).__name__}, not with a Completion"
            raise ModelError(what, kind="protocol")
        names = (answer.finish_reason, answer.model, answer.fingerprint)
        texts = (answer.text, answer.refusal)
        safe_texts, safe_names = tuple(map(self._text, texts)), tuple(map(self._name, names))
        if not (answer.tool_calls or answer.steps) and (texts, names) == (safe_texts, safe_names):
            return answer  # as nearly all are
        return replace(
            answer,
            text=safe_texts[0],
            refusal=safe_texts[1],
            finish_reason=safe_names[0],
            model=safe_names[1],
            fingerprint=safe_names[2],
            tool_calls=tuple(map(self._call, answer.tool_calls)),
            steps=tuple(map(self.safe, answer.steps)),
        )

    def _call(self, call: ToolCall) -> ToolCall:
        try:
            arguments = None if call.arguments is None else self._redact.json(safe_json(call.arguments))
        except ValueError:  # nested deeper than anybody could show
            return ToolCall(
                name=self._name(call.name), arguments=None, text=self._text(json.dumps(call.arguments))
            )
        return ToolCall(name=self._name(call.name), arguments=arguments, text=self._text(call.text))

    def _text(self, text: Any) -> Any:
        return self._redact(safe_text(text)) if isinstance(text, str) else text

    def _name(self, text: Any) -> Any:
        safe = self._text(text)
        return bounded(safe, _NAME_LENGTH) if isinstance(safe, str) else safe

    def _said(self, text: str) -> str:
        # Cut last: of a secret that is cut in two, neither part would be known again.
        return safe_message(self._redact(safe_text(text)))

    def _error(self, error: ModelError) -> ModelError:
        said = self._said(str(error))
        error.args = (said,)
        return error if str(error) == said else ModelError(said, kind=error.kind)


class SafeImmediateModel(SafeModel):
    """One that never waits. A class of its own: `answer_now` is looked up several times for each answer.

    An attribute of the object would keep it, and all saved answers, alive until the collector looks.
    """

    def answer_now(self, request: Request) -> Completion:
        """The model's answer, made safe; raises `ModelError`."""
        try:
            answer: Completion = self.inner.answer_now(request)  # type: ignore[attr-defined] # asked for when made
        except ModelError as error:
            raise self._error(error) from None
        return self.safe(answer)


def safe_model(model: Model, redact: Redactor) -> SafeModel:
    """The model behind its door."""
    kind = SafeImmediateModel if hasattr(model, "answer_now") else SafeModel
    return kind(model, redact)
