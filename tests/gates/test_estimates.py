"""What the samples of a metric are handed to, and what is said where they bound nothing."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pytest_ftgate.gates import Sampled, Unbounded
from pytest_ftgate.gates.criteria import Compare
from pytest_ftgate.gates.estimates import (
    amounts,
    by_resampling,
    graded,
    graded_p,
    percentile,
    rate_by_resampling,
    totals,
    totals_p,
    wins,
)
from pytest_ftgate.gates.samples import Combine, Row, mean_of
from pytest_ftgate.stats import totals as total_stats
from pytest_ftgate.stats.estimates import Estimate, interval
from pytest_ftgate.stats.paired_passes import PairedEstimate, mcnemar_p
from pytest_ftgate.stats.ranks import RankEstimate, compared_percentile
from pytest_ftgate.stats.rates import RateEstimate
from pytest_ftgate.summary.amounts import amount_estimate, amount_ratio
from pytest_ftgate.summary.estimating import SEED

Number = int | str | Fraction


def alone(*values: Number, compare: Compare = "value", **fields: Any) -> Sampled:
    """One arm, a value a case."""
    return sampled([[[(Fraction(value),)]] for value in values], compare, **fields)


def both(*pairs: tuple[Number, Number], compare: Compare = "delta", **fields: Any) -> Sampled:
    """Two arms, a value a case."""
    return sampled([[[(Fraction(value),)] for value in pair] for pair in pairs], compare, **fields)


def sampled(
    rows: Sequence[Row], compare: Compare, combine: Combine = mean_of, paired: bool = False
) -> Sampled:
    return Sampled(rows=rows, compare=compare, combine=combine, paired=paired)


def bounds(found: Estimate | Unbounded | None) -> Any:
    assert found is not None
    assert not isinstance(found, Unbounded), found.why
    return pytest.approx(interval(found, 0.95), abs=1e-12)


def same(one: Estimate | Unbounded, other: Estimate | None) -> bool:
    return bool(bounds(one) == interval(other, 0.95)) if other is not None else False


def largest(samples: Sequence[tuple[Fraction, ...]]) -> Fraction:
    return max(sample[0] for sample in samples)


def middle(samples: Sequence[tuple[Fraction, ...]]) -> Fraction:
    return sorted(sample[0] for sample in samples)[len(samples) // 2]


RISING = [Fraction(number, 10) for number in range(1, 10)]
FALLING = [1 - value for value in RISING]
PAIRS = list(zip(FALLING, RISING, strict=True))
GROWING = [Fraction(number * number) for number in range(3, 12)]


def test_passes_are_bounded_as_rates_and_differences_of_passes_as_pairs() -> None:
    pairs = [(1, 0)] * 3 + [(0, 1)] * 2 + [(1, 1)] * 5

    assert graded(alone(1, 1, 0)) == RateEstimate(passed=2, n=3)
    assert graded(both(*pairs)) == PairedEstimate(wins=3, losses=2, n=10)
    assert graded_p(both(*pairs)) == mcnemar_p(3, 2)


def test_a_win_is_a_case_in_which_the_model_is_better_and_a_tie_is_none() -> None:
    pairs = [("1/2", 0)] * 3 + [(0, "1/2")] * 2 + [(1, 1)] * 5

    assert wins(both(*pairs)) == RateEstimate(passed=3, n=10)


def test_amounts_are_resampled_by_case() -> None:
    pairs = list(zip(GROWING, reversed(GROWING), strict=True))
    differences = [ours - theirs for ours, theirs in pairs]

    assert same(amounts(alone(*GROWING)), amount_estimate(GROWING))
    assert same(amounts(both(*pairs)), amount_estimate(differences))
    ratio = amount_ratio(*map(list, zip(*pairs, strict=True)))
    assert same(amounts(both(*pairs, compare="ratio")), ratio)


def test_a_baseline_that_may_be_nothing_has_no_ratio() -> None:
    assert amounts(both((1, 0), (2, 0), (3, 0), (4, 5), (5, 0), compare="ratio")) == Unbounded(
        why="the baseline may be 0"
    )


@pytest.mark.parametrize(("n", "why"), [(1, "1 case can't be resampled"), (4, "4 cases can't be resampled")])
def test_fewer_than_five_cases_are_not_resampled(n: int, why: str) -> None:
    few = alone(*range(1, n + 1))
    logprobs = sampled([[[(Fraction(-1), Fraction(2))]] for _ in range(n)], "value")

    found = [amounts(few), by_resampling(alone(*range(n), combine=largest)), totals(logprobs, "perplexity")]

    assert found == [Unbounded(why=why)] * 3
    assert not isinstance(amounts(alone(1, 2, 3, 4, 5)), Unbounded)


def test_one_call_is_not_resampled() -> None:
    calls = sampled([[[(Fraction(1),)]]] * 2, "value")

    assert percentile(calls, 50) == Unbounded(why="2 calls can't be resampled")


# Totals


def logprobs(*sums: tuple[int, int]) -> list[tuple[Fraction, ...]]:
    return [(Fraction(total, 10), Fraction(tokens)) for total, tokens in sums]


OURS = logprobs((-9, 4), (-12, 6), (-20, 7), (-7, 5), (-16, 8), (-11, 9))
THEIRS = logprobs((-12, 4), (-11, 6), (-25, 7), (-9, 5), (-13, 8), (-14, 9))


def floats(rows: Sequence[Sequence[Fraction]]) -> list[list[float]]:
    return [list(map(float, row)) for row in rows]


def test_a_perplexity_is_bounded_by_resampling_cases() -> None:
    found = totals(sampled([[[row]] for row in OURS], "value"), "perplexity")

    assert same(found, total_stats.total_estimate(total_stats.perplexity, floats(OURS), seed=SEED))


@pytest.mark.parametrize("compare", ["delta", "ratio"])
def test_perplexities_are_compared_as_asked(compare: Any) -> None:
    rows = [[[ours], [theirs]] for ours, theirs in zip(OURS, THEIRS, strict=True)]

    found = totals(sampled(rows, compare), "perplexity")

    expected = total_stats.compared_estimate(
        total_stats.perplexity, floats(OURS), floats(THEIRS), compare=compare, seed=SEED
    )
    assert same(found, expected)


def corpus(*matched: int, of: int = 9) -> list[tuple[Fraction, ...]]:
    """BLEU's statistics: 4 counts, 4 totals, both lengths."""
    return [
        tuple(map(Fraction, [m, m - 1, m - 2, m - 3, of, of - 1, of - 2, of - 3, of, of])) for m in matched
    ]


def shared(*characters: int) -> list[tuple[Fraction, ...]]:
    """chrF's statistics: of the answer, of the reference, shared, for each of 6 orders."""
    return [tuple(map(Fraction, [9, 9, number] * 6)) for number in characters]


@pytest.mark.parametrize(
    ("score", "ours", "theirs"),
    [
        ("bleu", corpus(9, 8, 7, 9, 5, 6), corpus(7, 8, 6, 5, 4, 6)),
        ("chrf", shared(9, 8, 7, 9, 5, 6), shared(7, 8, 6, 5, 4, 6)),
    ],
)
def test_corpus_scores_are_bounded_as_a_whole_and_never_surer_than_as_many_passes(
    score: Any, ours: list[tuple[Fraction, ...]], theirs: list[tuple[Fraction, ...]]
) -> None:
    formula = {"bleu": total_stats.bleu, "chrf": total_stats.chrf}[score]
    combine: Combine = lambda rows: Fraction(  # noqa: E731
        float(formula(np.array([[float(sum(part)) for part in zip(*rows, strict=True)]]))[0])
    )
    rows = [[[model], [baseline]] for model, baseline in zip(ours, theirs, strict=True)]

    alone_found = totals(sampled([row[:1] for row in rows], "value", combine), score)
    compared = totals(sampled(rows, "delta", combine), score)

    seen = total_stats.total_estimate(formula, floats(ours), seed=SEED)
    assert not isinstance(alone_found, Unbounded)
    assert interval(alone_found, 0.95)[0] < interval(seen, 0.95)[0] - 0.05
    expected = total_stats.compared_estimate(
        formula, floats(ours), floats(theirs), compare="delta", seed=SEED
    )
    assert same(compared, expected)
    assert totals_p(sampled(rows, "delta", combine), score) == total_stats.randomization_p(
        formula, floats(ours), floats(theirs), seed=SEED
    )


def test_a_corpus_that_scores_nothing_has_no_ratio() -> None:
    rows: list[Row] = [[[model], [(Fraction(0),) * 10]] for model in corpus(9, 8, 7, 9, 5)]

    assert totals(sampled(rows, "ratio"), "bleu") == Unbounded(why="the baseline may be 0")


# Percentiles


def test_percentiles_are_bounded_by_ranks() -> None:
    assert percentile(alone(*reversed(GROWING)), 50) == RankEstimate(
        ordered=list(map(float, GROWING)), percent=50
    )


@pytest.mark.parametrize("compare", ["delta", "ratio"])
def test_percentiles_are_compared_as_asked(compare: Any) -> None:
    ours, theirs = GROWING, [value + 1 for value in reversed(GROWING)]

    found = percentile(both(*zip(ours, theirs, strict=True), compare=compare), 50)

    assert found == compared_percentile(list(map(float, ours)), list(map(float, theirs)), 50, compare)


def test_a_call_that_took_no_time_has_no_ratio() -> None:
    ours = list(zip([0, 1, 2, 3, 4], [1, 2, 3, 4, 5], strict=True))
    theirs = [(model, baseline) for baseline, model in ours]

    assert percentile(both(*ours, compare="ratio"), 50) == Unbounded(
        why="a call of the model took no time at all"
    )
    assert percentile(both(*theirs, compare="ratio"), 50) == Unbounded(
        why="a call of the baseline took no time at all"
    )
    assert not isinstance(percentile(both(*ours, compare="delta"), 50), Unbounded)


# Metrics that say nothing of their form


def test_a_mean_of_one_value_a_case_is_taken_as_an_amount() -> None:
    assert same(by_resampling(alone(*GROWING)), amount_estimate(GROWING))


def test_all_else_is_combined_anew_from_cases_drawn() -> None:
    several = sampled([[[(Fraction(0),), (10 + value,)]] for value in RISING], "value")
    paired = both(*PAIRS, compare="value", paired=True)
    best = alone(*GROWING, combine=largest)

    assert (
        5 < min(interval_of(by_resampling(several))) < 5.25 < max(interval_of(by_resampling(several))) < 5.5
    )
    low, high = interval_of(by_resampling(paired))
    assert 0.3 < low < 0.5 < high < 0.7
    assert interval_of(by_resampling(best))[1] == float(max(GROWING))


def interval_of(found: Estimate | Unbounded) -> tuple[float, float]:
    assert not isinstance(found, Unbounded)
    return interval(found, 0.95)


def test_very_many_cases_are_too_slow_for_a_function_that_is_not_known() -> None:
    assert by_resampling(alone(*[1] * 5001, combine=largest)) == Unbounded(
        why="so many cases are too slow to resample for a metric without `estimate`"
    )


@pytest.mark.parametrize("rows", [alone(0, 1, 1, 1, 0, 1), both(*[(1, 0), (0, 0), (0, 1), (1, 1), (1, 0)])])
def test_a_rate_that_is_a_mean_is_bounded_as_graded_values(rows: Sampled) -> None:
    assert rate_by_resampling(rows) == graded(rows)


def test_a_rate_beyond_its_scale_is_bounded_as_any_number() -> None:
    above, below = alone(*GROWING), alone(*[-value for value in GROWING])
    edge = alone(*RISING[:-1], 2)

    for rows in (above, below):
        assert same(rate_by_resampling(rows), amounts_of(rows))
    assert interval_of(rate_by_resampling(edge))[1] > 0.9


def test_one_value_beyond_the_scale_suffices() -> None:
    for rows in (alone(2, 2, 2, 1, 1, 1), alone(-1, -1, 0, 0, 0, 0)):
        assert same(rate_by_resampling(rows), amounts_of(rows))


def test_a_rate_of_several_values_a_case_or_of_pairs_is_combined_as_it_says() -> None:
    several = sampled([[[(Fraction(0),), (value,)]] for value in RISING], "value")
    paired = both(*PAIRS, compare="value", paired=True)

    assert 0.1 < interval_of(rate_by_resampling(several))[0] < 0.25
    assert 0.2 < interval_of(rate_by_resampling(paired))[0] < 0.5


def amounts_of(rows: Sampled) -> Estimate:
    found = amounts(rows)
    assert not isinstance(found, Unbounded)
    return found


def test_a_ratio_of_rates_is_no_rate() -> None:
    pairs = list(zip(RISING, FALLING, strict=True))
    ratio = both(*pairs, compare="ratio")

    assert same(rate_by_resampling(ratio), amount_ratio(RISING, FALLING))
    assert rate_by_resampling(both((1, 0), (1, 1), (1, 1), (0, 0), (1, 1), compare="ratio")) == Unbounded(
        why="the baseline may be 0"
    )


def test_a_paired_rate_is_made_of_both_arms() -> None:
    better: Combine = lambda rows: Fraction(sum(ours > theirs for ours, theirs in rows), len(rows))  # noqa: E731
    paired = both(*[(1, 0)] * 6 + [(0, 1)] * 6, compare="value", combine=better, paired=True)

    low, high = interval_of(rate_by_resampling(paired))

    assert 0 < low < 0.3
    assert 0.7 < high < 1


@pytest.mark.parametrize(
    ("value", "low", "high"), [(0, 0.0, 0.3085), (1, 0.6915, 1.0), ("1/2", 0.3457, 0.6543)]
)
def test_ten_equal_numbers_on_a_scale_are_no_surer_than_ten_passes(
    value: Number, low: float, high: float
) -> None:
    found = interval_of(rate_by_resampling(alone(*[value] * 10, combine=largest)))

    assert found == pytest.approx((low, high), abs=1e-3)


@pytest.mark.parametrize(
    ("pair", "low", "high"), [((1, 0), 0.383, 1.0), ((0, 1), -1.0, -0.383), ((1, 1), -0.3085, 0.3085)]
)
def test_ten_equal_differences_may_hide_the_worst(pair: tuple[int, int], low: float, high: float) -> None:
    found = interval_of(rate_by_resampling(both(*[pair] * 10, combine=largest)))

    assert found == pytest.approx((low, high), abs=1e-3)


def test_differences_that_differ_are_bounded_as_they_are() -> None:
    rows = both(*[(value, 0) for value in RISING], combine=middle)

    low, high = interval_of(rate_by_resampling(rows))

    assert (low, high) == pytest.approx(interval_of(by_resampling(rows)))
    assert 0.1 < low < 0.5 < high < 0.9


def test_a_number_that_left_its_scale_keeps_its_own_bounds() -> None:
    rows = alone(*[3] * 10, combine=largest)

    assert interval_of(rate_by_resampling(rows)) == (3.0, 3.0)
