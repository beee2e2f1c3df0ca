"""One check of a judge, tried on answers that people labelled: who is asked, what, and what came of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ftgate.errors import ConfigError, FileError, Mistake, ModelError, ScorerError

if TYPE_CHECKING:
    from pytest_ftgate.calibration import Judged, Label
    from pytest_ftgate.cases import EvalCase, Expectation
    from pytest_ftgate.completions import Completion
    from pytest_ftgate.files.config_file import ConfigFile
    from pytest_ftgate.models import Model, Request
    from pytest_ftgate.models.engine import CompletionEngine
    from pytest_ftgate.record import Calibration
    from pytest_ftgate.scorers import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeTrial:
    """One check, and the judges that it asks."""

    check: Expectation
    cases: dict[str, EvalCase]
    around: EvalCase
    judges: dict[str | None, Model]
    folder: Path

    @classmethod
    def of(cls, check: str, name: str | None, config: Path | None) -> JudgeTrial:
        """Reads the check and makes its judges; raises `FtgateError`."""
        from pytest_ftgate.files.config_file import read_config  # noqa: PLC0415  (imports yaml)

        path, _, case = check.partition("::")
        cases = _cases(Path(path))
        around, found = _the_check(cases, case, path)
        here = Path.cwd()
        read = read_config(config.absolute() if config else None, here)
        return cls(
            check=found,
            cases={one.id: one for one in cases},
            around=around,
            judges=_judges(found, read, name),
            folder=here / ".ftgate",
        )

    @property
    def title(self) -> str:
        """Who judges by what."""
        names = ", ".join(model.name for model in self.judges.values())
        criteria = self.check.options.get("criteria")
        what = f"{self.check.scorer}: {criteria}" if criteria else self.check.scorer
        return f"Judge {names}, {what} ({self.around.path}:{self.check.line})"

    def judged(self, path: Path, *, refresh: bool) -> list[Judged]:
        """Every labelled answer, in the order of its file."""
        from pytest_ftgate.calibration import read_labels  # noqa: PLC0415
        from pytest_ftgate.calibration.judging import judged, labelled_case, questions_about  # noqa: PLC0415

        labels = read_labels(path)
        self._refuse_misfits(labels, path)
        cases = [
            labelled_case(self.check, label, self.cases.get(label.id or "", self.around)) for label in labels
        ]
        together = list(zip(cases, labels, strict=True))
        with self._engine(refresh=refresh) as engine:
            engine.prefetch(
                [
                    [self._request(case, question) for question in questions_about(case, label)]
                    for case, label in together
                    if label.judge is None
                ]
            )
            return [
                judged(case, self.check, label, partial(self._ask, engine, case)) for case, label in together
            ]

    def _ask(self, engine: CompletionEngine, case: EvalCase, question: Question) -> Completion:
        try:
            return engine.result(self._request(case, question))
        except ModelError as error:
            raise ScorerError(f"no reply of the judge: {error}") from error

    def calibration(self, found: Sequence[Judged]) -> Calibration:
        """What a run needs to know of this."""
        from pytest_ftgate.calibration.judging import pairs_of  # noqa: PLC0415
        from pytest_ftgate.record import Calibration  # noqa: PLC0415
        from pytest_ftgate.scorers import check_digest  # noqa: PLC0415

        return Calibration(
            judges=tuple(model.describe() for model in self.judges.values()),
            check=check_digest(self.check),
            pairs=tuple(pairs_of(found)),
            errors=sum(one.judge is None for one in found),
        )

    def _refuse_misfits(self, labels: Sequence[Label], path: Path) -> None:
        from pytest_ftgate.calibration.judging import PAIR, LabelError, label_of  # noqa: PLC0415

        mistakes = []
        for label in labels:
            wanted = "'a' and 'b'" if self.check.scorer == PAIR else "an 'answer'"
            try:
                if label.is_pair != (self.check.scorer == PAIR):
                    raise LabelError(f"the check {self.check.scorer} needs {wanted} in each row")
                if label.prompt is None and label.id not in self.cases:
                    raise LabelError(f"no case of {self.around.path} has the id '{label.id}'")
                for written in (label.label, label.judge):
                    _ = written is None or label_of(self.check, written)
            except LabelError as error:
                mistakes.append(Mistake(path=str(path), line=label.line, column=1, message=str(error)))
        if mistakes:
            raise FileError(mistakes)

    def _engine(self, *, refresh: bool) -> CompletionEngine:
        from pytest_ftgate.cases import digest  # noqa: PLC0415
        from pytest_ftgate.models.answer_store.session import Reuse, Session  # noqa: PLC0415
        from pytest_ftgate.models.answer_store.store import AnswerStore  # noqa: PLC0415
        from pytest_ftgate.models.engine import CompletionEngine  # noqa: PLC0415

        session = Session(
            id=f"calibrate-{os.urandom(8).hex()}",
            plan=digest(["calibrate", str(self.check)]),
            reuse=Reuse.REFRESH if refresh else Reuse.USE,
            models=self.title,
        )
        store = AnswerStore(self.folder / "answers.sqlite", session, owner="main")
        return CompletionEngine(_model_of, store=store)

    def _request(self, case: EvalCase, question: Question) -> Request:
        from pytest_ftgate.models.asked import asked_about  # noqa: PLC0415

        model, role = self.judges[question.by], question.role
        return asked_about(
            case, model, question.messages, question.params, grader=role, digest=question.digest
        )


def _model_of(request: Request) -> Model:
    assert request.model is not None
    return request.model


def _cases(path: Path) -> tuple[EvalCase, ...]:
    from pytest_ftgate.files.case_file import read_suite  # noqa: PLC0415  (imports yaml)
    from pytest_ftgate.scorers import BUILTIN  # noqa: PLC0415

    here, at = Path.cwd(), path.absolute()
    suite = read_suite(at, here if at.is_relative_to(here) else at.parent, BUILTIN)
    if suite.mistakes:
        raise FileError(suite.mistakes)
    return suite.cases


def _the_check(cases: Sequence[EvalCase], name: str, path: str) -> tuple[EvalCase, Expectation]:
    """The one check that asks a judge, and the first case that has it."""
    from pytest_ftgate.scorers import BUILTIN, check_digest, checks_by_graders  # noqa: PLC0415

    named = [case for case in cases if not name or case.id == name]
    if not named:
        raise ConfigError(f"{path} has no case '{name}'")
    found = {
        check_digest(check): (case, check)
        for case in reversed(named)
        for check, needs in checks_by_graders(case, BUILTIN)
        if any(need.role == "judge" for need in needs)
    }
    if not found:
        raise ConfigError(f"{path}: no check of {f'case {name!r}' if name else 'its cases'} asks a judge")
    if len(found) > 1:
        places = ", ".join(f"{case.id} (line {check.line}: {check.scorer})" for case, check in found.values())
        raise ConfigError(
            f"{path}: {len(found)} different checks ask a judge: {places}; name one case that has a single "
            f"one: --check={path}::CASE"
        )
    return next(iter(found.values()))


def _judges(check: Expectation, config: ConfigFile, name: str | None) -> dict[str | None, Model]:
    """Every judge that the check asks, behind the door that all models stand behind."""
    from pytest_ftgate.models.make import make_grader  # noqa: PLC0415
    from pytest_ftgate.models.redaction import Redactor  # noqa: PLC0415
    from pytest_ftgate.models.run_secrets import secrets_of  # noqa: PLC0415
    from pytest_ftgate.models.safe_model import safe_model  # noqa: PLC0415
    from pytest_ftgate.scorers import BUILTIN  # noqa: PLC0415

    redact = Redactor(secrets_of(config, os.environ))
    made: dict[str | None, Model] = {}
    for need in BUILTIN[check.scorer].needs(check.options):
        own = need.by is None or (need.by == "judge" and need.by not in config.models)
        spec = (name or config.judge) if own else need.by
        if spec is None:
            raise ConfigError("no judge: name one as `judge:` in ftgate.yaml, or by --judge=MODEL")
        model = make_grader(spec, "judge", config, rootdir=Path.cwd(), environ=os.environ)
        made[need.by] = safe_model(model, redact)
    return made
