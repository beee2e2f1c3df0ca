"""Eval cases as pytest items: collection of `*.evalcase.yaml`, and what an item shows when it fails.

Nothing here asks a model or judges an answer: that is `FtgateSession.judge`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.errors import FileError, Mistake
from pytest_ftgate.plugin.private import shared_fixtureinfo
from pytest_ftgate.record import Outcome, Trial

if TYPE_CHECKING:
    from pytest_ftgate.cases import EvalCase
    from pytest_ftgate.plugin.session import FtgateSession


class CaseMissed(AssertionError):
    """The model's answer does not meet the case's expectations."""


class TrialErrored(Exception):
    """We could not find out what the answer is worth: no answer came, or a scorer failed."""


class EvalCaseFile(pytest.File):
    """One case file; its children are its cases, and its mistakes."""

    obj = None  # pytest.Function asks its parent for it
    ftgate: FtgateSession

    @classmethod
    def of(cls, parent: pytest.Collector, path: Path, session: FtgateSession) -> EvalCaseFile:
        """The node of one case file, known to the session from now on."""
        node = cls.from_parent(parent, path=path)
        node.ftgate = session
        session.collected.see(node.nodeid, path)
        return node

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """All cases in the file's order, then one erring collector for each mistaken case."""
        if self.ftgate.usage_error:
            return
        try:
            suite = self.ftgate.collected.read(self.nodeid, self.path)
        except FileError as error:
            raise self.CollectError(str(error)) from None
        if suite is None:
            return
        first: EvalCaseItem | None = None
        for case in suite.cases:
            first_info = {"fixtureinfo": shared_fixtureinfo(first)} if first else {}
            item = EvalCaseItem.from_parent(self, name=case.id, callobj=_no_code, **first_info)
            item.prepare(case, self.ftgate)
            first = first or item
            yield item
        for name, mistakes in _by_case(suite.mistakes).items():
            yield MistakenCase.of(self, name, mistakes)


class MistakenCase(pytest.Collector):
    """A case that can't be used; collecting it says why, while its siblings stay usable."""

    mistakes: tuple[Mistake, ...]

    @classmethod
    def of(cls, parent: EvalCaseFile, name: str, mistakes: list[Mistake]) -> MistakenCase:
        """The node `file::case` for these mistakes."""
        node = cls.from_parent(parent, name=name)
        node.mistakes = tuple(mistakes)
        return node

    def collect(self) -> NoReturn:
        """Raises what is wrong."""
        raise self.CollectError("\n".join(map(str, self.mistakes)))


class EvalCaseItem(pytest.Function):
    """One case as a test; a `Function`, so that fixtures, marks and other plugins treat it as any test."""

    case: EvalCase
    ftgate: FtgateSession
    trials: tuple[Trial, ...] = ()

    @property
    def key(self) -> str:
        """`file::case`: the node id without what xdist may add to it."""
        return f"{self.parent.nodeid if self.parent else ''}::{self.case.id}"

    @property
    def runs(self) -> bool:
        """Whether the case is in the plan and has a model to ask."""
        return self.case.skip is None and bool(self.ftgate.arms.of(self.case))

    def prepare(self, case: EvalCase, session: FtgateSession) -> None:
        """Gives the item its case, its keywords and its marks."""
        self.case = case
        self.ftgate = session
        self.add_marker(pytest.mark.eval_case)
        self.extra_keyword_matches.update((case.suite, case.role, case.category, *case.tags))
        if case.skip is not None:
            self.add_marker(pytest.mark.skip(reason=case.skip))
        elif not session.arms.of(case):
            self.add_marker(pytest.mark.skip(reason=session.no_model_reason))
        if case.xfail is not None:
            # `raises`: an errored trial stays an error; `strict=False`: a pass is XPASS whatever ini says.
            self.add_marker(pytest.mark.xfail(reason=case.xfail, raises=CaseMissed, strict=False))

    def setup(self) -> None:
        """Sets up fixtures, then awaits and scores the answers: one that can't be had is a setup error."""
        super().setup()
        self.trials = self.ftgate.judge(self)
        self.user_properties += self.ftgate.junit_properties(self)
        if any(trial.outcome is Outcome.ERRORED for trial in self.trials):
            raise TrialErrored

    def runtest(self) -> None:
        """Fails if the model missed what was expected; the baseline never fails a test."""
        if any(trial.outcome is Outcome.FAILED for trial in self.trials if trial.key.arm is Arm.MODEL):
            raise CaseMissed

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *args: Any, **kwargs: Any) -> Any:
        """Prompt, answer, expected, explanations and the baseline's answer instead of a traceback of ours."""
        if isinstance(excinfo.value, CaseMissed):
            return self.ftgate.case_text(self)
        return super().repr_failure(excinfo, *args, **kwargs)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The case's own line in the YAML file."""
        return self.path, self.case.line - 1, self.name


def _no_code() -> None:
    """What an eval case has in place of a test function."""


def _by_case(mistakes: tuple[Mistake, ...]) -> dict[str, list[Mistake]]:
    grouped: dict[str, list[Mistake]] = {}
    for mistake in mistakes:
        grouped.setdefault(mistake.case or f"line-{mistake.line}", []).append(mistake)
    return grouped
