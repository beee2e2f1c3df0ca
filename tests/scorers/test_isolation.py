"""The repository's own scorers neither leave traces nor see those of others."""

from __future__ import annotations

import contextlib
import locale
import os
import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ScorerError
from pytest_ftgate.scorers import score_case
from tests.scorers.build import case, check, score

CODE = """
import locale, os, random, sys

def lucky(completion, case):
    return random.random()

def lucky_numpy(completion, case):
    return float(sys.modules["numpy"].random.random())

def messy(completion, case):
    os.chdir(os.sep)
    os.environ["FTGATE_TRACE"] = "left"
    os.environ.pop("HOME", None)
    locale.setlocale(locale.LC_ALL, "C")
    random.seed(1)
    if completion.text == "raise":
        raise ValueError("boom")
    return True
"""

#: An alarm may fall into a callback of the garbage collector, which can't raise: the timer repeats.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "their_scorers.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("HOME", "/home/user")
    yield
    sys.modules.pop("their_scorers", None)


@pytest.mark.parametrize("function", ["lucky", "lucky_numpy"])
def test_random_numbers_depend_on_the_case_alone(function: str) -> None:
    pytest.importorskip("numpy")
    one = case(check("python", reference=f"their_scorers:{function}", at_least=0))
    other = replace(one, id="other")

    first, between, again = (score_case(each, Completion(text="x"))[0].value for each in (one, other, one))

    assert first == again != between


def test_the_random_numbers_of_others_go_on_undisturbed() -> None:
    random.seed(7)
    expected = [random.random(), random.random()]
    random.seed(7)

    seen = [random.random()]
    score("x", "python", reference="their_scorers:lucky", at_least=0)

    assert [*seen, random.random()] == expected


@pytest.mark.parametrize("answer", ["x", "raise"])
def test_folder_environment_and_locale_are_put_back(answer: str) -> None:
    before = os.getcwd(), dict(os.environ), locale.setlocale(locale.LC_ALL)

    with contextlib.suppress(ScorerError):
        score(answer, "python", reference="their_scorers:messy")

    assert (os.getcwd(), dict(os.environ), locale.setlocale(locale.LC_ALL)) == before
