from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ScorerError
from pytest_ftgate.scorers import score_case
from pytest_ftgate.scorers.deadline import Deadline, DeadlineExceededError
from pytest_ftgate.scorers.spec import ScorerSpec, Subject
from pytest_ftgate.scores import Score
from tests.scorers.build import case, check

GOOD = Score(scorer="mine", value=1.0, passed=True, explanation="mine: fine")

#: An alarm may fall into a callback of the garbage collector, which can't raise: the timer repeats.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class OthersAlarmError(BaseException):
    """What the owner of another alarm raises."""


@pytest.fixture
def others_alarm() -> Iterator[list[float]]:
    """An alarm of somebody else: its handler notes the time and raises."""
    rang: list[float] = []

    def ring(_: int, __: object) -> None:
        rang.append(time.monotonic())
        raise OthersAlarmError

    before = signal.signal(signal.SIGALRM, ring)
    yield rang
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def spin(limit_s: float) -> None:
    ends = time.monotonic() + limit_s
    while time.monotonic() < ends:
        pass


def run(judge: Any, deadline_s: float) -> tuple[Score, ...]:
    table = {"mine": ScorerSpec(name="mine", doc="", score=judge)}
    return score_case(case(check("mine")), Completion(text="x"), table, deadline_s=deadline_s)


def test_an_endless_scorer_is_an_error_on_time() -> None:
    def judge(_: Mapping[str, Any], __: Subject) -> Score:
        while True:
            pass

    started = time.monotonic()
    with pytest.raises(ScorerError) as raised:
        run(judge, 0.2)

    assert str(raised.value) == "scorer 'mine' did not finish within 0.2 s"
    assert time.monotonic() - started < 30  # a bound against hanging; the message says that the limit held


def test_a_scorer_that_catches_everything_is_interrupted_all_the_same() -> None:
    def judge(_: Mapping[str, Any], __: Subject) -> Score:
        for _try in range(3):
            try:
                spin(60)
            except BaseException:  # noqa: BLE001
                continue
        return GOOD

    with pytest.raises(ScorerError, match=r"^scorer 'mine' did not finish within 0\.1 s$"):
        run(judge, 0.1)


def test_nothing_of_the_deadline_is_left_behind() -> None:
    handlers = signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGINT)

    run(lambda _, __: GOOD, 5)

    assert (signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGINT)) == handlers
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_the_time_left_of_another_alarm_goes_on(others_alarm: list[float]) -> None:
    signal.setitimer(signal.ITIMER_REAL, 30, 7)

    with Deadline(5):
        spin(0.05)

    left, interval = signal.getitimer(signal.ITIMER_REAL)
    assert 29 < left < 29.96
    assert interval == 7
    assert others_alarm == []


def test_another_alarm_rings_on_time_inside_a_scorer_and_is_not_the_scorers_error(
    others_alarm: list[float],
) -> None:
    def judge(_: Mapping[str, Any], __: Subject) -> Score:
        spin(5)
        return GOOD

    started = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    with pytest.raises(OthersAlarmError):
        run(judge, 3)

    assert others_alarm[0] - started < 0.5


def test_another_alarm_that_is_due_later_rings_after_an_expired_deadline(others_alarm: list[float]) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0.4)

    with pytest.raises(DeadlineExceededError), Deadline(0.1):
        spin(5)

    with pytest.raises(OthersAlarmError):
        spin(5)
    assert len(others_alarm) == 1


def test_a_real_ctrl_c_during_a_scorer_ends_the_run() -> None:
    def judge(_: Mapping[str, Any], __: Subject) -> Score:
        os.kill(os.getpid(), signal.SIGINT)
        spin(5)
        return GOOD

    with pytest.raises(KeyboardInterrupt):
        run(judge, 3)


def test_off_the_main_thread_a_scorer_runs_without_limit() -> None:
    found: list[tuple[Score, ...]] = []

    def judge(_: Mapping[str, Any], __: Subject) -> Score:
        spin(0.1)
        return GOOD

    thread = threading.Thread(target=lambda: found.append(run(judge, 0.01)))
    thread.start()
    thread.join()

    assert found == [(GOOD,)]
