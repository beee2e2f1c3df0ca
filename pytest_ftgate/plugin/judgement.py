"""What a Python test says of its case's answers: `check`, `judge`, and the trials that follow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_ftgate.cases import Arm, EvalCase
from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ModelError, ScorerError
from pytest_ftgate.plugin.judging import errored
from pytest_ftgate.record import Outcome, Trial
from pytest_ftgate.scorers import score_case
from pytest_ftgate.scores import Score

if TYPE_CHECKING:
    from pytest_ftgate.models import Request
    from pytest_ftgate.plugin.eval_test import EvalTest
    from pytest_ftgate.scorers.spec import Bench, ScorerSpec


class Judgement:
    """Gathers what one run of a test records; lives in its `EvalTest` from setup to the end of the call."""

    def __init__(
        self,
        test: EvalTest,
        table: Mapping[str, ScorerSpec],
        bench: Callable[[EvalTest, Arm, int], Bench],
    ) -> None:
        self.test = test
        self._table = table
        self._bench = bench
        self._answers: dict[Arm, Completion] = {}
        self._asides: dict[Arm, list[Completion]] = {}
        self._scores: dict[Arm, list[Score]] = {}
        self._broken: dict[Arm, str] = {}
        self._lost: dict[Arm, ModelError] = {}
        #: What makes the run incomplete: answers judged for an arm that is not planned, or too late.
        self.strays: list[str] = []
        self.is_over = False

    def note_error(self, arm: Arm, error: ModelError) -> None:
        """Keeps that an arm gave no answer, whatever the test makes of the exception."""
        self._lost.setdefault(arm, error)

    def note_failure(self, error: BaseException, where: str) -> None:
        """Counts what failed without ending the test, such as a subtest, against the model."""
        if isinstance(error, AssertionError):
            self._scores.setdefault(Arm.MODEL, []).append(_assert_score(error, where))
        else:
            self._broken.setdefault(Arm.MODEL, f"{where}: {type(error).__name__}: {error}")

    def note_answer(self, answer: Completion, *, is_aside: bool) -> None:
        """Keeps what an arm answered; an aside is the answer to another prompt, never scored."""
        arm = _arm_of(answer)
        if is_aside:
            self._asides.setdefault(arm, []).append(answer)
        else:
            self._answers.setdefault(arm, answer)

    def check(self, answer: Completion) -> tuple[Score, ...]:
        """Scores an answer by the case's expectations; never raises for what the answer is."""
        arm = self._arm_judged(answer)
        if answer.answers is None:
            self._refuse(
                arm, "the answer to another prompt is never scored: check what model(eval_case) returned"
            )
        self._answers.setdefault(arm, answer)
        try:
            bench = self._bench(self.test, arm, self.test.repeats[0])
            scores = score_case(self.test.case, answer, self._table, bench=bench)
        except ScorerError as error:
            self._broken[arm] = str(error)
            return ()
        self._scores.setdefault(arm, []).extend(scores)
        return scores

    @contextmanager
    def judge(self, answer: Completion) -> Iterator[None]:
        """Counts the asserts of its block for the answer's arm; the block ends at the first that fails."""
        arm = self._arm_judged(answer)
        if answer.answers is not None:
            self._answers.setdefault(arm, answer)
        try:
            yield
        except AssertionError as error:
            self._scores.setdefault(arm, []).append(_assert_score(error, "in judge"))
        else:
            self._scores.setdefault(arm, []).append(
                Score(scorer="assert", value=1.0, passed=True, explanation="all asserts in judge hold")
            )

    def _arm_judged(self, answer: object) -> Arm:
        """The arm that an answer counts for; raises TypeError for what is no answer to this case."""
        arm = _arm_of(answer)
        assert isinstance(answer, Completion)
        case = self.test.case
        if answer.answers is not None and answer.answers[:2] != (case.suite, case.id):
            self._refuse(arm, f"this is the answer to case '{answer.answers[1]}', not to case '{case.id}'")
        if self.is_over:
            self.strays.append(f"{self.test.key} judged an answer after its end")
            raise RuntimeError("this test is over: judge its answers before it ends")
        if arm not in self.test.arms:
            self.strays.append(f"{self.test.key} judged the {arm} without asking for the fixture `{arm}`")
        return arm

    def _refuse(self, arm: Arm, why: str) -> NoReturn:
        """Raises TypeError; a test that swallows it has judged nothing all the same."""
        self._broken.setdefault(arm, why)
        raise TypeError(why)

    def trials(
        self, ended_by: BaseException | None, answer_of: Callable[[Request], Completion]
    ) -> Iterator[Trial]:
        """One trial per arm, given what ended the test; a baseline that was never judged has none."""
        for arm in self.test.arms:
            trial = self._trial(arm, ended_by, answer_of)
            if trial is not None:
                yield trial
        self.is_over = True

    def _trial(
        self, arm: Arm, ended_by: BaseException | None, answer_of: Callable[[Request], Completion]
    ) -> Trial | None:
        key = self.test.trial_key(arm, self.test.repeats[0])
        if isinstance(ended_by, AssertionError) and arm not in self._scores:
            self._judge_unjudged(arm, answer_of)
        if error := self._error(arm, ended_by):
            return errored(key, *error, self._answers.get(arm))
        if arm is Arm.BASELINE and arm not in self._scores and ended_by is None:
            return None
        scores = tuple(self._scores.get(arm, ()))
        if ended_by is not None and arm is Arm.MODEL:
            scores += (_assert_score(ended_by, "assert outside judge"),)
        outcome = Outcome.PASSED if all(score.passed for score in scores) else Outcome.FAILED
        return Trial(
            key=key,
            outcome=outcome,
            completion=self._answers.get(arm),
            scores=scores,
            asides=tuple(self._asides.get(arm, ())),
        )

    def _judge_unjudged(self, arm: Arm, answer_of: Callable[[Request], Completion]) -> None:
        """By the case's own expectations, so that an assert of the test can't hide what an arm answered."""
        try:
            self.check(self._own_answer(arm, answer_of))
        except ModelError as error:
            self.note_error(arm, error)

    def _error(self, arm: Arm, ended_by: BaseException | None) -> tuple[str, str] | None:
        """Why the arm's trial says nothing: kind and message; None if it says something."""
        if ended_by is not None and not isinstance(ended_by, AssertionError):
            kind = ended_by.kind if isinstance(ended_by, ModelError) else "test"
            return kind, f"{type(ended_by).__name__}: {ended_by}"
        if arm in self._lost:
            return self._lost[arm].kind, str(self._lost[arm])
        return ("scorer", self._broken[arm]) if arm in self._broken else None

    def _own_answer(self, arm: Arm, answer_of: Callable[[Request], Completion]) -> Completion:
        request = self.test.requests([arm])[0]
        case = self.test.case
        return replace(answer_of(request), arm=arm, answers=(case.suite, case.id, request.repeat))


class CaseHandle:
    """What the fixture `eval_case` gives: the case, and the two ways to judge an answer to it.

    `id`, `prompt`, `messages`, `category`, `tags`, `metadata` and all other fields of `EvalCase` are its own.
    `repeat` counts from 1.
    """

    def __init__(self, case: EvalCase, repeat: int, judgement: Judgement) -> None:
        self.case = case
        self.repeat = repeat
        self._judgement = judgement

    def __getattr__(self, name: str) -> Any:
        return getattr(self.case, name)

    def __repr__(self) -> str:
        return f"<eval case {self.case.id} of {self.case.suite}>"

    def check(self, answer: Completion) -> tuple[Score, ...]:
        """Records the case's own expectations for the arm that answered; the test fails at its end for it.

        A miss of the baseline is recorded and never fails the test. Raises TypeError for anything but what
        `model(…)` or `baseline(…)` returned.
        """
        return self._judgement.check(answer)

    def judge(self, answer: Completion) -> Any:
        """`with eval_case.judge(answer): assert …` counts the asserts for the arm that answered."""
        return self._judgement.judge(answer)


def _assert_score(error: BaseException, where: str) -> Score:
    text = (str(error).splitlines() or [type(error).__name__])[0]
    return Score(scorer="assert", value=0.0, passed=False, explanation=f"{where}: {text}")


def _arm_of(answer: object) -> Arm:
    if isinstance(answer, Completion) and answer.arm is not None:
        return answer.arm
    found = (
        "a completion that does not say whose it is" if isinstance(answer, Completion) else repr(answer)[:80]
    )
    raise TypeError(f"give this what model(...) or baseline(...) returned, not {found}")
