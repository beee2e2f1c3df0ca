"""The documentation says what is: its snippets are read by the readers, its tables name all keys."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from pytest_ftgate.files.case_file import read_suite
from pytest_ftgate.files.config_file import KEYS as CONFIG_KEYS
from pytest_ftgate.files.config_file import read_config
from pytest_ftgate.files.fields import KEYS as CASE_KEYS
from pytest_ftgate.files.model_entries import KEYS as MODEL_KEYS
from pytest_ftgate.gates import parse_gate
from pytest_ftgate.scorers import BUILTIN

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    ROOT / "example_project" / "README.md",
    *sorted(DOCS.rglob("*.md")),
]


def snippets(page: str, language: str = "yaml") -> list[str]:
    """The fenced blocks of one language."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def keys_in_tables(page: str) -> set[str]:
    """What stands in code marks in the first column of the tables."""
    text = (DOCS / page).read_text(encoding="utf-8")
    return {
        key for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for key in re.findall(r"`(\w+)`", row)
    }


def scorer_table() -> str:
    """The table of all checks, as it has to stand in docs/case-files.md."""
    rows = ["| check | passes when | options |", "|---|---|---|"]
    for spec in BUILTIN.values():
        options = ", ".join(f"**`{name}`**" if name == spec.main else f"`{name}`" for name in spec.options)
        rows.append(f"| `{spec.name}` | {spec.doc.replace('|', '/')} | {options} |")
    return "\n".join(rows)


def test_the_tests_that_a_promise_names_are_there() -> None:
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8").partition("## What it promises")[2]
    promises = re.findall(r"^\d+\. .*?(?=^\d+\. |^## )", text, re.MULTILINE | re.DOTALL)

    named = [re.findall(r"`([\w/]+/test_\w+\.py)`", promise) for promise in promises]

    assert len(promises) == 10
    assert all(named)
    assert [name for names in named for name in names if not (ROOT / "tests" / name).is_file()] == []


def test_the_table_of_checks_is_the_registry() -> None:
    text = (DOCS / "case-files.md").read_text(encoding="utf-8")

    written = text.partition("<!-- scorers -->\n")[2].partition("\n<!-- /scorers -->")[0]

    assert written == scorer_table()


@pytest.mark.parametrize(
    ("page", "keys"),
    [
        ("case-files.md", CASE_KEYS),
        ("models.md", {key for keys in MODEL_KEYS.values() for key in keys} - {"recorded", "python"}),
    ],
)
def test_the_tables_name_every_key(page: str, keys: set[str]) -> None:
    assert not set(keys) - keys_in_tables(page)


def test_the_suite_in_the_documentation_is_read(tmp_path: Path) -> None:
    (tmp_path / "tools.json").write_text(
        '[{"name": "get_weather", "parameters": {"type": "object"}}]', "utf-8"
    )
    path = tmp_path / "doc.evalcase.yaml"
    path.write_text(snippets("case-files.md")[0], "utf-8")

    suite = read_suite(path, tmp_path, BUILTIN)

    assert not suite.mistakes
    assert [case.id for case in suite.cases] == ["tokyo"]


def test_every_expectation_in_the_documentation_is_read(tmp_path: Path) -> None:
    _, expectations, tool_calls, *_ = snippets("case-files.md")
    written = [*re.split(r"^(?=expect:)", expectations, flags=re.MULTILINE)[1:]]
    written += [
        "expect:\n" + "".join(f"  {line}\n" for line in check.splitlines())
        for check in re.split(r"^(?=\w)", tool_calls, flags=re.MULTILINE)[1:]
    ]
    cases = "".join(
        f"- id: c{number}\n  prompt: p\n" + "".join(f"  {line}\n" for line in text.splitlines())
        for number, text in enumerate(written)
    )
    path = tmp_path / "doc.evalcase.yaml"
    path.write_text(f"cases:\n{cases}", "utf-8")

    suite = read_suite(path, tmp_path, BUILTIN)

    assert not suite.mistakes
    assert len(suite.cases) == len(written) == 11


def test_the_conversation_in_the_documentation_is_read(tmp_path: Path) -> None:
    (tmp_path / "shop_tools.json").write_text(
        '[{"name": "get_order", "parameters": {"type": "object", "properties": {"id": {"type": "string"}}}}]',
        "utf-8",
    )
    path = tmp_path / "doc.evalcase.yaml"
    path.write_text(snippets("case-files.md")[3], "utf-8")

    suite = read_suite(path, tmp_path, BUILTIN)

    assert not suite.mistakes
    (case,) = suite.cases
    assert [len(turn.expect) for turn in case.turns] == [1, 2]
    assert [turn.tool_results for turn in case.turns] == [
        {"get_order": {"status": "delivered", "days_ago": 12}}
    ] * 2


def test_the_data_set_in_the_documentation_is_read(tmp_path: Path) -> None:
    rows = [
        '{"id": "a", "split": "test", "meta": {"lang": "en"}, "question": "q", "topic": "t", "answer": "y"}',
        '{"id": "b", "split": "train", "meta": {"lang": "en"}, "question": "q", "topic": "t", "answer": "y"}',
    ]
    (tmp_path / "facts.jsonl").write_text("\n".join(rows), "utf-8")
    path = tmp_path / "doc.evalcase.yaml"
    path.write_text(snippets("case-files.md")[4], "utf-8")

    suite = read_suite(path, tmp_path, BUILTIN)

    assert not suite.mistakes
    assert [case.id for case in suite.cases] == ["a"]


def test_the_models_in_the_documentation_are_read(tmp_path: Path) -> None:
    path = tmp_path / "ftgate.yaml"
    path.write_text(snippets("models.md")[0], "utf-8")

    config = read_config(path, tmp_path)

    assert (config.model, config.baseline) == ("tuned", "prod")
    assert set(config.models) == {"tuned", "base", "prod", "my_app"}
    assert {"model", "baseline", "models", "roles", "gate"} <= set(CONFIG_KEYS)


def test_the_endpoints_of_azure_in_the_documentation_are_read(tmp_path: Path) -> None:
    path = tmp_path / "ftgate.yaml"
    path.write_text(snippets("models.md")[1], "utf-8")

    assert read_config(path, tmp_path).models["prod"].api_version == "2024-10-21"


def test_the_criteria_in_the_documentation_are_the_default_ones() -> None:
    written = yaml.load(snippets("gate.md")[0], yaml.BaseLoader)["gate"]

    documented, default = parse_gate(_with_booleans(written)), parse_gate({})

    assert documented.criteria == default.criteria
    assert documented.max_errors == default.max_errors


def _with_booleans(value: object) -> dict[str, object]:
    assert isinstance(value, dict)
    return {
        key: _with_booleans(below) if isinstance(below, dict) else True if below == "true" else below
        for key, below in value.items()
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))

    assert not [target for target in targets if not (page.parent / target).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_options_in_the_documentation_exist(page: Path, pytestconfig: pytest.Config) -> None:
    written = set(re.findall(r"--ftgate-[a-z-]+", page.read_text(encoding="utf-8")))

    known = {
        "--" + name.replace("_", "-") for name in vars(pytestconfig.option) if name.startswith("ftgate_")
    }

    assert not written - known


def test_modules_in_the_documentation_exist() -> None:
    written = set(re.findall(r"`((?:\w+/)+\w+\.py)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))

    assert written
    assert not [
        path for path in written if not any((top / path).exists() for top in (ROOT, ROOT / "pytest_ftgate"))
    ]
