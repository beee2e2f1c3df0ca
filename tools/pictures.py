"""`python -m tools.pictures`: the pictures of the documentation, from runs of the example project.

The terminal's are SVG, drawn from what a run printed; the page's is a screenshot by Chromium.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.support.browser import browser

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "images"
WIDTH = 100
#: Plugins of this environment that would change what is printed, and what makes pytest print long lines.
_LEFT_OUT = [f"-pno:{name}" for name in ("cacheprovider", "randomly", "sugar", "asyncio")]
_OF_CI = {"CI", "BUILD_NUMBER"}
BETTER = "pytest --model=tuned-v2 --baseline=base"
WORSE = "pytest --model=tuned-v1 --baseline=base"

_THEME = TerminalTheme(
    (24, 28, 36),
    (214, 219, 229),
    [
        (84, 92, 110),
        (244, 112, 103),
        (98, 208, 134),
        (232, 190, 96),
        (110, 170, 255),
        (206, 148, 244),
        (92, 206, 214),
        (214, 219, 229),
    ],
)
#: As rich's own, but without a font that would be fetched.
_FORMAT = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""  # noqa: E501  (one rule of CSS each)


def main() -> None:
    """Writes every picture anew."""
    FOLDER.mkdir(exist_ok=True)
    with _ran(BETTER) as (_, printed):
        _write("missed-case.svg", picture(first_regression(printed.splitlines()), BETTER))
    with _ran(WORSE, "--ftgate-report=report.html") as (folder, printed):
        _write("verdict.svg", picture(verdict(printed.splitlines()), WORSE))
        _screenshots(folder / "report.html")


def _write(name: str, text: str) -> None:
    (FOLDER / name).write_text(text, encoding="utf-8")


def first_regression(lines: list[str]) -> list[str]:
    """Of what a run printed, the first missed case that the baseline passed."""
    plain = [Text.from_ansi(line).plain for line in lines]
    start = next(at for at, line in enumerate(plain) if line.startswith("regression: ")) - 1
    end = next(at for at, line in enumerate(plain[start + 1 :], start + 1) if line.startswith("___"))
    return lines[start:end]


def verdict(lines: list[str]) -> list[str]:
    """Of what a run printed, the last section but pytest's own; where the report lies is left out."""
    plain = [Text.from_ansi(line).plain for line in lines]
    start = next(at for at, line in enumerate(plain) if line.strip("= ") == "ftgate")
    end = next(at for at, line in enumerate(plain) if "short test summary info" in line)
    return [line for line in lines[start:end] if not line.startswith("report: ")]


def picture(lines: list[str], title: str) -> str:
    """A terminal as SVG, as wide as the longest line."""
    text = Text.from_ansi("\n".join(lines))
    width = max(WIDTH, *(line.cell_len for line in text.split("\n")))
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(
            record=True, width=width, file=nowhere, force_terminal=True, color_system="truecolor"
        )
        console.print(text, soft_wrap=True)
    return console.export_svg(title=title, theme=_THEME, code_format=_FORMAT, unique_id="ftgate")


@contextmanager
def _ran(command: str, *more: str) -> Iterator[tuple[Path, str]]:
    """A copy of the example project after the run, and what the run printed."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "example_project"
        shutil.copytree(
            ROOT / "example_project", copy, ignore=shutil.ignore_patterns(".ftgate", "__pycache__")
        )
        done = subprocess.run(  # noqa: S603  (our own command)
            [sys.executable, "-m", *command.split(), "--color=yes", *_LEFT_OUT, *more],
            cwd=copy,
            env={name: value for name, value in os.environ.items() if name not in _OF_CI}
            | {"COLUMNS": str(WIDTH)},
            capture_output=True,
            text=True,
            check=False,
        )
        yield copy, done.stdout


def _screenshots(report: Path) -> None:
    with browser() as running:
        for scheme in ("light", "dark"):
            page = running.new_page(
                viewport={"width": 1280, "height": 900},
                color_scheme=scheme,
                device_scale_factor=1.5,
            )
            page.goto(report.as_uri())
            page.wait_for_selector("#filter:not([hidden])")
            page.screenshot(path=FOLDER / f"report-{scheme}.png")


if __name__ == "__main__":
    main()
