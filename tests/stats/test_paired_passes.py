"""The difference of two paired rates: published values, exact coverage, and what must hold of any bound."""

from __future__ import annotations

import math
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from pytest_ftgate.stats.distributions import crossing, normal_quantile
from pytest_ftgate.stats.estimates import interval
from pytest_ftgate.stats.paired_passes import PairedEstimate, fewer_wins_p, mcnemar_p, tango_z

CONFIDENCES = st.floats(0.6, 0.999)


@st.composite
def pairs(draw: st.DrawFn) -> PairedEstimate:
    n = draw(st.integers(1, 200))
    wins = draw(st.integers(0, n))
    return PairedEstimate(wins=wins, losses=draw(st.integers(0, n - wins)), n=n)


def tango_interval(wins: int, losses: int, n: int, confidence: float) -> tuple[float, float]:
    z = normal_quantile((1 + confidence) / 2)

    def limit(z: float) -> float:
        return crossing(lambda delta: tango_z(wins, losses, n, delta) <= z, -1, 1)

    return limit(z), limit(-z)


def test_tango_interval_is_that_of_fagerland_lydersen_laake_2014() -> None:
    # Airway hyper-responsiveness before and after transplantation (Bentur et al. 2009): 1, 1, 7, 12.
    assert tango_interval(1, 7, 21, 0.95) == pytest.approx((-0.517, -0.026), abs=5e-4)


def test_tango_interval_is_that_of_the_r_package_propcis() -> None:
    assert tango_interval(28, 25, 618, 0.9) == pytest.approx((-0.0148, 0.0247), abs=5e-5)


def test_score_test_is_that_of_the_r_package_ratesci() -> None:
    estimate = PairedEstimate(wins=1, losses=7, n=21)

    assert estimate.z(0) == pytest.approx(-2.070197, abs=5e-7)
    assert estimate.p_below(0) == pytest.approx(0.01921697, abs=5e-9)
    assert estimate.p_above(0) == pytest.approx(0.980783, abs=5e-7)


@pytest.mark.parametrize(
    ("wins", "losses", "p"),
    [
        (1, 7, 0.0703),  # Fagerland, Lydersen and Laake 2013, BMC Medical Research Methodology 13:91
        (6, 16, 0.0525),  # the same: complete response before and after consolidation
        (2, 6, 0.2891),  # BFCL live_relevance: 18 cases, -22 points
        (0, 0, 1.0),
        (5, 5, 1.0),
    ],
)
def test_exact_mcnemar_p_values_are_the_published_ones(wins: int, losses: int, p: float) -> None:
    assert mcnemar_p(wins, losses) == pytest.approx(p, abs=5e-5)


@settings(deadline=None)
@given(st.integers(0, 300), st.integers(0, 300))
def test_mcnemar_p_values_are_those_of_scipys_binomial_test(wins: int, losses: int) -> None:
    if wins + losses:
        assert mcnemar_p(wins, losses) == pytest.approx(
            stats.binomtest(wins, wins + losses).pvalue, rel=1e-6, abs=1e-12
        )
        one_sided = stats.binomtest(wins, wins + losses, alternative="less").pvalue
        assert fewer_wins_p(wins, losses) == pytest.approx(one_sided, rel=1e-6, abs=1e-12)


@settings(deadline=None)
@given(pairs(), st.floats(-0.95, 0.95))
def test_the_score_takes_the_most_likely_variance(estimate: PairedEstimate, delta: float) -> None:
    def unlikely(lost: float) -> float:
        cells = (estimate.wins, estimate.losses, estimate.n - estimate.wins - estimate.losses)
        rates = (lost + delta, lost, 1 - 2 * lost - delta)
        return -sum(count * math.log(max(rate, 1e-300)) for count, rate in zip(cells, rates, strict=True))

    most = (1 - delta) / 2
    found = optimize.minimize_scalar(unlikely, bounds=(max(0.0, -delta), most), method="bounded")
    best = min((found.x, max(0.0, -delta), most), key=unlikely)
    assume(2 * best + delta - delta**2 > 1e-9)
    distance = estimate.value - delta
    expected = distance / math.sqrt((2 * best + delta - delta**2) / estimate.n)

    z = tango_z(estimate.wins, estimate.losses, estimate.n, delta)

    assert z == pytest.approx(expected, rel=2e-2, abs=1e-3)


def test_live_relevance_is_no_evidence_of_a_loss_of_more_than_five_points() -> None:
    estimate = PairedEstimate(wins=2, losses=6, n=18)

    assert estimate.value == pytest.approx(-0.222, abs=5e-4)
    assert estimate.lower(0.95) < -0.05 < estimate.upper(0.95)


@settings(deadline=None)
@given(pairs(), CONFIDENCES, st.floats(-0.99, 0.99))
def test_bounds_and_p_values_agree(estimate: PairedEstimate, confidence: float, threshold: float) -> None:
    for p, bound, beyond in (
        (estimate.p_above(threshold), estimate.lower(confidence), 1),
        (estimate.p_below(threshold), estimate.upper(confidence), -1),
    ):
        if abs(bound - threshold) > 1e-9:
            assert (p < 1 - confidence) == ((bound - threshold) * beyond > 0)


@settings(deadline=None)
@given(pairs(), CONFIDENCES)
def test_bounds_hold_the_estimate_lie_in_reach_and_mirror(
    estimate: PairedEstimate, confidence: float
) -> None:
    low, high = estimate.lower(confidence), estimate.upper(confidence)
    mirrored = PairedEstimate(wins=estimate.losses, losses=estimate.wins, n=estimate.n)

    assert -1 <= low <= estimate.value + 1e-12
    assert estimate.value - 1e-12 <= high <= 1
    assert mirrored.lower(confidence) == pytest.approx(-high, abs=1e-12)


@settings(deadline=None)
@given(pairs(), CONFIDENCES)
def test_a_loss_turned_into_a_win_raises_both_bounds(estimate: PairedEstimate, confidence: float) -> None:
    if estimate.losses:
        better = PairedEstimate(wins=estimate.wins + 1, losses=estimate.losses - 1, n=estimate.n)
        assert better.lower(confidence) >= estimate.lower(confidence) - 1e-12
        assert better.upper(confidence) >= estimate.upper(confidence) - 1e-12


@settings(deadline=None)
@given(pairs(), st.floats(-1, 1), st.floats(-1, 1))
def test_the_score_falls_as_the_difference_grows(estimate: PairedEstimate, one: float, other: float) -> None:
    less, more = sorted((one, other))

    assert estimate.z(less) >= estimate.z(more) - 1e-9


def test_one_case_bounds_nothing() -> None:
    assert PairedEstimate(wins=0, losses=1, n=1).p_below(1) == 0.5
    for wins, losses in ((0, 0), (1, 0), (0, 1)):
        assert interval(PairedEstimate(wins=wins, losses=losses, n=1), 0.95) == (-1, 1)


def test_no_change_at_all_has_an_interval_that_narrows() -> None:
    few, many = (interval(PairedEstimate(wins=0, losses=0, n=n), 0.95) for n in (10, 100))

    assert few[0] == pytest.approx(-few[1])
    assert -0.35 < few[0] < many[0] < -0.03


def test_nothing_but_changes_one_way_reaches_the_end_on_that_side_only() -> None:
    low, high = interval(PairedEstimate(wins=12, losses=0, n=12), 0.95)

    assert 0.4 < low < 0.7
    assert high == 1
    assert tango_z(12, 0, 12, 1) == 0
    assert tango_z(12, 0, 12, -1) == math.inf


@pytest.mark.parametrize("n", [10, 13, 16, 20])
def test_the_95_percent_interval_covers_at_least_93_percent_by_enumeration(n: int) -> None:
    outcomes = [(wins, losses) for wins in range(n + 1) for losses in range(n + 1 - wins)]
    intervals = {
        (wins, losses): interval(PairedEstimate(wins=wins, losses=losses, n=n), 0.95)
        for wins, losses in outcomes
    }

    for discordance, share in product((0.02, 0.05, 0.1, 0.2, 0.3, 0.5), (0.5, 0.3, 0.1, 0.0)):
        wins, losses = discordance * share, discordance * (1 - share)
        distribution = stats.multinomial(n, [wins, losses, 1 - discordance])
        covered = [
            outcome for outcome in outcomes if intervals[outcome][0] <= wins - losses <= intervals[outcome][1]
        ]
        coverage = sum(distribution.pmf([[w, lost, n - w - lost] for w, lost in covered]))
        assert coverage >= 0.93, (n, discordance, share)
