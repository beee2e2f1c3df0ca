"""One of several CI jobs: which cases are this shard's, and what its record tells whoever merges them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from pytest_ftgate.errors import ConfigError, FileError, RecordError
from pytest_ftgate.plugin.eval_test import EvalTest, eval_test_of, eval_tests
from pytest_ftgate.plugin.shard_options import record_name
from pytest_ftgate.plugin.terminal import Hint
from pytest_ftgate.record import CaseKey, Plan, Record, Shard, Share, balanced_shares, in_shard, parse_record
from pytest_ftgate.reports import refuse_foreign

if TYPE_CHECKING:
    from pytest_ftgate.plugin.session import FtgateSession


class Sharding:
    """The shard that this run is, on each of its processes; owned by `FtgateSession`."""

    def __init__(self, shard: Shard, durations: Sequence[Path]) -> None:
        self.shard = shard
        self.durations = durations

    @property
    def name(self) -> str:
        """`shard 2 of 5`."""
        return "shard {} of {}".format(*self.shard)

    def next_step(self, reports: Sequence[Path]) -> Hint:
        """Where this shard's record is, and what to do with all of them."""
        record = os.path.relpath(next(path for path in reports if path.suffix.lower() == ".jsonl"))
        number, of = self.shard
        is_named_by_us = Path(record).name == record_name(self.shard)
        every = record.replace(f"shard-{number}-of-", "shard-*-of-") if is_named_by_us else "RECORD..."
        text = f"this shard's record is {record}; with those of all {of}:"
        return Hint(text, f"ftgate decide {every}")

    @cached_property
    def times_s(self) -> Mapping[CaseKey, float]:
        """How long each case took in the runs to balance by; raises UsageError."""
        from pytest_ftgate.summary.case_times import case_times_s  # noqa: PLC0415  (only where they are needed)

        return case_times_s(_read(path).trials for path in self.durations)

    def share(self, runs: Mapping[CaseKey, bool]) -> Share | None:
        """This shard's cases of all (False: skipped); None where it goes by their keys."""
        number, of = self.shard
        shares = balanced_shares(runs, self.times_s, of) if self.durations else []
        return shares[number - 1] if shares else None

    def run_info(self, plan: Plan, models: Mapping[str, Mapping[str, Any]], rootdir: Path) -> dict[str, Any]:
        """What the record says of the shard."""
        share = self.share({case.key: bool(case.items) for case in plan.cases})
        return {"shard": self.shard, "share": share, "code": dict(_code(plan, models, rootdir))}


class ShardHooks:
    """Registered on processes that collect, if this run is a shard: leaves the cases of others to them."""

    def __init__(self, session: FtgateSession, sharding: Sharding) -> None:
        self.ftgate = session
        self.sharding = sharding

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Deselects the eval tests of other shards; what was deselected before is narrowed as ever."""
        if self.ftgate.usage_error:
            return
        try:
            is_ours, how = self._chosen()
        except (pytest.UsageError, FileError, ConfigError) as error:
            self.ftgate.usage_error = str(error)
            return
        others = [item for item in items if (test := eval_test_of(item)) and not is_ours(_key(test))]
        if others:
            left = set(others)
            items[:] = [item for item in items if item not in left]
            config.hook.pytest_deselected(items=others)
        self.ftgate.of_other_shards = eval_tests(others)
        ours, all_ = (len({_key(test) for test in tests}) for tests in self._counted(items))
        told = f"{self.sharding.name} has {ours} of {all_} cases, {how}"
        self.ftgate.told_of_shard = told if all_ else None

    def pytest_report_collectionfinish(self) -> str | None:
        """How many cases this shard runs; workers tell their controller."""
        told = self.ftgate.told_of_shard
        return f"ftgate: {told}" if told is not None else None

    def _counted(self, items: Sequence[pytest.Item]) -> tuple[list[EvalTest], list[EvalTest]]:
        tests = eval_tests(items)
        return tests, tests + self.ftgate.of_other_shards

    def _chosen(self) -> tuple[Callable[[CaseKey], bool], str]:
        """Which cases are ours, and in words how that was found."""
        shard = self.sharding.shard
        if not self.sharding.durations:
            return lambda key: in_shard(key, shard), "by their names"
        ftgate = self.ftgate
        share = self.sharding.share(ftgate.collected.case_runs(ftgate.arms.of, ftgate.gate.suites))
        files = ", ".join(path.name for path in self.sharding.durations)
        if share is None:
            return lambda key: in_shard(key, shard), f"by their names: {files} has no times of them"
        return share.cases.__contains__, f"balanced by {files}"


def forget_older_record(reports: Sequence[Path]) -> None:
    """Removes what an earlier try of this shard left: killed, this one must not be judged by it.

    Raises UsageError where it can't be removed; no other kind of file is touched.
    """
    for path in reports:
        if path.suffix.lower() != ".jsonl" or not path.is_file():
            continue
        try:
            refuse_foreign(path, "ftgate.record/", "record")
            path.unlink()
        except ConfigError:
            continue  # refused when the reports are checked
        except OSError as error:
            raise pytest.UsageError(
                f"{path}: the record of an earlier run can't be removed: {error.strerror or error}"
            ) from None


def _key(test: EvalTest) -> CaseKey:
    return test.case.suite, test.case.id


def _read(path: Path) -> Record:
    shown = os.path.relpath(path)
    try:
        with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
            return parse_record(lines, shown)
    except RecordError as error:
        raise pytest.UsageError(f"--ftgate-shard-durations: {error}") from None
    except OSError as error:
        why = error.strerror or error
        raise pytest.UsageError(f"--ftgate-shard-durations: {shown} can't be read: {why}") from None


#: Of a larger project only the first files, by name, are digested, and those that the plan names.
MOST_FILES = 5000
_NOT_THE_PROJECT = ("node_modules", "__pycache__", "build", "dist")


def _code(plan: Plan, models: Mapping[str, Mapping[str, Any]], rootdir: Path) -> Iterator[tuple[str, str]]:
    """Digests of the code that the plan does not hold: the project's Python files, whatever imports them.

    And the commit, where the CI service says it. All shards of a run can tell the same, whatever they ran.
    """
    if commit := os.environ.get("GITHUB_SHA") or os.environ.get("CI_COMMIT_SHA"):
        yield "commit", commit
    nodes = {item.nodeid.partition("::")[0] for case in plan.cases for item in case.items}
    files = {PurePosixPath(name) for name in nodes | {case.path for case in plan.cases}}
    names = {str(folder / "conftest.py") for path in files for folder in path.parents}
    names |= {str(path) for path in files if path.suffix == ".py"}
    names |= set(islice(_python_files(rootdir), MOST_FILES))
    for name in sorted(names | set(_modules(models))):
        try:
            yield name, hashlib.sha256((rootdir / name).read_bytes()).hexdigest()[:16]
        except OSError:
            continue


def _python_files(rootdir: Path) -> Iterator[str]:
    """Of the project, from the rootdir, in an order that is the same everywhere; no environment's."""
    for folder, folders, names in os.walk(rootdir):
        if "pyvenv.cfg" in names:
            folders.clear()
            continue
        folders[:] = sorted(one for one in folders if not one.startswith(".") and one not in _NOT_THE_PROJECT)
        for name in sorted(names):
            if name.endswith(".py"):
                yield (Path(folder) / name).relative_to(rootdir).as_posix()


def _modules(models: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Where in the project the functions of `python:` models may be."""
    described = (each for model in models.values() for each in (model, *model.get("roles", {}).values()))
    for function in (str(each["function"]) for each in described if each.get("kind") == "python"):
        module = function.removeprefix("python:").partition(":")[0].replace(".", "/")
        yield from (f"{module}.py", f"{module}/__init__.py")
