"""The site: its reference is what the code says, it builds strictly, and loads nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import yaml

from pytest_ftgate.files.config_file import read_config
from tests.support.pages import blocks
from tools.reference.pages import FOLDER, reference_pages

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
#: Attributes by which a page loads something; a link that a reader may follow is none.
_LOADS = {"src", "srcset", "data", "poster", "action"}


class _Loaded(HTMLParser):
    """Collects what a page loads, and its title."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[str] = []
        self.title = ""
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._in_title = tag == "title"
        self.urls += [value for name, value in attrs if name in _LOADS and value]
        if tag == "link" and found.get("rel") != "canonical":
            self.urls.append(found.get("href") or "")

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data
            self._in_title = False


def block(page: str, first: str) -> str:
    """The fenced block of a page that begins with this line."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return next(found for _, found in blocks(text) if found.startswith(f"{first}\n"))


def read(page: Path) -> _Loaded:
    found = _Loaded()
    found.feed(page.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; only a checkout without MkDocs, and not CI, may do without."""
    if not os.environ.get("CI") and importlib.util.find_spec("material") is None:
        pytest.skip("MkDocs is not installed: `pip install -e '.[dev]'` does it")
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return folder


@pytest.mark.parametrize("name", reference_pages())
def test_a_reference_page_is_what_the_code_says(name: str) -> None:
    written = (FOLDER / name).read_text(encoding="utf-8")

    assert written == reference_pages()[name], "run `python -m tools.reference`"


def test_there_is_no_other_page_in_the_reference() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {*reference_pages()}


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    pages = list(site.rglob("*.html"))

    outside = {
        (page.name, url)
        for page in pages
        for url in read(page).urls
        if urlsplit(url).netloc or url.startswith("//")
    }

    assert len(pages) > 25
    assert not outside


def test_no_style_loads_anything_from_another_host(site: Path) -> None:
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))

    assert styles
    assert not re.findall(r"(?:@import|url\()\s*['\"]?(?:https?:)?//[^)]*", styles)


def test_every_page_has_a_title_of_its_own(site: Path) -> None:
    titles = [
        read(page).title for page in site.rglob("*.html") if page.name not in ("404.html", "index.html")
    ]

    assert len({*titles}) == len(titles)
    assert all(re.fullmatch(r"\S.* - pytest-ftgate", title) for title in titles), titles


def test_pages_from_the_root_lead_to_pages_of_the_site(site: Path) -> None:
    home = (site / "index.html").read_text(encoding="utf-8")
    hooks = (site / "hooks.html").read_text(encoding="utf-8")

    assert 'href="kept-answers.html#many-workers-other-hosts"' in home
    assert 'href="index.html#in-ci"' in hooks
    assert "name: test" in (site / "files/example_project/github/workflows/test.yml").read_text("utf-8")


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    """The site, served on this machine."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_browser_asks_nobody_else_and_finds_what_is_searched(address: str, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 360, "height": 740})
    asked, problems = [], list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))

    page.goto(f"{address}/read-a-verdict.html")
    width = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.locator("input.md-search__input").click()
    page.keyboard.type("Krippendorff")
    page.locator(".md-search-result__item").first.wait_for()
    page.close()

    assert width == 360
    assert {url for url in asked if not url.startswith((address, "data:", "blob:"))} == set()
    assert problems == []


def test_the_files_for_ci_run_what_the_example_runs() -> None:
    example = ROOT / "example_project"
    workflow = yaml.safe_load(block("ci.md", "# .github/workflows/evals.yml"))["jobs"]["evals"]
    pipeline = yaml.safe_load(block("ci.md", "# .gitlab-ci.yml"))
    real = yaml.safe_load((example / ".github/workflows/test.yml").read_text(encoding="utf-8"))["jobs"][
        "test"
    ]

    assert workflow["steps"][:-1] == real["steps"][:-1]
    assert workflow["env"] == real["env"]
    tested = yaml.safe_load((example / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    assert pipeline["evals"] == tested["test"]


def test_the_jenkinsfile_runs_the_same_commands_and_verifies_last() -> None:
    text = block("ci.md", "// Jenkinsfile")
    workflow = yaml.safe_load(block("ci.md", "# .github/workflows/evals.yml"))["jobs"]["evals"]
    commands = [step["run"] for step in workflow["steps"] if "run" in step]

    shells = re.findall(r"^\s+sh '(.*)'$", text, re.MULTILINE)

    inside = [shell.rpartition(" && ")[2].removeprefix(".venv/bin/") for shell in shells]
    assert inside == commands
    assert text.count("{") == text.count("}")
    assert re.findall(r"^  (\w+)\b", text, re.MULTILINE) == [
        "agent",
        "options",
        "environment",
        "stages",
        "post",
    ]
    assert "      junit 'junit.xml'\n" in text


def test_the_frozen_baseline_is_read(tmp_path: Path) -> None:
    text = block("freeze-a-baseline.md", "# ftgate.yaml")
    (tmp_path / "ftgate.yaml").write_text(text, encoding="utf-8")

    config = read_config(tmp_path / "ftgate.yaml", tmp_path)

    assert (config.model, config.baseline) == ("tuned", "prod")


def test_the_baseline_is_frozen_by_the_command_of_the_example() -> None:
    text = (DOCS / "freeze-a-baseline.md").read_text(encoding="utf-8")
    (command,) = (found.strip() for kind, found in blocks(text) if not kind)

    assert f"`{command}`" in (ROOT / "example_project" / "README.md").read_text(encoding="utf-8")


def test_what_the_guide_to_a_verdict_shows_stands_in_the_transcript_that_is_run() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    guide = (DOCS / "read-a-verdict.md").read_text(encoding="utf-8")

    shown = [text for kind, text in blocks(guide) if kind == "text"]

    assert len(shown) == 9
    assert [text for text in shown if text not in readme] == []
