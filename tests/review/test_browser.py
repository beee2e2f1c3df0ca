"""The tests of the page are never left out unnoticed."""

from __future__ import annotations

import pytest

from tests.support.browser import NONE_THERE, none_there


def test_without_a_browser_the_tests_of_the_page_are_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="playwright install chromium"):
        none_there(NONE_THERE)


def test_where_ci_is_set_they_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match=r"^no browser for the tests of the review page: run "):
        none_there(NONE_THERE)
