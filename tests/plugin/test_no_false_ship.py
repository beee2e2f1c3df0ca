"""Attacks on the gate: whatever a conftest, an option or a model does, no run that is not whole may ship."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest

from tests.plugin.conftest import CASES, Project

GOOD, BAD = "--model=python:bots:good", "--model=python:bots:bad"

#: What conftests do to a run. None of them may turn it into a SHIP.
LEAVING_OUT = {
    "an item dropped by the last hook": """
        @pytest.hookimpl(trylast=True)
        def pytest_collection_modifyitems(items): del items[0]
    """,
    "an item dropped after collection": """
        def pytest_collection_finish(session): del session.items[0]
    """,
    "an item dropped within the loop": """
        @pytest.hookimpl(wrapper=True)
        def pytest_runtestloop(session):
            del session.items[0]
            return (yield)
    """,
    "a loop that runs nothing": """
        @pytest.hookimpl(tryfirst=True)
        def pytest_runtestloop(session): return True
    """,
    "an item that somebody else claims to have run": """
        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_protocol(item): return True if "france" in item.nodeid else None
    """,
    "a skip before setup": """
        def pytest_runtest_setup(item):
            if "france" in item.nodeid: pytest.skip("x")
    """,
    "a skipping fixture": """
        @pytest.fixture(autouse=True)
        def out(request):
            if "france" in request.node.nodeid: pytest.skip("x")
    """,
    "a skip mark": """
        def pytest_collection_modifyitems(items): items[0].add_marker(pytest.mark.skip)
    """,
    "an xfail mark that does not run": """
        def pytest_collection_modifyitems(items): items[0].add_marker(pytest.mark.xfail(run=False))
    """,
    "a failing fixture": """
        @pytest.fixture(autouse=True)
        def out(request): assert "france" not in request.node.nodeid
    """,
    "an exit with status 0 in a fixture": """
        @pytest.fixture(autouse=True)
        def out(request):
            yield
            if "japan" in request.node.nodeid: pytest.exit("x", returncode=0)
    """,
    "an exit with status 0 in collection": """
        def pytest_collection_modifyitems(items): pytest.exit("x", returncode=0)
    """,
    "a hook that fails on our own reports": """
        def pytest_runtest_logreport(report):
            if report.nodeid.startswith("ftgate::"): raise ValueError
    """,
    "case files that are ignored": """
        collect_ignore = ["evals"]
    """,
}


def conftest(project: Project, body: str) -> None:
    lines = [line.removeprefix("        ") for line in body.splitlines()]
    project.write("conftest.py", "import pytest\n" + "\n".join(lines) + "\n")


@pytest.mark.parametrize("body", LEAVING_OUT.values(), ids=LEAVING_OUT.keys())
def test_a_run_that_lacks_anything_does_not_ship(project: Project, body: str) -> None:
    conftest(project, body)

    result = project.run(GOOD)

    verdict = project.verdict
    assert verdict["verdict"] == "INCOMPLETE"
    assert result.ret != 0 or verdict["sentence"].startswith("narrowed: ")


def test_what_ftgate_attaches_to_a_report_is_attached_last(project: Project) -> None:
    conftest(
        project,
        """
        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            vars(report).pop("ftgate", None)
            return report
        """,
    )

    result = project.run(GOOD)

    assert (result.ret, project.verdict["verdict"]) == (0, "SHIP")


def test_ctrl_c_in_the_last_teardown_leaves_the_run_incomplete(project: Project) -> None:
    conftest(
        project,
        """
        @pytest.fixture(autouse=True)
        def out(request):
            yield
            if "japan" in request.node.nodeid: raise KeyboardInterrupt
        """,
    )

    result = project.run_apart(GOOD)

    assert (project.verdict["verdict"], result.ret) == ("INCOMPLETE", 2)


#: What conftests make of the reports. The trials say what was measured, not the outcome that pytest shows.
PRETENDING = {
    "every report passed": """
        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            report.outcome, report.longrepr = "passed", None
            return report
    """,
    "every item is expected to fail": """
        def pytest_collection_modifyitems(items):
            for item in items: item.add_marker(pytest.mark.xfail)
    """,
    "every call is skipped": """
        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_call(item): pytest.skip("x")
    """,
    "no failure is counted": """
        @pytest.hookimpl(wrapper=True)
        def pytest_runtestloop(session):
            result = yield
            session.testsfailed = 0
            return result
    """,
}


@pytest.mark.parametrize("body", PRETENDING.values(), ids=PRETENDING.keys())
def test_what_pytest_shows_of_a_failed_case_does_not_change_the_verdict(project: Project, body: str) -> None:
    project.write(
        "ftgate.yaml", "gate: {min_cases: 1, criteria: {right: {metric: pass_rate, at_least: 80%}}}\n"
    )
    conftest(project, body)

    result = project.run(BAD)

    assert (project.verdict["verdict"], result.ret) == ("ITERATE", 1)


@pytest.mark.parametrize("twice", ["items[:] = items * 2", "items.append(items[0])"])
def test_an_item_that_runs_twice_counts_once(project: Project, twice: str) -> None:
    conftest(project, f"        def pytest_collection_modifyitems(items): {twice}")

    project.run(BAD)

    assert [(one["n"], one["observed"]) for one in project.verdict["criteria"]] == [(4, 0.75)]


@pytest.mark.parametrize(
    "args",
    [
        ["evals/capitals.evalcase.yaml", "evals/capitals.evalcase.yaml"],
        ["evals", "evals/../evals/capitals.evalcase.yaml"],
        ["--keep-duplicates", "evals", "evals"],
    ],
)
def test_a_file_given_twice_counts_once(project: Project, args: list[str]) -> None:
    project.run(BAD, *args)

    assert [(one["n"], one["observed"]) for one in project.verdict["criteria"]] == [(4, 0.75)]


def test_a_case_that_must_pass_is_not_excused_by_xfail(project: Project) -> None:
    project.write(
        "evals/capitals.evalcase.yaml",
        CASES.replace("{id: france,", "{id: france, must_pass: true, xfail: known,"),
    )

    result = project.run(BAD)

    assert (project.verdict["verdict"], result.ret) == ("ITERATE", 1)


def test_a_status_that_a_failing_teardown_explains_is_not_lowered(project: Project) -> None:
    conftest(
        project,
        """
        @pytest.fixture(autouse=True)
        def out(request):
            yield
            assert "france" not in request.node.nodeid
        """,
    )

    result = project.run(BAD)

    assert (project.verdict["verdict"], result.ret) == ("SHIP", 1)


def test_a_linked_folder_does_not_turn_cases_that_are_only_asked_into_passes(project: Project) -> None:
    project.write(
        "real/extra.evalcase.yaml",
        "cases:\n  - {id: a, prompt: Hi, expect: none}\n  - {id: b, prompt: Hi, expect: Hello}\n",
    )
    (project.pytester.path / "link").symlink_to(project.pytester.path / "real")

    project.run(GOOD, "link")

    assert [(one["n"], one["observed"]) for one in project.verdict["criteria"]] == [(1, 0)]


# Arithmetic, against numbers worked out by hand.


def test_the_numbers_of_a_suite_with_repeats_names_composites_and_lists(empty_project: Project) -> None:
    """Two roles, repeats, entries by name, any_of, not, lists of metrics, `per:`, tokens, all by hand."""
    answers = {
        # suite tuned: case -> (model's answers by repeat, baseline's answers by repeat)
        "sum": (["2", "3", "2"], ["2", "2", "2"]),
        "tone": (["Dear sir, yes"], ["hey yes"]),
        "pick": (["blue"], ["green"]),
        "hush": (["the secret"], ["nothing"]),
        # suite kept
        "sky": (["blue"], ["blue"]),
        "sea": (["red"], ["blue"]),
    }
    rows = [
        {"id": case, "repeat": repeat, "arm": arm, "text": text, "usage": {"output_tokens": len(text)}}
        for case, sides in answers.items()
        for arm, texts in zip(("model", "baseline"), sides, strict=True)
        for repeat, text in enumerate(texts, 1)
    ]
    empty_project.write("answers.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    empty_project.write(
        "evals/tuned.evalcase.yaml",
        """
cases:
  - {id: sum, category: math, prompt: 1+1?, repeat: 3, expect: {exact_match: '2'}}
  - id: tone
    category: style
    prompt: Answer politely
    expect: [{contains: 'yes', name: content}, {starts_with: Dear, name: polite, weight: 3}]
  - {id: pick, category: style, prompt: A colour?, expect: {any_of: [{contains: red}, {contains: blue}]}}
  - {id: hush, category: style, prompt: Tell, expect: {not: {contains: secret}}}
""",
    )
    empty_project.write(
        "evals/kept.evalcase.yaml",
        """
role: general
cases:
  - {id: sky, category: colour, prompt: The sky?, expect: blue}
  - {id: sea, category: colour, prompt: The sea?, expect: blue}
""",
    )
    empty_project.write(
        "ftgate.yaml",
        """
gate:
  min_cases: 1
  criteria:
    target: {metric: pass_rate, role: target, at_least: 66.6%}
    gain: {metric: pass_rate, role: target, compare: delta, at_least: 16%}
    kept: {metric: pass_rate, role: general, compare: delta, at_least: -50%}
    each: {metric: pass_rate, per: category, at_least: 50%}
    listed: {metric: [content, polite], at_least: 100%}
    found: {metric: contains, at_least: 100%}
    graded: {metric: 'mean:polite', compare: delta, at_least: 100%}
    wins: {metric: win_rate, role: target, at_least: 50%}
    length: {metric: tokens, compare: ratio, at_most: 1.25}
    silent: {metric: not, at_least: 0%}
""",
    )

    empty_project.run("--model=recorded:answers.jsonl", "--baseline=recorded:answers.jsonl")

    third, tokens = Fraction(1, 3), Fraction(1 + 13 + 4 + 10 + 4 + 3, 1 + 7 + 5 + 7 + 4 + 4)
    wanted: dict[str, tuple[Fraction | int, int, str]] = {
        "target": ((2 * third + 1 + 1 + 0) / 4, 4, "GO"),  # sum 2 of 3, tone, pick; hush tells the secret
        "gain": ((2 * third + 2) / 4 - (1 + 0 + 0 + 1) / Fraction(4), 4, "GO"),
        "kept": (Fraction(1, 2) - 1, 2, "GO"),
        "each[colour]": (Fraction(1, 2), 2, "GO"),
        "each[math]": (2 * third, 1, "GO"),
        "each[style]": (2 * third, 3, "GO"),
        "listed": (1, 1, "GO"),
        "found": (1, 2, "GO"),  # `contains` of tone and of pick's any_of; not the one inside `not`
        "graded": (1, 1, "GO"),
        "wins": (Fraction(2, 4), 4, "GO"),  # tone and pick; sum and hush are lost
        "length": (tokens, 6, "GO"),
        "silent": (0, 1, "GO"),
    }
    found = {
        one["name"]: (one["observed"], one["n"], one["status"]) for one in empty_project.verdict["criteria"]
    }
    assert found == {
        name: (pytest.approx(float(value)), n, status) for name, (value, n, status) in wanted.items()
    }
    assert empty_project.verdict["verdict"] == "SHIP"


def test_errors_within_max_errors_count_against_the_model_and_for_the_baseline(project: Project) -> None:
    project.write(
        "ftgate.yaml",
        """
gate:
  min_cases: 1
  max_errors: 2
  criteria:
    right: {metric: pass_rate, at_least: 75%}
    better: {metric: pass_rate, compare: delta, at_least: -25%}
    quick: {metric: latency_p50, at_most: 100}
""",
    )

    project.run("--model=python:bots:shaky", "--baseline=python:bots:shaky")

    found = {one["name"]: (one["observed"], one["status"]) for one in project.verdict["criteria"]}
    assert found["right"] == (0.75, "GO")  # Italy errored: failed
    assert found["better"] == (-0.25, "GO")  # for the baseline it passed: 3 of 4 against 4 of 4
    assert found["quick"][1] == "INCONCLUSIVE"
    assert project.verdict["verdict"] == "INCONCLUSIVE"


@pytest.mark.parametrize(
    "args",
    [
        ["--ftgate-max-tokens=abc"],
        ["--ftgate-cache=maybe"],
        ["--ftgate-report=x.docx"],
        ["--ftgate-config=none.yaml"],
        ["--model=nobody:here"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("named", [True, False], ids=["named", "in the file"])
def test_a_run_that_can_not_begin_leaves_no_older_ship(
    project: Project, args: list[str], named: bool
) -> None:
    model = ["--model=python:bots:good"] if named and "--model" not in args[0] else []
    if not named:
        path = project.pytester.path / "ftgate.yaml"
        path.write_text(path.read_text() + "model: python:bots:good\n")
    project.run(*model or ["--model=python:bots:good"])
    assert project.verdict["verdict"] == "SHIP"

    result = project.run(*model, *args)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert project.verdict["verdict"] == "INCOMPLETE"


def test_a_conftest_that_can_not_be_loaded_leaves_no_older_ship(project: Project) -> None:
    project.run("--model=python:bots:good")
    project.write("conftest.py", "import no_such_module\n")

    result = project.run_apart("--model=python:bots:good", "--ftgate-run-id=this")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert (project.verdict["verdict"], project.verdict["run_id"]) == ("INCOMPLETE", "this")
    assert "conftest could not be loaded" in project.verdict["sentence"]


def test_a_verdict_that_can_not_be_written_takes_the_older_one_away(project: Project) -> None:
    project.run("--model=python:bots:good")
    folder = project.pytester.path / ".ftgate"
    (project.pytester.path / "sitecustomize.py").write_text(
        "import os, errno\n"
        "real = os.replace\n"
        "def full(source, target, *rest, **named):\n"
        "    if str(target).endswith('verdict.json'):\n"
        "        raise OSError(errno.ENOSPC, 'No space left on device')\n"
        "    return real(source, target, *rest, **named)\n"
        "os.replace = full\n"
    )
    project.pytester.syspathinsert()

    result = project.run_apart("--model=python:bots:good")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "ERROR: the verdict file: can't write *: No space left on device; the older verdict there was "
            "removed: make room, or name another place with --ftgate-verdict=PATH"
        ]
    )
    assert not (folder / "verdict.json").exists()
