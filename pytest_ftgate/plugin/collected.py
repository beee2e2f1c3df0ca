"""Which case files this session saw, what is in them, and the plan that follows."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_ftgate.errors import FileError, Mistake
from pytest_ftgate.record import Plan, PlannedCase, PlannedItem, case_plan

if TYPE_CHECKING:
    import pytest

    from pytest_ftgate.cases import Arm, EvalCase
    from pytest_ftgate.files.case_file import Suite
    from pytest_ftgate.scorers.spec import ScorerSpec

SUFFIXES = (".evalcase.yaml", ".evalcase.yml")


class CollectedCases:
    """The case files of one session by node id; owned by `FtgateSession`, filled while pytest collects."""

    def __init__(self, rootdir: Path, table: Mapping[str, ScorerSpec]) -> None:
        self.rootdir = rootdir
        self.table = table
        self.files: dict[str, Path] = {}
        self.suites: dict[str, Suite] = {}
        self.warnings: list[str] = []

    def see(self, nodeid: str, path: Path) -> None:
        """Notes a case file that pytest found, whether or not it goes on to collect it."""
        self.files[nodeid] = path

    def read(self, nodeid: str, path: Path) -> Suite | None:
        """The suite in a file, None with `collect: false`; raises FileError."""
        from pytest_ftgate.files.case_file import read_suite  # noqa: PLC0415  (yaml only where a case file is)

        if nodeid not in self.suites:
            suite = read_suite(path, self.rootdir, self.table)
            self._refuse_second_suite(suite)
            self.suites[nodeid] = suite
            self.warnings.extend(suite.warnings)
        suite = self.suites[nodeid]
        return suite if suite.collect else None

    def _refuse_second_suite(self, suite: Suite) -> None:
        for other in self.suites.values():
            if other.name == suite.name:
                what = f"suite '{suite.name}' is also the name of {other.path}: give one another `suite:`"
                raise FileError([Mistake(path=suite.path, line=1, column=1, message=what)])

    def plan(
        self, selected: Collection[str], arms_of: Callable[[EvalCase], tuple[Arm, ...]], also: Iterable[str]
    ) -> Plan:
        """All that has to run: every case of every file seen, and of the files `also` named by the gate.

        `selected` holds the keys (`file::case`) of the items that pytest will run.
        """
        left_out = [line for pattern in also for line in self._see_pattern(pattern)]
        planned: list[PlannedCase] = []
        for nodeid, path in sorted(self.files.items()):
            try:
                suite = self.read(nodeid, path)
            except FileError:
                left_out.append(nodeid)
                continue
            for case in suite.cases if suite else ():
                key = f"{nodeid}::{case.id}"
                planned.append(_planned(case, key, arms_of(case)))
                if case.skip is None and key not in selected:
                    left_out.append(key)
        planned.sort(key=lambda case: (case.suite, case.id))
        return Plan(cases=tuple(planned), left_out=tuple(sorted(set(left_out))))

    def _see_pattern(self, pattern: str) -> Iterator[str]:
        """Files of `gate.suites` that this run did not see join the plan; a pattern without any is named."""
        found = [path for path in sorted(self.rootdir.glob(pattern)) if path.name.endswith(SUFFIXES)]
        if not found:
            yield f"gate.suites: '{pattern}' matches no case file"
        for path in found:
            self.files.setdefault(path.relative_to(self.rootdir).as_posix(), path)


def _planned(case: EvalCase, key: str, arms: Sequence[Arm]) -> PlannedCase:
    return case_plan(case, (PlannedItem(nodeid=key, arms=tuple(arms)),) if arms else ())


def ignored_case_files(config: pytest.Config) -> Iterator[Path]:
    """Case files that `--ignore` or `--ignore-glob` kept from a run that would else have found them."""
    roots = [Path(os.path.abspath(str(arg).split("::", maxsplit=1)[0])) for arg in config.args]
    ignored = [Path(os.path.abspath(path)) for path in config.getoption("ignore") or ()]
    globs = [os.path.abspath(pattern) for pattern in config.getoption("ignore_glob") or ()]
    starts = [path for path in ignored if any(path.is_relative_to(root) for root in roots)]
    for path in _case_files(starts, config.getini("norecursedirs")):
        yield path
    if globs:
        for path in _case_files(roots, config.getini("norecursedirs")):
            if any(fnmatch.fnmatch(str(part), glob) for part in (path, *path.parents) for glob in globs):
                yield path


def _case_files(starts: Iterable[Path], norecursedirs: Sequence[str]) -> Iterator[Path]:
    for start in starts:
        if start.is_file() and start.name.endswith(SUFFIXES):
            yield start
        for folder, folders, names in os.walk(start):
            folders[:] = sorted(
                name
                for name in folders
                if not any(fnmatch.fnmatch(name, pattern) for pattern in norecursedirs)
            )
            yield from (Path(folder, name) for name in sorted(names) if name.endswith(SUFFIXES))


def similar_names(config: pytest.Config) -> list[str]:
    """Files under the given paths that look misspelt (`.evalcases.yaml`, `.evalcase.yml.txt`)."""
    roots = [Path(os.path.abspath(str(arg).split("::", maxsplit=1)[0])) for arg in config.args]
    found: list[str] = []
    for root in roots:
        for folder, folders, names in os.walk(root if root.is_dir() else root.parent):
            folders[:] = [name for name in folders if not name.startswith((".", "node_modules", "venv"))]
            found += [
                os.path.relpath(os.path.join(folder, name), config.rootpath)
                for name in names
                if "evalcase" in name.lower().replace("_", "").replace("-", "")
                and not name.endswith(SUFFIXES)
            ]
    return sorted(set(found))[:5]
