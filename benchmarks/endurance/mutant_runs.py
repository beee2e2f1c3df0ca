"""Runs mutants, each in a forked process with the tests that reach it, up to the first test that fails.

A change in a function is put into a process that has collected all tests already. What happens at import
(tables, constants, defaults) needs a process that has imported nothing of ours: it collects the tests anew.
"""

from __future__ import annotations

import gc
import importlib
import importlib.machinery
import importlib.util
import inspect
import math
import os
import pickle
import resource
import signal
import sys
import time
import traceback
import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import coverage
import pytest
from hypothesis import HealthCheck, Phase, settings

from benchmarks.endurance.mutating import Mutant

SURVIVED, KILLED, AT_IMPORT, INVALID = 0, 1, 2, 3
_MEMORY = 4 * 2**30
_PYTEST = ["-qq", "-s", "-x", "-p", "no:cacheprovider", "-p", "no:xdist"]
# Libraries are imported before pytest could rewrite their asserts.
_PYTEST += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
#: So many seconds, and so many times what its tests take without a change, before a mutant counts as hung.
_LEAST_S, _TIMES = 20.0, 10.0

_Task = TypeVar("_Task")


@dataclass(kw_only=True)
class Reached:
    """What was seen of the tests without a change: how long each took, and which lines it ran.

    `at_import` are the lines, by file, that ran while the tests were collected. `unseen` tests were not
    looked at; those that take more than `longest_s` are left out.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[str, set[int]]] = field(default_factory=dict)
    at_import: dict[str, set[int]] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)
    longest_s: float = math.inf
    failed: list[str] = field(default_factory=list)

    def tests_of(self, mutant: Mutant) -> list[str]:
        """The tests that may notice the change, the quickest first; those that were not looked at last."""
        path, anywhere = str(mutant.path), self.runs_at_import(mutant)
        ran = {name: files.get(path, set()) for name, files in self.lines.items()}
        quick = sorted(
            (name for name, took in self.seconds.items() if took <= self.longest_s),
            key=lambda name: self.seconds[name],
        )
        reach = [
            name
            for name in quick
            if (ran.get(name) if anywhere else ran.get(name, set()) & set(mutant.lines))
        ]
        # A table or a constant may be read where no function of its module runs.
        others = [name for name in quick if anywhere and not ran.get(name)]
        return [*reach, *others, *self.unseen]

    def runs_at_import(self, mutant: Mutant) -> bool:
        """Whether the change takes effect while modules are imported."""
        ran = self.at_import.get(str(mutant.path), set())
        return mutant.outermost is None or bool(ran & set(mutant.lines))

    def limit_s(self, mutant: Mutant) -> float:
        """After how long the change counts as one that hangs."""
        return _LEAST_S + _TIMES * sum(self.seconds.get(name, 1.0) for name in self.tests_of(mutant))


def use_plain_hypothesis() -> None:
    """The same examples each time, no database, no shrinking. To be called before tests are imported."""
    settings.register_profile(
        "mutants",
        database=None,
        derandomize=True,
        report_multiple_bugs=False,
        deadline=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("mutants")


def in_forks(
    tasks: Iterable[_Task],
    work: Callable[[_Task], int],
    limit_s: Callable[[_Task], float],
    jobs: int,
    *,
    is_quiet: bool = True,
) -> Iterator[tuple[_Task, int]]:
    """What `work` returned for each task, in a process of its own; a crash, or no end in time, is KILLED."""
    pending = iter(tasks)
    running: dict[int, tuple[_Task, float]] = {}
    gc.collect()
    gc.freeze()  # else each child copies the pages that its collector touches
    while True:
        while len(running) < jobs and (task := next(pending, None)) is not None:
            running[_forked(work, task, is_quiet)] = (task, time.monotonic() + limit_s(task))
        if not running:
            return
        for pid, (task, deadline) in list(running.items()):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del running[pid]
                code = os.waitstatus_to_exitcode(status)
                yield task, code if code in (SURVIVED, AT_IMPORT, INVALID) else KILLED
            elif time.monotonic() > deadline:
                os.killpg(pid, signal.SIGKILL)
        time.sleep(0.002)


def _forked(work: Callable[[_Task], int], task: _Task, is_quiet: bool) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = KILLED
    try:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2) if is_quiet else (0,):
            os.dup2(nowhere, stream)
        code = work(task)
    except BaseException:  # noqa: BLE001  (a process of its own: nothing may get out of it)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def is_property(item: pytest.Item) -> bool:
    """Whether Hypothesis makes its examples."""
    return bool(getattr(getattr(item, "obj", None), "is_hypothesis_test", False))


class Collected:
    """A pytest plugin that runs all mutants of functions, from one collection of the tests."""

    def __init__(
        self,
        *,
        mutants: Sequence[Mutant],
        files: Collection[str],
        jobs: int,
        left_out: Callable[[pytest.Item], bool],
        unseen: Callable[[pytest.Item], bool],
        longest_s: float,
        told: Callable[[Mutant, int], None],
        reached_path: Path,
    ) -> None:
        self.mutants, self.jobs, self.left_out, self.unseen = mutants, jobs, left_out, unseen
        self.told, self.reached_path = told, reached_path
        self.files = sorted(files)
        self.importing = coverage.Coverage(data_file=None, include=self.files, config_file=False)
        self.reached = Reached(longest_s=longest_s)
        self.items: dict[str, pytest.Item] = {}

    def run(self, tests: Sequence[str]) -> int:
        """Collects the tests and runs the mutants."""
        self.importing.start()
        return int(pytest.main([*_PYTEST, *tests], plugins=[self]))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.importing.stop()
        if session.testsfailed:
            return False
        self.items = {item.nodeid: item for item in session.items if not self.left_out(item)}
        # Looked at in a process of its own: nothing may be cached in this one.
        [(_, code)] = in_forks([self.reached], self._look, lambda _: 600.0, 1)
        if code == SURVIVED:
            self.reached = pickle.loads(self.reached_path.read_bytes())
        if not self.reached.failed:
            for mutant, outcome in in_forks(self.mutants, self._outcome, self.reached.limit_s, self.jobs):
                self.told(mutant, outcome)
        return True

    def _look(self, _: Reached) -> int:
        data = self.importing.get_data()
        self.reached.at_import = {path: set(data.lines(path) or ()) for path in self.files}
        self.reached.unseen = [name for name, item in self.items.items() if self.unseen(item)]
        looked_at = [item for item in self.items.values() if not self.unseen(item)]
        watch = _Watch(self.files, self.reached)
        looked_at[0].config.pluginmanager.register(watch)
        _run(looked_at)
        watch.end()
        self.reached_path.write_bytes(pickle.dumps(self.reached))
        return SURVIVED

    def _outcome(self, mutant: Mutant) -> int:
        if self.reached.runs_at_import(mutant):
            return AT_IMPORT
        names = self.reached.tests_of(mutant)
        if not names:
            return SURVIVED
        code = _code_of(mutant)
        if code is None:
            return INVALID
        function = _function_of(mutant)
        if function is None:
            return AT_IMPORT
        try:
            function.__code__ = code
        except ValueError:
            return AT_IMPORT
        items = [self.items[name] for name in names]
        items[0].config.pluginmanager.register(_EndAtFailure())
        _run(items)
        return SURVIVED


def run_anew(mutant: Mutant, reached: Reached) -> int:
    """Collects and runs the tests where nothing of ours was imported yet: in a fork of such a process."""
    names = reached.tests_of(mutant)
    if not names:
        return SURVIVED
    try:
        code = mutant.compiled()
    except SyntaxError:
        return INVALID
    sys.meta_path.insert(0, _Changed(mutant, code))
    # Before pytest starts: it would find the plugin's modules itself, to rewrite their asserts.
    importlib.import_module(mutant.module)
    files = list(dict.fromkeys(name.partition("::")[0] for name in names))
    ended = pytest.main([*_PYTEST, *files], plugins=[_EndAtFailure(), _Only(names)])
    return SURVIVED if ended == pytest.ExitCode.OK else KILLED


def _run(items: Sequence[pytest.Item]) -> None:
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


class _Watch:
    """Which lines each test runs, and for how long."""

    def __init__(self, files: Sequence[str], reached: Reached) -> None:
        self.coverage = coverage.Coverage(data_file=None, include=list(files), config_file=False)
        self.files, self.reached = files, reached
        self.coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self.coverage.switch_context(item.nodeid)
        started = time.process_time()  # what else the machine does, makes no difference
        found = yield
        self.reached.seconds[item.nodeid] = time.process_time() - started
        return found

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.reached.failed.append(report.nodeid)

    def end(self) -> None:
        self.coverage.stop()
        data = self.coverage.get_data()
        for path in self.files:
            for line, names in data.contexts_by_lineno(path).items():
                for name in filter(None, names):
                    self.reached.lines.setdefault(name, {}).setdefault(path, set()).add(line)


class _EndAtFailure:
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os._exit(KILLED)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            os._exit(KILLED)


class _Only:
    def __init__(self, names: Sequence[str]) -> None:
        self.order = {name: place for place, name in enumerate(names)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self.order]
        items[:] = sorted(chosen, key=lambda item: self.order[item.nodeid])


class _Changed(importlib.machinery.SourceFileLoader):
    """Finds and loads one module as the mutant has it."""

    def __init__(self, mutant: Mutant, code: object) -> None:
        super().__init__(mutant.module, str(mutant.path))
        self.code = code

    def find_spec(
        self,
        name: str,
        path: object,  # noqa: ARG002
        target: object = None,  # noqa: ARG002
    ) -> importlib.machinery.ModuleSpec | None:
        if name != self.name:
            return None
        is_package = self.path.endswith("__init__.py")
        locations = [str(Path(self.path).parent)] if is_package else None
        return importlib.util.spec_from_file_location(
            name, self.path, loader=self, submodule_search_locations=locations
        )

    def get_code(self, fullname: str) -> object:  # type: ignore[override]  # noqa: ARG002
        return self.code


def _code_of(mutant: Mutant) -> types.CodeType | None:
    """The changed code of the outermost function around the change; None where it can't be compiled."""
    try:
        module = mutant.compiled()
    except SyntaxError:
        return None
    wanted, todo = mutant.outermost, [module]
    while todo:
        code = todo.pop()
        assert isinstance(code, types.CodeType)
        if (code.co_qualname, code.co_firstlineno) == wanted:
            return code
        todo += [part for part in code.co_consts if isinstance(part, types.CodeType)]
    return None


def _function_of(mutant: Mutant) -> types.FunctionType | None:
    """The function itself, as its module or class holds it; None where it is wrapped beyond recognition."""
    assert mutant.outermost is not None
    found: object = sys.modules[mutant.module]
    for name in mutant.outermost[0].split("."):
        found = inspect.getattr_static(found, name, None)
    for kind, inner in _WRAPPED.items():
        if isinstance(found, kind):
            found = getattr(found, inner)
    found = inspect.unwrap(found) if callable(found) else found
    is_it = isinstance(found, types.FunctionType) and found.__code__.co_firstlineno == mutant.outermost[1]
    return found if is_it and isinstance(found, types.FunctionType) else None


_WRAPPED: Mapping[type, str] = {
    property: "fget",
    cached_property: "func",
    classmethod: "__func__",
    staticmethod: "__func__",
}
