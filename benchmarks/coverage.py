"""Whether the statistics keep their promises: coverage, false alarms and power, beside a plain rule.

Rates of outcomes are summed over the whole distribution where it is cheap (then they are exact), simulated
elsewhere; every decision is made by the bounds and p-values that the gate uses.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from typing import TypeVar

import numpy as np

from pytest_ftgate.stats import difference_power, rate_power
from pytest_ftgate.stats.distributions import binomial_exactly, normal_quantile
from pytest_ftgate.stats.estimates import interval
from pytest_ftgate.stats.means import bca_mean, difference_estimate, mean_estimate, sign_flip_p
from pytest_ftgate.stats.paired_passes import PairedEstimate
from pytest_ftgate.stats.ranks import RankEstimate, compared_percentile
from pytest_ftgate.stats.rates import RateEstimate

MARGIN = -0.05
#: Numbers of outcomes less likely than this are left out of sums.
_NEGLIGIBLE = 1e-9
#: A bound that meets its target exactly may do so by rounding.
_ROUNDING = 1e-9

Drawn = TypeVar("Drawn")
Row = tuple[str, str, str]


def table(quick: bool) -> Iterator[Row]:
    """Rows of what is promised, what was found, and a remark."""
    yield from paired_coverage((10, 15, 20, 30, 50, 100, 200) if quick else _SIZES)
    yield from false_alarms()
    yield from promised_power(runs=4000 if quick else 40_000)
    yield from graded_coverage(runs=300 if quick else 2000)
    yield from percentile_coverage(runs=1000 if quick else 10_000)
    yield from speed()


_SIZES = (10, 12, 15, 18, 20, 25, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000)
_DISCORDANCES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
#: Of the cases on which the arms disagree, the share that the model wins; mirrored, the baseline's.
_SHARES = (0.5, 0.4, 0.3, 0.2, 0.1)


def paired_coverage(sizes: tuple[int, ...]) -> Iterator[Row]:
    """How often the 95 % interval of the paired difference holds the true one.

    Base rates do not enter: the interval sees wins and losses only, whatever the arms have in common.
    """
    for label, shares in (("", _SHARES), (", all changes one way", (0.0,))):
        cells = {
            (n, discordance, share): covered(n, discordance * share, discordance * (1 - share))
            for n, discordance, share in product(sizes, _DISCORDANCES, shares)
        }
        least = min(cells, key=lambda cell: cells[cell])
        low = sum(found < 0.93 for found in cells.values())
        yield f"95 % interval{label}: covers >= 93 %", _percent(cells[least]), _cell(least, low, len(cells))
        dense = {cell: found for cell, found in cells.items() if cell[0] * cell[1] >= 10}
        most = max(dense, key=lambda cell: dense[cell])
        high = sum(found > 0.97 for found in dense.values())
        yield f"the same{label}: covers <= 97 %", _percent(dense[most]), _cell(most, high, len(dense))


def covered(n: int, wins: float, losses: float) -> float:
    """The exact probability that the 95 % interval holds the true difference."""
    truth = wins - losses

    def holds(estimate: PairedEstimate) -> bool:
        return min(estimate.p_below(truth), estimate.p_above(truth)) >= 0.025 - _ROUNDING

    return chance(n, wins, losses, holds)


def chance(n: int, wins: float, losses: float, holds: Callable[[PairedEstimate], bool]) -> float:
    """The exact probability of outcomes of `n` cases for which something holds."""
    either, found = wins + losses, 0.0
    for changed in range(n + 1):
        some = binomial_exactly(changed, n, either)
        if some < _NEGLIGIBLE:
            continue
        for won in range(changed + 1):
            likely = some * binomial_exactly(won, changed, wins / either)
            if likely > _NEGLIGIBLE / n and holds(PairedEstimate(wins=won, losses=changed - won, n=n)):
                found += likely
    return found


def _cell(cell: tuple[int, float, float], misses: int, cells: int) -> str:
    n, discordance, share = cell
    where = f"n = {n}, discordance {discordance:.0%}, model wins {share:.0%} of it"
    return f"worst: {where}; {misses} of {cells} cells beyond"


def false_alarms() -> Iterator[Row]:
    """How often a gate of identical models is stopped: `at_least: -5%` for each category, 95 %, Holm."""
    worst: dict[int, tuple[float, int, float]] = {}
    for categories, n, discordance in product((1, 5, 10, 20), (10, 20, 50, 100), (0.05, 0.1, 0.2, 0.4)):
        # Holm's first step decides whether there is any NO-GO at all.
        level = 0.05 / categories
        one = chance(n, discordance / 2, discordance / 2, partial(_is_no_go, level=level))
        found = 1 - (1 - one) ** categories
        worst[categories] = max(worst.get(categories, (0.0, 0, 0.0)), (found, n, discordance))
    for categories, (found, n, discordance) in worst.items():
        plain = 1 - (1 - _plain_alarm(n, discordance)) ** categories
        yield (
            f"false alarms, number of categories {categories}: <= 5 %",
            _percent(found),
            f"worst: {n} cases each, discordance {discordance:.0%}; the 5-point rule: {_percent(plain)}",
        )
    for categories, n, discordance in ((5, 10, 0.2), (10, 20, 0.2), (20, 50, 0.1)):
        plain = 1 - (1 - _plain_alarm(n, discordance)) ** categories
        ours = chance(n, discordance / 2, discordance / 2, partial(_is_no_go, level=0.05 / categories))
        name = f"{categories} x {n} cases, discordance {discordance:.0%}: the 5-point rule"
        yield name, _percent(plain), f"strict with Holm: {_percent(1 - (1 - ours) ** categories)}"


def _is_no_go(estimate: PairedEstimate, level: float) -> bool:
    return estimate.p_below(MARGIN) <= level


def _plain_alarm(n: int, discordance: float) -> float:
    return chance(n, discordance / 2, discordance / 2, lambda estimate: estimate.value < MARGIN - _ROUNDING)


def promised_power(runs: int) -> Iterator[Row]:
    """The power promised for the cases needed, and how often that many simulated cases decide."""
    random = np.random.default_rng(1)
    for truth, at_least in ((0.95, 0.9), (0.92, 0.9), (0.99, 0.95), (0.8, 0.9)):
        needed = rate_power.cases_to_decide(truth, at_least, 0.95)
        assert needed is not None
        passes = random.binomial(needed.cases, truth, size=runs)
        found = _share(
            passes.tolist(), partial(_rate_decided, n=needed.cases, truth=truth, at_least=at_least)
        )
        yield _power_row(f"rate {truth:.0%}, at least {at_least:.0%}", needed, found)
    for wins, losses, at_least in (
        (0.1, 0.1, -0.05),
        (0.05, 0.05, -0.05),
        (0.2, 0.05, 0.05),
        (0.05, 0.2, -0.05),
    ):
        rates = {"wins": wins, "losses": losses, "at_least": at_least, "confidence": 0.95}
        needed = difference_power.cases_to_decide(**rates)
        assert needed is not None
        drawn = random.multinomial(needed.cases, [wins, losses, 1 - wins - losses], size=runs)
        decided = partial(_difference_decided, up=wins - losses > at_least, at_least=at_least)
        found = _share([tuple(row) for row in drawn.tolist()], decided)
        yield _power_row(f"wins {wins:.0%}, losses {losses:.0%}, at least {at_least:+.0%}", needed, found)


def _power_row(name: str, needed: rate_power.Needed, found: float) -> Row:
    return f"power of {needed.cases} cases: {name}", _percent(found), f"promised {_percent(needed.power)}"


def _share(rows: list[Drawn], holds: Callable[[Drawn], bool]) -> float:
    known = {row: holds(row) for row in set(rows)}
    return sum(known[row] for row in rows) / len(rows)


def _rate_decided(passed: int, n: int, truth: float, at_least: float) -> bool:
    estimate = RateEstimate(passed=passed, n=n)
    return estimate.lower(0.95) >= at_least if truth > at_least else estimate.upper(0.95) < at_least


def _difference_decided(row: tuple[int, int, int], up: bool, at_least: float) -> bool:
    estimate = PairedEstimate(wins=row[0], losses=row[1], n=sum(row))
    return estimate.lower(0.95) >= at_least if up else estimate.upper(0.95) < at_least


def graded_coverage(runs: int) -> Iterator[Row]:
    """How often the 95 % interval of a mean difference of scores holds the true one, by simulation."""
    random = np.random.default_rng(2)
    for n, share in ((20, 0.1), (20, 0.5), (50, 0.2), (200, 0.2)):
        held = 0
        for run in range(runs):
            # Half the repeats of a case flip on either arm: multiples of a third, skewed towards losses.
            steps = random.choice([-1, -2 / 3, -1 / 3, 1 / 3], p=[0.1, 0.2, 0.3, 0.4], size=n)
            differences = np.where(random.random(n) < share, steps, 0.0)
            low, high = interval(difference_estimate(differences.tolist(), seed=run, resamples=1000), 0.95)
            held += low <= share * -0.2 <= high
        error = math.sqrt(0.05 * 0.95 / runs)
        name = f"95 % interval of mean scores, n = {n}, {share:.0%} differ"
        yield name, _percent(held / runs), f"simulated, standard error {_percent(error)}"
    yield from rare_failures(random, runs)


def rare_failures(random: np.random.Generator, runs: int) -> Iterator[Row]:
    """How often strict evidence takes a mean of scores for better than it is, if 5 % of answers are bad.

    Beside it: the same by resampling alone, and how far below the truth the bound lies on average.
    """
    truth = 0.95 * 0.98 + 0.05 * 0.2
    for n in (10, 20, 50, 100, 200):
        bounds, resampled = [], []
        for run in range(runs):
            drawn = np.where(random.random(n) < 0.05, 0.2, random.uniform(0.97, 0.99, size=n)).tolist()
            found = mean_estimate(drawn, seed=run, resamples=1000)
            bounds.append(found.lower(0.95))
            resampled.append(bca_mean(drawn, seed=run, resamples=1000).lower(0.95))
        alone, wrong = (float(np.mean(np.array(found) > truth)) for found in (resampled, bounds))
        below = [truth - float(np.mean(found)) for found in (resampled, bounds)]
        yield (
            f"false GO of mean scores, n = {n}, 5% score 0.2: <= 5 %",
            _percent(wrong),
            f"by resampling alone {_percent(alone)}; the bound lies {below[1] * 100:.1f} points low, "
            f"by resampling {below[0] * 100:.1f}",
        )


def percentile_coverage(runs: int) -> Iterator[Row]:
    """How often the true ratio of two arms' percentiles lies beyond the one-sided bound, by simulation."""
    random = np.random.default_rng(4)
    for percent, n in ((50, 20), (50, 100), (90, 29), (90, 200), (95, 59), (95, 400), (99, 299), (99, 600)):
        true_time = math.exp(0.5 * normal_quantile(percent / 100))
        for kind in ("steady", "alike"):
            missed = 0
            for _ in range(runs):
                arms = random.lognormal(0, 0.5, size=(2, n))
                if kind == "steady":
                    arms[1] = 1.0
                truth = true_time if kind == "steady" else 1.0
                model, baseline = arms.tolist()
                missed += compared_percentile(model, baseline, percent, "ratio").upper(0.95) < truth
            name = f"p{percent} ratio of {n} calls, baseline {kind}: too low <= 5 %"
            error = math.sqrt(0.05 * 0.95 / runs)
            yield name, _percent(missed / runs), f"simulated, standard error {_percent(error)}"


def speed() -> Iterator[Row]:
    """Seconds for the intervals of one group of 10,000 cases on two arms, graded and timed."""
    random = np.random.default_rng(3)
    scores = random.random(10_000)
    differences = np.clip(scores + random.normal(0, 0.1, size=10_000), 0, 1) - scores
    times = random.lognormal(0, 0.5, size=(2, 10_000)).tolist()
    jobs: dict[str, Callable[[], object]] = {
        "mean scores of both arms": lambda: [mean_estimate(scores.tolist(), seed=arm) for arm in (1, 2)],
        "mean difference and its test": lambda: (
            difference_estimate(differences.tolist(), seed=1),
            sign_flip_p(differences.tolist(), seed=1),
        ),
        "four percentiles of both arms and their ratios": lambda: [
            (
                [interval(RankEstimate(ordered=sorted(arm), percent=percent), 0.95) for arm in times],
                interval(compared_percentile(times[0], times[1], percent, "ratio"), 0.95),
            )
            for percent in (50, 90, 95, 99)
        ],
        "pass rates and their difference, 100 groups": lambda: [
            [
                interval(estimate, 0.95)
                for estimate in (
                    RateEstimate(passed=90, n=100),
                    RateEstimate(passed=95, n=100),
                    PairedEstimate(wins=3, losses=wins, n=100),
                )
            ]
            for wins in range(97)
        ],
    }
    for name, job in jobs.items():
        started = time.perf_counter()
        job()
        yield f"seconds: {name}", f"{time.perf_counter() - started:.2f}", "10,000 cases"


def _percent(share: float) -> str:
    return f"{share:.1%}"
