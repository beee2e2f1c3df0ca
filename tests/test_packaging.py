"""What is declared in pyproject.toml agrees with what the package is and does."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import distribution, packages_distributions
from importlib.resources import files
from pathlib import Path

from packaging.requirements import Requirement

import pytest_ftgate

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
#: Extras of those who work on the project; all others are for users.
_OURS = ("dev", "docs")


def imported_names() -> set[str]:
    """The top-level modules that the package imports, wherever in it, by statement or `import_module`."""
    names: set[str] = set()
    for path in (ROOT / "pytest_ftgate").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add(str(node.module).partition(".")[0])
        names |= set(re.findall(r'import_module\("(\w+)', text))
    return names - sys.stdlib_module_names - {"pytest_ftgate"}


def distributions_of(names: set[str]) -> set[str]:
    known = packages_distributions()
    return {known.get(name, [name])[0].lower() for name in names}


def declared() -> set[str]:
    """What is installed always, and what an extra for users adds."""
    extras = PROJECT["project"]["optional-dependencies"]
    added = [line for extra, lines in extras.items() if extra not in _OURS for line in lines]
    return {Requirement(line).name.lower() for line in [*PROJECT["project"]["dependencies"], *added]}


def test_everything_that_is_imported_is_declared() -> None:
    needed = distributions_of(imported_names())

    assert needed <= declared()


def test_everything_that_is_declared_is_imported() -> None:
    needed = distributions_of(imported_names())

    assert declared() <= needed


def test_every_dependency_has_a_lower_bound_and_no_upper_one() -> None:
    for line in PROJECT["project"]["dependencies"]:
        operators = {specifier.operator for specifier in Requirement(line).specifier}
        assert operators == {">="}, line


def test_versions_agree() -> None:
    assert PROJECT["project"]["version"] == pytest_ftgate.__version__
    assert f"## {pytest_ftgate.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_python_versions_agree() -> None:
    assert PROJECT["project"]["requires-python"] == ">=3.11"
    assert PROJECT["tool"]["ruff"]["target-version"] == "py311"
    assert PROJECT["tool"]["mypy"]["python_version"] == "3.11"


def test_entry_points_load() -> None:
    points = {point.name: point for point in distribution("pytest-ftgate").entry_points}

    assert points["ftgate"].value in {"pytest_ftgate.plugin", "pytest_ftgate.cli:main"}
    groups = {(point.group, point.value) for point in distribution("pytest-ftgate").entry_points}
    assert groups == {("pytest11", "pytest_ftgate.plugin"), ("console_scripts", "pytest_ftgate.cli:main")}
    for point in distribution("pytest-ftgate").entry_points:
        assert point.load()


def test_types_and_license_are_there() -> None:
    assert (ROOT / "pytest_ftgate" / "py.typed").exists()
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")


def test_the_parts_of_the_review_page_are_in_the_package_and_the_wheel_takes_all_of_it() -> None:
    parts = ("page.css", "page.html.jinja", "page.js")

    assert PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"] == {"packages": ["pytest_ftgate"]}
    folder = files("pytest_ftgate.review") / "page"
    assert sorted(part.name for part in folder.iterdir()) == list(parts)
    assert all((folder / part).read_text(encoding="utf-8").strip() for part in parts)
