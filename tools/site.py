"""MkDocs' hook: puts pages from outside docs/ on the site, and lets links lead there.

A link in the repository leads from file to file; on the site some files are pages, others are copied.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]

#: Pages of the site that lie elsewhere, by their path in the repository.
OUTSIDE = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "example_project/README.md": "example.md",
    "example_project/MODEL_CARD.md": "model-card.md",
    "benchmarks/README.md": "benchmarks.md",
}
_INSIDE = {on_site: written for written, on_site in OUTSIDE.items()}
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)#\s]+)((?:#[^)\s]*)?)(?=\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages of the repository's other folders, and every file that a page links to."""
    for written, on_site in OUTSIDE.items():
        files.append(_generated(config, on_site, ROOT / written))
    pages = [file.src_uri for file in files.documentation_pages()]
    for target in sorted({target for page in pages for target in _linked_files(page)}):
        files.append(_generated(config, _on_site(target), ROOT / target))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """The page's text with links that lead from page to page of the site."""
    here = page.file.src_uri

    def moved(link: re.Match[str]) -> str:
        target = _on_site(_in_repository(here, link[1]))
        return posixpath.relpath(target, posixpath.dirname(here) or ".") + link[2]

    return _LINK.sub(moved, markdown)


def _generated(config: MkDocsConfig, on_site: str, source: Path) -> File:
    return File.generated(config, on_site, abs_src_path=str(source), inclusion=InclusionLevel.INCLUDED)


def _source(page: str) -> str:
    """Where a page of the site stands in the repository."""
    return _INSIDE.get(page, f"docs/{page}")


def _in_repository(page: str, link: str) -> str:
    """The path that a page's link leads to, from the repository's root."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(_source(page)), link))


def _on_site(path: str) -> str:
    """Where a file of the repository stands on the site; hidden ones without their dot."""
    if path in OUTSIDE or path.startswith("docs/"):
        return OUTSIDE.get(path, path.removeprefix("docs/"))
    return "files/" + "/".join(part.lstrip(".") for part in path.split("/"))


def _linked_files(page: str) -> Iterator[str]:
    """The files of the repository that a page links to and that are no pages."""
    text = (ROOT / _source(page)).read_text(encoding="utf-8")
    targets = {_in_repository(page, link[1]) for link in _LINK.finditer(text)}
    return (path for path in targets if _on_site(path).startswith("files/") and (ROOT / path).is_file())
