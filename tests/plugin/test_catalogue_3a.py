"""Faults in case files as a user meets them: every mistake told in full, nothing sent, nothing shipped."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from tests.plugin.catalogue import GOOD, SOUND, Catalogue, catalogue_of
from tests.plugin.conftest import Project

ONE = "cases:\n  - {id: one, prompt: Hi, expect: Ho}\n"
ID_RULE = "an id has 1 to 100 of A-Z a-z 0-9 _ . - and begins with a letter or digit"


@pytest.fixture
def catalogue(empty_project: Project) -> Catalogue:
    return catalogue_of(empty_project)


def case(line: str) -> str:
    return f"cases:\n  - id: one\n    prompt: Capital of Italy?\n    {line}\n"


def bomb() -> str:
    levels = "".join(
        f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n"
        for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    return f"a: &a [{', '.join('x' * 10)}]\n{levels}"


#: Row, the text of `evals/w.evalcase.yaml`, and what is told of it.
MISTAKES: list[tuple[str, str | bytes, list[str]]] = [
    ("1 empty", "", ["1:1: no cases: the file is empty"]),
    ("1 comments", "# nothing yet\n", ["1:1: no cases: the file is empty"]),
    ("1 []", "cases: []\n", ["1:8: no cases: write them under 'cases:', or name files under 'datasets:'"]),
    ("1 null", "cases:\n", ["1:7: no cases: write them under 'cases:', or name files under 'datasets:'"]),
    (
        "3 duplicate key",
        "cases:\n  - id: one\n    prompt: Hi\n    prompt: Ho\n    expect: x\n",
        ["4:5: the key 'prompt' stands twice, first in line 3"],
    ),
    (
        "4 duplicate id",
        "cases:\n  - {id: 1, prompt: Hi, expect: a}\n  - {id: '1', prompt: Ho, expect: b}\n",
        ["3:6: case 'case-at-line-3': the id '1' is taken, by evals/w.evalcase.yaml:2"],
    ),
    (
        "4 duplicate suite",
        "suite: sound\n" + ONE,
        ["1:1: suite 'sound' is also the name of evals/sound.evalcase.yaml: give one another `suite:`"],
    ),
    (
        "5 null takes a default away",
        "cases:\n  - {id: one, prompt: NULL, expect: ~}\n",
        [
            "2:5: case 'one': a case needs 'expect': what the answer must be, or 'expect: none'; if the "
            "answer "
            "is the word null, quote it",
            "2:5: case 'one': a case needs a 'prompt', 'messages' or 'turns'",
        ],
    ),
    (
        "7 a comment in place of a value",
        case("expect: #ff0000"),
        ["4:12: case 'one': the value of 'expect' is empty: quote it (a '#' begins a comment)"],
    ),
    (
        "7 the same below",
        case("expect: {contains: }"),
        ["4:24: case 'one': the value of contains is empty: quote it (a '#' begins a comment)"],
    ),
    (
        "8 colon",
        "cases:\n  - id: one\n    prompt: He said: hi\n    expect: x\n",
        [
            "3:20: not valid YAML: mapping values are not allowed here. Quote text that holds ': '",
            "        prompt: He said: hi",
            "                       ^",
        ],
    ),
    (
        "8 tab",
        "cases:\n\t- id: one\n",
        [
            "2:1: not valid YAML: found character '\\t' that cannot start any token. Indent with spaces, "
            "not with a tab",
            "     - id: one",
            "    ^",
        ],
    ),
    (
        "8 quote",
        "cases:\n  - id: one\n    prompt: 'Hi\n    expect: x\n",
        [
            "3:13: not valid YAML: found unexpected end of stream. A quote is opened and never closed",
            "        prompt: 'Hi",
            "                ^",
        ],
    ),
    (
        "8 conflict",
        "cases:\n<<<<<<< HEAD\n  - id: one\n=======\n  - id: two\n>>>>>>> branch\n",
        ["2:1: a merge conflict is left in the file: resolve it", "    <<<<<<< HEAD", "    ^"],
    ),
    (
        "8 LFS",
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        ["1:1: this is a Git LFS pointer, not the file itself: run 'git lfs pull'"],
    ),
    (
        "8 truncated",
        "cases:\n  - {id: one, prompt: Hi, expe",
        [
            "2:31: not valid YAML: expected ',' or '}', but got '<stream end>'. Quote text that holds "
            "brackets, "
            "braces or commas",
            "      - {id: one, prompt: Hi, expe",
            "                                  ^",
        ],
    ),
    (
        "9 latin-1",
        case("expect: café").encode("latin-1"),
        ["4:16: byte 0xe9 is not UTF-8: save the file as UTF-8"],
    ),
    (
        "9 NUL",
        case("expect: a\0b"),
        [
            "4:14: a control character, \\x00: write it as an escape in double quotes",
            "        expect: a\\x00b",
            "                 ^",
        ],
    ),
    (
        "9 ESC",
        case("expect: a\x1b[31mb"),
        [
            "4:14: a control character, \\x1b: write it as an escape in double quotes",
            "        expect: a\\x1b[31mb",
            "                 ^",
        ],
    ),
    ("11 alias bomb", bomb(), ["5:36: the aliases of this file stand for more than 100000 values"]),
    (
        "11 merge key",
        "cases:\n  - &a {x: 1}\n  - {<<: *a, id: one}\n",
        ["3:6: merge keys ('<<') are not supported: use 'defaults:'"],
    ),
    ("11 recursive", "cases: &a [*a]\n", ["1:12: the alias '*a' stands inside what it names"]),
    ("12 brackets", "cases: " + "[" * 200_000 + "]" * 200_000, ["1:71: nested deeper than 64 levels"]),
    ("12 dashes", "cases:\n" + "- " * 5_000 + "x\n", ["2:127: nested deeper than 64 levels"]),
    (
        "13 too large",
        "# " + "a" * (33 * 2**20) + "\n" + ONE,
        [
            "1:1: the file has 33.0 MB, more than 32: split it, or move the cases to a JSONL file and "
            "name it "
            "under 'datasets:'"
        ],
    ),
    (
        "14 python",
        case("expect: !!python/object/apply:os.system [touch canary]"),
        [
            "4:13: the tag '!!python/object/apply:os.system' is refused: files are data. Quote text that "
            "begins "
            "with '!'"
        ],
    ),
    (
        "14 include",
        "cases: !include more.yaml\n",
        ["1:8: the tag '!include' is refused: files are data. Quote text that begins with '!'"],
    ),
    (
        "14 binary",
        case("expect: !!binary aGk="),
        ["4:13: the tag '!!binary' is refused: files are data. Quote text that begins with '!'"],
    ),
    (
        "14 set",
        "cases: !!set {a}\n",
        ["1:8: the tag '!!set' is refused: files are data. Quote text that begins with '!'"],
    ),
    (
        "15 two documents",
        ONE + "---\n" + ONE,
        ["3:1: a second document begins here: a file holds one; remove this '---'"],
    ),
    ("15 list", "- a\n- b\n", ["1:1: a case file takes a mapping, and this is a list"]),
    ("15 text", "hello\n", ["1:1: a case file takes a mapping, and this is 'hello'"]),
    ("16 file", "casses: []\n", ["1:1: unknown key 'casses'. Did you mean 'cases'?"]),
    (
        "16 everywhere at once",
        "cases:\n  - {id: one, prompt: Hi, expcted: x}\n  - {id: two, promt: Hi}\ndefault: {}\n",
        [
            "2:27: case 'one': unknown key 'expcted'. Did you mean 'expect'?",
            "3:15: case 'two': unknown key 'promt'. Did you mean 'prompt'?",
            "4:1: unknown key 'default'. Did you mean 'defaults'?",
        ],
    ),
    (
        "17 ids",
        "cases:\n"
        + "".join(
            f"  - {{id: {written}}}\n" for written in ("a::b", "'a[0]'", "a/b", '"a\\nb"', "<b>", "ü", "''")
        ),
        [
            f"{line}:10: case 'case-at-line-{line}': '{written}' can't be an id: {ID_RULE}"
            for line, written in enumerate(("a::b", "a[0]", "a/b", "a\\nb", "<b>", "ü", ""), 2)
        ],
    ),
    (
        "17 long id",
        "cases:\n  - {id: " + "x" * 101 + "}\n",
        [f"2:10: case 'case-at-line-2': the id '{'x' * 59}…' has 101 characters: {ID_RULE}"],
    ),
    (
        "18 zero-width space",
        case('expect: Rome\n    category: "ed\\u200bge"'),
        [
            "5:15: case 'one': the category 'ed\\u200bge' has U+200B (ZERO WIDTH SPACE): letters, digits, "
            "'_', "
            "'.', '-' and single spaces are allowed"
        ],
    ),
    (
        "18 trailing space",
        case('expect: Rome\n    category: "edge "'),
        ["5:15: case 'one': the category 'edge ' begins or ends with a space"],
    ),
]


@pytest.mark.parametrize(
    ("text", "messages"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_a_mistake_is_told_in_full_and_nothing_is_sent(
    catalogue: Catalogue, text: str | bytes, messages: list[str]
) -> None:
    catalogue.write(w=text)

    told = catalogue.refused()

    here = "evals/w.evalcase.yaml:"
    assert told == [line if line.startswith(" ") else here + line for line in messages]
    assert not (catalogue.path / "canary").exists()


def test_row_2_a_misspelt_suffix_is_offered(catalogue: Catalogue) -> None:
    os.replace(catalogue.path / "evals/sound.evalcase.yaml", catalogue.path / "evals/sound.evalcases.yaml")
    catalogue.put("evals/more.evalcase.yml.txt", ONE)

    result = catalogue.run()

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert catalogue.verdict["sentence"] == (
        f"no eval case under {catalogue.path}; similar: evals/more.evalcase.yml.txt, "
        "evals/sound.evalcases.yaml (case files end in .evalcase.yaml)"
    )


@pytest.mark.parametrize(("argument", "status"), [("tests", 1), ("nowhere", 4)])
def test_row_2_a_wrong_directory_is_no_pass(catalogue: Catalogue, argument: str, status: int) -> None:
    catalogue.put("tests/readme.txt", "")

    result = catalogue.run(GOOD, argument)

    assert result.ret == status
    assert catalogue.verdict["verdict"] == "INCOMPLETE"
    assert catalogue.verdict["sentence"] == f"no eval case under {argument}"


def test_rows_4_and_18_what_looks_alike_is_a_warning_with_both_places(catalogue: Catalogue) -> None:
    catalogue.write(
        w="cases:\n"
        "  - {id: one, category: edge, prompt: Capital of Italy?, expect: Rome}\n"
        "  - {id: One, category: edg\N{CYRILLIC SMALL LETTER IE}, prompt: Capital of Italy?, expect: Rome}\n"
    )

    catalogue.run()

    assert catalogue.verdict["warnings"] == [
        "evals/w.evalcase.yaml:3: the category 'edg\N{CYRILLIC SMALL LETTER IE}' mixes Cyrillic and Latin "
        "letters",
        "evals/w.evalcase.yaml:3: the id 'One' is almost 'one' in evals/w.evalcase.yaml:2",
    ]


def test_row_4_suites_that_look_alike_are_a_warning(catalogue: Catalogue) -> None:
    catalogue.write(w="suite: Sound\ncases:\n  - {id: italy, prompt: Capital of Italy?, expect: Rome}\n")

    catalogue.run()

    (warning,) = catalogue.verdict["warnings"]
    assert "'Sound'" in warning
    assert "evals/sound.evalcase.yaml" in warning


#: What YAML would turn into something else, and each of the two loaders into something of its own.
AS_TYPED = [
    "no", "on", "Yes", "~x", "12:30:00", "010", "1_000", "2024-01-31", "1.10",
    ".nan", "2024-13-45", "=", "9" * 5000,
]  # fmt: skip


def test_rows_5_and_6_text_is_what_its_author_typed(catalogue: Catalogue) -> None:
    catalogue.put("bots.py", "def echo(prompt):\n    return prompt\n")
    catalogue.write(
        sound="cases:\n"
        + "".join(f"  - {{id: c{at}, prompt: {text}, expect: {text}}}\n" for at, text in enumerate(AS_TYPED))
    )

    result = catalogue.run("--model=python:bots:echo")

    result.assert_outcomes(passed=len(AS_TYPED))
    assert catalogue.verdict["verdict"] == "SHIP"


@pytest.mark.parametrize(
    "encoded",
    [b"\xef\xbb\xbf" + SOUND.replace("\n", "\r\n").encode(), SOUND.replace("\n", "\r\n").encode("utf-16")],
    ids=["UTF-8 with a mark", "UTF-16"],
)
def test_row_10_other_encodings_and_line_ends_are_read(catalogue: Catalogue, encoded: bytes) -> None:
    catalogue.write(sound=encoded)

    result = catalogue.run()

    assert result.ret == 0
    assert "\\r" not in (catalogue.path / "asked.log").read_text()


def test_row_11_a_bomb_costs_next_to_no_memory(catalogue: Catalogue) -> None:
    catalogue.write(w=bomb())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    catalogue.refused()

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


def test_row_13_a_prompt_of_10_mb_is_asked_and_shown_in_part(catalogue: Catalogue) -> None:
    catalogue.write(sound=case("expect: nothing").replace("Italy", "a" * 10_000_000))

    result = catalogue.run()

    assert result.ret == 1
    assert len(result.stdout.str()) < 20_000


def test_row_19_an_unreadable_file_is_told(catalogue: Catalogue) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    catalogue.write(w=ONE)
    (catalogue.path / "evals/w.evalcase.yaml").chmod(0)

    assert catalogue.refused() == [
        "evals/w.evalcase.yaml:1:1: the file may not be read: its permissions forbid it"
    ]


def a_folder(path: Path) -> None:
    path.mkdir()


def a_broken_link(path: Path) -> None:
    path.symlink_to("nowhere")


def a_loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize("make", [a_folder, os.mkfifo, a_broken_link, a_loop])
def test_row_19_what_only_looks_like_a_case_file_is_told(catalogue: Catalogue, make: object) -> None:
    assert callable(make)
    make(catalogue.path / "evals/w.evalcase.yaml")

    result = catalogue.run()

    assert result.ret != 0
    assert catalogue.verdict["verdict"] == "INCOMPLETE"
    assert "evals/w.evalcase.yaml is not a regular file" in result.stderr.str()


def test_row_20_a_file_that_changes_during_the_run_leaves_it_incomplete(catalogue: Catalogue) -> None:
    catalogue.put(
        "conftest.py",
        "def pytest_collection_finish(session):\n"
        "    path = session.config.rootpath / 'evals/sound.evalcase.yaml'\n"
        "    path.write_text(path.read_text().replace('Paris', 'Lyon'))\n",
    )

    catalogue.run()

    assert catalogue.verdict["verdict"] == "INCOMPLETE"
    assert "evals/sound.evalcase.yaml" in catalogue.verdict["sentence"]


THREE = (
    SOUND + "  - {id: italy, prompt: Italy?, expect: Rome}\n  - {id: japan, prompt: Japan?, expect: Tokyo}\n"
)


def test_row_21_items_that_a_hook_drops_narrow_the_run(catalogue: Catalogue) -> None:
    catalogue.write(sound=THREE)
    catalogue.put("conftest.py", "def pytest_collection_modifyitems(items):\n    del items[0]\n")

    catalogue.run()

    assert catalogue.verdict["verdict"] == "INCOMPLETE"
    assert catalogue.verdict["sentence"] == (
        "narrowed: left out before the start: evals/sound.evalcase.yaml::france"
    )


def test_row_21_workers_that_collect_different_sets_leave_the_run_incomplete(catalogue: Catalogue) -> None:
    pytest.importorskip("xdist")
    catalogue.write(sound=THREE)
    catalogue.put(
        "conftest.py",
        "import os\n"
        "def pytest_collection_modifyitems(items):\n"
        "    if os.environ['PYTEST_XDIST_WORKER'] == 'gw1':\n        del items[0]\n",
    )

    result = catalogue.project.run_apart(GOOD, "-n2")

    assert result.ret != 0
    assert catalogue.verdict["verdict"] == "INCOMPLETE"
    assert "the workers collected different cases" in catalogue.verdict["sentence"]
    assert not catalogue.was_asked


def test_a_file_that_cant_be_read_cuts_the_run_short_and_does_not_narrow_it(catalogue: Catalogue) -> None:
    catalogue.write(w="", x="cases: []\n")

    catalogue.refused()

    assert catalogue.verdict["sentence"] == "2 collection errors"


def test_mistaken_cases_are_counted_in_one_readable_sentence(catalogue: Catalogue) -> None:
    catalogue.write(w=ONE.replace("expect", "expcted"), x=ONE.replace("prompt", "promt"))

    catalogue.refused()

    assert catalogue.verdict["sentence"] == "2 collection errors"
    assert catalogue.verdict["reasons"][:2] == [
        "cut short: 2 collection errors",
        "1 of 1 planned trial is missing: evals/sound.evalcase.yaml::france",
    ]
