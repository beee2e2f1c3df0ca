from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_ftgate.errors import FileError
from pytest_ftgate.files.case_file import Suite, read_suite
from pytest_ftgate.scorers import BUILTIN

ReadSuite = Callable[[str | bytes], Suite]
Complaints = Callable[[str | bytes], list[str]]


@pytest.fixture
def suite_of(tmp_path: Path) -> ReadSuite:
    """Reads a text as `evals/tools.evalcase.yaml` of a rootdir."""

    def read(source: str | bytes) -> Suite:
        path = tmp_path / "evals" / "tools.evalcase.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(source if isinstance(source, bytes) else source.encode())
        return read_suite(path, tmp_path, BUILTIN)

    return read


@pytest.fixture
def complaints(suite_of: ReadSuite) -> Complaints:
    """All messages for a text, whether the file can be used or not."""

    def messages(source: str | bytes) -> list[str]:
        try:
            return [str(mistake) for mistake in suite_of(source).mistakes]
        except FileError as error:
            return [str(mistake) for mistake in error.mistakes]

    return messages
