"""The import rules of the package: the folder is the permission, and what is not used is not paid for."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "pytest_ftgate"
MODULES = sorted(PACKAGE.rglob("*.py"))

#: The line of values: what lies in the root, file or folder, imports its own row and the rows above.
LINE = (
    {"stats", "characters"},
    {"errors", "durations"},
    {"cases", "completions"},
    {"scores"},
    {"record"},
    {"summary"},
    {"gates"},
)
ROW = {name: number for number, row in enumerate(LINE) for name in row}

#: What each folder may import of the package besides itself. Plugin and console script may see it all.
MAY_SEE = {
    "scorers": {*ROW},
    "files": {*ROW, "scorers"},
    "models": {*ROW},
    "planning": {*ROW},
    # It keeps what was decided, in a file of its own.
    "history": {*ROW},
    "reports": {*ROW, "planning", "history"},
    # It shows what it was told by the means of the reports: inert texts, lines, atomic files.
    "review": {*ROW, "reports"},
    # It reads labels as data sets are read, and has them judged as answers are.
    "calibration": {*ROW, "files", "scorers", "reports"},
}
#: Modules that only these folders import.
ONLY_IN = {
    "pytest": {"plugin"},
    "_pytest": set[str](),
    "pluggy": {"plugin"},
    "xdist": {"plugin"},
    "yaml": {"files"},
    "csv": {"files", "review", "reports"},
    "jinja2": {"review", "reports"},
    "pyarrow": {"files"},
    "genai_prices": {"models"},
    "numpy": {"stats"},
    "asyncio": {"models"},
    "aiohttp": {"models"},
    "http": {"models"},
    "socket": {"models"},
    "sqlite3": {"models"},
    "click": {"cli"},
}
#: Plain computation has no files, no clock, no environment and no chance in it.
NOT_IN_VALUES = {
    "os",
    "pathlib",
    "io",
    "tempfile",
    "shutil",
    "subprocess",
    "time",
    "random",
    "secrets",
    "threading",
}
#: What a run pays for only if it uses it.
HEAVY = {
    "aiohttp",
    "yaml",
    "jsonschema",
    "numpy",
    "sacrebleu",
    "rapidfuzz",
    "regex",
    "scipy",
    "pyarrow",
    "genai_prices",
    "pydantic",
    "click",
    "jinja2",
}
#: Without a case file these have no business in memory either.
UNUSED = {"asyncio", "sqlite3", "ssl"}


def place_of(module: Path) -> str:
    """The folder of a module, or its own name if it lies in the root of the package."""
    parts = module.relative_to(PACKAGE).with_suffix("").parts
    return parts[0]


def nodes_at_run_time(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those that only a type checker sees: naming a type loads nothing and allows nothing."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield from nodes_at_run_time(node)


def imports_of(tree: ast.AST) -> Iterator[str]:
    """The full names of all imported modules, wherever in the file they are imported."""
    for node in nodes_at_run_time(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: the imports of this package are absolute"
            yield str(node.module)
            if node.module == "pytest_ftgate":
                yield from (
                    f"pytest_ftgate.{alias.name}" for alias in node.names if alias.name != "__version__"
                )


def places_seen(module: Path) -> set[str]:
    """Which folders and root modules of the package a module imports."""
    names = (name.split(".") for name in imports_of(ast.parse(module.read_text(encoding="utf-8"))))
    return {parts[1] for parts in names if parts[0] == "pytest_ftgate" and len(parts) > 1}


def outside_seen(module: Path) -> set[str]:
    """Which top-level modules a module imports from elsewhere."""
    names = imports_of(ast.parse(module.read_text(encoding="utf-8")))
    return {name.partition(".")[0] for name in names} - {"pytest_ftgate"}


def the_id(module: Path) -> str:
    return module.relative_to(PACKAGE).as_posix()


#: The modules of plain values and computation.
VALUES = [module for module in MODULES if place_of(module) in ROW]
ROOT = {place_of(module) for module in MODULES} - {"__init__", "cli", "plugin", *MAY_SEE}


def test_everything_in_the_root_has_its_row() -> None:
    assert {*ROW} == ROOT


@pytest.mark.parametrize("module", VALUES, ids=the_id)
def test_values_import_only_up_the_line(module: Path) -> None:
    below = {name for name in places_seen(module) if ROW.get(name, len(LINE)) > ROW[place_of(module)]}

    assert not below


@pytest.mark.parametrize("module", VALUES, ids=the_id)
def test_values_are_plain_computation(module: Path) -> None:
    assert not outside_seen(module) & NOT_IN_VALUES


@pytest.mark.parametrize("module", VALUES, ids=the_id)
def test_values_need_nothing_but_the_standard_library(module: Path) -> None:
    resampling = {"numpy"} if place_of(module) == "stats" else set[str]()

    assert outside_seen(module) <= sys.stdlib_module_names | resampling


PLANNING = [module for module in MODULES if place_of(module) == "planning"]


@pytest.mark.parametrize("module", PLANNING, ids=the_id)
def test_planning_is_plain_computation_too(module: Path) -> None:
    """It stands beside the line: nothing in the line needs it, and likeness of texts is a library's."""
    assert not outside_seen(module) & NOT_IN_VALUES
    assert outside_seen(module) <= sys.stdlib_module_names | {"rapidfuzz"}


@pytest.mark.parametrize("module", [module for module in MODULES if place_of(module) in MAY_SEE], ids=the_id)
def test_folders_see_only_what_they_may(module: Path) -> None:
    place = place_of(module)

    assert places_seen(module) <= {*MAY_SEE[place], place, "__init__"}


@pytest.mark.parametrize(
    "module", [module for module in MODULES if place_of(module) not in {"plugin", "cli"}], ids=the_id
)
def test_nothing_but_the_console_script_imports_the_plugin(module: Path) -> None:
    assert "plugin" not in places_seen(module)


@pytest.mark.parametrize("module", MODULES, ids=the_id)
def test_what_a_folder_may_do_is_its_own(module: Path) -> None:
    place = place_of(module)

    trespasses = {name for name in outside_seen(module) if name in ONLY_IN and place not in ONLY_IN[name]}

    assert not trespasses


def test_every_folder_has_its_rule() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}

    assert folders == {*MAY_SEE, "plugin", "cli", "record", "summary", "gates", "stats"}


def test_no_module_is_named_after_nothing() -> None:
    assert not {module.stem for module in MODULES} & {"utils", "util", "helpers", "common", "manager", "misc"}


def loaded_by(code: str) -> set[str]:
    """The top-level modules that `code` loads in a process in which pytest is already loaded."""
    script = f"import sys, pytest\nbefore = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in run.stdout.split()}


def test_importing_the_plugin_costs_nothing_that_is_heavy() -> None:
    loaded = loaded_by("import pytest_ftgate.plugin")

    assert "pytest_ftgate" in loaded
    assert not loaded & (HEAVY | UNUSED)


@pytest.mark.parametrize(
    "name",
    sorted({*ROW, "models", "planning", "reports", "review", "calibration", "scorers", "files", "history"}),
)
def test_values_and_the_doors_of_folders_load_nothing_heavy(name: str) -> None:
    loaded = loaded_by(f"import pytest_ftgate.{name}")

    assert not loaded & HEAVY


def test_the_statistics_of_passes_and_failures_need_no_numpy() -> None:
    names = (
        "agreement difference_power estimates few_changes multiplicity paired_passes rate_power rates repeats"
    )

    loaded = loaded_by("\n".join(f"import pytest_ftgate.stats.{name}" for name in names.split()))

    assert not loaded & HEAVY


def test_a_run_without_case_files_loads_nothing_heavy_and_little_of_ours(tmp_path: Path) -> None:
    test = "import sys\ndef test_modules(): open('modules', 'w').write(' '.join(sys.modules))\n"
    (tmp_path / "test_plain.py").write_text(test, encoding="utf-8")
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "pytest_ftgate.plugin"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout
    loaded = (tmp_path / "modules").read_text(encoding="utf-8").split()
    assert not {name.partition(".")[0] for name in loaded} & HEAVY
    ours = {name for name in loaded if name.startswith("pytest_ftgate.")}
    light = {"fixtures", "hookspecs", "options", "stash"}
    assert ours <= {"pytest_ftgate.plugin", *(f"pytest_ftgate.plugin.{name}" for name in light)}
