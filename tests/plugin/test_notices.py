"""Endpoints that keep all requests waiting: what is said meanwhile, and what the verdict says of it."""

from __future__ import annotations

import re

import pytest

from tests.plugin.conftest import Project

#: An endpoint whose answers wait until the engine has heard that it is down; nothing here takes its time.
CONFTEST = """
import asyncio

from pytest_ftgate.completions import Completion
from pytest_ftgate.models.endpoints.delays import Delays, Notice
from pytest_ftgate.models.endpoints.endpoint import Endpoint

import bots


class Scripted(Delays):
    def __init__(self):
        super().__init__("http://h/v1", Endpoint(None, budget_s=900, hold_s=lambda _: 1.0))
        self.waits, self.heard = False, asyncio.Event()

    def look(self, now):
        notices = []
        if not self.waits:
            return notices
        if not self.heard.is_set():
            text = "http://h/v1 is unavailable (HTTP 503): waiting up to 14 min 30 s more"
            notices = [Notice("http://h/v1 outage", text, True), Notice("http://h/v1 outage", text, True)]
            notices.append(Notice("http://h/v1 is back", "http://h/v1 answers again, after 9 s", False))
        self.heard.set()
        return notices

    def row(self):
        return {"host": "http://h/v1", "outages": 2, "outage_s": 192, "refusals": 0, "throttled_s": 0}


class Slow:
    name, concurrency = "slow", None

    def __init__(self):
        self.delays = Scripted()

    def describe(self):
        return {"name": "slow", "kind": "plugin"}

    def asks(self, request):
        return {"prompt": request.prompt}

    def missing(self, requests):
        return ()

    def remarks(self):
        return ()

    async def complete(self, request):
        if request.case.id != "france":
            self.delays.waits = True
            await self.delays.heard.wait()
        return Completion(text=bots.good(request.prompt), finish_reason="stop")

    async def aclose(self):
        pass


def pytest_ftgate_make_model(config, spec):
    return Slow() if spec == "slow" else None
"""
LASTS = "ftgate: http://h/v1 is unavailable (HTTP 503): waiting up to 14 min 30 s more"
BACK = "ftgate: http://h/v1 answers again, after 9 s"
REMARK = "http://h/v1 was unavailable for 3 min 12 s in 2 outages"


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["alone", "n2"])
def test_an_outage_is_said_once_while_it_lasts_and_in_the_verdict(
    project: Project, workers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if workers:
        pytest.importorskip("xdist")
    project.write("conftest.py", CONFTEST)
    monkeypatch.setenv("COLUMNS", "120")

    result = project.run_apart("--model=slow", *workers, "-p", "no:cacheprovider")

    lines = result.stdout.lines
    assert (result.ret, project.verdict["verdict"]) == (0, "SHIP"), result.stdout.str()
    said = [line for line in lines if line.startswith("ftgate: http")]
    told, back = said
    assert re.fullmatch(re.escape(LASTS) + r"; Ctrl-C keeps the (1 answer|[234] answers)", told)
    assert back == BACK
    assert project.verdict["warnings"] == [REMARK]
    assert f"warning: {REMARK}" in lines
    assert "warnings" not in result.parseoutcomes()


def test_where_nothing_is_kept_nothing_is_promised(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.write("conftest.py", CONFTEST)
    monkeypatch.setenv("COLUMNS", "120")

    result = project.run_apart("--model=slow", "--ftgate-cache=off")

    said = [line for line in result.stdout.lines if line.startswith("ftgate: http")]
    assert said == [LASTS, BACK]
    assert "warning" not in result.stdout.str().replace("warning: http", "")


def test_the_line_keeps_to_the_terminals_width_and_off_the_line_of_dots(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("conftest.py", CONFTEST)
    monkeypatch.setenv("COLUMNS", "60")

    result = project.run_apart("--model=slow", "--ftgate-cache=off", "-q")

    result.stdout.fnmatch_lines(
        [
            ".",
            "ftgate: http://h/v1 is unavailable (HTTP 503): waiting up to",
            "  14 min 30 s more",
            BACK,
            "...*",
        ],
        consecutive=True,
    )
