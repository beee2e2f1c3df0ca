"""The example's suites: what they hold, and that no model was trained on a prompt of theirs."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from pytest_ftgate.cases import EvalCase, Role
from pytest_ftgate.files.case_file import read_suite
from pytest_ftgate.scorers import BUILTIN
from tests.example_project.conftest import EXAMPLE
from tests.example_project.skeletons import Skeletons, normalized

#: These need a second model, which the example does not have.
NEED_A_JUDGE = {"judge", "prefer", "similarity"}
#: How many samples each model was trained on, and from which seed they come.
LOG = json.loads((EXAMPLE / "training" / "log.json").read_text(encoding="utf-8"))
SEED, MASKED = 1, 30_000

pytestmark = pytest.mark.usefixtures("example_on_path")


@pytest.fixture(scope="module")
def suites(example_on_path: None) -> Mapping[str, tuple[EvalCase, ...]]:
    paths = sorted(EXAMPLE.glob("evals/*.evalcase.yaml"))
    read = [read_suite(path, EXAMPLE, BUILTIN) for path in paths]
    return {suite.cases[0].suite: tuple(suite.cases) for suite in read}


@pytest.fixture(scope="module")
def inline() -> list[dict[str, Any]]:
    """The cases that the example's Python tests bring themselves, as their markers are written."""
    return [case for path in EXAMPLE.glob("tests/test_*.py") for case in inline_cases(path)]


def inline_cases(path: Path) -> Iterator[dict[str, Any]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.eval_case" and not node.args:
            yield {
                word.arg: ast.literal_eval(word.value)
                for word in node.keywords
                if word.arg and not isinstance(word.value, ast.Name)
            }


@pytest.fixture(scope="module")
def prompts(suites: Mapping[str, tuple[EvalCase, ...]], inline: list[dict[str, Any]]) -> list[str]:
    """All that a user says in an evaluation; of a scripted conversation each turn."""
    said = [text for cases in suites.values() for case in cases for text in case.prompt.split("\n")]
    return [*said, *(case["prompt"] for case in inline)]


@pytest.fixture(scope="module")
def trained(example_on_path: None) -> Mapping[str, list[str]]:
    """What users say to each model at the beginning of its training, in its order."""
    mixture = import_module("training.mixture")
    return {name: list(islice(asked(mixture, name), MASKED)) for name in mixture.MIXTURES}


def asked(mixture: Any, name: str, seed: int = SEED, samples: int | None = None) -> Iterator[str]:
    for sample in islice(mixture.samples(name, seed), samples):
        yield from (message["content"] for message in sample.messages if message["role"] == "user")


@pytest.fixture(scope="module")
def skeletons(example_on_path: None) -> Skeletons:
    names = ("world", "general", "writing", "parcels")
    return Skeletons(*(import_module(f"training.{name}") for name in names))


def test_the_suites_have_the_cases_that_the_gate_counts_on(
    suites: Mapping[str, tuple[EvalCase, ...]],
) -> None:
    counts = {
        (suite, case_role, category): count
        for suite, cases in suites.items()
        for (case_role, category), count in Counter((case.role, case.category) for case in cases).items()
    }

    knowledge = ("capitals", "arithmetic", "opposites", "calendar", "nature")
    assert counts == {
        ("support_tools", Role.TARGET, "simple"): 10,
        ("support_tools", Role.TARGET, "edge_case"): 10,
        ("support_tools", Role.TARGET, "adversarial"): 10,
        **{("general_knowledge", Role.GENERAL, category): 10 for category in knowledge},
        ("summaries", Role.GENERAL, "summary"): 10,
        ("fluency", Role.GENERAL, "fluency"): 10,
        ("order_forms", Role.TARGET, "structured"): 12,
        ("conversation", Role.TARGET, "conversation"): 1,
        ("ab_prompts", Role.TARGET, "preference"): 20,
    }


def test_the_prompts_for_people_expect_nothing_and_all_others_do(
    suites: Mapping[str, tuple[EvalCase, ...]],
) -> None:
    silent = {case.id for cases in suites.values() for case in cases if not case.checks}

    assert silent == {case.id for case in suites["ab_prompts"]}
    assert {case.tags for case in suites["ab_prompts"]} == {("ab",)}


def test_every_scorer_that_needs_no_second_model_is_used(
    suites: Mapping[str, tuple[EvalCase, ...]], inline: list[dict[str, Any]]
) -> None:
    checks = [check for cases in suites.values() for case in cases for check in case.checks]
    used = {leaf.scorer for check in checks for leaf in check.leaves()}
    used |= {scorer for case in inline for scorer in case["expect"]}

    assert used == set(BUILTIN) - NEED_A_JUDGE


def test_the_tools_are_those_that_the_assistant_was_trained_with(
    suites: Mapping[str, tuple[EvalCase, ...]],
) -> None:
    parcels = import_module("training.parcels")

    with_tools = [case for cases in suites.values() for case in cases if case.tools]

    for case in with_tools:
        offered = [(tool["function"]["name"], list(parameters(tool))) for tool in case.tools]
        assert offered == [(name, list(parameters(tool))) for name, tool in parcels.TOOLS.items()]
        assert case.messages[0] == {"role": "system", "content": parcels.SYSTEM}


def parameters(tool: Mapping[str, Any]) -> Mapping[str, Any]:
    properties: Mapping[str, Any] = tool["function"]["parameters"]["properties"]
    return properties


def test_the_sums_are_of_numbers_that_no_training_sum_has(
    suites: Mapping[str, tuple[EvalCase, ...]],
) -> None:
    is_held_out = import_module("training.general").is_held_out

    cases = [case for case in suites["general_knowledge"] if case.id.startswith(("plus", "minus"))]

    assert len(cases) == 8
    for case in cases:
        smaller, larger = sorted(map(int, re.findall(r"\d+", case.prompt)))
        # Second numbers end at 39, so the pair was not drawn the other way round either.
        assert is_held_out(larger, smaller)
        assert larger > 39


@pytest.mark.parametrize("name", sorted(LOG))
def test_no_evaluation_prompt_occurs_in_all_that_a_model_was_trained_on(
    name: str, prompts: list[str]
) -> None:
    mixture = import_module("training.mixture")
    wanted = {normalized(prompt) for prompt in prompts}

    found = {
        text
        for text in asked(mixture, name, LOG[name]["seed"], LOG[name]["samples"])
        if normalized(text) in wanted
    }

    assert found == set()


@pytest.fixture(scope="module")
def templates(trained: Mapping[str, list[str]], skeletons: Skeletons) -> set[str]:
    return {skeletons.of(text) for texts in trained.values() for text in texts}


def test_no_evaluation_prompt_follows_a_template_of_the_training_data(
    prompts: list[str], templates: set[str], skeletons: Skeletons
) -> None:
    assert [prompt for prompt in prompts if skeletons.of(prompt) in templates] == []


def test_a_training_prompt_that_was_not_yet_seen_is_known_by_its_template(
    trained: Mapping[str, list[str]], templates: set[str], skeletons: Skeletons
) -> None:
    mixture = import_module("training.mixture")
    seen = {text for texts in trained.values() for text in texts}
    fresh = [text for name in trained for text in islice(asked(mixture, name, SEED + 1), 2_000)]

    unseen = [text for text in fresh if text not in seen]

    assert len(unseen) > 3_000
    assert sum(skeletons.of(text) in templates for text in unseen) > 0.995 * len(unseen)
