"""A scorer of the repository's own code neither leaves traces nor depends on those of others.

Random numbers are seeded by the case; the folder, the environment, the locale and the random state are put
back afterwards. So the order of cases, and who else runs in this process, changes no score.
"""

from __future__ import annotations

import contextlib
import hashlib
import locale
import os
import random
import sys
from collections.abc import Iterator
from typing import Any

from pytest_ftgate.cases import EvalCase


@contextlib.contextmanager
def isolated(case: EvalCase) -> Iterator[None]:
    """The scorer runs inside the `with` block."""
    with contextlib.ExitStack() as after:
        after.callback(_restore_folder, os.getcwd())
        after.callback(_restore_environment, dict(os.environ))
        after.callback(_restore_locale, locale.setlocale(locale.LC_ALL))
        after.callback(random.setstate, random.getstate())
        seed = int.from_bytes(hashlib.sha256("\0".join((case.suite, case.id)).encode()).digest()[:4], "big")
        random.seed(seed)
        numpy_random: Any = getattr(sys.modules.get("numpy"), "random", None)
        if numpy_random is not None:
            after.callback(numpy_random.set_state, numpy_random.get_state())
            numpy_random.seed(seed)
        yield


def _restore_folder(folder: str) -> None:
    if os.getcwd() != folder:
        os.chdir(folder)


def _restore_environment(before: dict[str, str]) -> None:
    if dict(os.environ) != before:
        os.environ.clear()
        os.environ.update(before)


def _restore_locale(before: str) -> None:
    if locale.setlocale(locale.LC_ALL) != before:
        locale.setlocale(locale.LC_ALL, before)
