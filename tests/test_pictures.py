"""The pictures of the terminal show what a run prints now."""

from __future__ import annotations

import shutil
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.transcripts import run, settled

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
#: Of a character of these pictures.
WIDTH = 12.2
_LEFT_OUT = "-p no:randomly -p no:sugar -p no:asyncio"


def drawn(name: str) -> list[str]:
    """The lines of a picture."""
    rows: defaultdict[float, list[tuple[float, str]]] = defaultdict(list)
    for text in ElementTree.parse(IMAGES / name).getroot().iter("{http://www.w3.org/2000/svg}text"):
        if text.get("clip-path"):
            rows[float(text.get("y", 0))].append((float(text.get("x", 0)), text.text or ""))
    return [_line(parts) for _, parts in sorted(rows.items())]


def _line(parts: list[tuple[float, str]]) -> str:
    made = ""
    for x, text in sorted(parts):
        made = made.ljust(round(x / WIDTH)) + text
    return made.replace("\N{NO-BREAK SPACE}", " ").rstrip()


@pytest.mark.parametrize(("name", "model"), [("verdict.svg", "tuned-v1"), ("missed-case.svg", "tuned-v2")])
def test_a_picture_of_the_terminal_shows_what_a_run_prints(name: str, model: str, tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns(".ftgate", ".pytest_cache", "__pycache__")
    copy = shutil.copytree(ROOT / "example_project", tmp_path / "x", ignore=ignored)
    command = f"pytest --model={model} --baseline=base"
    done = run(command, copy, COLUMNS="100", PYTEST_ADDOPTS=_LEFT_OUT)

    printed = list(settled(done.stdout))
    lines = [line for line in settled("\n".join(drawn(name))) if line]

    assert len(lines) > 10
    assert [line for line in lines if line not in printed] == []
    assert command in (IMAGES / name).read_text(encoding="utf-8").replace("&#160;", " ")


def test_a_picture_needs_nothing_from_elsewhere() -> None:
    for path in IMAGES.glob("*.svg"):
        text = path.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
        assert "http" not in text
        assert "<script" not in text
