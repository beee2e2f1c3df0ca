"""How long a customer waits. Only a live answer has a time: so the baseline, which may be a saved one, is not asked."""

import pytest


@pytest.mark.eval_case(
    id="hello",
    category="speed",
    prompt="Good morning, can you help me?",
    params={"temperature": 0, "max_tokens": 30},
    # Generous, since build machines are busy at times: this finds what hangs. What got slower is found by the gate.
    expect={"latency": {"at_most": 20}},
)
def test_nobody_waits_long(eval_case, model):
    eval_case.check(model(eval_case))
