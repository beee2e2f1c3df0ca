from __future__ import annotations

import _thread
import asyncio
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import NO_USAGE, Completion
from pytest_ftgate.errors import FatalModelError, ModelError, StoreError
from pytest_ftgate.models import Request
from pytest_ftgate.models.answer_store.session import Session
from pytest_ftgate.models.answer_store.store import AnswerStore
from pytest_ftgate.models.engine import CompletionEngine
from pytest_ftgate.models.limits import Spending
from pytest_ftgate.models.place import Place
from tests.models.asking import QUICK, chat
from tests.support.requests import request, requests
from tests.support.server import ChatServer, Reply, error_reply


class Scripted:
    """A model that notes what it is asked, and answers as told."""

    def __init__(
        self,
        answer: Callable[[Request], str] = lambda _: "x",
        *,
        wait_s: float = 0.0,
        concurrency: int | None = None,
    ) -> None:
        self.name = "scripted"
        self.concurrency = concurrency
        self.asked: list[str] = []
        self.at_once = self.most_at_once = 0
        self.closed = False
        self.thread: str | None = None
        self._answer = answer
        self._wait_s = wait_s

    def describe(self) -> dict[str, Any]:
        return {"name": self.name}

    def missing(self, requests: Sequence[Request]) -> Sequence[str]:
        return ()

    def remarks(self) -> Sequence[str]:
        return ()

    async def complete(self, asked: Request) -> Completion:
        self.asked.append(asked.case.id)
        self.thread = threading.current_thread().name
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(self._wait_s)
            return Completion(text=self._answer(asked))
        finally:
            self.at_once -= 1

    async def aclose(self) -> None:
        self.closed = True


class Meeting(Scripted):
    """A model whose answer waits until the other arm is asked, too."""

    def __init__(self, barrier: threading.Barrier) -> None:
        super().__init__()
        self._barrier = barrier

    async def complete(self, asked: Request) -> Completion:
        await asyncio.to_thread(self._barrier.wait)
        return Completion(text="met")


def fatal(_: Request) -> str:
    raise FatalModelError("no such model", kind="status")


def engine_of(model: Scripted, **settings: Any) -> CompletionEngine:
    return CompletionEngine(lambda one: one.model or model, **settings)


def each(asked: Sequence[Request]) -> list[list[Request]]:
    return [[one] for one in asked]


def test_answers_come_back_to_their_requests() -> None:
    asked = requests(20)

    with engine_of(Scripted(lambda one: one.case.id * 2)) as engine:
        engine.prefetch(each(asked))
        texts = [engine.result(one).text for one in reversed(asked)]

    assert texts == [str(number) * 2 for number in reversed(range(20))]


def test_a_request_is_sent_once_however_often_it_is_needed() -> None:
    model = Scripted()

    with engine_of(model) as engine:
        engine.prefetch([[request()], [request()]])
        engine.prefetch([[request()]])
        for _ in range(3):
            engine.result(request())

    assert model.asked == ["capital"]


def test_repeats_are_requests_of_their_own() -> None:
    model = Scripted()

    with engine_of(model) as engine:
        engine.result(request(repeat=1))
        engine.result(request(repeat=2))

    assert len(model.asked) == 2


def test_a_request_that_was_never_prefetched_is_sent_on_demand() -> None:
    with engine_of(Scripted(lambda _: "Paris")) as engine:
        assert engine.result(request()).text == "Paris"


def test_one_key_can_not_stand_for_two_questions() -> None:
    with engine_of(Scripted()) as engine:
        engine.result(request("Capital of France?"))
        with pytest.raises(ValueError, match="was asked something else before"):
            engine.result(request("Capital of Spain?"))


def test_requests_go_out_in_the_order_of_the_items() -> None:
    model = Scripted(wait_s=0.001)

    with engine_of(model, concurrency=2) as engine:
        engine.prefetch(each(requests(10)))
        for one in requests(10):
            engine.result(one)

    assert model.asked == [str(number) for number in range(10)]


def test_a_request_that_is_waited_for_jumps_the_queue() -> None:
    model = Scripted(wait_s=0.001)

    with engine_of(model, concurrency=1) as engine:
        engine.prefetch(each(requests(50)))
        engine.result(requests(50)[-1])

    assert len(model.asked) < 10


def test_no_more_than_the_concurrency_is_in_flight() -> None:
    model = Scripted(wait_s=0.005)
    asked = requests(12)

    with engine_of(model, concurrency=4) as engine:
        engine.prefetch(each(asked))
        for one in asked:
            engine.result(one)

    assert model.most_at_once == 4


def test_a_models_own_limit_holds_and_does_not_keep_the_other_arm_waiting() -> None:
    single, free = Scripted(wait_s=0.02, concurrency=1), Scripted(wait_s=0.02)
    pairs = [[request(id=str(n)), request(id=str(n), arm=Arm.BASELINE)] for n in range(8)]

    with CompletionEngine({Arm.MODEL: single, Arm.BASELINE: free}, concurrency=6) as engine:
        engine.prefetch(pairs)
        for _, baseline in pairs:
            engine.result(baseline)
        still_open = 8 - len(single.asked)

    assert single.most_at_once == 1
    assert free.most_at_once >= 4
    assert still_open > 0


def test_the_first_request_of_each_arm_goes_alone() -> None:
    asked_at_each_answer: list[int] = []

    def answer(_: Request) -> str:
        asked_at_each_answer.append(len(model.asked))
        return "x"

    model = Scripted(answer, wait_s=0.01)
    with engine_of(model) as engine:
        engine.prefetch(each(requests(5)))
        for one in requests(5):
            engine.result(one)

    assert asked_at_each_answer == [1, 5, 5, 5, 5]


def test_the_first_requests_of_both_arms_go_at_the_same_time() -> None:
    met = threading.Barrier(2, timeout=5)
    arms = {arm: Meeting(met) for arm in Arm}

    with CompletionEngine(arms) as engine:
        engine.prefetch([[request(), request(arm=Arm.BASELINE)]])
        texts = [engine.result(request(arm=arm)).text for arm in Arm]

    assert texts == ["met", "met"]


def test_a_fatal_error_stops_everything_after_one_request() -> None:
    model = Scripted(fatal)
    asked = requests(100)

    with engine_of(model) as engine:
        engine.prefetch(each(asked))
        with pytest.raises(FatalModelError, match=r"^no such model$"):
            engine.result(asked[0])
        with pytest.raises(FatalModelError, match=r"^no such model$"):
            engine.result(asked[99])
        with pytest.raises(FatalModelError, match=r"^no such model$"):
            engine.result(request(id="new"))
        assert engine.fatal is not None
        assert engine.progress() == (0, 101)

    assert model.asked == ["0"]


def test_a_fatal_error_of_one_arm_cancels_what_the_other_waits_for() -> None:
    slow, broken = Scripted(wait_s=30), Scripted(fatal, wait_s=0.02)
    started = time.monotonic()

    with CompletionEngine({Arm.MODEL: slow, Arm.BASELINE: broken}) as engine:
        engine.prefetch([[request(), request(arm=Arm.BASELINE)]])
        with pytest.raises(FatalModelError):
            engine.result(request())

    assert time.monotonic() - started < 20  # the answer takes 30 s


def test_answers_from_before_a_fatal_error_are_kept() -> None:
    model = Scripted(lambda one: fatal(one) if one.case.id == "1" else "x")

    with engine_of(model, concurrency=1) as engine:
        engine.prefetch(each(requests(3)))
        with pytest.raises(FatalModelError):
            engine.result(requests(3)[1])

        assert engine.result(requests(3)[0]).text == "x"


def test_an_error_is_one_requests_own() -> None:
    def answer(one: Request) -> str:
        if one.case.id == "1":
            raise ModelError("too long", kind="status")
        return "x"

    with engine_of(Scripted(answer)) as engine:
        engine.prefetch(each(requests(3)))
        for _ in range(2):
            with pytest.raises(ModelError, match=r"^too long$"):
                engine.result(requests(3)[1])

        assert engine.result(requests(3)[2]).text == "x"
        assert engine.fatal is None


def test_a_model_that_raises_anything_else_is_an_error_of_that_request() -> None:
    def answer(_: Request) -> str:
        raise KeyError("city")

    with engine_of(Scripted(answer)) as engine, pytest.raises(ModelError) as caught:
        engine.result(request())

    assert str(caught.value) == "scripted raised KeyError: 'city'"
    assert caught.value.kind == "raised"


def test_a_model_that_exits_does_not_end_the_engine() -> None:
    def answer(one: Request) -> str:
        if one.case.id == "0":
            raise SystemExit(0)
        return "x"

    with engine_of(Scripted(answer)) as engine:
        with pytest.raises(ModelError) as caught:
            engine.result(requests(2)[0])

        assert str(caught.value) == "scripted raised SystemExit: 0"
        assert engine.result(requests(2)[1]).text == "x"


def test_a_stray_cancellation_within_a_model_is_an_error_of_that_request() -> None:
    def answer(_: Request) -> str:
        raise asyncio.CancelledError

    with engine_of(Scripted(answer)) as engine, pytest.raises(ModelError) as caught:
        engine.result(request(), timeout=5)

    assert str(caught.value) == "scripted raised CancelledError"


def test_no_more_groups_than_allowed_are_sent_ahead() -> None:
    model = Scripted()
    asked = requests(10)

    with engine_of(model) as engine:
        engine.prefetch(each(asked), ahead=2)
        engine.result(asked[0])
        engine.result(asked[1])
        engine.result(asked[2])
        engine.result(request(id="after all that was released"))

    assert model.asked == ["0", "1", "2", "3", "4", "after all that was released"]


def test_progress_counts_answers_and_plans() -> None:
    asked = requests(5)

    with engine_of(Scripted()) as engine:
        before = engine.progress()
        engine.prefetch(each(asked))
        for one in asked:
            engine.result(one)
        after = engine.progress()

    assert (before, after) == ((0, 0), (5, 5))


def test_wait_says_whether_there_is_an_answer() -> None:
    with engine_of(Scripted(wait_s=0.2)) as engine:
        assert not engine.wait(request(), timeout_s=0.01)
        assert engine.wait(request(), timeout_s=5)


def test_a_timeout_ends_the_wait_and_not_the_request() -> None:
    with engine_of(Scripted(wait_s=0.2)) as engine:
        with pytest.raises(TimeoutError, match=r"^no answer within 0\.01 s$"):
            engine.result(request(), timeout=0.01)

        assert engine.result(request()).text == "x"


def test_ctrl_c_ends_the_wait() -> None:
    with engine_of(Scripted(wait_s=30)) as engine:
        threading.Timer(0.1, _thread.interrupt_main).start()
        started = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            engine.result(request())

    assert time.monotonic() - started < 20  # the answer takes 30 s


def test_leaving_closes_the_models_and_ends_the_thread() -> None:
    model = Scripted()

    with engine_of(model) as engine:
        engine.result(request())

    assert model.closed
    assert model.thread == "ftgate-engine"
    assert "ftgate-engine" not in [thread.name for thread in threading.enumerate()]


def test_after_the_end_an_open_request_is_an_error() -> None:
    engine = engine_of(Scripted(wait_s=30))

    with engine:
        engine.prefetch([[request()]])

    with pytest.raises(ModelError, match=r"^the run ended before the answer came$"):
        engine.result(request())


def test_it_works_beside_a_running_loop() -> None:
    async def from_a_test() -> str:
        return engine.result(request()).text

    with engine_of(Scripted(lambda _: "Paris")) as engine:
        assert asyncio.run(from_a_test()) == "Paris"


def test_each_request_may_have_a_model_of_its_own() -> None:
    facts, tools = Scripted(lambda _: "facts"), Scripted(lambda _: "tools")

    with CompletionEngine(lambda one: facts if one.case.suite == "facts" else tools) as engine:
        assert engine.result(request()).text == "facts"
        assert engine.result(request(suite="tools")).text == "tools"


def test_a_wrong_key_costs_one_request_per_arm() -> None:
    asked = [[one, Request(case=one.case, arm=Arm.BASELINE)] for one in requests(500)]
    started = time.monotonic()

    with ChatServer(lambda _: error_reply(401, "bad key")) as server:
        models = {arm: chat(server.url, name=arm.value) for arm in Arm}
        with CompletionEngine(models) as engine:
            engine.prefetch(asked)
            with pytest.raises(FatalModelError):
                engine.result(asked[0][0])

    assert server.count <= 2
    assert time.monotonic() - started < 30  # a bound against hanging


def test_no_answers_are_mixed_up_under_load_and_the_server_sees_the_concurrency() -> None:
    asked = [[one, Request(case=one.case, arm=Arm.BASELINE)] for one in requests(300)]

    with ChatServer(
        lambda body: f"{body['model']} {body['messages'][0]['content']}", latency_s=0.01
    ) as server:
        models = {arm: chat(server.url, model=arm.value) for arm in Arm}
        with CompletionEngine(models, concurrency=16) as engine:
            engine.prefetch(asked)
            texts = {(one.arm, one.case.id): engine.result(one).text for pair in asked for one in pair}

    assert texts == {(arm, str(n)): f"{arm.value} {n}" for arm in Arm for n in range(300)}
    assert server.count == 600
    assert server.most_at_once == 16


def test_a_server_that_takes_few_requests_at_once_gets_every_request_answered() -> None:
    def answer(_: dict[str, Any]) -> str | Reply:
        return Reply(text="x", latency_s=0.01) if server.at_once <= 4 else Reply(status=429, body=b"")

    with ChatServer(answer) as server:
        model = chat(server.url, retry=replace(QUICK, timeout_s=10.0, base_s=0.01, cap_s=0.05))
        with CompletionEngine({Arm.MODEL: model}) as engine:
            engine.prefetch(each(requests(500)))
            texts = [engine.result(one).text for one in requests(500)]
        concurrency = model.concurrency

    assert texts == ["x"] * 500
    assert concurrency is not None
    assert concurrency <= 16
    # Those of the first burst are refused; without a lower limit, so were all the others, again and again.
    assert server.count <= 500 * 1.2


def test_a_flapping_server_gets_every_request_answered() -> None:
    replies = iter(
        [
            Reply(status=429, headers={"retry-after-ms": "5"}, body=b"") if n % 5 == 3 else "x"
            for n in range(999)
        ]
    )

    with (
        ChatServer(lambda _: next(replies)) as server,
        CompletionEngine({Arm.MODEL: chat(server.url, retry=QUICK)}) as engine,
    ):
        engine.prefetch(each(requests(60)))
        texts = [engine.result(one).text for one in requests(60)]

    assert texts == ["x"] * 60


def shared(path: Path, model: Scripted, owner: str = "gw0", **settings: Any) -> CompletionEngine:
    store = AnswerStore(path / "answers.sqlite", Session(id="one"), owner=owner, lease_s=1.0)
    return CompletionEngine(lambda one: one.model or model, store=store, **settings)


def test_an_answer_is_committed_before_it_is_handed_out(tmp_path: Path) -> None:
    model, late = Scripted(lambda one: one.case.id), Scripted()
    asked = requests(30)

    with shared(tmp_path, model) as engine, shared(tmp_path, late, "gw1") as other:
        engine.prefetch(each(asked))
        for one in asked:
            assert engine.result(one) == other.result(one)

    assert (len(model.asked), late.asked) == (30, [])


def test_what_is_another_processes_share_is_waited_for(tmp_path: Path) -> None:
    first, second = Scripted(lambda _: "first", wait_s=0.1), Scripted()
    asked = requests(3)

    with shared(tmp_path, first) as engine, shared(tmp_path, second, "gw1", mine=lambda _: False) as other:
        engine.prefetch(each(asked))
        while not first.asked:
            time.sleep(0.001)
        other.prefetch(each(asked))
        texts = [other.result(one).text for one in asked]
        assert other.progress() == (3, 3)

    assert texts == ["first"] * 3
    assert second.asked == []


def test_what_has_answered_one_process_is_asked_at_once_by_another(tmp_path: Path) -> None:
    class Crowded(Scripted):
        """Answers nobody before three ask."""

        async def complete(self, asked: Request) -> Completion:
            self.at_once += 1
            while self.at_once < 3:
                await asyncio.sleep(0.001)
            return Completion(text="crowded")

    asked = requests(4)

    with shared(tmp_path, Scripted(), place=Place(number=0, count=2)) as first:
        first.result(asked[0])
        with shared(tmp_path, Crowded(), "gw1", place=Place(number=1, count=2)) as second:
            second.prefetch(each(asked[1:]))
            texts = [second.result(one, timeout=20).text for one in asked[1:]]

    assert texts == ["crowded"] * 3


def test_what_nobody_has_begun_is_sent_by_who_waits_for_it(tmp_path: Path) -> None:
    model = Scripted()

    with shared(tmp_path, model, mine=lambda _: False) as engine:
        engine.prefetch(each(requests(3)))
        assert engine.result(requests(3)[1]).text == "x"

    assert model.asked == ["1"]


def test_what_nobody_begins_is_taken_over_without_being_waited_for(tmp_path: Path) -> None:
    model = Scripted()

    with shared(tmp_path, model, mine=lambda _: False) as engine:
        engine.prefetch(each(requests(40)))
        end = time.monotonic() + 10
        while engine.progress() != (40, 40) and time.monotonic() < end:
            time.sleep(0.01)

    assert sorted(model.asked) == sorted(str(n) for n in range(40))


def test_answers_of_a_model_that_never_waits_are_not_stored(tmp_path: Path) -> None:
    class Instant(Scripted):
        def answer_now(self, _: Request) -> Completion:
            return Completion(text="at once")

    with shared(tmp_path, Instant()) as engine:
        assert engine.result(request()).text == "at once"

    assert list(tmp_path.iterdir()) == []


def test_a_store_that_can_not_be_used_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "answers.sqlite").write_bytes(b"no database at all" * 100)
    model = Scripted()

    with shared(tmp_path, model) as engine, pytest.raises(StoreError, match="file is not a database"):
        engine.prefetch([[request()]])

    assert model.asked == []


def test_a_store_that_breaks_during_the_run_stops_it(tmp_path: Path) -> None:
    with shared(tmp_path, Scripted()) as engine:
        engine.result(requests(2)[0])
        with closing(sqlite3.connect(tmp_path / "answers.sqlite")) as connection, connection:
            connection.execute("DROP TABLE answers")
        with pytest.raises(FatalModelError) as caught:
            engine.result(requests(2)[1], timeout=10)

    assert caught.value.kind == "store"
    path = tmp_path / "answers.sqlite"
    assert str(caught.value) == (
        f"{path}: answers can't be kept there (no such table: answers). "
        "What was kept is left as it is; run with --ftgate-cache=off, which keeps no answers"
    )


def test_no_more_answers_wait_for_their_commit_than_may_be_on_their_way(tmp_path: Path) -> None:
    model = Scripted()

    with shared(tmp_path, model, concurrency=2) as engine:
        engine.prefetch(each(requests(20)))
        while not model.asked:
            time.sleep(0.001)
        with closing(sqlite3.connect(tmp_path / "answers.sqlite", isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            time.sleep(0.2)
            sent = len(model.asked)
            committed = connection.execute("SELECT count(*) FROM answers").fetchone()[0]
            connection.execute("ROLLBACK")
        assert engine.result(requests(20)[19]).text == "x"

    assert sent - committed <= 4


def test_without_a_store_there_is_nothing_to_finish() -> None:
    with engine_of(Scripted(wait_s=30)) as engine:
        engine.prefetch([[request()]])
        assert engine.finish()


def test_finishing_waits_for_the_own_share_only(tmp_path: Path) -> None:
    model = Scripted(wait_s=0.01)

    with shared(tmp_path, model, mine=lambda one: int(one.case.id) % 2 == 0) as engine:
        engine.prefetch(each(requests(10)))
        assert not engine.finish(timeout_s=0)
        assert engine.finish()

    assert model.asked == ["0", "2", "4", "6", "8"]


def about(asked: Request, grader: Scripted) -> Request:
    """A question about the answer to this request."""
    return replace(asked, model=grader, via="judge 1", grader="judge")


def test_finishing_waits_for_what_answers_that_come_meanwhile_bring(tmp_path: Path) -> None:
    model, judge = Scripted(wait_s=0.01), Scripted(wait_s=0.05)
    asked = requests(5)

    with shared(tmp_path, model, follow=lambda one, *_: [about(one, judge)]) as engine:
        engine.prefetch(each(asked))
        assert engine.finish()
        said = [engine.answer_so_far(about(one, judge)) for one in asked]

    assert None not in said
    assert sorted(judge.asked) == ["0", "1", "2", "3", "4"]


def test_what_follows_an_answer_is_asked_of_the_own_share_once(tmp_path: Path) -> None:
    model, judge = Scripted(), Scripted()
    asked = requests(6)

    with shared(
        tmp_path,
        model,
        follow=lambda one, *_: [about(one, judge)],
        mine=lambda one: int(one.case.id) % 2 == 0,
    ) as engine:
        engine.prefetch(each(asked))
        assert engine.finish()

        assert judge.asked == ["0", "2", "4"]
        assert [engine.result(about(one, judge)).text for one in asked] == ["x"] * 6

    assert sorted(judge.asked) == ["0", "1", "2", "3", "4", "5"]


def test_follow_ups_come_before_what_was_asked_for_later() -> None:
    order: list[str] = []

    def noted(one: Request) -> str:
        order.append(f"{one.grader or 'model'} {one.case.id}")
        return "x"

    model, judge = Scripted(noted), Scripted(noted)

    with engine_of(model, concurrency=1, follow=lambda one, *_: [about(one, judge)]) as engine:
        engine.prefetch(each(requests(6)))
        while len(order) < 12:
            time.sleep(0.001)

    # One request may be on its way before it is known what an answer brings.
    assert all(order.index(f"judge {n}") < order.index(f"model {n + 2}") for n in range(4))


def test_what_somebody_waits_for_comes_before_the_rest() -> None:
    order: list[str] = []

    def noted(one: Request) -> str:
        order.append(f"{one.grader or 'model'} {one.case.id}")
        return "x"

    model, judge = Scripted(noted, wait_s=0.01), Scripted(noted)
    with engine_of(model, concurrency=1) as engine:
        engine.prefetch(each(requests(8)))
        engine.result(about(requests(1)[0], judge))

    assert order.index("judge 0") <= 2


class Charging(Scripted):
    """A model that says of its answers what they cost, as users' own models may: in anything."""

    def __init__(self, cost: Any, usage: Any = NO_USAGE) -> None:
        super().__init__()
        self._told = {"cost": cost, "usage": usage}

    async def complete(self, asked: Request) -> Completion:
        return replace(await super().complete(asked), **self._told)


@pytest.mark.parametrize("with_store", [True, False])
@pytest.mark.parametrize("model", [Charging(Decimal("0.01")), Charging("free"), Charging(0.1, usage=None)])
def test_a_cost_that_is_no_number_is_an_error_and_nobody_waits_for_ever(
    model: Charging, with_store: bool, tmp_path: Path
) -> None:
    store = (
        AnswerStore(tmp_path / "answers.sqlite", session=Session(id="s"), owner="a") if with_store else None
    )
    limits = Spending(cost=5.0, tokens=100)

    with CompletionEngine({Arm.MODEL: model}, store=store, spending=limits) as engine:
        engine.prefetch(each(requests(3)))
        with pytest.raises(ModelError, match=r"^the answer's usage or cost can't be counted: "):
            engine.result(requests(1)[0], timeout=30)


@pytest.mark.parametrize("cost", [math.nan, math.inf, -math.inf])
def test_a_cost_that_is_not_finite_can_not_be_limited(cost: float) -> None:
    answer = Completion(text="x", cost=cost)

    assert "it is not known what an answer cost" in (Spending(cost=5.0).unknown([answer]) or "")
