"""The HTML report as text: what is there without a script, and that no text of others is HTML in it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.gates import Assessment, Status, Word, unjudged
from pytest_ftgate.history import HistoryRate, HistoryRun, history_run
from pytest_ftgate.record import RunInfo
from pytest_ftgate.reports.html import render_html
from pytest_ftgate.reports.html.differences import differences
from tests.reports.samples import Category, assessment, criterion, record, score, timed, tuned_suite
from tests.support.hostile import HOSTILE
from tests.support.rows import unwrapped

ISLAND = re.compile(r'<script type="application/json" class="island">(.*?)</script>', re.DOTALL)


def page(made: Assessment) -> str:
    return "".join(render_html(made))


def islands(text: str) -> list[dict[str, object]]:
    return [case for found in ISLAND.findall(text) for case in json.loads(found)]


def everywhere(text: str) -> Assessment:
    """A suite in which every text that comes from outside is this one."""
    run = RunInfo(
        run_id=text, mode=text, models={arm: {"name": text, text: text} for arm in ("model", "baseline")}
    )
    whole = record([Category("a", both=1, neither=1), Category("b", regressed=1, fixed=1)], run=run)
    plan = replace(
        whole.plan,
        cases=tuple(replace(case, prompt=text, tags=(text,), category=text) for case in whole.plan.cases),
        left_out=(text,),
    )
    trials = tuple(
        replace(
            one,
            completion=replace(one.completion, text=text, refusal=text, model=text)
            if one.completion
            else None,
            scores=(score(one.outcome == "passed", text, name=text),),
        )
        for one in whole.trials
    )
    criteria = [criterion(text, status, threshold=text, reason=text) for status in Status]
    return assessment(
        replace(whole, plan=plan, trials=trials),
        Word.INCOMPLETE,
        text,
        criteria=criteria,
        reasons=[text],
        warnings=[text],
    )


def test_the_verdict_and_its_sentence_come_first_and_need_no_script() -> None:
    text = page(tuned_suite())

    body = text[text.index("<body>") :]
    assert body.index("ITERATE") < body.index("general_regression is NO-GO") < body.index("<table")
    assert body.index("1 regression.") < body.index("<script")


def test_only_its_own_script_and_style_may_run_and_nothing_is_loaded() -> None:
    text = page(tuned_suite())

    assert "default-src 'none'; script-src 'sha256-" in text
    assert not re.search(r"\s(?:src|style|on\w+)=|https?:|<link|@import|url\(", text)


def test_every_case_is_in_an_island_regressions_first() -> None:
    found = islands(page(tuned_suite()))

    assert len(found) == 30
    assert [case["kind"] for case in found[:3]] == ["regression", "both failed", "both failed"]
    assert found[0]["anchor"] == "case-facts/capitals-04"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_adds_no_tag_and_ends_no_island(text: str) -> None:
    def tags(made: str) -> list[str]:
        return re.findall(r"<(/?[a-zA-Z]+)", made)

    made, harmless = page(everywhere(text)), page(everywhere("x"))

    assert sorted(set(tags(made))) == sorted(set(tags(harmless)))
    assert tags(made).count("script") == tags(harmless).count("script")
    assert len(islands(made)) == 4
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e\u2028\u2029\ud800]", made)


def test_differences_are_marked_word_by_word() -> None:
    ours, theirs = differences("It is 5 pm in Rome.", "It is 6 pm in Rome.")

    assert ours == ["It is ", "5", " pm in Rome."]
    assert theirs == ["It is ", "6", " pm in Rome."]
    assert differences("", "x") == ([""], ["x"])
    assert differences("quite other words", "7.5") == (["quite other words"], ["7.5"])


def test_times_are_drawn_where_they_were_measured() -> None:
    assert "How long calls took" in page(assessment(timed(record([Category("simple", both=9)]))))
    assert "How long calls took" not in page(tuned_suite())


def earlier(made: Assessment, run_id: str, rate: float, **changes: Any) -> HistoryRun:
    """A run of the same cases by the same gate, with this rate in all groups."""
    kept = history_run(made)
    assert kept is not None
    assert kept.started == made.record.run.started
    told = HistoryRate(rate=rate, n=20, interval=(rate - 0.1, rate + 0.1))
    groups = tuple(replace(group, model=told) for group in kept.groups)
    return replace(kept, run_id=run_id, groups=groups, **changes)


def test_earlier_runs_are_drawn_as_a_trend_and_a_ship_is_marked() -> None:
    made = tuned_suite()
    runs = [earlier(made, "r-0", 0.5, verdict="SHIP"), earlier(made, "r-00", 0.6)]

    text = "".join(render_html(made, runs))

    assert "ITERATE, 60.0%, acme/support-8b-lora, run r-00; " in text
    assert text.count("<path") == text.count("SHIP, 50.0%, acme/support-8b-lora, run r-0</title>") > 1
    assert "[40%, 60%], last SHIP" in text
    assert "the last 3 whole runs" in unwrapped(text)
    assert '<b class="above">above</b>' in text


def test_a_trend_needs_an_earlier_run_and_a_whole_one() -> None:
    made = tuned_suite()
    half = replace(made, verdict=replace(made.verdict, word=Word.INCOMPLETE, complete=False))
    own = earlier(made, made.record.run.run_id, 0.5)

    for history, told in (([], made), ([own], made), ([earlier(made, "r-0", 0.5)], half)):
        assert 'id="trend"' not in "".join(render_html(told, history))


def test_runs_of_other_cases_are_drawn_hollow_and_make_no_band() -> None:
    made = tuned_suite()

    text = "".join(render_html(made, [earlier(made, "r-0", 0.5, verdict="SHIP", plan="other")]))

    assert text.count('<path class="hollow"') == text.count("<path") > 1
    assert "last SHIP</small>" not in text


def test_what_got_worse_is_said_with_examples_that_lead_to_their_cases() -> None:
    text = page(tuned_suite())

    example = text[text.index('<ul class="examples">') :].partition("</li>")[0]
    assert '<a href="#case-facts/capitals-04">capitals-04</a> <q>' in example
    assert "exact_match: got &#39;Lyon&#39;, expected &#39;Paris&#39;" in example


@pytest.mark.parametrize(
    ("word", "statuses", "intervals", "brief"),
    [
        (Word.ITERATE, [Status.NO_GO, Status.NO_GO], [(0.1, 0.2), (0.3, 0.4)], "none of the 2 failures."),
        (Word.ITERATE, [Status.NO_GO, Status.GO], [(0.1, 0.2), (0.8, 0.95)], "no noise explains the"),
        (Word.ITERATE, [Status.NO_GO, Status.NO_GO], [(0.1, 0.95), (0.3, 0.4)], "1 of the 2 failures."),
        (Word.SHIP, [Status.GO, Status.GO], [(0.8, 0.95), (0.7, 0.99)], "explain all the 2 criteria met."),
        (Word.SHIP, [Status.GO, Status.GO], [None, None], "Unknown: nothing bounds it."),
        (Word.INCONCLUSIVE, [Status.INCONCLUSIVE, Status.GO], [None, None], "Not sure enough to decide."),
        (Word.INCOMPLETE, [Status.GO, Status.GO], [None, None], "Nothing is decided."),
    ],
)  # fmt: skip
def test_how_sure_it_is_says_what_noise_may_explain(
    word: Word, statuses: list[Status], intervals: list[tuple[float, float] | None], brief: str
) -> None:
    criteria = [
        criterion(f"c{n}", status, threshold="≥ 90%", interval=interval)
        for n, (status, interval) in enumerate(zip(statuses, intervals, strict=True))
    ]

    text = page(assessment(record([Category("simple", both=3)]), word, criteria=criteria))

    assert brief in text


def test_all_regressions_are_named_if_not_in_full() -> None:
    many = [Category("simple", both=5, regressed=70), Category("adversarial", both=1, regressed=1)]

    text = page(assessment(record(many)))
    changes = text[text.index('id="changes"') : text.index('id="measured"')]

    assert changes.index("adversarial-02") < changes.index("simple-07")
    assert changes.count('<details class="case') == 60
    assert all(f'"#case-tools/simple-{n:02}"' in changes for n in range(6, 76))


def test_cases_without_a_check_are_not_said_to_pass_any() -> None:
    whole = record([Category("simple", both=1)])
    asked = replace(
        whole,
        plan=replace(whole.plan, cases=tuple(replace(case, expect=()) for case in whole.plan.cases)),
        trials=tuple(replace(one, scores=()) for one in whole.trials),
    )

    case = islands(page(assessment(asked)))[0]

    assert case["kind"] == "not judged"
    assert "every check" not in str(case)
    assert case["pairs"][0]["model"]["outcome"] == "asked"  # type: ignore[index]


def test_two_runs_that_are_compared_get_no_verdict() -> None:
    text = page(unjudged(tuned_suite().record))

    assert "COMPARED</h1>" in text
    assert "Nobody judged." in text
    assert "INCOMPLETE" not in text.partition("<main>")[0]
    assert "What is missing" not in text


def test_without_a_baseline_failures_take_the_place_of_regressions() -> None:
    whole = record([Category("simple", both=2, neither=1)])
    alone = replace(
        whole,
        plan=replace(
            whole.plan,
            cases=tuple(
                replace(case, items=tuple(replace(item, arms=(Arm.MODEL,)) for item in case.items))
                for case in whole.plan.cases
            ),
        ),
        trials=tuple(one for one in whole.trials if one.key.arm is Arm.MODEL),
    )

    text = page(assessment(alone))

    assert "Failed: nothing to compare with" in text
    assert "Regressions" not in text
    assert "What failed, case by case" in text


def test_what_stands_in_a_not_is_neither_passed_nor_failed() -> None:
    inner = score(False, "got 'Paris', which should contain 'Rome'", scorer="contains")
    outer = replace(score(True, "failed, as expected", scorer="not"), children=(inner,))
    one = record([Category("simple", regressed=1)])
    judged = replace(one, trials=tuple(replace(each, scores=(outer,)) for each in one.trials))

    text = page(assessment(judged))

    assert text.count('<li class="pass depth0"><b>✓ not</b>') == 2
    assert text.count('<li class="aside depth1"><b>· contains</b>') == 2


def test_filters_offer_the_most_frequent_values_alone() -> None:
    whole = record([Category(f"c{number:04}", both=2 if number == 599 else 1) for number in range(600)])

    text = page(assessment(whole))

    offered = re.search(r'<select id="category">(.*?)</select>', text)
    assert offered is not None
    assert offered[1].count("<option") == 501
    assert 'value="c0599"' in offered[1]
