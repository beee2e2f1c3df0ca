"""The table of scorers → a JSON Schema with which editors complete and check case files. Pure computation.

Draft 07, which every version of yaml-language-server reads. It knows shapes and names; what it can't say (one
scorer to an entry, unique ids, readable files) `read_suite` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_ftgate.cases import COMPOSITES, Role
from pytest_ftgate.scorers.spec import Option, ScorerSpec

Schema = dict[str, Any]

# An editor reads `12:30` and `no` as text, but `1.10` and `true` as what they look like: to us all are text.
_TEXT: Schema = {"type": ["string", "number", "boolean"]}
_FILLED: Schema = {"anyOf": [{"type": "string", "minLength": 1}, {"type": ["number", "boolean"]}]}
_NULL: Schema = {"type": "null"}
_TEMPLATE: Schema = {"type": "string", "pattern": r"\{\{[^{}]*\}\}"}
_LABEL: Schema = {
    "anyOf": [
        {"type": "string", "pattern": r"^[^\s\"'/\\:;,<>\[\](){}]+( [^\s\"'/\\:;,<>\[\](){}]+)*$"},
        {"type": "number"},
    ]
}
_ID: Schema = {
    "anyOf": [{"type": "string", "pattern": r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"}, {"type": "number"}]
}
_ANSWER_DOCS = {
    "after": (_FILLED, "The text after this marker; the whole text if it is not found."),
    "which": ({"enum": ["first", "last"]}, "Which occurrence counts. Default: first."),
    "ignore_case": ({"type": "boolean"}, "Find the marker or pattern without regard to case."),
    "regex": (_FILLED, "The first group of this pattern, or its match; nothing if it does not match."),
    "json": (_FILLED, "The value at this dotted path of the answer's JSON; nothing if it is not there."),
    "lines": ({"type": "integer", "minimum": 1}, "How many lines of the rest count."),
    "strip": (_TEXT, "Characters to remove from both ends."),
}


def case_file_schema(table: Mapping[str, ScorerSpec]) -> dict[str, Any]:
    """The schema of `*.evalcase.yaml` files for a table of scorers."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Eval cases of pytest-ftgate",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "suite": _described(_LABEL, "The suite's name, unique in a run. Default: the file's name."),
            "role": _described(
                {"enum": [role.value for role in Role]},
                "target: what the model was tuned for; general: what it must not lose. Default: target.",
            ),
            "collect": _described(
                {"type": "boolean"}, "false: only markers of Python tests use these cases."
            ),
            "defaults": {"$ref": "#/definitions/defaults"},
            "cases": {"type": "array", "items": {"$ref": "#/definitions/case"}},
            "datasets": {"type": "array", "items": {"$ref": "#/definitions/dataset"}},
        },
        "definitions": _definitions(table),
    }


def _definitions(table: Mapping[str, ScorerSpec]) -> Schema:
    fields = {key: _or(schema, _NULL) for key, schema in _fields(template=False).items()}
    filled = {key: _or(schema, _TEMPLATE, _NULL) for key, schema in _fields(template=True).items()}
    filled["id"] = _described(_TEMPLATE, "The row's id, as in '{{id}}'.")
    own = {key: schema for key, schema in fields.items() if key != "id"}
    return {
        "case": _object({**fields, "id": _fields(template=False)["id"]}, required=["id"]),
        "defaults": _object({key: _or(schema, _TEMPLATE) for key, schema in own.items()}),
        "dataset": _object({**filled, **_DATASET}, required=["path", "id"]),
        "expect": _expect("entry", template=False),
        "entry": _entry(table, "entry", template=False),
        "filled_expect": _expect("filled_entry", template=True),
        "filled_entry": _entry(table, "filled_entry", template=True),
    }


def _fields(*, template: bool) -> dict[str, Schema]:
    mapping = {"type": "object"}
    flag = {"type": "boolean"}
    label = _or(_LABEL, _TEMPLATE) if template else _LABEL
    expect = {"$ref": f"#/definitions/{'filled_expect' if template else 'expect'}"}
    return {
        "id": _described(_ID, "The case's id, unique in its suite: letters, digits, '_', '.', '-'."),
        "category": _described(_LABEL, "The category by which results are grouped. Default: default."),
        "tags": _described(_or({"type": "array", "items": label}, label), "Tags, for -k and for the gate."),
        "system": _described(_FILLED, "The system message; it goes first."),
        "prompt": _described(_FILLED, "The one message of a user."),
        "messages": _described(
            _MESSAGES, "A conversation that the model is to continue; instead of 'prompt'."
        ),
        "turns": _described(
            {"type": "array", "minItems": 1, "items": _turn(expect, template=template)},
            "A scripted conversation, whose turns the model all answers; instead of 'prompt'.",
        ),
        "tool_results": _described(mapping, _TOOL_RESULTS_DOC),
        "tools": _described(
            _TOOLS, "Tools that the model may call: a list, or the path of a JSON file with one."
        ),
        "params": _described(mapping, "Parameters of the request: temperature, max_tokens, seed, …"),
        "metadata": _described(mapping, "Whatever else should stand in the report."),
        "expect": _described(expect, "What the answer must be; 'none' to ask without judging."),
        "answer": _described(_answer(template=template), "What of the answer the text scorers see."),
        "repeat": _described({"type": "integer", "minimum": 1}, "How often the case is asked. Default: 1."),
        "must_pass": _described(flag, "The gate fails if this case fails."),
        "accept_truncated": _described(
            flag, "An answer cut off at the token limit is judged like any other."
        ),
        "skip": _described({"type": "string", "minLength": 1}, "The reason why the case is left out."),
        "xfail": _described(
            {"type": "string", "minLength": 1}, "The reason why the case is expected to fail."
        ),
    }


_MESSAGES: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["role"],
        "additionalProperties": False,
        "properties": {
            "role": {"enum": ["system", "developer", "user", "assistant", "tool"]},
            "content": {"type": ["string", "number", "boolean", "array", "null"]},
            "name": _FILLED,
            "tool_calls": {"type": "array", "items": {"type": "object"}},
            "tool_call_id": _FILLED,
        },
    },
}
_TOOL_RESULTS_DOC = "What calls of a tool return in 'turns', by its name: any JSON."
_TOOLS: Schema = {"type": ["array", "string"], "items": {"type": "object"}}
_DATASET: dict[str, Schema] = {
    "path": {
        "type": "string",
        "minLength": 1,
        "description": "A JSONL, CSV or Parquet file, relative to this one.",
    },
    "where": {
        "type": "object",
        "description": "Values that a row must have, by dotted key; a list is one of.",
    },
    "limit": {"type": "integer", "minimum": 1, "description": "How many rows are taken."},
    "seed": {"type": "integer", "minimum": 0, "description": "Chooses the rows by a hash of seed and id."},
}


def _turn(expect: Schema, *, template: bool) -> Schema:
    content = _or(_FILLED, {"type": "array", "minItems": 1, "items": {"type": "object"}})
    fields: dict[str, Schema] = {
        "user": _described(content, "What the user says: text or content parts."),
        "expect": _described(expect, "What the answer to this turn must be."),
        "answer": _described(_answer(template=template), "What of this answer the text scorers see."),
        "tool_results": _described({"type": "object"}, _TOOL_RESULTS_DOC),
    }
    wider = [_TEMPLATE, _NULL] if template else [_NULL]
    return _object({key: _or(schema, *wider) for key, schema in fields.items()}, required=["user"])


def _answer(*, template: bool) -> Schema:
    return _object(
        {
            key: _described(_or(schema, _TEMPLATE) if template else schema, doc)
            for key, (schema, doc) in _ANSWER_DOCS.items()
        }
    )


def _expect(entry: str, *, template: bool) -> Schema:
    one = {"$ref": f"#/definitions/{entry}"}
    return _or(_TEXT, one, {"type": "array", "minItems": 1, "items": one}, *([_TEMPLATE] if template else []))


def _entry(table: Mapping[str, ScorerSpec], entry: str, *, template: bool) -> Schema:
    """An entry of `expect`: one scorer, a composite over other entries, and `weight` and `name`."""
    one = {"$ref": f"#/definitions/{entry}"}
    several = {"type": "array", "minItems": 1, "items": one}
    docs = dict(
        zip(COMPOSITES, ("One of these passes.", "All of these pass.", "This does not pass."), strict=True)
    )
    return _object(
        {
            **{spec.name: _scorer(spec, template=template) for spec in table.values()},
            **{
                name: _described(several if name != "not" else _or(one, _TEXT), doc)
                for name, doc in docs.items()
            },
            "weight": {
                "type": "number",
                "exclusiveMinimum": 0,
                "description": "Weight for the case's score.",
            },
            "name": _described(_LABEL, "A metric of this name for the gate."),
        },
        minProperties=1,
        maxProperties=3,
    )


def _scorer(spec: ScorerSpec, *, template: bool) -> Schema:
    template_too = template and not spec.own_code
    options = {name: _option(option, template=template_too) for name, option in spec.options.items()}
    short = options[spec.main] if spec.main is not None else {"const": True}
    forms = [short] if spec.main is None or set(spec.required) <= {spec.main} else []
    if options:
        forms.append(_object(options, required=list(spec.required)))
    return _described(_or(*forms, *([_TEMPLATE] if template_too else [])), spec.doc)


def _option(option: Option, *, template: bool) -> Schema:
    schema = _draft_07(dict(option.schema), text=option.text)
    also = [{"type": "string", "minLength": 1}] if option.file else []
    return _described(_or(schema, *also, *([_TEMPLATE] if template else [])), option.doc)


def _draft_07(schema: Schema, *, text: bool) -> Schema:
    """An option's schema for an editor, to which text that looks like a number is one."""
    changed = dict(schema)
    for key in ("anyOf", "oneOf"):
        if key in changed:
            changed[key] = [_draft_07(dict(part), text=text) for part in changed[key]]
    if text and isinstance(changed.get("items"), Mapping):
        changed["items"] = _draft_07(dict(changed["items"]), text=text)
    if text and "type" in changed:
        names = [changed["type"]] if isinstance(changed["type"], str) else list(changed["type"])
        changed["type"] = list(dict.fromkeys([*names, *(["number", "boolean"] if "string" in names else [])]))
    return changed


def _object(properties: Mapping[str, Schema], required: Sequence[str] = (), **more: Any) -> Schema:
    needed = {"required": list(required)} if required else {}
    return {"type": "object", "additionalProperties": False, "properties": dict(properties), **needed, **more}


def _or(*schemas: Schema) -> Schema:
    if len(schemas) == 1:
        return schemas[0]
    doc = next((schema["description"] for schema in schemas if "description" in schema), None)
    either: Schema = {"anyOf": [_bare(schema) for schema in schemas]}
    return either if doc is None else _described(either, doc)


def _bare(schema: Schema) -> Schema:
    return {key: value for key, value in schema.items() if key != "description"}


def _described(schema: Schema, doc: str) -> Schema:
    if "$ref" in schema:  # beside a reference, draft 07 ignores every other keyword
        return {"allOf": [schema], "description": doc}
    return {**schema, "description": doc}
