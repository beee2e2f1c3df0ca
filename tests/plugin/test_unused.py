"""Installed and not used: no output, no imports, no files."""

from __future__ import annotations

from tests.plugin.conftest import Project

HEAVY = ("yaml", "jsonschema", "numpy", "sacrebleu", "rapidfuzz", "regex", "aiohttp")


def test_without_a_case_file_nothing_is_printed_or_written(empty_project: Project) -> None:
    empty_project.write("test_plain.py", "def test_plain(): pass\n")

    result = empty_project.run_apart()

    result.assert_outcomes(passed=1)
    lines = [line for line in result.outlines if not line.startswith("plugins:")]
    assert not [line for line in lines if "ftgate" in line]
    assert not (empty_project.pytester.path / ".ftgate").exists()


def test_without_a_case_file_nothing_heavy_is_imported(empty_project: Project) -> None:
    empty_project.write(
        "test_plain.py",
        f"import sys\ndef test_plain():\n    assert not [name for name in {HEAVY} if name in sys.modules]\n"
        "    assert not [name for name in sys.modules if name.startswith('pytest_ftgate.models')]\n",
    )

    result = empty_project.run_apart("-p", "no:hypothesispytest")

    result.assert_outcomes(passed=1)


def test_p_no_ftgate_switches_it_off(project: Project) -> None:
    result = project.run_as_installed("-p", "no:ftgate")

    assert result.ret == 5
    assert not (project.pytester.path / ".ftgate").exists()


def test_collecting_cases_does_not_import_the_network(project: Project) -> None:
    project.write("test_plain.py", "import sys\ndef test_plain():\n    assert 'aiohttp' not in sys.modules\n")

    result = project.run_apart("--model=python:bots:good")

    result.assert_outcomes(passed=5)
