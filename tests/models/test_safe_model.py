from __future__ import annotations

import asyncio
import copy
import gc
import weakref
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings

from pytest_ftgate.completions import Completion, ToolCall
from pytest_ftgate.errors import FatalModelError, ModelError
from pytest_ftgate.models import Model, Request
from pytest_ftgate.models.redaction import Redactor
from pytest_ftgate.models.safe_model import SafeModel, safe_model
from tests.support.hostile import hostile_texts
from tests.support.requests import request

SECRET = "sk-canary-5up3r/s3cr3t+k3y"


class Plugin:
    """A model as a hook may give it: nobody has looked at its texts."""

    name = "plugin"
    concurrency = 3

    def __init__(self, does: Any, said: str = "") -> None:
        self._does = does
        self._said = said
        self.is_closed = False

    def __repr__(self) -> str:
        return f"Plugin({SECRET})"

    def describe(self) -> dict[str, Any]:
        return {"name": self.name, "host": self._said}

    def missing(self, requests: Sequence[Request]) -> Sequence[str]:
        return [self._said]

    def remarks(self) -> Sequence[str]:
        return [self._said]

    async def complete(self, request: Request) -> Completion:
        if isinstance(self._does, BaseException):
            raise self._does
        answer: Completion = self._does
        return answer

    async def aclose(self) -> None:
        self.is_closed = True


class Ready(Plugin):
    """One that never waits."""

    def answer_now(self, request: Request) -> Completion:
        return asyncio.run(self.complete(request))


def safe(does: Any, said: str = "", kind: type[Plugin] = Plugin) -> SafeModel:
    return safe_model(kind(does, said), Redactor([SECRET]))


def answer_of(does: Any) -> Completion:
    return asyncio.run(safe(does).complete(request()))


def error_of(does: Any) -> ModelError:
    with pytest.raises(ModelError) as caught:
        answer_of(does)
    return caught.value


def full(text: str) -> Completion:
    calls = (
        ToolCall(name=text, arguments={text: [text, {"a": text}]}),
        ToolCall(name=text, arguments=None, text=text),
    )
    return Completion(
        text=text,
        refusal=text,
        finish_reason=text,
        model=text,
        fingerprint=text,
        tool_calls=calls,
        steps=(Completion(text=text, turn=1),),
    )


def test_it_is_a_model_and_that_model() -> None:
    model = safe(Completion(text="x"))

    asyncio.run(model.aclose())

    assert isinstance(model, Model)
    assert (model.name, model.concurrency) == ("plugin", 3)
    assert not hasattr(model, "answer_now")
    assert isinstance(model.inner, Plugin)
    assert model.inner.is_closed


def test_what_only_some_models_have_is_there() -> None:
    class Asking(Plugin):
        def asks(self, request: Request) -> dict[str, Any]:
            return {"body": request.prompt}

    assert safe(None, kind=Asking).asks(request()) == {"body": request().prompt}
    assert not hasattr(safe(None), "asks")
    with pytest.raises(AttributeError):
        copy.copy(safe(None)).nothing  # noqa: B018


def test_an_ordinary_answer_stays_as_it_is() -> None:
    assert answer_of(full("Paris, 日本\n")) == full("Paris, 日本\n")


@given(hostile_texts)
@settings(deadline=None)
def test_no_part_of_an_answer_holds_what_can_not_be_stored_or_shown(text: str) -> None:
    answer = repr(answer_of(full(f"{text} {SECRET}")).as_json())

    answer.encode("utf-8")
    assert SECRET not in answer
    assert "\\x00" not in answer.replace("\\\\x00", "")


def test_names_are_bounded_and_texts_are_not() -> None:
    answer = answer_of(full("x" * 1_000_000))

    cut = "x" * 500 + "… (999,500 more characters)"
    assert (answer.model, answer.fingerprint, answer.finish_reason) == (cut, cut, cut)
    assert answer.tool_calls[0].name == cut
    assert answer.text == answer.refusal == "x" * 1_000_000


def test_arguments_that_nest_too_deeply_are_kept_as_text() -> None:
    """Whoever walks them later would be at the end of Python's stack."""
    deep: Any = "bottom"
    for _ in range(100):
        deep = [deep]

    (call,) = answer_of(Completion(tool_calls=(ToolCall(name="f", arguments={"a": deep}),))).tool_calls

    assert call.arguments is None
    assert call.text == '{"a": ' + "[" * 100 + '"bottom"' + "]" * 100 + "}"


@pytest.mark.parametrize(
    ("raised", "kind", "said"),
    [
        (ModelError(f"a\x1b {SECRET}", kind="status"), "status", "a\\x1b [redacted]"),
        (ValueError(f"a\x1b {SECRET}"), "raised", "plugin raised ValueError: a\\x1b [redacted]"),
        (SystemExit(0), "raised", "plugin raised SystemExit: 0"),
        (ModelError("x" * 5000, kind="a"), "a", "x" * 4000 + "… (1,000 more characters)"),
        # Cut in two, neither half would be known as a part of the secret.
        (ModelError("x" * 3990 + SECRET, kind="a"), "a", "x" * 3990 + "[redacted]"),
    ],
)
def test_what_a_model_raises_is_an_error_without_secrets(raised: BaseException, kind: str, said: str) -> None:
    error = error_of(raised)

    assert (error.kind, str(error)) == (kind, said)


def test_a_fatal_error_stays_fatal() -> None:
    assert isinstance(error_of(FatalModelError(SECRET, kind="status")), FatalModelError)


def test_an_error_that_insists_on_its_words_is_replaced() -> None:
    class Stubborn(ModelError):
        def __str__(self) -> str:
            return SECRET

    assert str(error_of(Stubborn("x", kind="status"))) == "[redacted]"


def test_what_is_no_completion_is_an_error() -> None:
    assert str(error_of("Paris")) == "plugin answered with a str, not with a Completion"


def test_a_model_that_never_waits_is_safe_too() -> None:
    assert safe(full(SECRET), kind=Ready).answer_now(request()).text == "[redacted]"
    with pytest.raises(ModelError) as caught:
        safe(ModelError(SECRET, kind="recorded"), kind=Ready).answer_now(request())
    assert str(caught.value) == "[redacted]"


def test_what_a_model_says_of_itself_is_safe() -> None:
    model = safe(None, f"\ud800 {SECRET}")

    assert model.describe() == {"name": "plugin", "host": "\\ud800 [redacted]"}
    assert model.missing([]) == model.remarks() == ["\\ud800 [redacted]"]
    assert repr(model) == "SafeModel(Plugin([redacted]))"


def test_saved_answers_are_let_go_of_without_a_collector() -> None:
    model = Ready(None, "")
    told = weakref.ref(model)
    door = safe_model(model, Redactor([]))
    gc.disable()
    try:
        del model, door
        assert told() is None
    finally:
        gc.enable()


def test_no_answer_goes_past_the_door_of_another_kind() -> None:
    assert not hasattr(SafeModel(Ready(None, ""), Redactor([])), "answer_now")
