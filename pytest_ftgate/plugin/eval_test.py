"""What one pytest item judges, whether it comes from a case file or is a marked Python test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pytest_ftgate.cases import Arm, EvalCase
from pytest_ftgate.plugin.stash import eval_test_key
from pytest_ftgate.record import PlannedItem, Trial, TrialKey

if TYPE_CHECKING:
    from pytest_ftgate.models import Request
    from pytest_ftgate.plugin.handles import ModelHandle
    from pytest_ftgate.plugin.judgement import Judgement


#: Of nearly all tests; one for all.
_NO_HANDLES: Mapping[Arm, ModelHandle] = {}


@dataclass(slots=True, kw_only=True)
class EvalTest:
    """One item's case, arms and repeats; a case's own item has it as `test`, any other in its stash.

    `key` is the node id as pytest collects it. `replaced` are the arms whose fixture a conftest replaces:
    their requests wait for it. `lacks_baseline`: it asks for one, and this run has none. `attempt`
    counts the runs of the item, 2 and up being re-runs by another plugin.
    """

    key: str
    case: EvalCase
    arms: tuple[Arm, ...]
    repeats: tuple[int, ...] = ()
    replaced: frozenset[Arm] = frozenset()
    lacks_baseline: bool = False
    handles: Mapping[Arm, ModelHandle] = field(default_factory=lambda: _NO_HANDLES)
    trials: tuple[Trial, ...] = ()
    judgement: Judgement | None = None
    attempt: int = 0
    #: What it asks of models that no conftest replaces, as long as it is needed often.
    _ahead: list[Request] | None = None

    @property
    def runs(self) -> bool:
        """Whether it is in the plan: its case is not skipped, and there is a model to ask."""
        return self.case.skip is None and bool(self.arms)

    @property
    def planned(self) -> PlannedItem:
        """Its place in the plan."""
        return PlannedItem(nodeid=self.key, arms=self.arms, repeats=self.repeats)

    def trial_key(self, arm: Arm, repeat: int) -> TrialKey:
        """The key of one of its trials."""
        return TrialKey(self.case.suite, self.case.id, arm, repeat, self.key)

    def requests(self, arms: Iterable[Arm] | None = None) -> list[Request]:
        """What it asks, arms interleaved."""
        if arms is None and not self.replaced:
            return self.requests_ahead()
        return self._asked(self.arms if arms is None else arms)

    def release(self) -> None:
        """Says that its item is done: what it asked, and what came of it, need not be kept here."""
        self._ahead = None
        self.trials = ()

    def _asked(self, arms: Iterable[Arm]) -> list[Request]:
        from pytest_ftgate.models import Request  # noqa: PLC0415  (not before the first answer is needed)

        asked = tuple(arms)
        repeats: Sequence[int] = self.repeats or range(1, self.case.repeat + 1)
        return [
            handle.request(self.case, repeat)
            if (handle := self.handles.get(arm))
            else Request(case=self.case, arm=arm, repeat=repeat)
            for repeat in repeats
            for arm in asked
        ]

    def requests_ahead(self) -> list[Request]:
        """What may be asked before the item's fixtures exist."""
        if self._ahead is None:
            self._ahead = self._asked(arm for arm in self.arms if arm not in self.replaced)
        return self._ahead


def eval_test_of(item: pytest.Item) -> EvalTest | None:
    """The eval test of an item, None for an ordinary test."""
    test = getattr(item, "test", None)  # a case's own item: a stash for each would be memory for nothing
    return test if isinstance(test, EvalTest) else item.stash.get(eval_test_key, None)


def eval_tests(items: Iterable[pytest.Item]) -> list[EvalTest]:
    """The eval tests among the items, in their order."""
    return [test for item in items if (test := eval_test_of(item)) is not None]
