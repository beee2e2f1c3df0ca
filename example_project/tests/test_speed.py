"""How long a customer waits. Only live answers have a time, so the baseline, which may be saved, is out."""

import pytest


@pytest.mark.eval_case(
    id="hello",
    category="speed",
    prompt="Good morning, can you help me with a question?",
    params={"temperature": 0, "max_tokens": 30},
    # Generous, since build machines are busy at times: this finds what hangs, the gate finds what got slower.
    expect={"latency": {"at_most": 20}},
)
def test_nobody_waits_long(eval_case, model):
    eval_case.check(model(eval_case))
