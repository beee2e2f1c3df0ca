"""Calibration files: written by `ftgate judge calibrate`, read by runs and `ftgate decide`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_ftgate.errors import RecordError
from pytest_ftgate.files.references import Unusable, read_regular_file
from pytest_ftgate.files.strict_json import JsonError, strict_json
from pytest_ftgate.record import Calibration, merged_calibrations

CALIBRATION_SCHEMA = "ftgate.calibration/1"
MAX_BYTES = 64 * 2**20


def calibration_json(calibration: Calibration) -> dict[str, Any]:
    """The content of a calibration file, but for what people read in it."""
    return {"schema": CALIBRATION_SCHEMA, **calibration.as_json()}


def read_calibrations(paths: Sequence[Path]) -> tuple[Calibration, ...]:
    """The calibrations in these files, each once; raises `RecordError`."""
    return merged_calibrations(_read(path) for path in paths)


def _read(path: Path) -> Calibration:
    try:
        row = strict_json(read_regular_file(path, limit=MAX_BYTES, remedy="this is no calibration"))
    except Unusable as reason:
        raise RecordError(f"{path}: the file {reason}") from None
    except JsonError as error:
        raise RecordError(f"{path}: {error}") from None
    if not isinstance(row, dict) or row.get("schema") != CALIBRATION_SCHEMA:
        raise RecordError(f"{path} is no calibration: give a file that `ftgate judge calibrate` wrote")
    try:
        return Calibration.from_json(row)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"{path} is damaged ({type(error).__name__}: {error}): make it anew") from None
