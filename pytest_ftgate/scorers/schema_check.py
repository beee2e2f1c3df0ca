"""Validators for the schemas of case files, and what can be wrong with one. Nothing is ever fetched."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pytest_ftgate.scorers.explain import quote, quote_pattern, show

if TYPE_CHECKING:
    from jsonschema import FormatChecker
    from jsonschema.protocols import Validator

_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies")
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems", "items")
_SINGLES = (
    "items", "additionalItems", "additionalProperties", "contains", "propertyNames", "not", "if", "then",
    "else", "unevaluatedItems", "unevaluatedProperties", "contentSchema",
)  # fmt: skip
_ANNOTATIONS = (
    "$schema", "$id", "id", "$comment", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$vocabulary",
    "$defs", "definitions", "title", "description", "default", "examples", "deprecated", "readOnly",
    "writeOnly", "contentEncoding", "contentMediaType", "contentSchema",
)  # fmt: skip
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_CONDITIONS = ("if", "then", "else", "minContains", "maxContains")
_ALL_TYPES = {"null", "boolean", "object", "array", "number", "string"}
_PROBES: tuple[Any, ...] = (None, True, 0, 1.5, "", "x", [], [0], {}, {"x": 0})

_OFFSET = r"(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
_TIME = re.compile(rf"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d+)?{_OFFSET}")
_DATE_TIME = re.compile(rf"(\d{{4}}-\d\d-\d\d)[Tt ]{_TIME.pattern}")
_DURATION = re.compile(
    r"P(?=[\dT])(?:\d+W|(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)"
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+")
_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
_HOSTNAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")


def validator_for(schema: Any) -> Validator:
    """A validator that checks formats and resolves references inside the schema and the drafts only."""
    import jsonschema  # noqa: PLC0415 (loaded when used)

    draft = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    validator: Validator = draft(schema, registry=_known_drafts(), format_checker=_formats())
    return validator


def check_schema(schema: Any) -> str | None:
    """What is wrong with a schema, or None."""
    if schema is True or schema == {}:
        return "the schema accepts everything; say what the answer must look like"
    if not isinstance(schema, Mapping):
        return f"the schema is {show(schema)}, it must be a mapping"
    checks = (
        _check_draft,
        _check_keywords,
        _check_references,
        _check_valid,
        _check_recursion,
        _check_strictness,
    )
    return next((problem for check in checks if (problem := check(schema))), None)


def _known_drafts() -> Any:
    """The registry of the published drafts: it retrieves nothing."""
    from jsonschema_specifications import (  # type: ignore[import-untyped]  # noqa: PLC0415 (loaded when used)
        REGISTRY,
    )

    return REGISTRY


def _formats() -> FormatChecker:
    """The formats of jsonschema, and those that it leaves to packages which need not be installed."""
    from jsonschema import FormatChecker  # noqa: PLC0415 (loaded when used)

    checker = FormatChecker()
    own = {"time": _TIME, "duration": _DURATION, "uri": _URI, "hostname": _HOSTNAME}
    for name, pattern in own.items():
        checker.checks(name)(_whole(pattern))
    checker.checks("date-time", raises=ValueError)(_is_date_time)
    return checker


def _whole(pattern: re.Pattern[str]) -> Any:
    return lambda value: not isinstance(value, str) or pattern.fullmatch(value) is not None


def _is_date_time(value: object) -> bool:
    """RFC 3339, section 5.6; the calendar is asked about the date."""
    if not isinstance(value, str):
        return True
    found = _DATE_TIME.fullmatch(value)
    return found is not None and bool(datetime.fromisoformat(found[1]))


def _subschemas(schema: Any) -> Iterator[Mapping[str, Any]]:
    """The schema and all that stand in it where a schema may stand."""
    if not isinstance(schema, Mapping):
        return
    yield schema
    for key, value in schema.items():
        if key in _MAPS and isinstance(value, Mapping):
            parts = list(value.values())
        elif key in _LISTS and isinstance(value, list | tuple):
            parts = list(value)
        else:
            parts = [value] if key in _SINGLES else []
        for part in parts:
            yield from _subschemas(part)


def _check_draft(schema: Mapping[str, Any]) -> str | None:
    declared = schema.get("$schema")
    if declared is None or (isinstance(declared, str) and declared.rstrip("#") in _drafts()):
        return None
    return f"'$schema' is {show(declared)}, which is no known draft of JSON Schema; leave it out for 2020-12"


def _drafts() -> set[str]:
    import jsonschema  # noqa: PLC0415 (loaded when used)

    names = ("Draft3", "Draft4", "Draft6", "Draft7", "Draft201909", "Draft202012")
    metas = [getattr(jsonschema, f"{name}Validator").META_SCHEMA for name in names]
    return {str(meta.get("$id") or meta.get("id")).rstrip("#") for meta in metas}


def _check_keywords(schema: Mapping[str, Any]) -> str | None:
    known = {*type(validator_for(schema)).VALIDATORS, *_ANNOTATIONS, *_CONDITIONS}
    for part in _subschemas(schema):
        for key in part:
            if key not in known and not key.startswith("x-"):
                return f"unknown schema keyword {quote(key)}{_hint(key, known)}"
        name = part.get("format")
        if isinstance(name, str) and name not in _formats().checkers:
            return f"the format {quote(name)} can't be checked here{_hint(name, _formats().checkers)}"
    return None


def _hint(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name, sorted(known), n=1)
    return f". Did you mean {quote(near[0])}?" if near else ""


def _check_references(schema: Mapping[str, Any]) -> str | None:
    """References that don't resolve inside the schema itself, which covers every URL and file."""
    import referencing.exceptions  # noqa: PLC0415 (loaded when used)
    from referencing.jsonschema import DRAFT202012  # noqa: PLC0415 (loaded when used)

    resource = DRAFT202012.create_resource(schema) if "$schema" not in schema else None
    try:
        from referencing import Resource  # noqa: PLC0415 (loaded when used)

        resource = resource or Resource.from_contents(schema)
        root = _known_drafts().resolver_with_root(resource)
        for resolver, part in _with_resolvers(root, resource):
            for key in _REFERENCES:
                target = part.get(key)
                if isinstance(target, str):
                    try:
                        resolver.lookup(target)
                    except (referencing.exceptions.Unresolvable, ValueError):
                        return f"'{key}' is {quote(target)}, which is not in this schema; nothing is fetched"
    except referencing.exceptions.CannotDetermineSpecification as error:
        return f"the draft of the schema is unknown: {error}"
    return None


def _with_resolvers(resolver: Any, resource: Any) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """All subschemas with the resolver that knows the base (`$id`) they stand in."""
    if isinstance(resource.contents, Mapping):
        yield resolver, resource.contents
        for sub in resource.subresources():
            yield from _with_resolvers(resolver.in_subresource(sub), sub)


def _check_valid(schema: Mapping[str, Any]) -> str | None:
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415 (loaded when used)

    try:
        type(validator_for(schema)).check_schema(dict(schema))
    except SchemaError as error:
        where = ".".join(str(key) for key in error.absolute_path) or "the top"
        return f"the schema is invalid at {where}: {error.message[:300]}"
    except RecursionError:
        return "the schema is nested too deeply"
    for part in _subschemas(schema):
        for pattern in (part.get("pattern"), *part.get("patternProperties", ())):
            try:
                re.compile(pattern or "")
            except (re.error, RecursionError, OverflowError) as error:
                return f"the pattern {quote_pattern(str(pattern))} is not a regular expression: {error}"
    return None


def _check_recursion(schema: Mapping[str, Any]) -> str | None:
    """Schemas that lead back to themselves without looking at a smaller part of the answer."""
    validator = validator_for(schema)
    for part in _subschemas(schema):
        if any(key in part for key in _REFERENCES):
            try:
                for probe in _PROBES:
                    validator.evolve(schema=part).is_valid(probe)
            except RecursionError:
                target = next(part[key] for key in _REFERENCES if key in part)
                return f"the schema refers to itself without end ('$ref' {quote(str(target))})"
            except Exception:  # noqa: BLE001, S112 - a part taken out of its `$id`: the whole one is tried in use
                continue
    return None


def _check_strictness(schema: Mapping[str, Any]) -> str | None:
    accepts = _accepts_everything(schema, schema, frozenset())
    return "the schema accepts everything; say what the answer must look like" if accepts else None


def _accepts_everything(schema: Any, root: Mapping[str, Any], seen: frozenset[str]) -> bool:
    """Whether no keyword of the schema can refuse anything; False where that can't be told."""
    if not isinstance(schema, Mapping):
        return schema is True
    return all(_keyword_accepts(key, value, root, seen) for key, value in schema.items())


def _keyword_accepts(key: str, value: Any, root: Mapping[str, Any], seen: frozenset[str]) -> bool:  # noqa: PLR0911
    if key in _ANNOTATIONS or key.startswith("x-") or key in ("if", "minContains", "maxContains"):
        return True
    if key == "type":
        return set(value if isinstance(value, list) else [value]) >= _ALL_TYPES
    if key in ("minLength", "minItems", "minProperties", "required", "uniqueItems"):
        return not value
    if key == "$ref":
        return _reference_accepts(value, root, seen)
    if key == "anyOf":
        return any(_accepts_everything(part, root, seen) for part in value)
    if key in ("contains", "not", "oneOf", "dependencies"):
        return False
    if key in _MAPS:
        return all(_accepts_everything(part, root, seen) for part in value.values())
    if key in _LISTS and isinstance(value, list | tuple):
        return all(_accepts_everything(part, root, seen) for part in value)
    return key in _SINGLES and _accepts_everything(value, root, seen)


def _reference_accepts(target: str, root: Mapping[str, Any], seen: frozenset[str]) -> bool:
    if target in seen or not target.startswith("#/"):
        return False
    found: Any = root
    for key in target[2:].split("/"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return _accepts_everything(found, root, seen | {target})
