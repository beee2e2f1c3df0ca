"""The JUnit file as others read it: a reader's own parser, and a schema of what readers agree on."""

from __future__ import annotations

from pathlib import Path

import pytest
from junitparser import Error, Failure, Skipped
from junitparser.xunit2 import JUnitXml, TestCase, TestSuite
from lxml import etree

from tests.plugin.conftest import Project
from tests.support.hostile import HOSTILE

SCHEMA = Path(__file__).parents[1] / "support" / "junit.xsd"
#: Answers France wrongly with everything that is hostile at once, and fails for Italy.
BOT = f"""
HOSTILE = {HOSTILE!r}
CITIES = {{"Spain": "Madrid", "Japan": "Tokyo"}}

def bot(prompt):
    if "Italy" in prompt:
        raise RuntimeError("".join(HOSTILE)[:3000])
    return next((city for land, city in CITIES.items() if land in prompt), "".join(HOSTILE))
"""


@pytest.fixture
def junit(project: Project) -> Path:
    """A run with a pass, a miss, an error, a skipped case and criteria that are met and not."""
    project.write("hostile.py", BOT)
    skipped = "{id: later, category: east, prompt: Capital of Chad?, expect: N'Djamena, skip: not yet}"
    project.write("evals/more.evalcase.yaml", f"cases:\n  - {skipped}\n")
    project.write(
        "ftgate.yaml",
        "gate:\n  min_cases: 1\n  max_errors: 1\n  criteria:\n"
        "    right: {metric: pass_rate, at_least: 90%}\n"
        "    east: {metric: pass_rate, category: east, at_least: 100%}\n",
    )
    return project.pytester.path / "junit.xml"


def test_junitparser_finds_cases_properties_and_criteria(project: Project, junit: Path) -> None:
    project.run("--model=python:hostile:bot", f"--junitxml={junit}")

    suite = only_suite(junit)
    cases = {f"{case.classname}::{case.name}": case for case in suite if isinstance(case, TestCase)}

    results = {name.rpartition("::")[2]: [type(one) for one in case.result] for name, case in cases.items()}
    assert results == {
        "france": [Failure],
        "italy": [Error],
        "japan": [],
        "spain": [],
        "later": [Skipped],
        "right": [Failure],
        "east": [],
        "verdict": [Failure],
    }
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (8, 3, 1, 1)
    france = next(case for name, case in cases.items() if name.endswith("::france"))
    told = france.properties()  # type: ignore[no-untyped-call]  # the reader has no types here
    assert {each.name: each.value for each in told}["ftgate_outcome"] == "failed"


def test_without_properties_the_file_is_what_readers_agree_on(project: Project, junit: Path) -> None:
    project.run("--model=python:hostile:bot", f"--junitxml={junit}", "-o", "ftgate_junit_properties=false")

    schema = etree.XMLSchema(etree.parse(SCHEMA))

    schema.assertValid(etree.parse(junit))
    assert len({(case.classname, case.name) for case in only_suite(junit)}) == 8


def test_with_properties_the_schema_finds_nothing_but_them(project: Project, junit: Path) -> None:
    project.run("--model=python:hostile:bot", f"--junitxml={junit}")
    tree = etree.parse(junit)
    for each in list(tree.iter("properties")):
        each.getparent().remove(each)

    etree.XMLSchema(etree.parse(SCHEMA)).assertValid(tree)


def only_suite(path: Path) -> TestSuite:
    (suite,) = JUnitXml.fromfile(str(path))
    assert isinstance(suite, TestSuite)
    return suite
