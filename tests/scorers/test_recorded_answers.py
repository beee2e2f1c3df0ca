"""Our verdicts on recorded answers of real models, against the verdicts that were published with them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_ftgate.cases import AnswerRule, EvalCase, Expectation
from pytest_ftgate.completions import Completion, ToolCall
from pytest_ftgate.scorers import score_case
from tests.data import data_folder
from tests.scorers.build import case, check

ARMS = {
    "baseline": "outputs_baseline_llama-3.1-8b-instruct.jsonl",
    "model": "outputs_model_toolace-2-8b.jsonl",
}
JSON_TYPES = {"dict": "object", "float": "number", "tuple": "array"}


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def passes(of: EvalCase, answer: Completion) -> bool:
    return all(score.passed for score in score_case(of, answer))


def json_schema_of(schema: Any) -> Any:
    """BFCL's types as JSON Schema's."""
    if isinstance(schema, list):
        return [json_schema_of(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    mapped = {key: json_schema_of(value) for key, value in schema.items()}
    if isinstance(mapped.get("type"), str):
        mapped["type"] = JSON_TYPES.get(mapped["type"], mapped["type"])
        if mapped["type"] == "any":
            del mapped["type"]
    return mapped


def bfcl_case(row: Mapping[str, Any]) -> EvalCase:
    tools = tuple({"type": "function", "function": json_schema_of(function)} for function in row["tools"])
    return case(bfcl_expectation(row["expected"]), tools=tools, category=row["bfcl_category"])


def bfcl_expectation(expected: Mapping[str, Any]) -> Expectation:
    if expected["kind"] == "no_call":
        return check("no_tool_call")
    if expected["kind"] == "some_call":
        return check("any_tool_call")
    return check("tool_calls", calls=expected["calls"], order="any")


def from_calls(row: Mapping[str, Any]) -> Completion:
    made = row["output_calls"]
    if made is None:
        return Completion(text=row["output"])
    return Completion(tool_calls=tuple(ToolCall(name=c["name"], arguments=c["arguments"]) for c in made))


def from_text(row: Mapping[str, Any]) -> Completion:
    return Completion(text=row["output"])


@pytest.mark.parametrize("read", [from_calls, from_text])
@pytest.mark.parametrize("arm", ARMS)
def test_every_verdict_on_tool_calls_is_that_of_bfcl(arm: str, read: Any) -> None:
    folder = data_folder("bfcl_toolcalling")
    cases = {row["id"]: bfcl_case(row) for row in rows(folder / "cases.jsonl")}
    published = json.loads((folder / "published.json").read_text())["sample_counts_by_bfcl_category"]
    answers = list(rows(folder / ARMS[arm]))

    ours = {row["id"]: passes(cases[row["id"]], read(row)) for row in answers}

    assert [row["id"] for row in answers if ours[row["id"]] is not row["bfcl_valid"]] == []
    counts = Counter(cases[case_id].category for case_id, passed in ours.items() if passed)
    assert counts == {category: count[f"{arm}_correct"] for category, count in published.items()}


def test_numeric_agrees_with_every_flag_of_gsm8k() -> None:
    flags, ours = [], []
    for row in rows(data_folder("gsm8k_numeric") / "solutions.jsonl"):
        reference = row["reference"].rpartition("A:")[2].strip()
        for model in ("6b_finetuning", "6b_verification"):
            numeric = case(check("numeric", reference=reference, after="A:"))
            ours.append(passes(numeric, Completion(text=row[model]["output"])))
            flags.append(row[model]["is_correct"])

    assert len(flags) == 440
    assert ours == flags


def test_answer_rule_and_exact_match_give_the_published_counts_of_six_categories() -> None:
    folder = data_folder("general_knowledge_regression")
    published = json.loads((folder / "published.json").read_text())["sample_counts"]
    after = AnswerRule(after="the answer is", which="first", ignore_case=True, lines=1, strip=" .")
    counts = {"direct": Counter[str](), "cot": Counter[str]()}

    for row in rows(folder / "outputs.jsonl"):
        for prompt, rule in (("direct", None), ("cot", after)):
            expected = case(check("exact_match", reference=row["reference"]), answer=rule)
            counts[prompt][row["category"]] += passes(expected, Completion(text=row[prompt]))

    for prompt, count in counts.items():
        assert count == {category: figures[f"{prompt}_correct"] for category, figures in published.items()}
