"""Judges and embeddings: which models they are, what they are asked of an answer, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from pytest_ftgate.cases import Arm, EvalCase
from pytest_ftgate.errors import ConfigError, FileError, ModelError, ScorerError
from pytest_ftgate.scorers import BARE, Bench, Need, Question, check_digest, checks_by_graders, questions_of

if TYPE_CHECKING:
    from pytest_ftgate.completions import Completion
    from pytest_ftgate.models import Model, Request
    from pytest_ftgate.plugin.arms import Arms
    from pytest_ftgate.plugin.eval_test import EvalTest
    from pytest_ftgate.scorers.spec import ScorerSpec

Answer = Callable[["Request"], "Completion"]
_SoFar = Callable[["Request"], "Completion | None"]
_EXAMPLES = {
    "judge": "name one as `judge:` in ftgate.yaml, or by --ftgate-judge=NAME",
    "embeddings": "name some as `embeddings:` in ftgate.yaml, or by --ftgate-embeddings=NAME",
}


class Graders:
    """The graders of one run, each made once; owned by `FtgateSession`.

    `default` is what the run names for each role. Nothing is made before `prepare` has found a check that
    needs it.
    """

    def __init__(
        self, arms: Arms, table: Mapping[str, ScorerSpec], default: Mapping[str, str | None]
    ) -> None:
        self._arms = arms
        self._table = table
        self._default = default
        self._models: dict[tuple[str, str], Model] = {}
        self._checks: dict[tuple[str, str], set[str]] = {}
        #: Only of cases whose checks need any.
        self._needs: dict[tuple[str, str], list[Need]] = {}

    def prepare(self, tests: Iterable[EvalTest]) -> list[str]:
        """Makes the graders that these tests need; what can't be had is said, a line for each."""
        lines: dict[str, None] = {}
        for test in tests:
            case = test.case
            checks = [*checks_by_graders(case, self._table)] if test.runs else []
            if checks and (case.suite, case.id) not in self._needs:
                self._needs[case.suite, case.id] = [need for _, needs in checks for need in needs]
                lines |= dict.fromkeys(self._lacks(test, self._needs[case.suite, case.id]))
                for check, needs in checks:
                    self._note_check(check_digest(check), needs)
        return [*lines]

    def foreseen(self, tests: Iterable[EvalTest]) -> Counter[tuple[str, str]]:
        """How often each grader may be asked for these tests, by role and name; nobody is made for that."""
        counts: Counter[tuple[str, str]] = Counter()
        seen: set[tuple[str, str, Arm, int]] = set()
        for test in tests:
            checks = [*checks_by_graders(test.case, self._table)] if test.runs else []
            needs = [need for _, asked in checks for need in asked]
            for request in test.requests() if needs else ():
                key = (test.case.suite, test.case.id, request.arm, request.repeat)
                if key in seen:
                    continue
                seen.add(key)
                for need in needs:
                    # Of a pair the questions are those of one arm.
                    if not need.of_pair or request.arm is Arm.MODEL:
                        counts[need.role, self._spec(need.role, need.by) or "(not named)"] += need.calls
        return counts

    @property
    def is_needed(self) -> bool:
        """Whether any check asks a grader."""
        return bool(self._needs)

    def describe(self) -> dict[str, dict[str, Any]]:
        """Name, kind and host of each, under its role, or under role and name where a check names it.

        `checks` digests by what a judge judges, so that its calibrations are known; not of very many checks.
        """
        return {
            role if spec == self._default.get(role) else f"{role} {spec}": model.describe()
            | ({"checks": sorted(checks)} if (checks := self._checks.get((role, spec))) else {})
            for (role, spec), model in sorted(self._models.items())
        }

    def remarks(self) -> list[str]:
        """What they have to say of the run, for the verdict."""
        return [line for model in self._models.values() for line in model.remarks()]

    def bench(self, test: EvalTest, arm: Arm, repeat: int, answer: Answer) -> Bench:
        """What the scorers of one answer may use besides it; waits for the other arm's answer to the same."""
        needs = self._needs.get((test.case.suite, test.case.id))
        if not needs:
            return BARE
        opponent = self._opponent(test, arm, repeat, answer) if _of_pair(needs) else None
        return Bench(arm=arm, opponent=opponent, ask=partial(self._ask, test.case, answer))

    def follow(self, request: Request, completion: Completion, so_far: _SoFar) -> list[Request]:
        """What is to be asked about an answer, now that it is there; nothing about one that can't be judged.

        A pair of answers is asked about when the second of them is there.
        """
        needs = self._needs.get((request.case.suite, request.case.id))
        if not needs:
            return []
        other = replace(request, arm=_other(request.arm))
        has_other = _of_pair(needs) and other.arm in self._arms.of(request.case)
        bench = Bench(arm=request.arm, opponent=so_far(other) if has_other else None)
        try:
            questions = questions_of(request.case, completion, self._table, bench=bench)
            return [self._request(request.case, question) for question in questions]
        except (ScorerError, ConfigError, FileError):
            return []  # scoring the answer says why

    def _opponent(self, test: EvalTest, arm: Arm, repeat: int, answer: Answer) -> Completion | None:
        if _other(arm) not in test.arms:
            return None
        other = (one for one in test.requests([_other(arm)]) if one.repeat == repeat)
        try:
            return next(map(answer, other), None)
        except ModelError:
            return None  # its own trial says why

    def _ask(self, case: EvalCase, answer: Answer, question: Question) -> Completion:
        try:
            return answer(self._request(case, question))
        except ModelError as error:
            raise ScorerError(f"no reply of the {question.role}: {error}") from error

    def _request(self, case: EvalCase, question: Question) -> Request:
        from pytest_ftgate.models.asked import asked_about  # noqa: PLC0415  (not before it is needed)

        model, role = self._model(question.role, question.by), question.role
        return asked_about(
            case, model, question.messages, question.params, grader=role, digest=question.digest
        )

    def _note_check(self, check: str, needs: Sequence[Need]) -> None:
        for need in needs:
            spec = self._spec(need.role, need.by)
            if spec is not None and need.role == "judge":
                noted = self._checks.setdefault((need.role, spec), set())
                if len(noted) < _MOST_CHECKS:
                    noted.add(check)

    def _lacks(self, test: EvalTest, needs: Sequence[Need]) -> list[str]:
        case = test.case
        where = f"{case.path}:{case.line}: case '{case.id}'"
        lines = []
        if _of_pair(needs) and test.arms == (Arm.MODEL,) and not test.repeats:
            lines.append(f"{where}: 'prefer' compares with the baseline, and this run has none: name one")
        for need in needs:
            try:
                self._model(need.role, need.by)
            except (ConfigError, FileError) as error:
                lines.append(f"{where}: {error}")
        return lines

    def _model(self, role: str, by: str | None) -> Model:
        """The grader that a check asks; raises `ConfigError` and `FileError`."""
        spec = self._spec(role, by)
        if spec is None:
            raise ConfigError(f"a check needs {_ROLES[role]}, and this run has none: {_EXAMPLES[role]}")
        if (role, spec) not in self._models:
            self._models[role, spec] = self._arms.grader(role, spec)
        return self._models[role, spec]

    def _spec(self, role: str, by: str | None) -> str | None:
        return self._default.get(role) if by is None or self._arms.means_default(by, role) else by


#: Of more different checks nobody has labelled answers.
_MOST_CHECKS = 100
_ROLES = {"judge": "a judge", "embeddings": "embeddings"}


def _of_pair(needs: Sequence[Need]) -> bool:
    return any(need.of_pair for need in needs)


def _other(arm: Arm) -> Arm:
    return Arm.BASELINE if arm is Arm.MODEL else Arm.MODEL
