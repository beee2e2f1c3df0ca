"""The files that commands are given: gates and records. What is wrong with them is an `FtgateError`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ftgate.errors import FtgateError

if TYPE_CHECKING:
    from pytest_ftgate.gates import Gate, Metric
    from pytest_ftgate.record import Record


def read_gate(path: Path) -> tuple[Gate, Mapping[str, Metric]]:
    """The gate in a file, and the metrics that its criteria may name."""
    from pytest_ftgate.files.config_file import read_config  # noqa: PLC0415  (imports yaml)
    from pytest_ftgate.gates import parse_gate  # noqa: PLC0415

    here, at = Path.cwd(), path.resolve()
    root = here if at.is_relative_to(here) else at.parent
    try:
        raw = read_config(at, root).gate
    except FtgateError:  # a threshold may be in the unit of a metric that only the project knows
        raw = read_config(at, root, _metrics_of_project()).gate
    metrics = metrics_for(raw)
    return parse_gate(raw, metrics=metrics), metrics


def metrics_for(raw: Mapping[str, Any]) -> Mapping[str, Metric]:
    """The metrics that a gate needs: the project's are looked up only if it names one that is not ours."""
    from pytest_ftgate.gates import BUILTIN_METRICS  # noqa: PLC0415
    from pytest_ftgate.scorers import BUILTIN  # noqa: PLC0415

    known = {*BUILTIN, *BUILTIN_METRICS}
    others = [name for name in _metric_names(raw) if name not in known and not name.startswith("mean:")]
    return _metrics_of_project() if others else BUILTIN_METRICS


def _metric_names(raw: Mapping[str, Any]) -> Iterator[str]:
    """The metrics in a gate as written, which nobody has checked yet."""
    criteria = raw.get("criteria")
    for criterion in criteria.values() if isinstance(criteria, Mapping) else ():
        metric = criterion.get("metric") if isinstance(criterion, Mapping) else None
        names = metric if isinstance(metric, Sequence) and not isinstance(metric, str) else [metric]
        yield from (name for name in names if isinstance(name, str))


def _metrics_of_project() -> Mapping[str, Metric]:
    from pytest_ftgate.plugin.extensions import metrics_of_project  # noqa: PLC0415  (imports pytest)

    return metrics_of_project()


def read_records(paths: Sequence[Path]) -> Record:
    """The record of one run; several are its shards. All that can't be read are named."""
    from pytest_ftgate.errors import RecordError  # noqa: PLC0415
    from pytest_ftgate.record import merge  # noqa: PLC0415

    if not paths:
        raise RecordError(
            "no record is named: name the .jsonl files that --ftgate-report or --ftgate-shard wrote"
        )
    records, problems = [], []
    for path in paths:
        try:
            records.append(read_record(path))
        except RecordError as error:
            problems.append(str(error))
    if problems:
        raise RecordError("\n".join(problems))
    return merge(records)


def with_reviews(record: Record, paths: Sequence[Path]) -> Record:
    """The record with the votes in these files beside those that it holds; raises RecordError."""
    if not paths:
        return record
    from pytest_ftgate.record import merged_votes  # noqa: PLC0415
    from pytest_ftgate.review import read_reviews  # noqa: PLC0415

    return replace(record, votes=merged_votes([*record.votes, *read_reviews(paths)]))


def with_calibrations(record: Record, paths: Sequence[Path]) -> Record:
    """The record with the calibrations in these files beside those that it holds; raises RecordError."""
    if not paths:
        return record
    from pytest_ftgate.calibration import read_calibrations  # noqa: PLC0415
    from pytest_ftgate.record import merged_calibrations  # noqa: PLC0415

    found = merged_calibrations([*record.run.calibrations, *read_calibrations(paths)])
    return replace(record, run=replace(record.run, calibrations=found))


def read_record(path: Path) -> Record:
    """The record in one file, a shard's too; raises RecordError."""
    from pytest_ftgate.errors import RecordError  # noqa: PLC0415
    from pytest_ftgate.record import parse_record  # noqa: PLC0415

    try:
        with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
            return parse_record(lines, str(path))
    except RecordError as error:
        if path.suffix != ".json":
            raise
        hint = "a .json report does not hold the record: judge one that --ftgate-report=NAME.jsonl wrote"
        raise RecordError(f"{error} ({hint})") from None
    except OSError as error:
        raise RecordError(f"{path} can't be read: {error.strerror or error}") from None


def common_run_id(paths: Sequence[Path]) -> str:
    """The run that all these records say they are of; "" if they do not agree, or can't be read."""
    found = set()
    for path in paths:
        try:
            with path.open(encoding="utf-8", errors="replace") as lines:
                found.add(str(json.loads(lines.readline())["run_id"]))
        except (OSError, ValueError, TypeError, KeyError):
            return ""
    return found.pop() if len(found) == 1 else ""


def keep_inputs(read: Sequence[Path], written: Sequence[Path]) -> None:
    """Refuses to write a file over one that is to be read, or two files over each other."""
    from pytest_ftgate.errors import ConfigError  # noqa: PLC0415

    taken = {path.resolve() for path in read}
    for path in written:
        if path.resolve() in taken:
            raise ConfigError(f"{path} is named twice: a file can't be read and written, or written twice")
        taken.add(path.resolve())
