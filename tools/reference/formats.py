"""The page of formats: case files by their schema, reports by the golden one, records by their values."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_ftgate.completions import Completion, ToolCall, Usage
from pytest_ftgate.files.schema import case_file_schema
from pytest_ftgate.record.file import RECORD_SCHEMA
from pytest_ftgate.record.plan import PlannedCase, TrialKey
from pytest_ftgate.record.runs import RunInfo
from pytest_ftgate.record.trials import Trial
from pytest_ftgate.record.votes import Vote
from pytest_ftgate.reports.json_report import REPORT_SCHEMA
from pytest_ftgate.scorers import BUILTIN
from pytest_ftgate.scores import Score
from tools.reference.markdown import code, prose, table

#: What the code's own tests compare the report with, byte by byte.
_GOLDEN = Path(__file__).parents[2] / "tests" / "reports" / "golden" / "report.json"
_ONLY_IN_REPORT = ("groups", "latency", "comparison", "judged_pairs", "repeats", "votes", "cases")
_HEAD = """# Formats of files

## Case files

`ftgate schema` prints their JSON Schema (draft 07) with the project's own checks; [the schema without
any](../../example_project/ftgate.schema.json) is that of the example. Their keys, explained in [case
files](../case-files.md):

"""
_REPORT = f"""
## The verdict file and the JSON report

`{REPORT_SCHEMA}`: `.ftgate/verdict.json`, and `--ftgate-report=NAME.json`, which has more. Keys may be
added; a key that goes away or
changes its meaning changes the number. Keys that have nothing to say may be left out or null. A verdict
that was never reached has
`schema`, `run_id`, `verdict`, `sentence`, `complete`, `reasons`, `started` and `finished` alone. `[]`
stands for each element of a list.

"""
_RECORD = f"""
## The record

`{RECORD_SCHEMA}`: `--ftgate-report=NAME.jsonl`. JSON lines; the first is the run, with `schema` and
`left_out`. Each line after it
has a `kind`: `case`, `trial`, `conflict`, `vote`, and at last `end`, which counts cases and trials and
holds the SHA-256 of all lines before it. Empty
fields are left out. A file with a damaged, missing or changed line is refused as a whole.

"""
_LINES: tuple[tuple[str, type], ...] = (
    ("first line: the run", RunInfo),
    ("case", PlannedCase),
    ("trial, conflict: their key", TrialKey),
    ("trial", Trial),
    ("completion of a trial", Completion),
    ("tool call of a completion", ToolCall),
    ("usage of a completion", Usage),
    ("score of a trial", Score),
    ("vote", Vote),
)


def formats_page() -> str:
    """Case files, verdict file and report, record."""
    golden = json.loads(_GOLDEN.read_text(encoding="utf-8"))
    records = "\n".join(_value(title, found) for title, found in _LINES)
    return _HEAD + _case_files() + _REPORT + _report(golden) + _RECORD + records


def _case_files() -> str:
    schema = case_file_schema(BUILTIN)
    owners = {"the file": schema, "a case": schema["definitions"]["case"]}
    rows = [
        (owner, code(key), value.get("description", ""))
        for owner, found in owners.items()
        for key, value in found["properties"].items()
    ]
    dataset = schema["definitions"]["dataset"]["properties"]
    rows += [
        ("a data set", code(key), value.get("description", ""))
        for key, value in dataset.items()
        if key not in schema["definitions"]["case"]["properties"]
    ]
    return table(("of", "key", "meaning"), rows)


def _report(golden: Mapping[str, Any]) -> str:
    found: dict[str, tuple[set[str], object]] = {}
    for path, value in _leaves(golden, ""):
        types, example = found.get(path, (set(), value))
        found[path] = ({*types, _type(value)}, value if example is None else example)
    rows = [
        (code(path), " or ".join(sorted(types)), _example(example), _where(path))
        for path, (types, example) in found.items()
    ]
    return table(("key", "type", "for example", "in"), rows)


def _leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
    """Everything that is neither a list nor a mapping, under its path."""
    if isinstance(value, Mapping) and value:
        for key, below in value.items():
            yield from _leaves(below, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value:
        for below in value:
            yield from _leaves(below, f"{path}[]")
    else:
        yield path, value


def _type(value: object) -> str:
    names = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _example(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return "" if value is None else code(text if len(text) <= 40 else text[:39] + "…")


def _where(path: str) -> str:
    top = path.partition(".")[0].removesuffix("[]")
    return "report" if top in _ONLY_IN_REPORT else "both"


def _value(title: str, found: type) -> str:
    rows = [
        (code(name), code(str(getattr(kind, "__forward_arg__", kind))))
        for name, kind in inspect.get_annotations(found).items()
    ]
    text = prose(inspect.getdoc(found) or "")
    return f"### {title.capitalize()}\n\n{text}\n\n{table(('field', 'type'), rows)}"
