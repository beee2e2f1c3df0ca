"""The repository's own check of order forms, named in order_forms.evalcase.yaml by `python:`."""

from __future__ import annotations

import json

from pytest_ftgate import Completion, EvalCase


def nothing_invented(completion: Completion, case: EvalCase) -> float:
    """The share of the form's values that stand in the customer's message; 0 if the answer is no form.

    The other checks say what is wrong with a form; this one says how a wrong form went wrong: a misread
    message still gives 1, a hallucinated sender 0.75.
    """
    try:
        form = json.loads(completion.text)
    except ValueError:
        return 0.0
    if not isinstance(form, dict) or not form:
        return 0.0
    message = case.prompt.casefold()
    return sum(str(value).casefold() in message for value in form.values()) / len(form)
