"""Faults in references, data sets, scorers and templates as a user meets them."""

from __future__ import annotations

import time

import pytest

from tests.plugin.catalogue import GOOD, Catalogue, catalogue_of
from tests.plugin.conftest import Project

OUTSIDE = "is outside the rootdir: paths are relative to the file they stand in, and stay in the rootdir"
EVERYTHING = "matches everything"


@pytest.fixture
def catalogue(empty_project: Project) -> Catalogue:
    return catalogue_of(empty_project)


def cases(*expects: str) -> str:
    """One case for each expectation; it stands at column 49 of its own line 2, 3, …, behind a short id."""
    rows = (
        f"  - {{id: c{at}, prompt: Capital of Italy?, expect: {expect}}}\n"
        for at, expect in enumerate(expects)
    )
    return f"cases:\n{''.join(rows)}"


def dataset(prompt: str = "{{q}}", path: str = "d.jsonl") -> str:
    head = f"datasets:\n  - path: {path}\n    id: '{{{{id}}}}'\n"
    return f"{head}    prompt: '{prompt}'\n    expect: '{{{{a}}}}'\n"


ROW = '{"id": "a", "q": "Capital of Italy?", "a": "Rome"}\n'

#: Row, expectations, and what is told of each: its column and the sentence.
EXPECTATIONS: list[tuple[str, list[tuple[str, int, str]]]] = [
    (
        "22 paths",
        [
            (f"{{json_schema: {written}}}", 63, f"'{shown}' {OUTSIDE}")
            for written, shown in (
                ("../../x.json", "../../x.json"),
                ("/etc/passwd", "/etc/passwd"),
                ("/proc/self/environ", "/proc/self/environ"),
                ("/dev/zero", "/dev/zero"),
                ("file:///etc/passwd", "file:///etc/passwd"),
                ("http://127.0.0.1/x.json", "http://127.0.0.1/x.json"),
                ("//server/share/x.json", "//server/share/x.json"),
                ("~/x.json", "~/x.json"),
                ('"a\\0b"', "a\\x00b"),
            )
        ],
    ),
    (
        "24 references that would be fetched or read",
        [
            (
                f"{{json_schema: {{schema: {{$ref: '{url}'}}}}}}",
                63,
                f"json_schema: '$ref' is '{url}', which is not in this schema; nothing is fetched",
            )
            for url in ("http://127.0.0.1/x.json", "file:///etc/passwd", "#/$defs/x")
        ],
    ),
    (
        "25 schemas that are none",
        [
            (
                "{json_schema: {schema: {$ref: '#'}}}",
                63,
                "json_schema: the schema refers to itself without end ('$ref' '#')",
            ),
            (
                "{json_schema: {schema: {type: objct}}}",
                63,
                "json_schema: the schema is invalid at type: 'objct' is not valid under any of the given "
                "schemas",
            ),
            (
                "{json_schema: {schema: {pattern: '(['}}}",
                63,
                "json_schema: the schema is invalid at pattern: '([' is not a 'regex'",
            ),
        ],
    ),
    (
        "26 schemas that accept too much",
        [
            (
                "{json_schema: {schema: {tpye: object}}}",
                63,
                "json_schema: unknown schema keyword 'tpye'. Did you mean 'type'?",
            ),
            (
                "{json_schema: {schema: {}}}",
                63,
                "json_schema: the schema accepts everything; say what the answer must look like",
            ),
        ],
    ),
    (
        "32 unknown scorers",
        [
            ("{exat_match: Rome}", 50, "unknown scorer 'exat_match'. Did you mean 'exact_match'?"),
            (
                "{'os:system': touch canary}",
                50,
                "unknown scorer 'os:system'. Scorers: all_of, any_of, any_tool_call, bleu, choice, chrf, "
                "contains, "
                "cost, ends_with, exact_match, json_match, json_schema and 21 more",
            ),
            (
                "{python: 'no_such_module:f'}",
                58,
                "python: the module 'no_such_module' can't be imported (ModuleNotFoundError: No module named "
                "'no_such_module'); is its folder in pytest's `pythonpath`?",
            ),
            ("{python: 'bots:god'}", 58, "python: 'bots' has no function 'god'"),
        ],
    ),
    (
        "35 expectations that are met by anything",
        [
            ("''", 49, "exact_match: 'reference' is '', which matches everything or nothing; give a text"),
            (
                "'  '",
                49,
                "exact_match: 'reference' is '  ', which matches everything or nothing; give a text",
            ),
            (
                "{contains: ''}",
                60,
                "contains: 'reference' is '', which matches everything or nothing; give a text",
            ),
            (
                "{contains: [a, ' ']}",
                60,
                "contains: 'reference' is ' ', which matches everything or nothing; give a text",
            ),
            ("{regex: ''}", 57, "regex: the pattern '' matches everything; anchor it or use a stricter one"),
            (
                "{regex: '.*'}",
                57,
                "regex: the pattern '.*' matches everything; anchor it or use a stricter one",
            ),
            ("{any_of: []}", 58, "'any_of' takes at least one check, and this list is empty"),
            ("[]", 49, "an empty list expects nothing: write 'expect: none' if that is meant"),
        ],
    ),
]


@pytest.mark.parametrize("rows", [row[1] for row in EXPECTATIONS], ids=[row[0] for row in EXPECTATIONS])
def test_a_mistaken_expectation_is_told_in_full(
    catalogue: Catalogue, rows: list[tuple[str, int, str]]
) -> None:
    catalogue.write(w=cases(*(expect for expect, _, _ in rows)))

    assert catalogue.refused() == [
        f"evals/w.evalcase.yaml:{at + 2}:{column}: case 'c{at}': {message}"
        for at, (_, column, message) in enumerate(rows)
    ]
    assert not (catalogue.path / "canary").exists()


def test_row_22_a_link_that_leads_out_is_not_followed(catalogue: Catalogue) -> None:
    catalogue.write(w=cases("{json_schema: s.json}"))
    (catalogue.path / "evals/s.json").symlink_to("/etc/passwd")

    assert catalogue.refused() == [
        "evals/w.evalcase.yaml:2:63: case 'c0': 's.json' leads out of the rootdir, through a symbolic link: "
        "copy the file"
    ]


def test_row_22_a_file_that_is_not_there_is_told_with_the_nearest_name(catalogue: Catalogue) -> None:
    catalogue.write(w=cases("{json_schema: scema.json}"))
    catalogue.put("evals/schema.json", "{}")

    assert catalogue.refused() == [
        "evals/w.evalcase.yaml:2:63: case 'c0': 'scema.json' does not exist. Did you mean 'schema.json'?"
    ]


#: Row 23: name and text of the data set, and all that is told.
DATA: list[tuple[str, str, list[str]]] = [
    (
        "d.jsonl",
        ROW + '{"id": "b",\n' + ROW.replace('"a"', '"c"', 1),
        [
            "evals/d.jsonl:2:12: case 'd.jsonl-line-2': not valid JSON: Expecting property name enclosed "
            "in double quotes",
        ],
    ),
    (
        "d.jsonl",
        ROW.replace("}", ', "a": "Paris"}'),
        ["evals/d.jsonl:1:1: case 'd.jsonl-line-1': the key 'a' stands twice in one object"],
    ),
    (
        "d.jsonl",
        '{"id": "a", "q": "x", "a": NaN}\n',
        ["evals/d.jsonl:1:1: case 'd.jsonl-line-1': NaN is no JSON"],
    ),
    (
        "d.csv",
        "id,q,a\na,Italy,Rome\nb,Italy\nc,Italy,Rome,more\n",
        [
            "evals/d.csv:3:1: case 'd.csv-line-3': the row has 2 cells, and the header 3",
            "evals/d.csv:4:1: case 'd.csv-line-4': the row has 4 cells, and the header 3",
        ],
    ),
    ("d.jsonl", "", ["evals/w.evalcase.yaml:2:11: 'd.jsonl' has no rows"]),
    ("d.csv", "id,q,a\n", ["evals/w.evalcase.yaml:2:11: 'd.csv' has no rows"]),
    ("e.jsonl", ROW, ["evals/w.evalcase.yaml:2:11: 'd.jsonl' does not exist. Did you mean 'e.jsonl'?"]),
    (
        "d.jsonl",
        ROW + ROW,
        ["evals/d.jsonl:2:1: case 'd.jsonl-line-2': the id 'a' is taken, by evals/d.jsonl:1"],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "messages"), DATA)
def test_row_23_a_damaged_data_set_is_told_with_its_own_line(
    catalogue: Catalogue, name: str, text: str, messages: list[str]
) -> None:
    catalogue.write(w=dataset(path="d.csv" if name == "d.csv" else "d.jsonl"))
    catalogue.put(f"evals/{name}", text)

    assert catalogue.refused() == messages


def test_row_23_the_gate_ships_nothing_on_the_sound_rest(catalogue: Catalogue) -> None:
    catalogue.write(w=dataset())
    catalogue.put("evals/d.jsonl", ROW + "{\n")

    result = catalogue.run(GOOD, "--continue-on-collection-errors")

    result.assert_outcomes(passed=2, errors=1, failed=1)
    assert (catalogue.verdict["verdict"], catalogue.verdict["sentence"]) == (
        "INCOMPLETE",
        "1 collection error",
    )


@pytest.mark.parametrize(
    ("prompt", "message"),
    [
        ("{{quest}}", "the row has no 'quest'. Names: a, id, q"),
        ("{{q.__class__}}", "the row has no 'q.__class__'. Names: a, id, q"),
        ("{{7*7}}", "'{{7*7}}' is more than a name: nothing is evaluated. Names: a, id, q"),
        ("{{q|upper}}", "'{{q|upper}}' is more than a name: nothing is evaluated. Names: a, id, q"),
        ("{{q.upper()}}", "'{{q.upper()}}' is more than a name: nothing is evaluated. Names: a, id, q"),
        ("{{q[0]}}", "'{{q[0]}}' is more than a name: nothing is evaluated. Names: a, id, q"),
    ],
)
def test_row_33_a_template_is_a_look_up_and_nothing_else(
    catalogue: Catalogue, prompt: str, message: str
) -> None:
    catalogue.write(w=dataset(prompt))
    catalogue.put("evals/d.jsonl", ROW)

    assert catalogue.refused() == [
        f"evals/d.jsonl:1:1: case 'a': {message} (asked for in evals/w.evalcase.yaml:4:13)"
    ]


def test_row_34_what_a_row_holds_is_not_looked_up_again(catalogue: Catalogue) -> None:
    catalogue.write(sound=dataset("Q: {{q}} {q} {% raw %}"))
    catalogue.put("evals/d.jsonl", '{"id": "x", "q": "Italy {{a}} {0} {{q}}", "a": "Rome"}\n')

    result = catalogue.run()

    assert result.ret == 0
    assert (catalogue.path / "asked.log").read_text() == "'Q: Italy {{a}} {0} {{q}} {q} {% raw %}'\n"


# Scorers that do what they should not: the trial is errored, the others are judged, and nothing ships.

SCORER = "def judge(completion, case):\n    {}\n"
RANGE = "it must return a bool, a number from 0 to 1, or a Score"

#: Rows 29 and 30: the body of a scorer in `ours.py`, and the error of its trial.
BODIES: list[tuple[str, str]] = [
    ("raise ValueError('boom')", "scorer 'python' (ours.py:2) raised ValueError: boom"),
    ("return None", f"scorer 'python': ours.py:1 returned NoneType, {RANGE}"),
    ("return float('nan')", f"scorer 'python': ours.py:1 returned nan, {RANGE}"),
    ("return float('inf')", f"scorer 'python': ours.py:1 returned inf, {RANGE}"),
    ("return 1.5", f"scorer 'python': ours.py:1 returned 1.5, {RANGE}"),
    ("return -1", f"scorer 'python': ours.py:1 returned -1, {RANGE}"),
    ("return 'yes'", f"scorer 'python': ours.py:1 returned str, {RANGE}"),
    ("return (True, 'x')", f"scorer 'python': ours.py:1 returned tuple, {RANGE}"),
    (
        "import decimal; return decimal.Decimal(1)",
        f"scorer 'python': ours.py:1 returned decimal.Decimal, {RANGE}",
    ),
    ("import sys; sys.exit(0)", "scorer 'python' (ours.py:2) raised SystemExit: 0"),
    ("raise KeyboardInterrupt", "scorer 'python' (ours.py:2) raised KeyboardInterrupt"),
    ("import pytest; pytest.skip('away')", "scorer 'python' (ours.py:2) raised Skipped: away"),
    (
        "return judge(completion, case)",
        "scorer 'python' (ours.py:2) raised RecursionError: maximum recursion depth exceeded",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("body", "message"), BODIES, ids=[body for body, _ in BODIES])
def test_rows_29_and_30_a_scorer_that_fails_makes_its_trial_errored(
    catalogue: Catalogue, body: str, message: str
) -> None:
    catalogue.put("ours.py", SCORER.format(body))
    catalogue.write(w=cases("{python: 'ours:judge'}"))

    result = catalogue.run()

    result.assert_outcomes(passed=1, errors=1, failed=2)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert catalogue.verdict["verdict"] == "INCOMPLETE"
    assert catalogue.verdict["sentence"] == (
        "1 of 2 trials errored, more than max_errors: 0 (1 scorer); first: "
        f"evals/w.evalcase.yaml::c0 (model): {message}"
    )
    assert "Traceback" not in result.stdout.str()


def test_row_29_an_async_scorer_is_refused_at_load(catalogue: Catalogue) -> None:
    catalogue.put("ours.py", "async " + SCORER.format("return True"))
    catalogue.write(w=cases("{python: 'ours:judge'}"))

    assert catalogue.refused() == [
        "evals/w.evalcase.yaml:2:58: case 'c0': python: 'ours:judge' is async; a scorer must not be"
    ]


@pytest.mark.parametrize("death", ["os._exit(0)", "os.kill(os.getpid(), 11)"])
def test_row_30_a_scorer_that_ends_the_process_leaves_the_run_incomplete(
    catalogue: Catalogue, death: str
) -> None:
    catalogue.put("ours.py", SCORER.format(f"import os; {death}"))
    catalogue.write(w=cases("{python: 'ours:judge'}"))

    catalogue.project.run_apart(GOOD, "-p", "no:faulthandler")

    assert catalogue.verdict["verdict"] == "INCOMPLETE"
    assert catalogue.verdict["sentence"] == "the run has not finished"


def test_rows_27_and_28_a_pattern_without_end_is_stopped_and_the_others_are_judged(
    catalogue: Catalogue,
) -> None:
    catalogue.put("bots.py", "def good(prompt):\n    return 'x' * 4000 if 'Italy' in prompt else 'Paris'\n")
    catalogue.write(w=cases("{regex: {pattern: '(x+x+)+y', timeout_s: 0.5}}"))

    started = time.monotonic()
    result = catalogue.run()

    assert time.monotonic() - started < 10
    result.assert_outcomes(passed=1, errors=1, failed=2)
    assert catalogue.verdict["verdict"] == "INCOMPLETE"
    assert catalogue.verdict["sentence"] == (
        "1 of 2 trials errored, more than max_errors: 0 (1 scorer); first: evals/w.evalcase.yaml::c0 "
        "(model): "
        "scorer 'regex': the pattern '(x+x+)+y' took longer than 0.5 s on an answer of 4000 characters; "
        "write it "
        "without nested repetition"
    )


def test_row_26_formats_are_checked_and_nan_is_no_number(catalogue: Catalogue) -> None:
    catalogue.put(
        "bots.py",
        "def good(prompt):\n    return {'date': '\"soon\"', 'nan': 'NaN'}.get(prompt, 'Paris')\n",
    )
    catalogue.write(
        w="cases:\n"
        "  - {id: date, prompt: date, expect: {json_schema: {schema: {type: string, format: date}}}}\n"
        "  - {id: nan, prompt: nan, expect: {json_schema: {schema: {type: number, minimum: 0}}}}\n"
    )

    result = catalogue.run()

    result.stdout.fnmatch_lines(["*2 failed, 1 passed, 2 missed*"])
    assert catalogue.verdict["verdict"] == "ITERATE"


def test_row_31_the_order_of_cases_changes_no_score(catalogue: Catalogue) -> None:
    catalogue.put(
        "ours.py",
        "import os, random\n"
        "def judge(completion, case):\n"
        "    print('::error::scoring', case.id)\n"
        "    seen = 'FTGATE_TRACE' in os.environ or os.getcwd() == os.sep\n"
        "    os.environ['FTGATE_TRACE'] = 'left'\n"
        "    os.chdir(os.sep)\n"
        "    with open(os.path.join(os.path.dirname(__file__), case.id), 'w') as file:\n"
        "        file.write(str(random.random()))\n"
        "    return not seen\n",
    )
    drawn = []
    for order in ("ab", "ba"):
        rows = (f"  - {{id: {name}, prompt: Italy, expect: {{python: 'ours:judge'}}}}\n" for name in order)
        catalogue.write(w="suite: w\ncases:\n" + "".join(rows))

        result = catalogue.run(GOOD, "--ftgate-report=out.json")

        assert result.ret == 0
        assert "scoring" not in result.stdout.str()
        assert (catalogue.path / "out.json").exists()
        drawn.append([(catalogue.path / name).read_text() for name in "ab"])
    assert drawn[0] == drawn[1]
