"""Runs in which anything may go wrong, judged by the gate and by an oracle of a few lines of its own.

Plans of every shape meet crashes, kills, skips, duplicates, contradictions, re-runs, resumed answers, shards.
The oracle counts what was planned, what arrived and what passed, in fractions, and says what is right.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, NamedTuple, cast

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from pytest_ftgate.cases import Arm
from pytest_ftgate.errors import RecordError
from pytest_ftgate.gates import Verdict, Word, assess
from pytest_ftgate.plugin import transport
from pytest_ftgate.plugin.exit_status import exit_status
from pytest_ftgate.plugin.ledger import RunLedger
from pytest_ftgate.record import (
    Outcome,
    Plan,
    PlannedCase,
    Record,
    RunInfo,
    Trial,
    TrialKey,
    in_shard,
    merge,
    parse_record,
    record_lines,
)
from tests.support.records import trial
from tests.support.strategies import planned_cases

EXAMPLES = settings(max_examples=60, deadline=None)
FAULTS = (
    "skipped", "crashed", "killed", "told twice", "contradicted", "run again", "run again after a crash",
    "unplanned",
)  # fmt: skip


class Told(NamedTuple):
    """One report of one item, as it reaches the process that decides."""

    trials: tuple[Trial, ...]
    attempt: int = 1


@dataclass(frozen=True, kw_only=True)
class Chaos:
    """What happened in one run, shard by shard, and what an onlooker knows of it."""

    cases: tuple[PlannedCase, ...]
    gate: dict[str, Any]
    strict: bool
    shards: tuple[tuple[Told, ...], ...]  # of a run that is not split: one
    outcomes: dict[TrialKey, Outcome]  # the first outcome of each trial that arrived
    contradicted: bool = False
    unplanned: bool = False
    cut_short: bool = False
    narrowed: bool = False


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Draws what happens to the items of a run, and notes what an onlooker sees of it."""

    draw: st.DrawFn
    letter: st.SearchStrategy[str]
    fault: st.SearchStrategy[str]
    outcomes: dict[TrialKey, Outcome]
    seen: dict[str, bool]

    def reports(self, cases: Sequence[PlannedCase]) -> Iterator[Told]:
        """The reports of all items of two workers; nothing more comes from one that was killed."""
        dead: set[int] = set()
        for case, item in [(planned, item) for planned in cases for item in planned.items]:
            worker, fault = self.draw(st.integers(1, 2)), self.draw(self.fault)
            if fault == "killed":
                self.seen[fault] = True
                dead.add(worker)
            keys = [key for key in case.trial_keys() if key.item == item.nodeid]
            told = tuple(trial(key, self.draw(self.letter), expect=case.expect) for key in keys)
            if told and worker not in dead and fault not in ("skipped", "crashed"):
                yield from self._told(told, fault)

    def _told(self, told: tuple[Trial, ...], fault: str) -> Iterator[Told]:
        if fault == "run again after a crash":
            yield Told(told, attempt=2)
            return
        self.outcomes.update({one.key: one.outcome for one in told})
        yield Told(told)
        one = self.draw(st.sampled_from(told))
        match fault:
            case "told twice":
                yield Told(tuple(map(resumed, told)))
            case "run again":
                yield Told(tuple(map(turned, told)), attempt=2)
            case "contradicted":
                self.seen[fault] = True
                yield Told((turned(one),))
            case "unplanned":
                self.seen[fault] = True
                yield Told((replace(one, key=one.key._replace(repeat=99)),))


@st.composite
def criteria(draw: st.DrawFn) -> dict[str, Any]:
    compare = draw(st.sampled_from(["value", "delta"]))
    percents = [0, 25, 50, 75, 100] if compare == "value" else [-100, -50, -20, 0, 20, 50]
    row: dict[str, Any] = {"metric": "pass_rate", "compare": compare}
    row["at_least"] = f"{draw(st.sampled_from(percents))}%"
    selector = draw(
        st.sampled_from([{}, {}, {"role": "target"}, {"role": "general"}, {"category": "simple"}])
    )
    kind = draw(st.sampled_from([{}, {}, {}, {"advisory": True}]))
    return row | selector | kind | {"min_cases": draw(st.sampled_from([1, 1, 1, 2]))}


@st.composite
def chaos(draw: st.DrawFn) -> Chaos:
    """A run: calm ones are frequent, since only they may ship."""
    cases = tuple(draw(planned_cases(number)) for number in range(draw(st.integers(0, 5))))
    rows = draw(st.lists(criteria(), min_size=1, max_size=3))
    max_errors = draw(st.sampled_from([0, 1, 3]))
    gate = {"max_errors": max_errors, "criteria": {f"criterion_{n}": row for n, row in enumerate(rows)}}
    letters = draw(st.sampled_from(["P", "PPPPPF", "PPPPPPFE", "PFE"]))
    faults = draw(st.sampled_from([(), (), (), *[(one,) for one in FAULTS], FAULTS]))
    of = draw(st.sampled_from([1, 1, 2, 3]))
    outcomes: dict[TrialKey, Outcome] = {}
    shards, seen = [], dict.fromkeys(("contradicted", "unplanned", "killed"), False)
    for number in range(1, of + 1):
        mine = [case for case in cases if in_shard(case.key, (number, of))]
        letter, fault = st.sampled_from(letters), st.sampled_from(["", *faults])
        drawn = Drawn(draw=draw, letter=letter, fault=fault, outcomes=outcomes, seen=seen)
        shards.append(tuple(drawn.reports(mine)))
    return Chaos(
        cases=cases,
        gate=gate,
        strict=draw(st.sampled_from([False, False, True])),
        shards=tuple(shards),
        outcomes=outcomes,
        contradicted=seen["contradicted"],
        unplanned=seen["unplanned"],
        # A death may go unnoticed: then what is missing has to tell.
        cut_short=seen["killed"] and draw(st.booleans()),
        narrowed=bool(faults) and draw(st.sampled_from([False, False, True])),
    )


def resumed(one: Trial) -> Trial:
    """The same trial, its answer taken over from a run before."""
    if one.completion is None:
        return one
    return replace(one, completion=replace(one.completion, source="resumed", created=5.0))


def turned(one: Trial) -> Trial:
    """Another outcome of the same trial; a contradiction may speak for the model, or against it."""
    outcome = Outcome.FAILED if one.outcome is Outcome.PASSED else Outcome.PASSED
    return replace(one, outcome=outcome, error=None)


# The oracle: what was planned, what arrived, what passed.


def right_word(made: Chaos) -> Word:
    there = [case for case in made.cases if case.skip is None]
    planned = {
        TrialKey(case.suite, case.id, arm, repeat, item.nodeid)
        for case in there
        for item in case.items
        for arm in item.arms
        for repeat in range(1, case.repeat + 1)
    }
    errors = sum(outcome is Outcome.ERRORED for outcome in made.outcomes.values())
    whole = planned == made.outcomes.keys() and not (made.contradicted or made.unplanned)
    if not planned or not whole or made.cut_short or made.narrowed or errors > made.gate["max_errors"]:
        return Word.INCOMPLETE
    said = list(what_criteria_say(made, there))
    if False in said:
        return Word.ITERATE
    return Word.SHIP if said and None not in said else Word.INCONCLUSIVE


def what_criteria_say(made: Chaos, there: Sequence[PlannedCase]) -> Iterator[bool | None]:
    """Of each criterion that decides: met, missed, or None where it can't be told."""
    by_key = {case.key: case for case in there}
    judged = {(case.key, item) for case in there for item in judged_items(case, Arm.MODEL)}
    unread = set(judged)
    for row in made.gate["criteria"].values():
        if row.get("advisory"):
            continue
        arms = [Arm.MODEL] if row["compare"] == "value" else [Arm.MODEL, Arm.BASELINE]
        chosen = [
            case
            for case in there
            if row.get("role", case.role) == case.role and row.get("category", case.category) == case.category
        ]
        read = [(case, items) for case in chosen if (items := judged_items(case, *arms))]
        unread -= {(case.key, item) for case, items in read for item in items}
        if not read and len(arms) > 1:
            # It blocks by itself; what it would have judged is left to it.
            unread -= {(case.key, item.nodeid) for case in chosen for item in case.items}
        if len(read) < row["min_cases"]:
            yield None
            continue
        rates = [sum(rate(made, case, items, arm) for case, items in read) / len(read) for arm in arms]
        value = rates[0] - sum(rates[1:])
        yield value >= Fraction(row["at_least"].rstrip("%")) / 100
    must_pass = {(key, item) for key, item in judged if by_key[key].must_pass}
    for own in (unread, must_pass, judged if made.strict else set()):
        if own:
            yield all(rate(made, by_key[key], [item], Arm.MODEL) == 1 for key, item in own)


def judged_items(case: PlannedCase, *arms: Arm) -> list[str]:
    """Items that say whether these arms passed: a case's own says nothing where nothing is expected."""
    own = case.items[0].nodeid
    return [
        item.nodeid
        for item in case.items
        if set(arms) <= set(item.arms) and (case.expect or item.nodeid != own)
    ]


def rate(made: Chaos, case: PlannedCase, items: Sequence[str], arm: Arm) -> Fraction:
    """The share of repeats that passed in all items; an error counts against shipping."""
    passed = 0
    for repeat in range(1, case.repeat + 1):
        found = [made.outcomes[TrialKey(case.suite, case.id, arm, repeat, item)] for item in items]
        is_error = Outcome.ERRORED in found
        passed += arm is Arm.BASELINE if is_error else Outcome.FAILED not in found
    return Fraction(passed, case.repeat)


# The run itself: reports go through the text that they travel as, records through their files.


def records_of(made: Chaos, order: random.Random | None = None) -> list[Record]:
    of = len(made.shards)
    plan = Plan(cases=made.cases, left_out=("evals/x.evalcase.yaml",) if made.narrowed else ())
    records = []
    for number, reports in enumerate(made.shards, start=1):
        run = RunInfo(
            run_id="run",
            gate=made.gate,
            gate_options=("--ftgate-strict",) if made.strict else (),
            shard=(number, of) if of > 1 else None,
            cut_short="a worker died" if made.cut_short and number == 1 else None,
        )
        records.append(_collected(reports, order).freeze(run, plan))
    return [parse_record(record_lines(record), "run.jsonl") for record in records]


def _collected(reports: Sequence[Told], order: random.Random | None) -> Any:
    ledger = RunLedger(cast(Any, None))
    told = list(reports)
    if order is not None:
        order.shuffle(told)
    for one in told:
        report = pytest.TestReport(
            nodeid=one.trials[0].key.item,
            location=("", None, ""),
            keywords={},
            outcome="passed",
            longrepr=None,
            when="call",
        )
        transport.attach(report, {"attempt": one.attempt}, one.trials)
        ledger.add_report(report)
    return ledger.trials


def verdict_of(records: Sequence[Record]) -> Verdict:
    return assess(merge(records)).verdict


@EXAMPLES
@given(chaos())
def test_the_verdict_is_what_an_onlooker_would_say(made: Chaos) -> None:
    right = right_word(made)
    event(right)

    verdict = verdict_of(records_of(made))

    assert verdict.word is right
    assert verdict.complete is (right is not Word.INCOMPLETE)


@EXAMPLES
@given(chaos())
def test_only_a_ship_or_a_whole_shard_lowers_an_exit_status(made: Chaos) -> None:
    for record in (*records_of(made), merge(records_of(made))):
        verdict = assess(record).verdict
        excused = exit_status(1, verdict, failures=2, excusable=2, must_decide=True, gated=True)
        green = exit_status(0, verdict, failures=0, excusable=0, must_decide=True, gated=True)

        assert (excused == 0) is (verdict.word is Word.SHIP or verdict.whole_shard)
        assert (green == 0) is (verdict.word is Word.SHIP or verdict.whole_shard)


@EXAMPLES
@given(chaos(), st.randoms(use_true_random=False))
def test_the_order_of_reports_and_shards_makes_no_difference(made: Chaos, order: random.Random) -> None:
    shuffled = records_of(made, order)
    order.shuffle(shuffled)

    assert assess(merge(shuffled)) == assess(merge(records_of(made)))


@EXAMPLES
@given(chaos())
def test_no_shard_ships_by_itself_and_no_group_of_shards_without_one_of_them(made: Chaos) -> None:
    records = records_of(made)
    if len(records) == 1:
        return

    assert {assess(record).verdict.word for record in records} == {Word.INCOMPLETE}
    for number in range(1, len(records) + 1):
        with pytest.raises(RecordError, match=f"shard {number} of {len(records)} is missing"):
            merge(records[: number - 1] + records[number:])


@EXAMPLES
@given(chaos(), st.data())
def test_a_shard_told_twice_counts_once_and_a_shard_run_anew_contradicts(
    made: Chaos, data: st.DataObject
) -> None:
    records = records_of(made)
    pick = data.draw(st.sampled_from(records))
    if pick.run.shard is None:
        return
    again = replace(pick, run=replace(pick.run, started="again"), trials=tuple(map(resumed, pick.trials)))

    assert verdict_of([*records, again]).word is right_word(made)

    if pick.trials:
        one = data.draw(st.sampled_from(pick.trials))
        anew = replace(again, trials=tuple(turned(each) if each == one else each for each in pick.trials))
        assert verdict_of([*records, anew]).word is Word.INCOMPLETE


@EXAMPLES
@given(chaos(), st.data())
def test_a_record_that_lost_a_line_or_has_one_twice_is_refused(made: Chaos, data: st.DataObject) -> None:
    lines = list(record_lines(data.draw(st.sampled_from(records_of(made)))))
    place = data.draw(st.integers(0, len(lines) - 1))

    for damaged in (
        lines[:place],
        lines[:place] + lines[place + 1 :],
        [*lines[:place], lines[place], *lines[place:]],
    ):
        with pytest.raises(RecordError):
            parse_record(damaged, "run.jsonl")
