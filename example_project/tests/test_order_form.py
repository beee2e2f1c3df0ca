"""Ordinary unit tests: they need no model, and run in the same stage as the evals."""

import json

import pytest
from evals.order_form import nothing_invented

from pytest_ftgate import Completion, EvalCase

MESSAGE = "Ana Brown sends 12 kg to Norway by express."
FORM = {"sender": "Ana Brown", "weight_kg": 12, "country": "Norway", "service": "express"}


def share(answer: str) -> float:
    messages = ({"role": "user", "content": MESSAGE},)
    case = EvalCase(suite="forms", id="brown", path="forms.evalcase.yaml", line=1, messages=messages)
    return nothing_invented(Completion(text=answer), case)


def test_a_form_that_repeats_the_message_invents_nothing():
    assert share(json.dumps(FORM)) == 1


def test_every_value_that_the_customer_did_not_write_counts():
    assert share(json.dumps(FORM | {"sender": "Ben Adler"})) == 0.75
    assert share(json.dumps(FORM | {"sender": "Ben Adler", "weight_kg": 30})) == 0.5


@pytest.mark.parametrize("answer", ["", "Norway", "12", "[12]", "{}", '{"sender": '])
def test_what_is_no_form_is_worth_nothing(answer):
    assert share(answer) == 0
