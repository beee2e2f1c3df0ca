"""What holds for every test: runs of pytest inside of tests have no plugins that would change them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import browser as running_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: As in our own runs: installed to be tested beside, where a test names them.
_LEFT_OUT = "-p no:randomly -p no:sugar -p no:asyncio"


@pytest.fixture(autouse=True)
def _plain_runs_inside(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "pytester" in request.fixturenames:
        request.getfixturevalue("pytester")  # takes the variable away when it starts
    monkeypatch.setenv("PYTEST_ADDOPTS", _LEFT_OUT)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)  # that of our own CI


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests of pages, once for each process that runs such tests: Playwright allows no second."""
    with running_browser() as running:
        yield running
