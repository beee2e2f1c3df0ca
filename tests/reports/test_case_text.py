from __future__ import annotations

from dataclasses import replace

from pytest_ftgate.cases import Expectation
from pytest_ftgate.completions import Completion, ToolCall
from pytest_ftgate.record import PlannedItem, Trial
from pytest_ftgate.record.plan import case_plan
from pytest_ftgate.reports.case_text import MAX_BYTES, headline, render_case
from pytest_ftgate.reports.outcomes import result_of
from tests.reports.samples import BASELINE, MODEL, errored, eval_case, score, trial


def head(*trials: Trial) -> str:
    text = render_case(eval_case(), trials).splitlines()[0]
    assert text == headline(result_of(eval_case(), trials))
    return text


def test_a_regression_shows_everything_one_needs() -> None:
    text = render_case(eval_case(tags=("geo",)), [trial(MODEL, False), trial(BASELINE)])

    assert text == (
        "regression: exact_match: got 'Lyon', expected 'Paris' (the baseline passed)\n"
        "\n"
        "evals/tools.evalcase.yaml:14: capital (suite tools, category simple, tags geo)\n"
        "prompt\n"
        "  | What is the capital of France?\n"
        "expected\n"
        '  exact_match: "Paris"\n'
        "\n"
        "model: failed, score 0.00\n"
        "  | Lyon\n"
        "  FAIL exact_match: got 'Lyon', expected 'Paris'\n"
        "\n"
        "baseline: passed, score 1.00\n"
        "  | Paris\n"
        "  pass exact_match: got 'Paris', expected 'Paris'\n"
    )


def test_a_shared_failure_with_the_same_answer_says_so() -> None:
    text = render_case(eval_case(), [trial(MODEL, False), trial(BASELINE, False)])

    assert text.startswith(
        "shared failure: exact_match: got 'Lyon', expected 'Paris' (the baseline failed too)\n"
    )
    assert "baseline: failed, score 0.00\n  the same answer as the model's\n  FAIL exact_match" in text


def test_the_first_line_tells_each_comparison() -> None:
    assert head(trial(MODEL, False)) == "failed: exact_match: got 'Lyon', expected 'Paris'"
    assert head(trial(MODEL, False), errored(BASELINE)) == (
        "failed: exact_match: got 'Lyon', expected 'Paris' (the baseline's trial is an error)"
    )
    assert head(trial(MODEL), trial(BASELINE, False)) == (
        "fixed: the model passed; the baseline did not: exact_match: got 'Lyon', expected 'Paris'"
    )
    assert head(trial(MODEL), trial(BASELINE)) == "passed: every check passed (the baseline passed too)"
    assert head(trial(MODEL)) == "passed: every check passed"
    assert head(errored(MODEL), trial(BASELINE)) == (
        "error: timeout: no answer within 60 s from localhost:8000"
    )
    assert head(trial(MODEL), errored(BASELINE)) == (
        "error of the baseline: timeout: no answer within 60 s from localhost:8000"
    )


def test_further_failed_checks_are_counted_in_the_first_line() -> None:
    scores = [score(False), score(True, scorer="contains"), score(False, scorer="regex"), score(False)]

    assert head(trial(MODEL, False, scores=scores), trial(BASELINE)) == (
        "regression: exact_match: got 'Lyon', expected 'Paris' (2 more checks failed; the baseline passed)"
    )


def test_an_entry_goes_by_the_name_that_its_author_gave_it() -> None:
    named = score(False, name="greeting")

    assert head(trial(MODEL, False, scores=[named])) == "failed: greeting: got 'Lyon', expected 'Paris'"


def test_of_repeats_each_failed_one_is_shown() -> None:
    trials = [trial(MODEL, repeat != 2, repeat=repeat) for repeat in (1, 2, 3)]
    trials += [trial(BASELINE, repeat=repeat) for repeat in (1, 2, 3)]

    text = render_case(eval_case(repeat=3), trials)

    assert text.splitlines()[0] == (
        "regression: exact_match: got 'Lyon', expected 'Paris' "
        "(unstable, 2 of 3 repeats passed; the baseline passed)"
    )
    assert "\nmodel: unstable, 2 of 3 repeats passed, score 0.67\nmodel, repeat 2: failed\n  | Lyon\n" in text
    assert "\nbaseline: 3 of 3 repeats passed, score 1.00\nbaseline, repeat 1: passed\n  | Paris\n" in text
    assert "repeat 3" not in text


def test_composites_are_indented_and_only_failures_that_count_are_in_capitals() -> None:
    parts = (
        score(False, "'30 days' is not there", scorer="contains"),
        score(True, "it is", scorer="contains"),
    )
    passed = score(True, "1 of 2 passed", scorer="any_of", children=parts)
    failed = score(False, "0 of 1 passed", scorer="any_of", children=parts[:1])
    forbidden = score(False, "a part passed", scorer="not", children=parts)

    text = render_case(eval_case(), [trial(MODEL, False, scores=[passed, failed, forbidden])])

    assert (
        "  pass any_of: 1 of 2 passed\n"
        "      fail contains: '30 days' is not there\n"
        "      pass contains: it is\n"
        "  FAIL any_of: 0 of 1 passed\n"
        "      FAIL contains: '30 days' is not there\n"
        "  FAIL not: a part passed\n"
        "      fail contains: '30 days' is not there\n"
        "      pass contains: it is\n"
    ) in text


def test_tool_calls_refusals_and_unusual_ends_are_shown() -> None:
    completion = Completion(
        tool_calls=(
            ToolCall(name="get_weather", arguments={"location": "Tokyo", "days": 3}),
            ToolCall(name="get_time", arguments=None, text="{oops"),
        ),
        refusal="I can't help with that.",
        finish_reason="length",
    )

    text = render_case(eval_case(), [replace(trial(MODEL, False), completion=completion)])

    assert (
        '  tool call: get_weather(location="Tokyo", days=3)\n'
        "  tool call: get_time, arguments that are not a JSON object: {oops\n"
        "  refusal: I can't help with that.\n"
        "  finish reason: length\n"
    ) in text


def test_an_answer_that_was_cut_off_is_the_reason() -> None:
    cut = replace(trial(MODEL, False, scores=[score(True)], finish_reason="length"))

    assert head(cut) == "failed: the answer was cut off (finish reason 'length')"


def test_an_empty_answer_is_said_to_be_empty() -> None:
    assert "model: failed, score 0.00\n  (an empty answer)\n" in render_case(
        eval_case(), [trial(text="", passed=False)]
    )


def test_an_error_shows_its_kind_its_message_and_what_arrived() -> None:
    text = render_case(eval_case(), [errored(MODEL, "HTTP 503 from localhost:8000:\n<html>")])

    assert "\nmodel: errored\n  error: timeout\n  | HTTP 503 from localhost:8000:\n  | <html>\n" in text
    assert text.endswith("  no answer arrived\n")


def test_expectations_are_written_in_short() -> None:
    expect = (
        Expectation(
            scorer="any_of", children=(Expectation(scorer="contains", options={"reference": ["a", "b"]}),)
        ),
        Expectation(scorer="numeric", options={"reference": 42, "abs": 0.5}, name="total"),
        Expectation(scorer="no_tool_call"),
    )

    text = render_case(eval_case(expect=expect), [trial(MODEL, False)])

    assert (
        "expected\n"
        '  any_of: [contains: ["a", "b"]]\n'
        '  total = numeric: {"reference": 42, "abs": 0.5}\n'
        "  no_tool_call: true\n"
    ) in text


def test_a_planned_case_shows_the_same_without_the_options_it_does_not_know() -> None:
    trials = [trial(MODEL, False), trial(BASELINE)]
    item = PlannedItem(nodeid=trials[0].key.item, arms=(MODEL, BASELINE))

    text = render_case(case_plan(eval_case(), [item]), trials)

    assert text == render_case(eval_case(), trials).replace('expected\n  exact_match: "Paris"\n', "")


def test_a_conversation_says_how_long_it_is() -> None:
    messages = ({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Capital?"})

    text = render_case(eval_case(messages=messages), [trial(MODEL, False)])

    assert "\nprompt (the last user message; the conversation has 2 messages)\n  | Capital?\n" in text


def test_long_lines_are_folded_within_80_columns() -> None:
    answer = "Certainly! " * 100
    long = trial(MODEL, False, text=answer, scores=[score(False, f"got {answer!r}, expected 'Paris'")])

    rows = render_case(eval_case(), [long]).splitlines()[1:]

    assert max(map(len, rows)) <= 84
    assert "  : Certainly! Certainly! Certainly! Certainly! Certainly! Certainly! " in rows


def test_the_text_stays_below_64_kb_once_escaped_for_xml() -> None:
    answer = '<"&' * 100_000
    scores = [
        score(False, answer, children=tuple(score(False, answer) for _ in range(20))) for _ in range(40)
    ]
    trials = [trial(MODEL, False, text=answer, scores=scores, repeat=repeat) for repeat in range(1, 9)]

    text = render_case(eval_case(repeat=8), trials)

    assert (
        len(text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").encode())
        <= MAX_BYTES + 100
    )
    assert text.splitlines()[-1].endswith(" more lines, cut; the JSON report has all)")


def test_long_lists_are_bounded() -> None:
    calls = tuple(ToolCall(name=f"f{number}", arguments={}) for number in range(20))
    expect = tuple(Expectation(scorer="contains", options={"reference": str(number)}) for number in range(20))
    scores = [score(False, scorer=f"s{number}") for number in range(30)]
    case = eval_case(expect=expect, repeat=7)
    trials = [
        replace(trial(MODEL, False, repeat=repeat, scores=scores), completion=Completion(tool_calls=calls))
        for repeat in range(1, 8)
    ]

    text = render_case(case, trials)

    assert '  contains: "11"\n  (8 more checks)\n' in text
    assert "  tool call: f11()\n  (8 more tool calls)\n" in text
    assert "  FAIL s24: got 'Lyon', expected 'Paris'\n  (5 more checks)\n" in text
    assert "(2 more trials that did not pass)\n" in text


def test_several_items_of_a_case_are_told_apart() -> None:
    one = trial(MODEL, False)
    other = replace(one, key=one.key._replace(item="tests/test_tone.py::test_tone[capital]"))

    text = render_case(eval_case(), [one, other])

    assert "model: 0 of 2 tests passed, score 0.00\n" in text
    assert "model, repeat 1 of tests/test_tone.py::test_tone[capital]: failed\n" in text
