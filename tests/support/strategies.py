"""Hypothesis strategies: plans of every shape, what may have happened in them, and gates."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion, Usage
from pytest_ftgate.record import PlannedCase, PlannedItem, Record, Trial
from pytest_ftgate.scores import Score
from tests.support.records import BOTH, case, entry, python_item, record, scores_of, trial

EXPECTATIONS = (
    (entry(),),
    (entry(), entry("contains", "tone")),
    (entry("any_of", None, entry(), entry("contains")),),
    (entry("not", None, entry("regex")),),
    (),
)


@st.composite
def planned_cases(draw: st.DrawFn, number: int) -> PlannedCase:
    """One case: one or several items, on one arm or both, repeated or not."""
    case_id = f"c{number}"
    role = draw(st.sampled_from(["target", "general"]))
    arms = draw(st.sampled_from([BOTH, BOTH, BOTH, (Arm.MODEL,)]))
    more: list[PlannedItem] = []
    if draw(st.booleans()):
        more = [python_item(case_id, *draw(st.sampled_from([BOTH, (Arm.MODEL,)])))]
    made = case(
        case_id,
        suite=f"suite_{role}",
        role=role,
        category=draw(st.sampled_from(["simple", "adversarial"])),
        tags=draw(st.sampled_from([(), ("slow",), ("slow", "long")])),
        expect=draw(st.sampled_from(EXPECTATIONS)),
        arms=arms,
        repeat=draw(st.sampled_from([1, 1, 2])),
        must_pass=draw(st.sampled_from([False, False, True])),
        skip=draw(st.sampled_from([None, None, None, None, "later"])),
    )
    return case(
        case_id,
        suite=made.suite,
        role=role,
        category=made.category,
        tags=made.tags,
        expect=made.expect,
        items=(*made.items, *more),
        repeat=made.repeat,
        must_pass=made.must_pass,
        skip=made.skip,
    )


@st.composite
def trials_of(draw: st.DrawFn, planned: PlannedCase, letters: str) -> list[Trial]:
    """What may have happened with one case; some failures are of the test's own making."""
    made = []
    for key in planned.trial_keys():
        letter = draw(st.sampled_from(letters))
        own_assert = letter == "F" and draw(st.sampled_from([False, False, True]))
        scores: tuple[Score, ...] = scores_of(planned.expect, letter == "P" or own_assert)
        completion = Completion(
            text="Paris",
            latency_s=draw(st.sampled_from([None, 0.1, 0.3, 1.0])),
            usage=Usage(output_tokens=draw(st.sampled_from([None, 10, 20]))),
        )
        answered = None if letter == "E" and draw(st.booleans()) else completion
        made.append(trial(key, letter, scores=scores, completion=answered))
    return made


def criteria(*, bounds: tuple[str, ...] = ("at_least", "at_most")) -> st.SearchStrategy[dict[str, Any]]:
    """One raw criterion."""
    rate = st.sampled_from(["0%", "25%", "50%", "0.6", "100%"])
    delta = st.sampled_from(["-100%", "-50%", "-5%", "0%", "5%", "50%"])
    plain = st.sampled_from(["0.2", "1", "15"])
    shapes = st.one_of(
        st.tuples(
            st.sampled_from(["pass_rate", "exact_match", "tone", "mean:exact_match"]), st.just("value"), rate
        ),
        st.tuples(st.sampled_from(["pass_rate", "exact_match", "mean:exact_match"]), st.just("delta"), delta),
        st.tuples(st.just("win_rate"), st.just("value"), rate),
        st.tuples(
            st.sampled_from(["majority", "pass_at:1", "pass_at:2", "pass_all:2"]),
            st.just("value"),
            rate,
        ),
        st.tuples(
            st.sampled_from(["latency_p50", "tokens"]), st.sampled_from(["value", "delta", "ratio"]), plain
        ),
    )
    rest = st.fixed_dictionaries(
        {"min_cases": st.sampled_from(["1", "1", "2"])},
        optional={
            "role": st.sampled_from(["target", "general"]),
            "category": st.sampled_from(["adversarial", ["simple", "adversarial"]]),
            "per": st.sampled_from(["category", "role", "tag", "suite"]),
        },
    )
    kind = st.sampled_from([{}, {}, {"optional": "true"}, {"advisory": True}])
    return st.builds(
        lambda shape, bound, row, how: {
            "metric": shape[0], "compare": shape[1], bound: shape[2], **row, **how
        },
        shapes,
        st.sampled_from(bounds),
        rest,
        kind,
    )  # fmt: skip


@st.composite
def gates(draw: st.DrawFn, *, bounds: tuple[str, ...] = ("at_least", "at_most")) -> dict[str, Any]:
    """A raw gate: the defaults, or up to three criteria."""
    raw: dict[str, Any] = {"max_errors": draw(st.sampled_from(["0", "1", "9"])), "min_cases": "1"}
    if draw(st.booleans()):
        # At low confidence even a handful of cases shows something.
        raw |= {"evidence": "strict", "confidence": draw(st.sampled_from(["51%", "60%", "0.9"]))}
    if draw(st.booleans()) or bounds != ("at_least", "at_most"):
        rows = draw(st.lists(criteria(bounds=bounds), min_size=1, max_size=3))
        raw["criteria"] = {f"criterion_{number}": row for number, row in enumerate(rows)}
    return raw


@st.composite
def records(
    draw: st.DrawFn,
    *,
    letters: str = "PPPPFE",
    bounds: tuple[str, ...] = ("at_least", "at_most"),
) -> Record:
    """A whole run; passes are frequent, so that SHIP is."""
    cases = [draw(planned_cases(number)) for number in range(draw(st.integers(0, 5)))]
    mood = draw(st.sampled_from([letters, "P", "PPPPPPPF"]))
    came_in = [one for planned in cases for one in draw(trials_of(planned, mood))]
    options = draw(st.sampled_from([(), (), ("--ftgate-strict",)]))
    return record(cases, came_in, gate=draw(gates(bounds=bounds)), gate_options=options)
