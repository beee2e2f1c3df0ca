"""Eval cases as pytest items: collection of `*.evalcase.yaml`, and what an item shows when it fails.

Nothing here asks a model or judges an answer: that is `FtgateSession.judge`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.errors import FileError, Mistake
from pytest_ftgate.plugin.eval_test import EvalTest
from pytest_ftgate.plugin.garbage import nothing_to_collect
from pytest_ftgate.plugin.handles import own_handle
from pytest_ftgate.plugin.private import is_overridden, release_request, shared_fixtureinfo
from pytest_ftgate.plugin.session import case_text
from pytest_ftgate.record import Outcome
from pytest_ftgate.reports.inert import inert_line

if TYPE_CHECKING:
    from pytest_ftgate.cases import EvalCase
    from pytest_ftgate.plugin.session import FtgateSession


class CaseMissed(AssertionError):
    """The model's answer does not meet the case's expectations."""


class TrialErrored(Exception):
    """We could not find out what the answer is worth: no answer came, or a scorer failed."""


class EvalCaseFile(pytest.Module):
    """One case file; its children are its cases, and its mistakes.

    A `Module`, as text files of doctests are for pytest, so that it has fixtures of module scope.
    """

    obj = None  # there is no Python module to import
    ftgate: FtgateSession

    @classmethod
    def of(cls, parent: pytest.Collector, path: Path, session: FtgateSession) -> EvalCaseFile:
        """The node of one case file, known to the session from now on."""
        node = cls.from_parent(parent, path=path)
        node.ftgate = session
        try:
            session.collected.see(node.nodeid, path)
        except FileError as error:
            session.usage_error = str(error)
        return node

    def collect(self) -> list[pytest.Item | pytest.Collector]:
        """All cases in the file's order, then one erring collector for each mistaken case."""
        if self.ftgate.usage_error:
            return []
        with nothing_to_collect():
            return list(self._nodes())

    def _nodes(self) -> Iterator[pytest.Item | pytest.Collector]:
        try:
            suite = self.ftgate.collected.read(self.nodeid, self.path)
        except FileError as error:
            self.ftgate.collected.reported.add(self.nodeid)
            raise self.CollectError(str(error)) from None
        if not suite.collect:
            return
        make, replaced = self._item_maker()
        for case in suite.cases:
            item = make(case.id)
            item.prepare(case, self.ftgate, replaced)
            yield item
        for name, mistakes in _by_case(suite.mistakes).items():
            yield MistakenCase.of(self, name, mistakes)

    def _item_maker(self) -> tuple[Callable[[str], EvalCaseItem], frozenset[Arm]]:
        """Makes items that ask for the fixtures which a conftest replaces, and share what pytest resolved."""
        probe = EvalCaseItem.from_parent(self, name="probe", callobj=_asks_both)
        replaced = frozenset(arm for arm in Arm if is_overridden(probe, arm.value))
        code = _CODE[replaced]
        shared = shared_fixtureinfo(EvalCaseItem.from_parent(self, name="probe", callobj=code))
        given = {} if shared is None else {"fixtureinfo": shared}
        make = partial(EvalCaseItem.from_parent, self, callobj=code, **given)
        return (lambda name: make(name=name)), replaced if self.ftgate.has_model else frozenset()


class MistakenCase(pytest.Collector):
    """A case that can't be used; collecting it says why, while its siblings stay usable."""

    mistakes: tuple[Mistake, ...]
    ftgate: FtgateSession

    @classmethod
    def of(cls, parent: EvalCaseFile, name: str, mistakes: list[Mistake]) -> MistakenCase:
        """The node `file::case` for these mistakes."""
        node = cls.from_parent(parent, name=name)
        node.mistakes = tuple(mistakes)
        node.ftgate = parent.ftgate
        return node

    def collect(self) -> NoReturn:
        """Raises what is wrong."""
        self.ftgate.collected.reported.add(self.nodeid)
        raise self.CollectError("\n".join(map(str, self.mistakes)))


class EvalCaseItem(pytest.Function):
    """One case as a test; a `Function`, so that fixtures, marks and other plugins treat it as any test."""

    test: EvalTest
    ftgate: FtgateSession
    _keywords: set[str] | None

    def prepare(self, case: EvalCase, session: FtgateSession, replaced: frozenset[Arm]) -> None:
        """Gives the item its case, its keywords and its marks; `replaced` are the arms of its folder."""
        self.ftgate = session
        arms = session.arms.of(case)
        if replaced:
            arms = tuple(arm for arm in Arm if arm in arms or arm in replaced)
        self.test = EvalTest(key=self.nodeid, case=case, arms=arms, replaced=replaced)
        session.collected.add(self.test)
        release_request(self)
        if case.skip is not None:
            self.add_marker(pytest.mark.skip(reason=inert_line(case.skip)))
        elif not arms:
            self.add_marker(session.no_model_mark)
        if case.xfail is not None:
            # `raises`: an errored trial stays an error; `strict=False`: a pass is XPASS whatever ini says.
            self.add_marker(pytest.mark.xfail(reason=inert_line(case.xfail), raises=CaseMissed, strict=False))

    @property
    def case(self) -> EvalCase:
        """What it judges."""
        return self.test.case

    @property
    def extra_keyword_matches(self) -> set[str]:
        """What `-k` finds it by; made when somebody looks, since a large run has no need of it."""
        if self._keywords is None:
            self._keywords = {self.case.suite, self.case.role, self.case.category, *self.case.tags}
        return self._keywords

    @extra_keyword_matches.setter
    def extra_keyword_matches(self, names: set[str]) -> None:
        self._keywords = names or None

    def setup(self) -> None:
        """Sets up fixtures, then awaits and scores the answers: one that can't be had is a setup error."""
        super().setup()
        for arm in self.test.replaced:
            self.test.handles = {**self.test.handles, arm: own_handle(self.funcargs[arm.value], arm)}
        self.test.trials = self.ftgate.judge(self.test)
        self.user_properties += self.ftgate.junit_properties(self.test)
        if any(trial.outcome is Outcome.ERRORED for trial in self.test.trials):
            raise TrialErrored

    def runtest(self) -> None:
        """Fails if the model missed what was expected; the baseline never fails a test."""
        if any(trial.outcome is Outcome.FAILED for trial in self.test.trials if trial.key.arm is Arm.MODEL):
            raise CaseMissed

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException]) -> Any:  # type: ignore[override] # as Function
        """What a missed case shows, without pytest's search for the lines that raised: they are ours."""
        return case_text(self.test) if excinfo.errisinstance(CaseMissed) else super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The case's own line in the YAML file."""
        return self.path, self.case.line - 1, self.name


@pytest.mark.eval_case
def _no_code() -> None:
    """What an eval case has in place of a test function."""


@pytest.mark.eval_case
def _asks_model(model: object) -> None:
    """The same where a conftest replaces `model`."""


@pytest.mark.eval_case
def _asks_baseline(baseline: object) -> None:
    """The same where a conftest replaces `baseline`."""


@pytest.mark.eval_case
def _asks_both(model: object, baseline: object) -> None:
    """The same where a conftest replaces both."""


_CODE = {
    frozenset(): _no_code,
    frozenset({Arm.MODEL}): _asks_model,
    frozenset({Arm.BASELINE}): _asks_baseline,
    frozenset(Arm): _asks_both,
}


def _by_case(mistakes: tuple[Mistake, ...]) -> dict[str, list[Mistake]]:
    grouped: dict[str, list[Mistake]] = {}
    for mistake in mistakes:
        grouped.setdefault(mistake.case or f"line-{mistake.line}", []).append(mistake)
    return grouped
