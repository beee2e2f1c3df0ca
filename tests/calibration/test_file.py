from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_ftgate.calibration import read_calibrations
from pytest_ftgate.calibration.file import calibration_json
from pytest_ftgate.errors import RecordError
from pytest_ftgate.record import Calibration

ONE = Calibration(
    judges=({"name": "strict", "kind": "openai"},),
    check="abc",
    pairs=(("pass", "fail"), ("fail", "fail")),
    errors=1,
)


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", calibration_json(ONE))

    assert read_calibrations([path, path]) == (ONE,)


def test_two_of_the_same_check_contradict_each_other(tmp_path: Path) -> None:
    other = calibration_json(ONE) | {"errors": 0}

    with pytest.raises(RecordError) as raised:
        read_calibrations(
            [write(tmp_path / "a.json", calibration_json(ONE)), write(tmp_path / "b.json", other)]
        )

    assert str(raised.value) == (
        "two calibrations are of one check by the same judge (strict): give the one that counts"
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not valid JSON"),
        ([], "is no calibration: give a file that `ftgate judge calibrate` wrote"),
        ({"schema": "ftgate.review/1"}, "is no calibration: give a file that `ftgate judge calibrate` wrote"),
        ({"schema": "ftgate.calibration/1"}, "is damaged (KeyError: 'pairs'): make it anew"),
        (
            calibration_json(ONE) | {"pairs": [["pass", "good"]]},
            "is damaged (ValueError: labels good, pass): make it anew",
        ),
        (
            calibration_json(ONE) | {"pairs": [["pass", "a"]]},
            "is damaged (ValueError: labels a, pass): make it anew",
        ),
        (calibration_json(ONE) | {"errors": -1}, "is damaged (ValueError: errors is -1): make it anew"),
    ],
)
def test_what_is_no_calibration_is_named(tmp_path: Path, content: Any, said: str) -> None:
    path = write(tmp_path / "a.json", content)

    with pytest.raises(RecordError) as raised:
        read_calibrations([path])

    assert str(path) in str(raised.value)
    assert said in str(raised.value)
