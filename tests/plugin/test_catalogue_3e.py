"""Hostile texts and secrets in every place that a run writes to: terminal, JUnit XML, JSON, Markdown."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from tests.plugin.catalogue import BAD, GATE, GOOD, SOUND, Catalogue, catalogue_of
from tests.plugin.conftest import Project
from tests.support.rows import unwrapped
from tests.support.server import ChatServer, Reply, error_reply

KEY = "sk-canary-5up3r/s3cr3t+k3y"

#: What a model may answer, by the catalogue's rows. Python source, so that any character can stand in it.
HOSTILE = {
    "surrogate": r'"a\ud800b"',  # 81
    "nul": r'"a\x00b"',
    "c1": r'"a\x85b\x9b31mc"',
    "noncharacter": r'"a\ufffeb\uffff"',
    "html": r'"</script><img src=x onerror=alert(1)>]]>&amp;\u2028"',  # 82
    "github": r'"fine\n::error file=x::pwned\n  ::warning::x"',  # 84
    "azure": r'"##[error]x\n##vso[task.setvariable variable=a]b"',
    "teamcity": r""""##teamcity[testFailed name='x']" """,
    "gitlab": r'"\x1b[0Ksection_start:1:x\r\x1b[0K"',
    "ansi": r'"\x1b[31mred\x1b[2J"',  # 85
    "osc": r'"\x1b]52;c;aGk=\x07\x1b]0;title\x07\x1b]8;;http://x\x07"',
    "overwritten": r'"good\rbad\b\b\b"',
    "bidi": r'"user\u202e\u2066nimda\u061c\u200b\ufeff"',
    "formula": r'"=1+1"',  # 86
    "long_line": r'"x" * 3_000_000',  # 87
    "long_text": r'"x\n" * 1_000_000',
}
MODEL = """
TEXTS = {{
{}}}

def answer(prompt):
    return TEXTS[prompt]

def fails(prompt):
    raise ValueError(TEXTS[prompt])
"""
#: Whatever a terminal or a CI runner would act on.
ACTIVE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
COMMAND = re.compile(r"^\s*::\w|##\w*\[|^section_", re.MULTILINE)
REPORTS = (
    "--junitxml=out.xml",
    "--ftgate-report=out.json",
    "--ftgate-report=out.jsonl",
    "--ftgate-report=out.md",
    "--ftgate-save-answers=answers.jsonl",
)


@pytest.fixture
def catalogue(empty_project: Project) -> Catalogue:
    return catalogue_of(empty_project)


#: Enough to be cut, where several tests quote each.
SHORTER = {"long_line": '"x" * 200_000', "long_text": r'"x\n" * 100_000'}


def write_hostile(catalogue: Catalogue, replaced: Mapping[str, str] = MappingProxyType({})) -> None:
    texts = "".join(f"    {name!r}: {text},\n" for name, text in {**HOSTILE, **replaced}.items())
    catalogue.put("hostile.py", MODEL.format(texts))
    rows = (f"  - {{id: {name}, prompt: {name}, expect: Paris}}\n" for name in HOSTILE)
    catalogue.write(sound="cases:\n" + "".join(rows))


def check_inert(catalogue: Catalogue, output: str, *, python_tests: int = 0) -> None:
    """Nothing active in the output or a report; every report is sound and of a readable size."""
    assert ACTIVE.findall(output) == []
    assert COMMAND.findall(output) == []
    root = ElementTree.parse(catalogue.path / "out.xml").getroot()
    texts = [text for node in root.iter() for text in (node.text, *node.attrib.values()) if text]
    assert [text for text in texts if ACTIVE.search(text) or COMMAND.search(text)] == []
    assert max(map(len, texts)) <= 65_536
    names = [(case.get("classname"), case.get("name")) for case in root.iter("testcase")]
    assert len(names) == len(set(names)) == len(HOSTILE) * (1 + python_tests) + 2
    for name in ("out.json", "out.jsonl", "out.md", "answers.jsonl", ".ftgate/verdict.json"):
        text = (catalogue.path / name).read_text(encoding="utf-8")
        assert ACTIVE.findall(text.replace("\n", "")) == []
        assert COMMAND.findall(text) == []


@pytest.mark.parametrize("model", ["answer", "fails"])
@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["alone", "workers"])
def test_rows_81_to_87_a_hostile_answer_is_inert_wherever_it_is_written(
    catalogue: Catalogue, model: str, workers: list[str]
) -> None:
    if workers:
        pytest.importorskip("xdist")
    write_hostile(catalogue)

    result = catalogue.project.run_apart(f"--model=python:hostile:{model}", *REPORTS, "-v", "-rA", *workers)

    assert result.ret == 1
    assert len([line for line in result.outlines if line.startswith("FAILED ftgate::")]) == 2
    check_inert(catalogue, result.stdout.str())
    report = json.loads((catalogue.path / "out.json").read_text(encoding="utf-8"))
    assert len(report["cases"]) == len(HOSTILE)


PYTHON_TESTS = """
import pytest

mark = pytest.mark.eval_case("evals/sound.evalcase.yaml")

@mark
def test_print(eval_case, model):
    print(model(eval_case).text)

@mark
def test_fail(eval_case, model):
    pytest.fail(model(eval_case).text, pytrace=False)

@mark
def test_raise(eval_case, model):
    raise ValueError(model(eval_case).text)

@mark
def test_assert(eval_case, model):
    assert "Paris" in model(eval_case).text

@mark
def test_judge(eval_case, model):
    answer = model(eval_case)
    with eval_case.judge(answer):
        assert not answer.text, answer.text
"""


@pytest.mark.parametrize("style", ["long", "native"])
def test_rows_84_to_87_answers_that_a_python_test_quotes_are_inert_too(
    catalogue: Catalogue, style: str
) -> None:
    write_hostile(catalogue, SHORTER)
    catalogue.put("test_quotes.py", PYTHON_TESTS)
    loud = ("-vv", "-rA", "-l", f"--tb={style}", "-ojunit_logging=all")

    result = catalogue.project.run_apart("--model=python:hostile:answer", *REPORTS, *loud)

    assert result.ret == 1
    check_inert(catalogue, result.stdout.str(), python_tests=5)


def test_row_87_a_hostile_answer_gives_a_test_case_of_the_same_structure(catalogue: Catalogue) -> None:
    write_hostile(catalogue)
    catalogue.put(
        "hostile.py", (catalogue.path / "hostile.py").read_text().replace("TEXTS = {", "TEXTS = {'x': 'x',")
    )
    catalogue.put("evals/x.evalcase.yaml", "cases:\n  - {id: x, prompt: x, expect: Paris}\n")

    catalogue.run("--model=python:hostile:answer", *REPORTS)

    root = ElementTree.parse(catalogue.path / "out.xml").getroot()
    shapes = {
        case.get("name"): [(node.tag, sorted(node.attrib), node.get("name")) for node in case.iter()]
        for case in root.iter("testcase")
    }
    plain = [(tag, names, name if tag == "property" else "") for tag, names, name in shapes["x"]]
    for name in HOSTILE:
        assert [
            (tag, names, called if tag == "property" else "") for tag, names, called in shapes[name]
        ] == plain


def test_row_81_the_answer_itself_is_kept_as_it_came(catalogue: Catalogue) -> None:
    write_hostile(catalogue)

    catalogue.run("--model=python:hostile:answer", *REPORTS)

    report = json.loads((catalogue.path / "out.json").read_text(encoding="utf-8"))
    kept = {case["id"]: case["trials"][0]["completion"]["text"] for case in report["cases"]}
    assert kept["html"] == "</script><img src=x onerror=alert(1)>]]>&amp;\u2028"
    assert kept["github"] == "fine\n::error file=x::pwned\n  ::warning::x"
    assert kept["surrogate"] == "a\\ud800b"
    assert len(kept["long_line"]) == 3_000_000


def test_row_84_texts_of_a_case_file_are_inert_too(catalogue: Catalogue) -> None:
    text = '"a\\r\\n::error::pwned\\e[31m ##teamcity[x]"'
    catalogue.write(
        sound="cases:\n"
        f"  - {{id: a, prompt: {text}, expect: {text}}}\n"
        f"  - {{id: b, prompt: Italy, expect: Rome, xfail: {text}}}\n"
        f"  - {{id: c, prompt: Italy, expect: Paris, xfail: {text}}}\n"
        f"  - {{id: d, prompt: Italy, expect: Rome, skip: {text}}}\n"
    )

    result = catalogue.run(GOOD, *REPORTS, "-v", "-rA")

    assert ACTIVE.findall(result.stdout.str()) == []
    assert COMMAND.findall(result.stdout.str()) == []
    texts = "\n".join(ElementTree.parse(catalogue.path / "out.xml").getroot().itertext())
    assert COMMAND.findall(texts) == []


def test_row_84_a_mistake_quotes_hostile_text_harmlessly(catalogue: Catalogue) -> None:
    catalogue.write(w='cases:\n  - {id: "a\\n::error::\\e[31m", prompt: x, expect: y}\n')

    assert catalogue.refused() == [
        "evals/w.evalcase.yaml:2:10: case 'case-at-line-2': 'a\\n::error::\\x1b[31m' can't be an id: "
        "an id has 1 to 100 of A-Z a-z 0-9 _ . - and begins with a letter or digit"
    ]


# Row 89: a key is nowhere, in no form.


def forms_of(key: str) -> list[bytes]:
    escaped = json.dumps(key)[1:-1]
    return [
        each.encode() for each in (key, quote(key, safe=""), escaped, base64.b64encode(key.encode()).decode())
    ]


@pytest.mark.parametrize(
    ("reply", "args"),
    [
        (
            Reply(
                text=f"My key is {KEY}, {quote(KEY, safe='')} or {base64.b64encode(KEY.encode()).decode()}"
            ),
            [],
        ),
        (Reply(text=f"My key is {KEY}"), ["-l", "--full-trace", "-vv"]),
        (error_reply(401, f"the key {KEY} is wrong"), ["-l", "--full-trace", "-vv"]),
        (error_reply(400, f"Authorization: Bearer {KEY}"), []),
        (Reply(status=200, body=f"<html>{KEY}</html>".encode()), []),
    ],
    ids=["answer", "answer -l", "401", "400", "html"],
)
def test_row_89_a_key_appears_nowhere(catalogue: Catalogue, reply: Reply, args: list[str]) -> None:
    with ChatServer(answer=lambda _: reply) as server:
        models = f"models:\n  tuned: {{name: tuned-1, base_url: '{server.url}', api_key_env: TUNED_KEY}}\n"
        catalogue.put("ftgate.yaml", GATE + models)
        environment = os.environ | {"TUNED_KEY": KEY, "OPENAI_LOG": "debug"}
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--model=tuned", *REPORTS, *args]
        command += ["--ftgate-save-answers=answers.jsonl"]

        run = subprocess.run(command, cwd=catalogue.path, env=environment, capture_output=True, check=False)

        assert server.count >= 1
    assert run.returncode != 0
    written = [path for path in catalogue.path.rglob("*") if path.is_file()]
    assert any(path.name == "verdict.json" for path in written)
    for form in forms_of(KEY):
        assert form not in run.stdout + run.stderr
        assert [path.name for path in written if form in path.read_bytes()] == []


def test_row_89_a_token_in_a_base_url_is_refused_without_being_repeated(catalogue: Catalogue) -> None:
    catalogue.put("ftgate.yaml", f"models:\n  tuned: {{name: t, base_url: 'https://host/v1?token={KEY}'}}\n")

    assert catalogue.usage_error("--model=tuned") == [
        "ftgate.yaml:2:30: 'base_url' holds a user name or a query, perhaps a secret: write 'base_url_env: …'"
    ]


# Row 90: where reports go.


def test_row_90_a_missing_folder_is_made(catalogue: Catalogue) -> None:
    result = catalogue.run(GOOD, "--ftgate-report=deep/er/out.json", "--ftgate-verdict=deep/verdict.json")

    assert result.ret == 0
    assert json.loads((catalogue.path / "deep/er/out.json").read_text())["verdict"] == "SHIP"
    assert json.loads((catalogue.path / "deep/verdict.json").read_text())["verdict"] == "SHIP"


def test_row_90_a_link_is_replaced_and_what_it_pointed_to_stays(catalogue: Catalogue, tmp_path: Path) -> None:
    precious = tmp_path / "precious.json"
    precious.write_text("keep me")
    (catalogue.path / "out.json").symlink_to(precious)
    (catalogue.path / ".ftgate").mkdir()
    (catalogue.path / ".ftgate/verdict.json").symlink_to(precious)

    result = catalogue.run(GOOD, "--ftgate-report=out.json")

    assert result.ret == 0
    assert precious.read_text() == "keep me"
    assert catalogue.verdict["verdict"] == "SHIP"


def test_row_90_a_folder_in_a_reports_place_is_named_before_anything_is_asked(catalogue: Catalogue) -> None:
    path = catalogue.path / "out.json"
    path.mkdir()

    result = catalogue.run(GOOD, "--ftgate-report=out.json")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: report {path}: there is a folder of that name"])
    assert not catalogue.was_asked


def test_row_90_a_report_that_can_not_be_written_is_named_and_fails_the_run(catalogue: Catalogue) -> None:
    result = catalogue.run(GOOD, "--ftgate-report=bots.py/out.json")

    assert result.ret == 1
    file, path = catalogue.path / "bots.py", catalogue.path / "bots.py" / "out.json"
    said = f"ftgate: can't write {path}: {file} is a file, and would have to be a folder\n"
    assert said in unwrapped(result.stdout.str())


@pytest.mark.parametrize("place", ["a folder", "below a file"])
def test_row_90_a_verdict_that_can_not_be_written_is_a_usage_error(catalogue: Catalogue, place: str) -> None:
    name = "out.json" if place == "a folder" else "bots.py/verdict.json"
    if place == "a folder":
        (catalogue.path / name).mkdir()

    result = catalogue.run(GOOD, f"--ftgate-verdict={name}")

    path = catalogue.path / name
    not_a_folder = f"{catalogue.path / 'bots.py'} is a file, and would have to be a folder"
    reason = "there is a folder of that name" if place == "a folder" else not_a_folder
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert [line for line in result.errlines if line] == [
        f"ERROR: the verdict file: can't write {path}: {reason}; "
        "make room, or name another place with --ftgate-verdict=PATH"
    ]
    assert not catalogue.was_asked


# Row 91: terminals that can't show everything, and readers that leave.


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8", "ascii:strict"])
def test_row_91_any_encoding_of_the_terminal_will_do(catalogue: Catalogue, encoding: str) -> None:
    catalogue.put("bots.py", "def good(prompt):\n    return '\\u6771\\u4eac \\U0001f5fc \\u00e9 \\u2265'\n")
    catalogue.write(sound="cases:\n  - {id: a, prompt: 東京?, expect: 東京 é}\n")
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}

    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        GOOD,
        "--baseline=python:bots:good",
        "-v",
    ]
    run = subprocess.run(command, cwd=catalogue.path, env=environment, capture_output=True, check=False)

    assert run.returncode == 1
    assert b"UnicodeEncodeError" not in run.stdout + run.stderr
    assert b"ITERATE: " in run.stdout
    assert catalogue.verdict["verdict"] == "ITERATE"


def test_row_91_a_reader_that_leaves_changes_no_verdict(catalogue: Catalogue) -> None:
    catalogue.write(sound=SOUND.replace("Paris", "Rome"))
    command = f"{sys.executable} -m pytest -p no:cacheprovider {GOOD} -v | head -c 1"

    subprocess.run(command, cwd=catalogue.path, shell=True, capture_output=True, check=False)

    assert catalogue.verdict["verdict"] in ("ITERATE", "INCOMPLETE")


# Row 92: what crosses the wire between a worker and its controller.

ODD = {
    "object": "{'text': object()}",
    "set": "{'text': 'x', 'usage': {'input_tokens': {1, 2}}}",
    "nan": "{'text': 'x', 'latency_s': float('nan')}",
    "logprobs": "{'text': 'x', 'logprobs': [float('inf')]}",
    "bytes": "b'Paris'",
    "decimal": "__import__('decimal').Decimal(1)",
}


def test_row_92_odd_values_of_a_model_are_errors_and_no_worker_dies(catalogue: Catalogue) -> None:
    pytest.importorskip("xdist")
    answers = "".join(f"    {name!r}: lambda: {value},\n" for name, value in ODD.items())
    catalogue.put("bots.py", f"ODD = {{\n{answers}}}\ndef good(prompt):\n    return ODD[prompt]()\n")
    rows = (f"  - {{id: {name}, prompt: {name}, expect: Paris}}\n" for name in ODD)
    catalogue.write(sound="cases:\n" + "".join(rows))

    result = catalogue.project.run_apart(GOOD, "-n2", "--junitxml=out.xml")

    result.assert_outcomes(errors=len(ODD), failed=2)
    assert result.ret == 1
    assert catalogue.verdict["sentence"].startswith(f"{len(ODD)} of {len(ODD)} trials errored")


def test_a_miss_shows_the_same_alone_and_with_workers(catalogue: Catalogue) -> None:
    pytest.importorskip("xdist")
    alone = catalogue.project.run_apart(BAD)

    spread = catalogue.project.run_apart(BAD, "-n2")

    for result in (alone, spread):
        result.stdout.fnmatch_lines(["failed: exact_match: got 'Lyon', expected 'Paris'"])
