"""The page of checks: each scorer with its options, from the table that also validates and scores."""

from __future__ import annotations

from pytest_ftgate.files.option_checks import compiled
from pytest_ftgate.scorers import BUILTIN, ScorerSpec
from tools.reference.markdown import code, table

_HEAD = """# Checks

What may stand under `expect` of a [case](../case-files.md#what-is-expected). The short form fills the
main option:
`contains: Paris` is `contains: {reference: Paris}`. Every check may also have a `weight` and a `name`;
`any_of`, `all_of`
and `not` combine checks. Your own: [hooks](../hooks.md#checks-and-metrics).

"""


def checks_page() -> str:
    """Every built-in check."""
    return _HEAD + "\n".join(_section(spec) for spec in BUILTIN.values())


def _section(spec: ScorerSpec) -> str:
    text = f"## {spec.name}\n\n{spec.doc}\n\n{_short_form(spec)}\n"
    return text + (f"\n{_options(spec)}" if spec.options else "")


def _short_form(spec: ScorerSpec) -> str:
    asks = " Asks a grader: see [judges](../judges.md)." if spec.needs(_least(spec)) else ""
    if spec.main is None:
        return f"Short form: `{spec.name}: true`.{asks}"
    if set(spec.required) - {spec.main}:
        return f"No short form: {' and '.join(map(code, spec.required))} are required.{asks}"
    return f"Short form: `{spec.name}: …`, which is `{spec.main}`.{asks}"


def _least(spec: ScorerSpec) -> dict[str, str]:
    """Options that are there at least, for a check to say whom it asks by them."""
    return dict.fromkeys(spec.required, "")


def _options(spec: ScorerSpec) -> str:
    rows = [
        (code(name), _value(spec, name), "yes" if name in spec.required else "", option.doc)
        for name, option in spec.options.items()
    ]
    return table(("option", "value", "required", "meaning"), rows)


def _value(spec: ScorerSpec, name: str) -> str:
    option = spec.options[name]
    wanted = compiled(option.schema).wanted if option.schema else "anything"
    return f"{wanted}, or the path of a JSON file" if option.file else wanted
