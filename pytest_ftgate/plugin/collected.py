"""Which case files this session saw, what is in them, and the plan that follows."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ftgate.errors import ConfigError, FileError, Mistake
from pytest_ftgate.plugin.eval_test import EvalTest
from pytest_ftgate.plugin.searching import SUFFIXES, has_eval_tests
from pytest_ftgate.record import CaseKey, Plan, PlannedCase, case_plan

if TYPE_CHECKING:
    from pytest_ftgate.cases import Arm, EvalCase
    from pytest_ftgate.files.case_file import Suite
    from pytest_ftgate.scorers.spec import ScorerSpec


class CollectedCases:
    """The case files and eval tests of a session; owned by `FtgateSession`, filled while pytest collects."""

    def __init__(self, rootdir: Path, table: Mapping[str, ScorerSpec]) -> None:
        self.rootdir = rootdir
        self.table = table
        self.files: dict[str, Path] = {}
        self.suites: dict[str, Suite] = {}
        self.stamps: dict[str, object] = {}
        self.tests: dict[str, EvalTest] = {}
        self.inline: dict[CaseKey, EvalCase] = {}
        #: Test modules and classes that pytest saw and did not collect, though there are eval tests in them.
        self.passed_over: set[str] = set()
        #: Case files that `gate.suites` names.
        self.named_by_gate: set[str] = set()
        #: Mistaken cases that pytest has reported as collection errors.
        self.reported: set[str] = set()
        self.warnings: list[str] = []

    @property
    def has_any(self) -> bool:
        """Whether there is any case in this session."""
        return bool(self.files or self.tests)

    def see(self, nodeid: str, path: Path) -> None:
        """Notes a case file that pytest found, whether or not it goes on to collect it; raises FileError.

        A file outside the rootdir has no node id of its own, so its cases could be taken for another's.
        """
        if not path.is_relative_to(self.rootdir):
            what = f"this case file lies outside pytest's rootdir, {self.rootdir}: move it, or set --rootdir"
            raise FileError([Mistake(path=str(path), line=1, column=1, message=what)])
        self.files[nodeid] = path

    def add(self, test: EvalTest) -> None:
        """Notes what an item judges, whether or not pytest selects the item."""
        self.tests[test.key] = test

    def read(self, nodeid: str, path: Path) -> Suite:
        """The suite in a file; raises FileError."""
        from pytest_ftgate.files.case_file import read_suite  # noqa: PLC0415  (yaml only where a case file is)

        if nodeid not in self.suites:
            self.stamps[nodeid] = _stamp(path)
            suite = read_suite(path, self.rootdir, self.table)
            self._refuse_second_suite(suite)
            self.suites[nodeid] = suite
            self.warnings.extend(suite.warnings)
        return self.suites[nodeid]

    def read_for_marker(self, path: str) -> Suite:
        """The suite that a marker names, from the rootdir; raises FileError, for its mistakes too."""
        suite = self.read(Path(os.path.normpath(path)).as_posix(), self.rootdir / path)
        if suite.mistakes:
            raise FileError(suite.mistakes)
        return suite

    def inline_case(self, path: Path, line: int, fields: Mapping[str, Any]) -> EvalCase:
        """The case that a marker writes out; its suite is the module. Raises FileError."""
        from pytest_ftgate.files.case_file import InlinePlace, parse_cases  # noqa: PLC0415  (only where one is)

        suite = path.relative_to(self.rootdir).as_posix()
        place = InlinePlace(path=path, rootdir=self.rootdir, line=line, suite=suite)
        cases, mistakes = parse_cases([fields], place, self.table)
        if mistakes:
            raise FileError(mistakes)
        case = cases[0]
        first = self.inline.setdefault((case.suite, case.id), case)
        if case_plan(first, ()).digest != case_plan(case, ()).digest:
            what = f"line {first.line} has another case of this id in this module"
            raise FileError([Mistake(path=suite, line=line, column=1, case=case.id, message=what)])
        return case

    def _refuse_second_suite(self, suite: Suite) -> None:
        for other in self.suites.values():
            if other.name == suite.name:
                what = f"suite '{suite.name}' is also the name of {other.path}: give one another `suite:`"
                raise FileError([Mistake(path=suite.path, line=1, column=1, message=what)])
            if _folded(other.name) == _folded(suite.name):
                self.warnings.append(
                    f"suites '{other.name}' ({other.path}) and '{suite.name}' differ by little"
                )

    def forget_cases(self) -> None:
        """Leaves the cases to the tests that judge them: the plan is made."""
        self.suites = {nodeid: replace(suite, cases=()) for nodeid, suite in self.suites.items()}

    def changed(self) -> list[str]:
        """The case files that are not what they were when they were read."""
        return sorted(
            nodeid
            for nodeid, path in self.files.items()
            if self.stamps.get(nodeid, _stamp(path)) != _stamp(path)
        )

    def plan(
        self, selected: Collection[str], arms_of: Callable[[EvalCase], tuple[Arm, ...]], also: Iterable[str]
    ) -> Plan:
        """All that has to run: each eval test collected, and each case of the files seen or named by `also`.

        `selected` holds the keys of the eval tests that pytest will run; `also` are the globs of the gate.
        """
        left_out = self._see_all(arms_of, also)
        left_out += [test.key for test in self.tests.values() if test.runs and test.key not in selected]
        return Plan(cases=tuple(self._planned_cases()), left_out=tuple(sorted(set(left_out))))

    def case_runs(
        self, arms_of: Callable[[EvalCase], tuple[Arm, ...]], also: Iterable[str]
    ) -> dict[CaseKey, bool]:
        """All cases of the plan, before pytest has selected anything; False for those that are skipped."""
        self._see_all(arms_of, also)
        found: dict[CaseKey, bool] = {}
        for test in self.tests.values():
            key = (test.case.suite, test.case.id)
            found[key] = found.get(key, False) or test.runs
        return found

    def _see_all(self, arms_of: Callable[[EvalCase], tuple[Arm, ...]], also: Iterable[str]) -> list[str]:
        """Makes sure that all tests are known, and says what pytest was kept from collecting."""
        for pattern in also:
            self._see_pattern(pattern)
        left_out = list(self.passed_over)
        for nodeid, path in sorted(self.files.items()):
            try:
                suite = self.read(nodeid, path)
            except FileError:
                left_out += [] if nodeid in self.reported else [nodeid]
                continue
            mistaken = (f"{nodeid}::{mistake.case}" for mistake in suite.mistakes if mistake.case)
            left_out += [key for key in mistaken if key not in self.reported]
            if not suite.collect:
                left_out += self._unheld(nodeid, suite)
            for case in suite.cases if suite.collect else ():
                key = f"{nodeid}::{case.id}"
                if key not in self.tests:
                    self.add(EvalTest(key=key, case=case, arms=arms_of(case)))
        return left_out

    def _unheld(self, nodeid: str, suite: Suite) -> list[str]:
        """Cases of a file with `collect: false` that no test holds: left out if the gate names the file."""
        held = {(test.case.suite, test.case.id) for test in self.tests.values()}
        unheld = [f"{nodeid}::{case.id}" for case in suite.cases if (case.suite, case.id) not in held]
        if nodeid in self.named_by_gate:
            return unheld
        if unheld:
            self.warnings.append(
                f"{nodeid} has `collect: false`, and no test here takes {len(unheld)} of its cases"
            )
        return []

    def _planned_cases(self) -> Iterator[PlannedCase]:
        """Each case once, with all items that judge it, sorted; one without any is only named."""
        by_case: dict[CaseKey, list[EvalTest]] = {}
        for test in self.tests.values():
            by_case.setdefault((test.case.suite, test.case.id), []).append(test)
        for _, tests in sorted(by_case.items()):
            case = tests[0].case
            items = [test.planned for test in sorted(tests, key=lambda test: test.key) if test.runs]
            skip = case.skip or ("no baseline" if any(test.lacks_baseline for test in tests) else None)
            yield case_plan(case if items else replace(case, skip=skip), items)

    def _see_pattern(self, pattern: str) -> None:
        """Files of `gate.suites` that this run did not see join the plan; a glob without any is an error."""
        found = [Path(name) for name in glob(pattern, root_dir=self.rootdir, recursive=True)]
        below = [path for folder in found for path in (self.rootdir / folder).rglob("*") if path.is_file()]
        paths = {self.rootdir / path for path in found if (self.rootdir / path).is_file()} | set(below)
        suites = sorted(path for path in paths if path.name.endswith(SUFFIXES))
        modules = sorted(path for path in paths if path.suffix == ".py" and has_eval_tests(path))
        if os.path.isabs(pattern) or not suites + modules:
            raise ConfigError(f"gate.suites: '{pattern}' matches no case file; globs start at {self.rootdir}")
        for path in suites:
            self.files.setdefault(path.relative_to(self.rootdir).as_posix(), path)
            self.named_by_gate.add(path.relative_to(self.rootdir).as_posix())
        seen = {test.key.partition("::")[0] for test in self.tests.values()}
        names = {path.relative_to(self.rootdir).as_posix() for path in modules}
        self.passed_over |= names - seen


def _stamp(path: Path) -> object:
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size, about.st_ino


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
