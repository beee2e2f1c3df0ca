"""A real browser for tests of pages: Playwright's own, or a Chromium that is installed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page, Playwright

_ON_PATH = ("chromium", "chromium-browser", "google-chrome")
NONE_THERE = (
    "no browser for the tests of the review page: run `playwright install chromium`, or install Debian's "
    "chromium or Google Chrome"
)


@contextmanager
def browser() -> Iterator[Browser]:
    """A running browser; skips without one, and fails where CI is set: there one has to be."""
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        none_there("Playwright is not installed: `pip install -e '.[dev]'` does it")
    with sync_playwright() as playwright:
        path = _executable(playwright)
        if path is None:
            none_there(NONE_THERE)
        # Chromium refuses its sandbox to root, as whom containers run their tests.
        arguments = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        running = playwright.chromium.launch(executable_path=path, args=arguments)
        yield running
        running.close()


def _executable(playwright: Playwright) -> str | None:
    own = playwright.chromium.executable_path
    return own if Path(own).exists() else next(filter(None, map(shutil.which, _ON_PATH)), None)


def none_there(message: str) -> NoReturn:
    """A machine without a browser tests the rest; CI has to test all."""
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


class Watch:
    """What a page must never do, noted while it is open: dialogs, requests, errors."""

    def __init__(self, page: Page) -> None:
        self.seen: list[str] = []
        page.on("dialog", self._dismiss)
        page.on("pageerror", lambda error: self.seen.append(f"error: {error}"))
        page.on("console", lambda message: self.seen.append(f"console: {message.text}"))
        page.on("popup", lambda popup: self.seen.append(f"popup: {popup.url}"))
        page.on("request", lambda request: self._note(request.url))

    def _dismiss(self, dialog: Dialog) -> None:
        self.seen.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _note(self, url: str) -> None:
        if not url.startswith(("file:", "blob:")):
            self.seen.append(f"request: {url}")
