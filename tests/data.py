"""Where recorded answers of real models lie, which some tests are checked against."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def data_folder(name: str) -> Path:
    """The folder of one data set, below `$FTGATE_DATA` or beside the repository; skips without it."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("FTGATE_DATA") or beside) / name
    if not folder.is_dir():
        pytest.skip(f"the recorded data set {name} is not here; set FTGATE_DATA to the folder that holds it")
    return folder
