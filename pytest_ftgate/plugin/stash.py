"""What this plugin keeps on pytest's objects, under typed keys; light, since every session loads it."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_ftgate.plugin.eval_test import EvalTest  # noqa: F401  (used in the quoted types below)
    from pytest_ftgate.plugin.session import FtgateSession  # noqa: F401  (the same)
    from pytest_ftgate.plugin.verdict_file import VerdictFile  # noqa: F401  (the same)

session_key = pytest.StashKey["FtgateSession"]()
eval_test_key = pytest.StashKey["EvalTest"]()
verdict_file_key = pytest.StashKey["VerdictFile"]()
taken_aliases_key = pytest.StashKey[tuple[str, ...]]()
run_id_key = pytest.StashKey[str]()
