"""The marker `eval_case`: which cases a Python test is run for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ftgate.cases import Arm, EvalCase
from pytest_ftgate.errors import FileError
from pytest_ftgate.plugin.eval_test import EvalTest
from pytest_ftgate.plugin.items import CaseMissed
from pytest_ftgate.plugin.private import is_overridden
from pytest_ftgate.reports.inert import inert_line

if TYPE_CHECKING:
    from pytest_ftgate.plugin.session import FtgateSession

#: How the cases of a file can be selected, each by a value or a list of them.
_SELECTORS: dict[str, Callable[[EvalCase], tuple[str, ...]]] = {
    "id": lambda case: (case.id,),
    "category": lambda case: (case.category,),
    "tag": lambda case: case.tags,
    "tags": lambda case: case.tags,
}


@dataclass(frozen=True, slots=True)
class BoundCase:
    """One case in one repeat: what a test item is parametrized with."""

    case: EvalCase
    repeat: int

    @property
    def id(self) -> str:
        """`tokyo`, from the second repeat on `tokyo#2`."""
        return self.case.id if self.repeat == 1 else f"{self.case.id}#{self.repeat}"


def eval_test(item: pytest.Function, bound: BoundCase, session: FtgateSession) -> EvalTest:
    """What a parametrized test judges; one that asks for a baseline which this run lacks is not planned."""
    replaced = frozenset(arm for arm in Arm if is_overridden(item, arm.value))
    requested = requested_arms(item.fixturenames)
    given = {*session.arms.of(bound.case), *(replaced if session.has_model else ())}
    lacks_baseline = session.has_model and Arm.BASELINE in requested and Arm.BASELINE not in given
    arms = () if lacks_baseline else tuple(arm for arm in requested if arm in given)
    return EvalTest(
        key=item.nodeid,
        case=bound.case,
        arms=arms,
        repeats=(bound.repeat,),
        replaced=replaced & set(arms),
        lacks_baseline=lacks_baseline,
    )


def parametrize(metafunc: pytest.Metafunc, session: FtgateSession) -> None:
    """Runs a test once for each case that its markers name; a mistake in a marker fails its collection."""
    marks = list(metafunc.definition.iter_markers("eval_case"))[::-1]
    if not marks:
        return
    problem, found = "", {}
    try:
        found = {(case.suite, case.id): case for mark in marks for case in _cases(metafunc, mark, session)}
    except FileError as error:
        problem = f"{metafunc.definition.nodeid}: {error}"
    if problem:
        pytest.fail(problem, pytrace=False)
    bound = [BoundCase(case, repeat) for case in found.values() for repeat in range(1, case.repeat + 1)]
    params = [pytest.param(each, id=each.id, marks=_marks(each.case, session)) for each in bound]
    metafunc.parametrize("eval_case", params, indirect=True)


def has_marked_tests(node: pytest.Class) -> bool:
    """Whether a class, or a test in it, carries the marker."""
    return node.get_closest_marker("eval_case") is not None or _has_marks(node.obj)


def _has_marks(cls: type) -> bool:
    members = [member for base in cls.__mro__ for member in vars(base).values()]
    nested = (member for member in members if isinstance(member, type) and member.__name__.startswith("Test"))
    return any(map(_is_marked, members)) or any(map(_has_marks, nested))


def _is_marked(member: object) -> bool:
    marks = getattr(member, "pytestmark", ())
    return any(
        getattr(mark, "name", "") == "eval_case" for mark in (marks if isinstance(marks, list) else [marks])
    )


def requested_arms(fixturenames: Any) -> tuple[Arm, ...]:
    """The arms that a test asks, by the fixtures that it requests, however indirectly."""
    names = set(fixturenames)
    return tuple(arm for arm in Arm if names & {arm.value, f"ftgate_{arm}"})


def _marks(case: EvalCase, session: FtgateSession) -> list[pytest.MarkDecorator]:
    marks = []
    if case.skip is not None:
        marks.append(pytest.mark.skip(reason=inert_line(case.skip)))
    elif not session.arms.of(case):
        marks.append(session.no_model_mark)
    if case.xfail is not None:
        marks.append(
            pytest.mark.xfail(
                reason=inert_line(case.xfail), raises=(CaseMissed, AssertionError), strict=False
            )
        )
    return marks


def _cases(metafunc: pytest.Metafunc, mark: pytest.Mark, session: FtgateSession) -> Iterator[EvalCase]:
    if not mark.args:
        function = metafunc.function
        line = function.__code__.co_firstlineno
        yield session.collected.inline_case(metafunc.definition.path, line, mark.kwargs)
        return
    for path in mark.args:
        if not isinstance(path, str):
            pytest.fail(f"eval_case takes paths of case files, not {path!r}", pytrace=False)
        suite = session.collected.read_for_marker(path)
        selected = [case for case in suite.cases if _is_selected(case, mark.kwargs)]
        if not selected:
            wanted = ", ".join(f"{name}={value!r}" for name, value in mark.kwargs.items())
            pytest.fail(
                f"eval_case: no case of {path} has {wanted}{_hint(suite.cases, mark.kwargs)}", pytrace=False
            )
        yield from selected


def _is_selected(case: EvalCase, wanted: Mapping[str, Any]) -> bool:
    return all(set(_values(value)) & set(_selector(name)(case)) for name, value in wanted.items())


def _selector(name: str) -> Callable[[EvalCase], tuple[str, ...]]:
    if name not in _SELECTORS:
        near = get_close_matches(name, _SELECTORS, n=1)
        hint = f" Did you mean '{near[0]}'?" if near else f" Selections: {', '.join(_SELECTORS)}."
        pytest.fail(f"eval_case: cases of a file can't be selected by '{name}'.{hint}", pytrace=False)
    return _SELECTORS[name]


def _hint(cases: tuple[EvalCase, ...], wanted: Mapping[str, Any]) -> str:
    for name, value in wanted.items():
        known = sorted({each for case in cases for each in _selector(name)(case)})
        for each in _values(value):
            if each not in known and (near := get_close_matches(str(each), known, n=1)):
                return f". Did you mean '{near[0]}'?"
    return ""


def _values(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple | set | frozenset) else (value,)
