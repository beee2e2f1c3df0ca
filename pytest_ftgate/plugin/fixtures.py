"""The fixtures that every test may ask for; `model` and `baseline` may be overridden by folder."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def ftgate_model(request: pytest.FixtureRequest) -> object:
    """The model of this run, whatever a folder makes of `model`; skips the test without one."""
    return _handle(request, "model")


@pytest.fixture(scope="session")
def ftgate_baseline(request: pytest.FixtureRequest) -> object:
    """The baseline of this run, whatever a folder makes of `baseline`; skips the test without one."""
    return _handle(request, "baseline")


@pytest.fixture(scope="session")
def model(ftgate_model: object) -> object:
    """The fine-tuned model: `model(eval_case)` or `model("any prompt")` gives a `Completion`."""
    return ftgate_model


@pytest.fixture(scope="session")
def baseline(ftgate_baseline: object) -> object:
    """What the model is compared with; called like `model`."""
    return ftgate_baseline


@pytest.fixture
def eval_case(request: pytest.FixtureRequest) -> object:
    """The case that the marker `eval_case` runs this test for."""
    from pytest_ftgate.plugin.eval_test import eval_test_of  # noqa: PLC0415
    from pytest_ftgate.plugin.judgement import CaseHandle  # noqa: PLC0415
    from pytest_ftgate.plugin.markers import BoundCase  # noqa: PLC0415

    bound = getattr(request, "param", None)
    test = eval_test_of(request.node)
    if not isinstance(bound, BoundCase) or test is None or test.judgement is None:
        raise pytest.UsageError(
            "eval_case needs a marker: @pytest.mark.eval_case('evals/suite.evalcase.yaml')"
        )
    return CaseHandle(bound.case, bound.repeat, test.judgement)


def _handle(request: pytest.FixtureRequest, arm: str) -> object:
    from pytest_ftgate.cases import Arm  # noqa: PLC0415
    from pytest_ftgate.plugin.handles import handle_for  # noqa: PLC0415

    return handle_for(request, Arm(arm))
