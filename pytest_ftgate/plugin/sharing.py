"""How xdist's workers share the work of asking: each a fixed part, all answers in one store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_ftgate.models.answer_store.store import AnswerStore
    from pytest_ftgate.models.engine import CompletionEngine
    from pytest_ftgate.plugin.session import FtgateSession


def store_of(config: pytest.Config, run_id: str, owner: str) -> AnswerStore:
    """The answer store of this project, for one process of one run."""
    from pytest_ftgate.models.answer_store.store import AnswerStore  # noqa: PLC0415  (only xdist's workers share answers)

    return AnswerStore(config.rootpath / ".ftgate" / "answers.sqlite", run_id=run_id, owner=owner)


def worker_engine(session: FtgateSession, worker: dict[str, Any], *, shares: bool) -> CompletionEngine:
    """The engine of a worker: all keep to the concurrency of the run together, and send each request once.

    Without `shares` (a run that may stop early) it asks only for the items that it runs.
    """
    from pytest_ftgate.models.answer_store.answer_key import share_of  # noqa: PLC0415
    from pytest_ftgate.models.engine import CompletionEngine  # noqa: PLC0415

    count, number = int(worker["workercount"]), int(worker["workerid"].removeprefix("gw"))
    store = store_of(session.config, worker["testrunuid"], worker["workerid"])
    session.store = store
    return CompletionEngine(
        session.arms.model_of,
        concurrency=max(1, session.settings.concurrency // count),
        store=store,
        mine=lambda request: (
            not shares or share_of((request.case.suite, request.case.id), count) == number % count
        ),
    )


def forget_worker(config: pytest.Config, node: Any) -> None:
    """Frees what a dead worker had begun to ask, so that the others need not wait for its lease to end."""
    path = config.rootpath / ".ftgate" / "answers.sqlite"
    worker = getattr(node, "workerinput", {})
    if path.exists() and "testrunuid" in worker:
        store = store_of(config, worker["testrunuid"], "controller")
        try:
            store.forget(worker["workerid"])
        finally:
            store.close()
