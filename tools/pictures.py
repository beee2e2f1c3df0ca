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
RUN = ("--model=tuned-v1", "--baseline=base", "--ftgate-report=report.html")
#: Plugins of this environment that would change what is printed, and what makes pytest print long lines.
_LEFT_OUT = [f"-pno:{name}" for name in ("cacheprovider", "randomly", "sugar", "asyncio")]
_OF_CI = {"CI", "BUILD_NUMBER"}
TITLE = "pytest --model=tuned-v1 --baseline=base"

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
    with _ran() as (folder, printed):
        for name, lines in parts(printed).items():
            (FOLDER / name).write_text(picture(lines), encoding="utf-8")
        _screenshots(folder / "report.html")


def parts(printed: str) -> dict[str, list[str]]:
    """The pictures of a run by their files' names, each as lines with their colours."""
    lines = [line for line in printed.splitlines() if not line.startswith("report: ")]
    plain = [Text.from_ansi(line).plain for line in lines]
    verdict = next(at for at, line in enumerate(plain) if line.strip("= ") == "ftgate")
    case = next(at for at, line in enumerate(plain) if line.startswith("___"))
    following = next(at for at, line in enumerate(plain[case + 1 :], case + 1) if line.startswith("___"))
    summary = next(at for at, line in enumerate(plain) if "short test summary info" in line)
    return {"verdict.svg": lines[verdict:summary], "missed-case.svg": lines[case:following]}


def picture(lines: list[str]) -> str:
    """A terminal as SVG, as wide as the longest line."""
    text = Text.from_ansi("\n".join(lines))
    width = max(WIDTH, *(line.cell_len for line in text.split("\n")))
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(
            record=True, width=width, file=nowhere, force_terminal=True, color_system="truecolor"
        )
        console.print(text, soft_wrap=True)
    return console.export_svg(title=TITLE, theme=_THEME, code_format=_FORMAT, unique_id="ftgate")


@contextmanager
def _ran() -> Iterator[tuple[Path, str]]:
    """A copy of the example project after the run, and what the run printed."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "example_project"
        shutil.copytree(
            ROOT / "example_project", copy, ignore=shutil.ignore_patterns(".ftgate", "__pycache__")
        )
        done = subprocess.run(  # noqa: S603  (our own command)
            [sys.executable, "-m", "pytest", "--color=yes", *_LEFT_OUT, *RUN],
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
                color_scheme=scheme,  # type: ignore[arg-type]  # one of its literals
                device_scale_factor=1.5,
            )
            page.goto(report.as_uri())
            page.wait_for_selector("#filter:not([hidden])")
            page.screenshot(path=FOLDER / f"report-{scheme}.png")


if __name__ == "__main__":
    main()
