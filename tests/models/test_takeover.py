"""Answers of an earlier session: when they count for this one, and when they are asked for anew."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import FatalModelError, ModelError
from pytest_ftgate.models import Request
from pytest_ftgate.models.answer_store.session import NOT_STORED, Reuse, Session
from pytest_ftgate.models.answer_store.store import AnswerStore
from pytest_ftgate.models.engine import CompletionEngine
from tests.support.requests import requests


class Endpoint:
    """A model that can be told from other code, and says who served its answers."""

    def __init__(
        self, served: str = "weights-1", fingerprint: str | None = "fp", *, revision: str | None = "1"
    ) -> None:
        self.name = "tuned"
        self.concurrency = None
        self.served, self.fingerprint, self.revision = served, fingerprint, revision
        self.asked: list[str] = []
        self.fails: Callable[[Request], bool] = lambda _: False

    def describe(self) -> dict[str, Any]:
        return {"name": self.name, **({"revision": self.revision} if self.revision else {})}

    def missing(self, asked: Sequence[Request]) -> Sequence[str]:
        return ()

    def remarks(self) -> Sequence[str]:
        return ()

    async def complete(self, asked: Request) -> Completion:
        self.asked.append(asked.case.id)
        if self.fails(asked):
            raise ModelError("HTTP 503", kind="status")
        return Completion(
            text=f"{self.served} says {asked.case.id}",
            model=self.served,
            fingerprint=self.fingerprint,
            latency_s=0.5,
            created=time.time(),
        )

    async def aclose(self) -> None:
        pass


class Sessions:
    """Runs one session after the other on the same store."""

    def __init__(self, path: Path) -> None:
        self.path = path / "answers.sqlite"

    def run(
        self,
        session: str,
        model: Endpoint,
        asked: Sequence[Request],
        *,
        plan: str = "plan",
        reuse: Reuse = Reuse.RESUME,
        planned: int = 10,
        ahead: int | None = None,
        max_age_s: float = 3600.0,
        finish: bool = False,
    ) -> list[Completion | ModelError]:
        """What comes of these of the planned requests."""
        made = Session(id=session, plan=plan, reuse=reuse, max_age_s=max_age_s)
        store = AnswerStore(self.path, made, owner="main")
        groups = [[one] for one in requests(planned)]
        with CompletionEngine({Arm.MODEL: model}, store=store) as engine:
            engine.survey(groups)
            engine.prefetch(groups if ahead is not None else [[one] for one in asked], ahead=ahead)
            outcomes = [outcome(engine, one) for one in asked]
        if finish:
            store.finish()
        store.close()
        return outcomes

    def rows(self, what: str) -> list[Any]:
        with closing(sqlite3.connect(self.path)) as connection:
            return [row[0] for row in connection.execute(f"SELECT {what} FROM answers ORDER BY seq")]


def outcome(engine: CompletionEngine, asked: Request) -> Completion | ModelError:
    try:
        return engine.result(asked, timeout=30)
    except ModelError as error:
        return error


def texts(outcomes: Sequence[Completion | ModelError]) -> list[str]:
    return [one.text for one in outcomes if isinstance(one, Completion)]


def sources(outcomes: Sequence[Completion | ModelError]) -> list[str]:
    return [one.source if isinstance(one, Completion) else "error" for one in outcomes]


@pytest.fixture
def sessions(tmp_path: Path) -> Sessions:
    return Sessions(tmp_path)


def test_an_unfinished_run_is_gone_on_with(sessions: Sessions) -> None:
    first, second = Endpoint(), Endpoint()
    before = sessions.run("one", first, requests(4))

    after = sessions.run("two", second, requests(10))

    assert second.asked == ["4", "5", "6", "7", "8", "9"]
    assert sources(after) == ["resumed"] * 4 + ["live"] * 6
    assert texts(after)[:4] == texts(before)
    assert [one.latency_s for one in after if isinstance(one, Completion)] == [0.5] * 10


def test_nothing_new_to_ask_is_nothing_to_compare_with(sessions: Sessions) -> None:
    sessions.run("one", Endpoint(), requests(10))
    second = Endpoint()

    after = sessions.run("two", second, requests(10))

    assert second.asked == []
    assert sources(after) == ["resumed"] * 10


@pytest.mark.parametrize("change", [{"served": "weights-2"}, {"fingerprint": "fp-2"}, {"fingerprint": None}])
def test_answers_that_another_model_gave_are_asked_anew_and_kept(
    sessions: Sessions, change: dict[str, Any]
) -> None:
    sessions.run("one", Endpoint(), requests(4))
    second = Endpoint(**change)

    after = sessions.run("two", second, requests(10))

    assert sorted(second.asked) == sorted(str(n) for n in range(10))
    assert sources(after) == ["live"] * 10
    assert {one.model for one in after if isinstance(one, Completion)} == {second.served}
    assert len(sessions.rows("seq")) == 14


def test_of_answers_of_two_models_those_of_the_present_one_count(sessions: Sessions) -> None:
    sessions.run("one", Endpoint(fingerprint="a"), requests(2))
    store = AnswerStore(sessions.path, Session(id="two", plan="plan", reuse=Reuse.RESUME), owner="x")
    store.open()
    mixed = Endpoint(fingerprint="b")
    with CompletionEngine({Arm.MODEL: mixed}, store=store) as engine:
        assert engine.result(requests(4)[3]).fingerprint == "b"
    third = Endpoint(fingerprint="b")

    after = sessions.run("three", third, requests(5), planned=5)

    assert sorted(third.asked) == ["0", "1", "2", "4"]
    assert sources(after) == ["live", "live", "live", "resumed", "live"]


@pytest.mark.parametrize(
    "other", [{"plan": "another"}, {"max_age_s": 0.0}, {"reuse": Reuse.REFRESH}], ids=str
)
def test_another_plan_an_old_run_or_a_refresh_begins_anew(sessions: Sessions, other: dict[str, Any]) -> None:
    sessions.run("one", Endpoint(), requests(4))
    second = Endpoint()

    after = sessions.run("two", second, requests(10), **other)

    assert sources(after) == ["live"] * 10
    assert len(second.asked) == 10


def test_a_finished_run_is_never_served(sessions: Sessions) -> None:
    sessions.run("one", Endpoint(), requests(10), finish=True)
    second = Endpoint()

    sessions.run("two", second, requests(10))

    assert len(second.asked) == 10


def test_errors_of_an_earlier_session_are_asked_again(sessions: Sessions) -> None:
    first, second = Endpoint(), Endpoint()
    first.fails = lambda asked: asked.case.id == "3"
    assert sources(sessions.run("one", first, requests(10)))[3] == "error"

    after = sessions.run("two", second, requests(10))

    assert second.asked == ["3"]
    assert sources(after) == ["resumed"] * 3 + ["live"] + ["resumed"] * 6


def test_if_no_new_answer_comes_an_earlier_one_is_asked_anew_to_compare_with(sessions: Sessions) -> None:
    sessions.run("one", Endpoint(), requests(4))
    second = Endpoint(served="weights-2")
    second.fails = lambda asked: int(asked.case.id) >= 4

    after = sessions.run("two", second, requests(10))

    assert sources(after) == ["live"] * 4 + ["error"] * 6
    assert {one.model for one in after[:4] if isinstance(one, Completion)} == {"weights-2"}


def test_if_nothing_is_answered_any_more_nothing_is_taken_over(sessions: Sessions) -> None:
    sessions.run("one", Endpoint(), requests(4))
    second = Endpoint()
    second.fails = lambda _: True

    after = sessions.run("two", second, requests(10))

    assert sources(after) == ["error"] * 10
    assert sorted(second.asked) == sorted(str(n) for n in range(10))


def test_what_is_asked_ahead_of_little_only_does_not_block_what_is_taken_over(sessions: Sessions) -> None:
    sessions.run("one", Endpoint(), requests(8))
    second = Endpoint()

    after = sessions.run("two", second, requests(3), ahead=1)

    assert sources(after) == ["resumed"] * 3
    assert second.asked == ["8"]


def test_code_that_nothing_tells_apart_is_asked_again(sessions: Sessions) -> None:
    sessions.run("one", Endpoint(revision=None), requests(4))
    second = Endpoint(revision=None)

    after = sessions.run("two", second, requests(10))

    assert sources(after) == ["live"] * 10
    assert len(second.asked) == 10


def test_use_takes_any_answer_and_asks_for_the_rest_without_times(sessions: Sessions) -> None:
    sessions.run("one", Endpoint(), requests(4), finish=True, plan="another")
    second = Endpoint(served="weights-2")

    after = sessions.run("two", second, requests(10), reuse=Reuse.USE)

    assert second.asked == ["4", "5", "6", "7", "8", "9"]
    assert sources(after) == ["recorded"] * 10
    assert [one.model for one in after if isinstance(one, Completion)] == ["weights-1"] * 4 + [
        "weights-2"
    ] * 6


def test_use_takes_the_newest_answer(sessions: Sessions) -> None:
    sessions.run("one", Endpoint(), requests(2))
    sessions.run("two", Endpoint(served="weights-2"), requests(2), reuse=Reuse.REFRESH)

    after = sessions.run("three", Endpoint(), requests(2), reuse=Reuse.USE, planned=2)

    assert texts(after) == ["weights-2 says 0", "weights-2 says 1"]


def test_only_sends_nothing(sessions: Sessions) -> None:
    sessions.run("one", Endpoint(), requests(4))
    second = Endpoint()

    after = sessions.run("two", second, requests(10), reuse=Reuse.ONLY)

    assert second.asked == []
    assert sources(after) == ["recorded"] * 4 + ["error"] * 6
    assert {str(one) for one in after[4:]} == {NOT_STORED}


def test_an_answer_that_somebody_changed_is_asked_again(sessions: Sessions) -> None:
    sessions.run("one", Endpoint(), requests(4))
    with closing(sqlite3.connect(sessions.path)) as connection, connection:
        connection.execute("UPDATE answers SET completion = replace(completion, 'says 2', 'says II')")
    second = Endpoint()

    after = sessions.run("two", second, requests(4), planned=4)

    assert second.asked == ["2"]
    assert texts(after)[2] == "weights-1 says 2"
    assert len(sessions.rows("seq")) == 5


def test_two_sessions_at_once_send_each_request_once(sessions: Sessions) -> None:
    first, second = Endpoint(), Endpoint()
    stores = [
        AnswerStore(sessions.path, Session(id=name, plan="plan", reuse=Reuse.RESUME), owner="main")
        for name in ("one", "two")
    ]
    groups = [[one] for one in requests(200)]
    with (
        CompletionEngine({Arm.MODEL: first}, store=stores[0]) as engine,
        CompletionEngine({Arm.MODEL: second}, store=stores[1]) as other,
    ):
        engine.prefetch(groups)
        engine.result(requests(1)[0])
        other.survey(groups)
        other.prefetch(groups)
        told = [[each.result(one, timeout=30).text for (one,) in groups] for each in (engine, other)]

    assert told[0] == told[1]
    assert sorted(first.asked + second.asked) == sorted(str(n) for n in range(200))


def test_a_stop_reaches_the_other_processes_of_the_session(sessions: Sessions) -> None:
    class Hanging(Endpoint):
        async def complete(self, asked: Request) -> Completion:
            import asyncio

            self.asked.append(asked.case.id)
            await asyncio.sleep(600)
            raise AssertionError

    model = Hanging()
    session = Session(id="one")
    store = AnswerStore(sessions.path, session, owner="gw0")
    controller = AnswerStore(sessions.path, session, owner="controller", begins=False)
    with CompletionEngine({Arm.MODEL: model}, store=store) as engine:
        engine.prefetch([[requests(1)[0]]])
        while not model.asked:
            time.sleep(0.001)
        controller.stop("Ctrl-C", "stopped")
        with pytest.raises(FatalModelError, match="Ctrl-C"):
            engine.result(requests(1)[0], timeout=30)
    controller.close()
