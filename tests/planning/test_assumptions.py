from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_ftgate.errors import ConfigError
from pytest_ftgate.gates.selection import Scope, scopes
from pytest_ftgate.planning import Assumptions, parse_assumptions
from pytest_ftgate.planning.assumptions import Truth, truth_for
from tests.planning.previews import cases, one_criterion, preview


def scope_of(**criterion: Any) -> Scope:
    made = preview(cases(4), one_criterion(**criterion))
    return scopes(made.gate, made.plan.cases, made.metrics)[0]


def test_shares_are_read_in_percent_or_as_numbers_each_alone_or_together() -> None:
    read = parse_assumptions(["baseline=70% discordance=0.2", "rate=95%"])

    assert read == Assumptions(baseline=0.7, discordance=0.2, rate=0.95)
    assert parse_assumptions(["change=-2.5%"]) == Assumptions(change=-0.025)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("discordnce=20%", "--assume discordnce=20%: write e.g. baseline=70%; did you mean 'discordance'?"),
        ("70%", "--assume 70%: write e.g. baseline=70%; there are baseline, discordance, rate, change"),
        ("rate=much", "--assume rate=much: this is not a share; write e.g. rate=70%"),
        ("rate=-5%", "--assume rate=-5%: this is not a share; write e.g. rate=70%"),
        ("rate=95", "--assume rate=95 is more than 100%; write e.g. rate=95%"),
        ("change=200%", "--assume change=200% is more than 100%; write e.g. change=+5%"),
        (
            "rate=90% baseline=80% change=5%",
            "--assume: rate, baseline and change say one thing twice; leave one of them out",
        ),
        (
            "baseline=95% change=+10%",
            "--assume baseline=0.95 and change=+0.1: together that is no rate from 0 to 1",
        ),
    ],
)
def test_a_mistake_is_quoted_and_put_right(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_assumptions([text])

    assert str(caught.value) == message


def test_what_is_not_given_follows_from_the_threshold() -> None:
    gain = truth_for(scope_of(compare="delta", at_least="5%"), Assumptions(), None)
    drop = truth_for(scope_of(compare="delta", at_least="-5%"), Assumptions(), None)
    rate = truth_for(scope_of(at_least="90%"), Assumptions(), None)
    most = truth_for(scope_of(at_most="10%"), Assumptions(), None)
    no_more = truth_for(scope_of(compare="delta", at_most="5%"), Assumptions(), None)

    assert [gain.change, drop.change, no_more.change] == pytest.approx([0.10, 0.0, 0.0])
    assert [rate.rate, most.rate] == pytest.approx([0.95, 0.05])
    assert {truth.source for truth in (gain, drop, rate, most)} == {"assumed"}


def test_a_rate_and_a_baseline_that_are_given_make_the_change() -> None:
    truth = truth_for(scope_of(compare="delta", at_least="5%"), Assumptions(rate=0.95, baseline=0.7), None)

    assert truth.change == pytest.approx(0.25)
    assert truth.source == "given"


@settings(deadline=None)
@given(
    baseline=st.floats(0, 1),
    discordance=st.floats(0, 1),
    share=st.floats(0, 1),
)
def test_wins_and_losses_are_possible_and_make_the_change(
    baseline: float, discordance: float, share: float
) -> None:
    change = -baseline + share
    if not -baseline <= change <= 1 - baseline:
        return
    truth = Truth(rate=0.5, baseline=baseline, change=change, discordance=discordance, source="given")

    assert truth.wins - truth.losses == pytest.approx(change)
    assert -1e-9 <= truth.wins <= 1 - baseline + 1e-9
    assert -1e-9 <= truth.losses <= baseline + 1e-9
