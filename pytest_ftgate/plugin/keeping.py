"""Where the answers of this run are kept, and how xdist's workers share the work of asking for them."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest

from pytest_ftgate.cases import digest
from pytest_ftgate.errors import StoreError
from pytest_ftgate.models.place import Place
from pytest_ftgate.plugin.workers import Worker, store_base

if TYPE_CHECKING:
    from pytest_ftgate.models import Model, Request
    from pytest_ftgate.models.answer_store.store import AnswerStore
    from pytest_ftgate.models.engine import CompletionEngine
    from pytest_ftgate.plugin.session import FtgateSession

_NAMED = 20
_Result = TypeVar("_Result")


def engine_of(session: FtgateSession, *, dealt: Sequence[tuple[str, str]]) -> CompletionEngine:
    """The engine of this process, which keeps all answers in the store of this session.

    All workers keep to the concurrency of the run together, and send each request once. The cases that are
    `dealt` to the workers in turn are asked by one of them ahead of time; all else by who needs it.
    """
    from pytest_ftgate.models.engine import CompletionEngine  # noqa: PLC0415

    settings, worker = session.settings, Worker.of(session.config)
    place = worker.place if worker is not None else Place()
    numbers = {key: number for number, key in enumerate(dict.fromkeys(dealt))}
    session.store = store_of(session)
    if worker is not None and worker.is_apart:
        _refuse_apart(session, worker)
    return CompletionEngine(
        session.arms.model_of,
        concurrency=settings.concurrency,
        store=session.store,
        place=place,
        mine=lambda request: (
            numbers.get((request.case.suite, request.case.id), place.number) % place.count == place.number
        ),
        spending=settings.spending,
        deadline=None if settings.deadline_s is None else session.started + settings.deadline_s,
        follow=session.graders.follow if session.graders.is_needed else None,
    )


def _refuse_apart(session: FtgateSession, worker: Worker) -> None:
    """Workers take turns, and add up what they spend, through one store; without it they need parts."""
    spending = session.settings.spending
    if spending is not None and (spending.tokens, spending.cost) != (None, None):
        raise pytest.UsageError(
            f"--ftgate-max-tokens and --ftgate-max-cost can't be kept, since {worker.id} keeps answers "
            "elsewhere: use workers of one machine"
        )
    limits = {"--ftgate-concurrency": session.settings.concurrency}
    for (_, spec), model in session.arms.models.items():
        if model.concurrency is not None and not getattr(model, "is_limited_by_process", False):
            limits[f"'concurrency' of model '{spec}'"] = model.concurrency
    for name, limit in limits.items():
        if limit < worker.place.count:
            raise pytest.UsageError(
                f"{name} is {limit}, and that can't be kept by {worker.place.count} workers of which "
                f"{worker.id} keeps answers elsewhere: allow {worker.place.count} requests at once, or "
                f"use {limit} worker{'s' if limit > 1 else ''}"
            )


def store_of(session: FtgateSession) -> AnswerStore | None:
    """The answer store as this process uses it; None where no answer is to be kept.

    A worker that can't reach that of the others has its own, which nobody goes on with: a run that is whole
    is marked as finished only where the controller sees it.
    """
    from pytest_ftgate.models.answer_store.session import Reuse, Session  # noqa: PLC0415
    from pytest_ftgate.models.answer_store.store import AnswerStore  # noqa: PLC0415

    settings, worker = session.settings, Worker.of(session.config)
    is_apart = worker is not None and worker.is_apart
    if settings.reuse is Reuse.OFF and (worker is None or is_apart):
        return None
    this = Session(
        id=worker.session if worker is not None else new_session_id(),
        plan=_plan_digest(session) if _asks_anyone(session) else "",
        reuse=Reuse.REFRESH if is_apart and settings.reuse is Reuse.RESUME else settings.reuse,
        max_age_s=settings.resume_max_age_s,
        models=session.arms.header(),
    )
    return AnswerStore(store_path(session, this.id), this, owner=worker.id if worker is not None else "main")


def new_session_id() -> str:
    """Not the run's id: CI may give the same one to a second try, which is another session."""
    return secrets.token_hex(8)


def store_path(session: FtgateSession, session_id: str) -> Path:
    """Where answers are kept; a folder of its own, which ends with the run, if they are not to be."""
    is_kept = session.settings.reuse != "off"
    worker = Worker.of(session.config)
    base = worker.folder if worker is not None else None
    base = base or store_base(session.config, is_kept=is_kept)
    return base / (".ftgate" if is_kept else f"ftgate-{session_id}") / "answers.sqlite"


def _asks_anyone(session: FtgateSession) -> bool:
    """Whether any answer can come from a model that does more than play saved ones; only such are kept."""
    models = session.arms.models.values()
    is_replayed = all(getattr(model, "is_replay", False) for model in models)
    return not is_replayed or any(test.replaced for test in session.collected.tests.values())


def _plan_digest(session: FtgateSession) -> str:
    """Who is asked what, and what of it was selected: only a run with the same is gone on with."""
    plan = session.plan
    assert plan is not None
    shard = [list(session.sharding.shard)] if session.sharding else []
    return digest([plan.digest, plan.left_out, session.described, *shard])


def not_stored(session: FtgateSession, requests: Sequence[Request]) -> list[str]:
    """Where only stored answers count: what they lack, a line each; raises UsageError for a bad store."""
    from pytest_ftgate.models.answer_store.answer_key import AnswerKeys  # noqa: PLC0415

    store = store_of(session)
    assert store is not None
    asked = [(model, request) for request in requests if (model := _asked(session, request))]
    keys = AnswerKeys(store.session.id)
    wanted = {keys.of(model, request): (model, request) for model, request in asked}
    try:
        found = store.outcomes(list(wanted))
        store.close()
    except StoreError as error:
        raise pytest.UsageError(str(error)) from None
    lacking = [_lacks(*pair) for key, pair in wanted.items() if key not in found]
    more = [f"... and {len(lacking) - _NAMED} more"] if len(lacking) > _NAMED else []
    return [*lacking[:_NAMED], *more]


def _asked(session: FtgateSession, request: Request) -> Model | None:
    model = session.arms.model_of(request)
    return None if hasattr(model, "answer_now") else model


def _lacks(model: Model, request: Request) -> str:
    case = request.case
    nth = f", repeat {request.repeat}" if request.repeat > 1 else ""
    return (
        f"{case.path}:{case.line}: case '{case.id}'{nth}: no stored answer of {model.name}: "
        "--ftgate-cache=use asks for what is missing"
    )


class RunStore:
    """What the process that decides does with the store of this run; owned by the run's `Conclusion`.

    Nothing happens where no answer was kept.
    """

    def __init__(self, session: FtgateSession) -> None:
        self._session = session
        #: The session's id: on xdist's controller that of the workers, once there are any.
        self.worker_session: str | None = None

    def forget(self, worker: str) -> None:
        """Frees what a dead worker had begun to ask: the others need not wait for its lease to end."""
        self._do(lambda store: store.forget(worker))

    def stop(self, reason: str) -> None:
        """Has all workers stop, wherever they wait."""
        self._do(lambda store: store.stop(reason, "stopped"))

    def finish(self) -> None:
        """Says that nothing is left to go on with."""
        self._do(lambda store: store.finish())

    def kept(self) -> int:
        """How many answers the next run may take over."""
        return self._do(lambda store: store.count()) or 0

    def close(self) -> None:
        """Removes what was only for the workers of this run."""
        if self.worker_session is not None and self._session.settings.reuse == "off":
            shutil.rmtree(store_path(self._session, self.worker_session).parent, ignore_errors=True)

    def _do(self, what: Callable[[AnswerStore], _Result]) -> _Result | None:
        own = self._session.store
        session_id = own.session.id if own is not None else self.worker_session
        if session_id is None or not (path := store_path(self._session, session_id)).exists():
            return None
        from pytest_ftgate.models.answer_store.session import Session  # noqa: PLC0415
        from pytest_ftgate.models.answer_store.store import AnswerStore  # noqa: PLC0415

        store = AnswerStore(path, Session(id=session_id), owner="controller", begins=False)
        try:
            return what(store)
        finally:
            store.close()
