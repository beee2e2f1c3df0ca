"""The scorer `json_schema`; `schema_check` finds what is wrong with a schema, before any request."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pytest_ftgate.cases import canonical
from pytest_ftgate.scorers.explain import printable, quote, show, verdict
from pytest_ftgate.scorers.json_values import NotJsonError, parse_json
from pytest_ftgate.scorers.options import EXTRACT
from pytest_ftgate.scorers.spec import Option, ScorerSpec, Subject
from pytest_ftgate.scores import Score

if TYPE_CHECKING:
    from jsonschema.protocols import Validator


@lru_cache(maxsize=128)
def _validator(schema: str) -> Validator:
    from pytest_ftgate.scorers.schema_check import validator_for  # noqa: PLC0415 (loaded when used)

    return validator_for(parse_json(schema))


def _json_schema(options: Mapping[str, Any], subject: Subject) -> Score:
    from jsonschema.exceptions import best_match  # noqa: PLC0415 (loaded when used)

    try:
        value = parse_json(subject.text, extract=options.get("extract", False))
    except NotJsonError as error:
        return verdict("json_schema", False, f"{quote(subject.text)} is not JSON: {error}")
    found = best_match(_validator(canonical(options["schema"])).iter_errors(value))
    if found is None:
        return verdict("json_schema", True, f"{show(value)} is valid")
    where = ".".join(str(key) for key in found.absolute_path) or "the top"
    return verdict("json_schema", False, f"at {where}: {printable(found.message)[:400]}, in {show(value)}")


def _check(options: Mapping[str, Any]) -> str | None:
    from pytest_ftgate.scorers.schema_check import check_schema  # noqa: PLC0415 (loaded when used)

    return check_schema(options.get("schema"))


SCORERS = (
    ScorerSpec(
        name="json_schema",
        doc="The answer is JSON and valid by the schema (Draft 2020-12 unless `$schema` says otherwise; "
        "formats are checked, nothing is fetched).",
        score=_json_schema,
        options={
            "schema": Option(
                schema={"type": ["object", "boolean"]},
                file=True,
                doc="A JSON Schema, or the path of a JSON file that holds one.",
            ),
            "extract": EXTRACT,
        },
        main="schema",
        required=("schema",),
        check=_check,
    ),
)
