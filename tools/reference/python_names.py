"""The page of names in Python: hooks, fixtures and what `import pytest_ftgate` gives, by their docstrings."""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest_ftgate
from pytest_ftgate.plugin import fixtures, hookspecs
from tools.reference.markdown import code, prose, table

_HEAD = """# Names in Python

What conftests, plugins and tests use; worked examples are in [hooks](../hooks.md) and [tests in
Python](../python-tests.md).

## Hooks

"""


def python_page() -> str:
    """Hooks, fixtures, public names."""
    hooks = [_function(name, found, "###") for name, found in vars(hookspecs).items() if _is_hook(name)]
    names = [_public(name) for name in pytest_ftgate.__all__ if name != "__version__"]
    return _HEAD + "\n".join([*hooks, "## Fixtures\n", _fixtures(), "## Public names\n", *names])


def _is_hook(name: str) -> bool:
    return name.startswith("pytest_ftgate_")


def _function(name: str, found: Any, level: str) -> str:
    signature = str(inspect.signature(found)).replace("'", "")
    return (
        f"{level} {name}\n\n```python\ndef {name}{signature}\n```\n\n{prose(inspect.getdoc(found) or '')}\n"
    )


def _fixtures() -> str:
    rows = [(code(name), prose(doc)) for name, doc in _documented(Path(fixtures.__file__))]
    return table(("fixture", "what it is"), rows)


def _documented(module: Path) -> Iterator[tuple[str, str]]:
    """The module's public functions: read as text, since pytest's fixtures hide what they wrap."""
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, ast.get_docstring(node) or ""


def _public(name: str) -> str:
    found = getattr(pytest_ftgate, name)
    if not inspect.isclass(found):
        return _function(name, found, "###")
    return f"### {name}\n\n{prose(inspect.getdoc(found) or '')}\n\n{_fields(found)}"


def _fields(found: type) -> str:
    """Fields of a value with their types and defaults."""
    rows = [
        (code(field.name), code(str(field.type)), _default(field))
        for field in dataclasses.fields(found)
        if not field.name.startswith("_")
    ]
    return table(("field", "type", "default"), rows)


def _default(field: dataclasses.Field[Any]) -> str:
    missing = dataclasses.MISSING
    if field.default is missing and field.default_factory is missing:
        return "required"
    plain = isinstance(field.default, str | int | float | tuple | None)
    return code(repr(field.default)) if plain else ""
