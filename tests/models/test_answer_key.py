"""What no key is made of."""

from __future__ import annotations

import math

import pytest

from pytest_ftgate.models.answer_store.answer_key import answer_key, model_digest
from tests.support.requests import request


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_a_number_that_no_request_can_hold_has_no_key(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        answer_key(request(params={"temperature": number}), "model", "asked")
    with pytest.raises(ValueError, match="not JSON compliant"):
        model_digest({"name": "tuned", "temperature": number})
