"""What comes of asking a model once: an answer or a `ModelError`, whatever the model does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ModelError
from pytest_ftgate.models import Model, Request
from pytest_ftgate.models.boundary import safe_text
from pytest_ftgate.models.cancellation import was_cancelled
from pytest_ftgate.models.conversation import converse, converse_now

Outcome = Completion | ModelError


async def outcome_of(model: Model, request: Request) -> Outcome:
    """Asks, and raises nothing but the cancellation of this task."""
    try:
        return await (converse(model.complete, request) if request.case.turns else model.complete(request))
    except ModelError as error:
        return error
    except asyncio.CancelledError as error:
        if was_cancelled():
            raise
        # Not ours: it got out of the model's own tasks. Without an outcome somebody would wait for ever.
        return raised(model, error)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - around a user's model
        return raised(model, error)


def outcome_now(answer_now: Callable[[Request], Completion], request: Request) -> Outcome:
    """The same for a model that never waits."""
    try:
        return converse_now(answer_now, request) if request.case.turns else answer_now(request)
    except ModelError as error:
        return error


def raised(model: Model, error: BaseException) -> ModelError:
    """What a model's exception amounts to."""
    text = safe_text(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
    return ModelError(f"{model.name} raised {text}", kind="raised")
