"""The tutorial is true: its commands, in their order, give what it shows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.pages import blocks, write_files
from tests.support.transcripts import missing_pieces, run

ROOT = Path(__file__).parents[1]
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
#: Other plugins of this environment would change what is printed.
_LEFT_OUT = "-p no:randomly -p no:sugar -p no:asyncio"
#: Each transcript by its command, as they follow each other.
TRANSCRIPTS = {
    text.partition("\n")[0].removeprefix("$ "): text for kind, text in blocks(TUTORIAL) if kind == "text"
}


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example project, with no file of the tutorial in it yet."""
    ignored = shutil.ignore_patterns(".ftgate", ".pytest_cache", "__pycache__")
    return shutil.copytree(
        ROOT / "example_project", tmp_path_factory.mktemp("tutorial") / "x", ignore=ignored
    )


@pytest.fixture(scope="module")
def outputs(example: Path) -> dict[str, str]:
    """What each command prints, one after the other; files come after the whole runs, as on the page."""
    said = {}
    for command in TRANSCRIPTS:
        if "strict.yaml" in command:
            write_files(TUTORIAL, example)
        done = run(command, example, PYTEST_ADDOPTS=_LEFT_OUT)
        said[command] = done.stdout + done.stderr
    return said


@pytest.mark.parametrize("command", TRANSCRIPTS)
def test_a_transcript_of_the_tutorial_is_real(outputs: dict[str, str], command: str) -> None:
    assert not missing_pieces(TRANSCRIPTS[command], outputs[command]), outputs[command]


def test_the_two_fine_tunes_get_the_verdicts_that_the_tutorial_tells(outputs: dict[str, str]) -> None:
    first, second = (
        next(said for command, said in outputs.items() if f"--model={name} --baseline=base" in command)
        for name in ("tuned-v1", "tuned-v2")
    )

    assert "\nITERATE: " in first
    assert "\nSHIP: " in second
    assert ", 15 missed in " in second


def test_the_files_of_the_tutorial_are_those_that_its_commands_name() -> None:
    files = [text.partition("\n")[0].removeprefix("# ") for kind, text in blocks(TUTORIAL) if kind == "yaml"]

    assert [name for name in files if not any(name in command for command in TRANSCRIPTS)] == []
