"""Files that matter although pytest does not collect them: ignored, misspelt, or no files at all."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

SUFFIXES = (".evalcase.yaml", ".evalcase.yml")


def has_eval_tests(module: Path) -> bool:
    """Whether a test module, or a conftest that it may use, speaks of eval cases.

    If such a module yielded no test, something left its tests out.
    """
    conftests = (folder / "conftest.py" for folder in module.parents)
    return any(_speaks_of_cases(path) for path in (module, *conftests))


def _speaks_of_cases(path: Path) -> bool:
    try:
        return b"eval_case" in path.read_bytes()
    except OSError:
        return False


def ignored_files(config: pytest.Config) -> Iterator[Path]:
    """Case files and eval test modules that `--ignore` or `--ignore-glob` kept from this run."""
    roots = _roots(config)
    ignored = [Path(os.path.abspath(path)) for path in config.getoption("ignore") or ()]
    globs = [os.path.abspath(pattern) for pattern in config.getoption("ignore_glob") or ()]
    starts = [path for path in ignored if any(path.is_relative_to(root) for root in roots)]
    yield from _eval_files(starts, config)
    for path in _eval_files(roots if globs else (), config):
        if any(fnmatch.fnmatch(str(part), pattern) for part in (path, *path.parents) for pattern in globs):
            yield path


def _roots(config: pytest.Config) -> list[Path]:
    """The files and folders that this run was given, without what selects in them."""
    return [Path(os.path.abspath(str(arg).split("::", maxsplit=1)[0])) for arg in config.args]


def odd_case_files(config: pytest.Config) -> Iterator[Path]:
    """What is named like a case file and is none (a folder, a pipe, a broken link): pytest passes it over."""
    roots = _roots(config)
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(_entered(folders, config.getini("norecursedirs")))
            for name in (*folders, *names):
                path = Path(folder, name)
                if name.endswith(SUFFIXES) and not path.is_file():
                    yield path


def _entered(folders: Iterable[str], norecursedirs: Sequence[str]) -> list[str]:
    return [name for name in folders if not any(fnmatch.fnmatch(name, pattern) for pattern in norecursedirs)]


def _eval_files(starts: Iterable[Path], config: pytest.Config) -> Iterator[Path]:
    for path in _files(starts, config.getini("norecursedirs")):
        is_module = any(fnmatch.fnmatch(path.name, pattern) for pattern in config.getini("python_files"))
        if path.name.endswith(SUFFIXES) or (is_module and has_eval_tests(path)):
            yield path


def _files(starts: Iterable[Path], norecursedirs: Sequence[str]) -> Iterator[Path]:
    for start in starts:
        if start.is_file():
            yield start
        for folder, folders, names in os.walk(start):
            folders[:] = sorted(_entered(folders, norecursedirs))
            yield from (Path(folder, name) for name in sorted(names))


def similar_names(config: pytest.Config) -> list[str]:
    """Files under the given paths that look misspelt (`.evalcases.yaml`, `.evalcase.yml.txt`)."""
    roots = _roots(config)
    found: list[str] = []
    for root in roots:
        for folder, folders, names in os.walk(root if root.is_dir() else root.parent):
            folders[:] = [name for name in folders if not name.startswith((".", "node_modules", "venv"))]
            found += [
                os.path.relpath(os.path.join(folder, name), config.rootpath)
                for name in names
                if "evalcase" in name.lower().replace("_", "").replace("-", "")
                and not name.endswith(SUFFIXES)
            ]
    return sorted(set(found))[:5]
