from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_ftgate.cases import AnswerRule, Expectation, Role
from pytest_ftgate.errors import FileError
from pytest_ftgate.files.case_file import read_suite
from pytest_ftgate.scorers import BUILTIN
from tests.files.conftest import Complaints, ReadSuite

TOKYO = """\
suite: support_tools
role: general
defaults:
  category: simple
  system: You route requests.
  params: {temperature: 0, max_tokens: 200}
  metadata: {team: a, tier: 1}
cases:
  - id: tokyo
    prompt: What's the weather in Tokyo?
    tags: [slow, weather, slow]
    params: {max_tokens: null, seed: 7}
    metadata: {tier: 2}
    repeat: 3
    must_pass: true
    accept_truncated: true
    xfail: not trained yet
    answer: {after: 'A:', which: last, ignore_case: true, lines: 1, strip: ' .'}
    expect:
      tool_call: {name: get_weather, arguments: {location: Tokyo}}
"""


def one_case(rest: str) -> str:
    """A file with one case whose further keys are `rest`, in flow style."""
    return f"cases:\n  - {{id: a, prompt: hi, {rest}}}\n"


def test_a_case_has_everything_that_its_file_says(suite_of: ReadSuite) -> None:
    suite = suite_of(TOKYO)

    (case,) = suite.cases
    assert (suite.name, suite.role, suite.path, suite.collect) == (
        "support_tools", Role.GENERAL, "evals/tools.evalcase.yaml", True,
    )  # fmt: skip
    assert (suite.mistakes, suite.warnings) == ((), ())
    assert (case.suite, case.id, case.path, case.line, case.column) == (
        "support_tools", "tokyo", "evals/tools.evalcase.yaml", 9, 5,
    )  # fmt: skip
    assert case.messages == (
        {"role": "system", "content": "You route requests."},
        {"role": "user", "content": "What's the weather in Tokyo?"},
    )
    assert case.params == {"temperature": 0, "seed": 7}
    assert case.metadata == {"team": "a", "tier": 2}
    assert (case.role, case.category, case.tags) == (Role.GENERAL, "simple", ("slow", "weather"))
    assert (case.repeat, case.must_pass, case.accept_truncated) == (3, True, True)
    assert (case.skip, case.xfail) == (None, "not trained yet")
    assert case.answer == AnswerRule(after="A:", which="last", ignore_case=True, lines=1, strip=" .")
    assert case.expect == (
        Expectation(
            scorer="tool_call", options={"name": "get_weather", "arguments": {"location": "Tokyo"}}, line=20
        ),
    )
    assert not case.from_dataset


def test_the_suite_is_named_after_its_file_and_targets_the_tuned_task(suite_of: ReadSuite) -> None:
    suite = suite_of(one_case("expect: x"))

    assert (suite.name, suite.role, suite.cases[0].category) == ("tools", Role.TARGET, "default")


def test_null_takes_a_default_away(suite_of: ReadSuite) -> None:
    source = "defaults: {category: c, system: S, tags: [t], params: {a: 1}}\n" + one_case(
        "expect: x, category: null, system: ~, tags: null, params: null"
    )

    (case,) = suite_of(source).cases

    assert (case.category, case.tags, case.params) == ("default", (), {})
    assert case.messages == ({"role": "user", "content": "hi"},)


@pytest.mark.parametrize(
    "written", ["no", "on", "Yes", "12:30", "010", "1_000", "1.10", "2024-13-45", "=", ".nan", "1e5"]
)
def test_text_stays_as_it_was_typed(suite_of: ReadSuite, written: str) -> None:
    (case,) = suite_of(
        f"cases:\n  - id: a\n    prompt: {written}\n    category: '1'\n    expect: {written}\n"
    ).cases

    assert case.prompt == written
    assert case.expect[0].options == {"reference": written}


def test_other_values_follow_yaml_1_2(suite_of: ReadSuite) -> None:
    (case,) = suite_of(
        one_case(
            "expect: x, metadata: {a: 010, b: 0o10, c: yes, d: 12:30, e: true, f: 1.10, g: '1', h: "
            "0x1F, i: [1e2]}"
        )
    ).cases

    assert case.metadata == {
        "a": 10, "b": 8, "c": "yes", "d": "12:30", "e": True, "f": 1.1, "g": "1", "h": 31, "i": [100.0],
    }  # fmt: skip


def test_messages_keep_their_parts(suite_of: ReadSuite) -> None:
    (case,) = suite_of("""\
cases:
  - id: a
    messages:
      - {role: user, content: [{type: text, text: 010}, {type: image_url, image_url: 'https://x/y.png'}]}
      - role: assistant
        tool_calls: [{id: c1, function: {name: f, arguments: {a: 1}}}]
      - {role: tool, tool_call_id: c1, content: no}
    expect: none
""").cases

    assert case.messages == (
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "010"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
            ],
        },
        {
            "role": "assistant",
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "no"},
    )
    assert case.expect == ()


def test_tools_come_from_a_file_once(suite_of: ReadSuite, tmp_path: Path) -> None:
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "tools.json").write_text('[{"name": "a.b", "parameters": {"type": "dict"}}]')

    one, two = suite_of(
        "defaults: {tools: tools.json}\ncases:\n"
        "  - {id: a, prompt: x, expect: y}\n  - {id: b, prompt: x, expect: y, tools: tools.json}\n"
    ).cases

    assert one.tools == ({"type": "function", "function": {"name": "a.b", "parameters": {"type": "object"}}},)
    assert two.tools is one.tools


def test_the_digest_covers_the_file_and_what_it_names(suite_of: ReadSuite, tmp_path: Path) -> None:
    (tmp_path / "evals").mkdir()
    tools = tmp_path / "evals" / "tools.json"
    tools.write_text('[{"name": "a"}]')
    source = one_case("expect: x, tools: tools.json")
    first = suite_of(source).digest

    same, other_bytes = suite_of(source).digest, suite_of(source + "# more\n").digest
    tools.write_text('[{"name": "b"}]')
    other_tools = suite_of(source).digest

    assert same == first
    assert len({first, other_bytes, other_tools}) == 3


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", "1:1: no cases: the file is empty"),
        ("# nothing\n", "1:1: no cases: the file is empty"),
        ("cases: []", "1:8: no cases: write them under 'cases:', or name files under 'datasets:'"),
        ("cases:\n", "1:7: no cases: write them under 'cases:', or name files under 'datasets:'"),
        ("- a", "1:1: a case file takes a mapping, and this is a list"),
        ("text", "1:1: a case file takes a mapping, and this is 'text'"),
        ("cases: x", "1:8: 'cases' takes a list, and this is 'x'"),
        ("case: []", "1:1: unknown key 'case'. Did you mean 'cases'?"),
        ("role: targt\n" + one_case("expect: x"), "1:7: 'role' is 'targt'. Did you mean 'target'?"),
        (
            "suite: a/b\n" + one_case("expect: x"),
            "1:8: 'suite' 'a/b' has /: letters, digits, '_', '.', '-' and single spaces are allowed",
        ),
        ("collect: no\n" + one_case("expect: x"), "1:10: 'collect' takes true or false, and this is 'no'"),
        ("defaults: []\n" + one_case("expect: x"), "1:11: 'defaults' takes a mapping, and this is a list"),
        (
            "defaults: {id: x}\n" + one_case("expect: x"),
            "1:12: an 'id' can't be a default: every case needs its own",
        ),
        (
            "defaults: {categry: x}\n" + one_case("expect: x"),
            "1:12: unknown key 'categry'. Did you mean 'category'?",
        ),
    ],
)
def test_a_file_that_can_not_be_used_is_an_error(suite_of: ReadSuite, source: str, expected: str) -> None:
    with pytest.raises(FileError) as caught:
        suite_of(source)

    assert str(caught.value) == f"evals/tools.evalcase.yaml:{expected}"
    assert [mistake.case for mistake in caught.value.mistakes] == [None]


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("expct: x", "2:25: unknown key 'expct'. Did you mean 'expect'?"),
        ("expect: x, repeat: 0", "2:44: 'repeat' takes a whole number of at least 1, and this is '0'"),
        ("expect: x, repeat: '2'", "2:44: 'repeat' takes a whole number of at least 1, and this is '2'"),
        ("expect: x, must_pass: yes", "2:47: 'must_pass' takes true or false, and this is 'yes'"),
        ("expect: x, skip: true", "2:42: 'skip' takes the reason as text, and this is 'true'"),
        ("expect: x, xfail: ''", "2:43: 'xfail' is empty"),
        ("expect: x, category: ' x'", "2:46: the category ' x' begins or ends with a space"),
        ("expect: x, category: a  b", "2:46: the category 'a  b' has two spaces in a row"),
        (
            "expect: x, category: 'a\u200bb'",
            "2:46: the category 'a\\u200bb' has U+200B (ZERO WIDTH SPACE): letters, digits, '_', "
            "'.', '-' and single "
            "spaces are allowed",
        ),
        ("expect: x, tags: {a: b}", "2:42: 'tags' takes a list, and this is a mapping"),
        ("expect: x, tags: [a, '']", "2:46: the tag '' is empty"),
        ("expect: x, params: [a]", "2:44: 'params' takes a mapping, and this is a list"),
        ("expect: x, params: {t: .inf}", "2:48: '.inf' is no finite number: quote it if it is text"),
        ("expect: x, params: {t: 1e999}", "2:48: '1e999' is no finite number: quote it if it is text"),
        ("expect: x, params: {t: " + "9" * 400 + "}", "2:48: a number of 400 digits: quote it if it is text"),
        (
            "expect: x, params: {t: }",
            "2:48: the value is empty: write null, or quote it (a '#' begins a comment)",
        ),
        (
            "expect: x, params: {model: m}",
            "2:45: 'model' can't be a parameter: the model is named by --model",
        ),
        ("expect: x, turns: []", "2:43: 'turns' is an empty list"),
        (
            "expect: x, answer: {}",
            "2:44: 'answer' is empty. Keys: after, which, ignore_case, regex, json, lines, strip",
        ),
        ("expect: x, answer: {aftr: x}", "2:45: unknown key 'aftr'. Did you mean 'after'?"),
        (
            "expect: x, answer: {after: x, json: y}",
            "2:55: 'answer' cuts in one way, and this one has 'after' and 'json'",
        ),
        ("expect: x, answer: {json: y, which: last}", "2:54: 'which' goes with 'after' or 'regex'"),
        ("expect: x, answer: {after: x, which: lst}", "2:62: 'which' is 'lst'. Did you mean 'last'?"),
        (
            "expect: x, answer: {regex: '('}",
            "2:52: '(' is not a regular expression: missing ) at position 1",
        ),
        ("expect: x, tools: [{type: function}]", "2:43: 'tools': tool 1 has no name"),
        (
            "expect: x, messages: [{role: user, content: x}]",
            "2:5: a case has 'prompt' or 'messages', not both",
        ),
    ],
)
def test_a_mistake_in_a_case_is_named_with_its_place(
    complaints: Complaints, rest: str, expected: str
) -> None:
    messages = complaints(one_case(rest))

    where, _, message = expected.partition(": ")
    assert f"evals/tools.evalcase.yaml:{where}: case 'a': {message}" in messages


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "cases:\n  - id: a\n    prompt: x\n    expect: #ff0000\n",
            "4:12: case 'a': the value of 'expect' is empty: quote it (a '#' begins a comment)",
        ),
        (
            "cases:\n  - id: a\n    prompt: x\n    expect: null\n",
            "2:5: case 'a': a case needs 'expect': what the answer must be, or 'expect: none'; if "
            "the answer is the word "
            "null, quote it",
        ),
        (
            "cases:\n  - {id: a, prompt: x}\n",
            "2:5: case 'a': a case needs 'expect': what the answer must be, or 'expect: none'",
        ),
        ("cases:\n  - {id: a, expect: x}\n", "2:5: case 'a': a case needs a 'prompt', 'messages' or 'turns'"),
        ("cases:\n  - {id: a, prompt: ' ', expect: x}\n", "2:21: case 'a': 'prompt' is empty"),
        (
            "cases:\n  - {id: a, prompt: [b], expect: x}\n",
            "2:21: case 'a': 'prompt' takes text, and this is a list",
        ),
        (
            "cases:\n  - {prompt: x, expect: x}\n",
            "2:5: case 'case-at-line-2': a case needs an 'id', one that stays when cases are added or moved",
        ),
        (
            "cases:\n  - {id: 'a::b', prompt: x, expect: x}\n",
            "2:10: case 'case-at-line-2': 'a::b' can't be an id: an id has 1 to 100 of A-Z a-z 0-9 "
            "_ . - and begins with "
            "a letter or digit",
        ),
        (
            "cases:\n  - {id: " + "x" * 101 + ", prompt: x, expect: x}\n",
            "2:10: case 'case-at-line-2': the id '"
            + "x" * 59
            + "…' has 101 characters: an id has 1 to 100 of A-Z a-z "
            "0-9 _ . - and begins with a letter or digit",
        ),
        ("cases:\n  - x\n", "2:5: case 'case-at-line-2': a case takes a mapping, and this is 'x'"),
        (
            "cases:\n  - {id: 1, prompt: x, expect: x}\n  - {id: '1', prompt: x, expect: x}\n",
            "3:6: case 'case-at-line-3': the id '1' is taken, by evals/tools.evalcase.yaml:2",
        ),
        (
            "defaults: {prompt: x}\ncases:\n  - {id: a, messages: [{role: user, content: y}], expect: x}\n",
            "3:5: case 'a': a case has 'prompt' or 'messages', not both; write 'prompt: null' to "
            "leave out the default",
        ),
        (
            "defaults: {system: x}\ncases:\n  - {id: a, messages: [{role: system, content: y}], expect: x}\n",
            "3:5: case 'a': the case has a 'system', and its messages begin with another one; write "
            "'system: null' to "
            "leave out the default",
        ),
        (
            "cases:\n  - {id: a, messages: [{role: usr, content: y}], expect: x}\n",
            "2:31: case 'a': 'role' is 'usr'. Did you mean 'user'?",
        ),
        (
            "cases:\n  - {id: a, messages: [{role: user}], expect: x}\n",
            "2:24: case 'a': a message needs content",
        ),
        (
            "cases:\n  - {id: a, messages: [{role: user, content: [{type: txt, text: y}]}], expect: x}\n",
            "2:54: case 'a': 'type' is 'txt'. Did you mean 'text'?",
        ),
    ],
)
def test_a_mistake_of_a_whole_case_is_named_with_its_place(
    complaints: Complaints, source: str, expected: str
) -> None:
    assert complaints(source) == [f"evals/tools.evalcase.yaml:{expected}"]


def test_all_mistakes_come_at_once_and_sound_cases_stay(suite_of: ReadSuite) -> None:
    suite = suite_of("""\
cases:
  - {id: good, prompt: x, expect: y}
  - {id: bad, prompt: x, expect: {exact: y}, repeat: none}
  - {id: worse, promt: x, expect: y}
""")

    assert [case.id for case in suite.cases] == ["good"]
    assert [str(mistake) for mistake in suite.mistakes] == [
        "evals/tools.evalcase.yaml:3:35: case 'bad': unknown scorer 'exact'. Did you mean 'exact_match'?",
        "evals/tools.evalcase.yaml:3:54: case 'bad': 'repeat' takes a whole number of at least 1, "
        "and this is 'none'",
        "evals/tools.evalcase.yaml:4:17: case 'worse': unknown key 'promt'. Did you mean 'prompt'?",
    ]


def test_fifty_mistakes_are_listed_and_the_others_counted(suite_of: ReadSuite) -> None:
    source = "cases:\n" + "".join(f"  - {{id: c{n}, prompt: x, expct: y}}\n" for n in range(73))

    mistakes = suite_of(source).mistakes

    assert len(mistakes) == 50
    assert mistakes[-1].message == (
        "unknown key 'expct'. Did you mean 'expect'?\n(23 more mistakes of this file are not listed)"
    )


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        (
            [("Tokyo", "c"), ("tokyo", "c")],
            "evals/tools.evalcase.yaml:3: the id 'tokyo' is almost 'Tokyo' in evals/tools.evalcase.yaml:2",
        ),
        (
            [("a", "caf\u00e9"), ("b", "cafe\u0301")],
            "evals/tools.evalcase.yaml:3: the category 'cafe\u0301' is almost 'caf\u00e9' in "
            "evals/tools.evalcase.yaml:2",
        ),
        (
            [("a", "\u0430dversarial")],
            "evals/tools.evalcase.yaml:2: the category '\u0430dversarial' mixes Cyrillic and Latin letters",
        ),
    ],
)
def test_names_that_look_alike_are_warned_of(
    suite_of: ReadSuite, cases: list[tuple[str, str]], expected: str
) -> None:
    source = "cases:\n" + "".join(f"  - {{id: {i}, prompt: x, expect: y, category: {c}}}\n" for i, c in cases)

    assert suite_of(source).warnings == (expected,)


def complaint_of(path: Path, rootdir: Path) -> str:
    with pytest.raises(FileError) as caught:
        read_suite(path, rootdir, BUILTIN)
    return str(caught.value)


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{name}.evalcase.yaml" for name in ("folder", "pipe", "broken", "loop")}
    paths["folder"].mkdir()
    os.mkfifo(paths["pipe"])
    paths["broken"].symlink_to(tmp_path / "nowhere")
    paths["loop"].symlink_to(paths["loop"])

    messages = {name: complaint_of(path, tmp_path) for name, path in paths.items()}

    assert messages == {
        "folder": "folder.evalcase.yaml:1:1: the file is a folder",
        "pipe": "pipe.evalcase.yaml:1:1: the file is not a regular file",
        "broken": "broken.evalcase.yaml:1:1: the file does not exist",
        "loop": "loop.evalcase.yaml:1:1: the file can't be opened: Too many levels of symbolic links",
    }


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not bind this user"
)
def test_an_unreadable_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "secret.evalcase.yaml"
    path.write_text("x")
    path.chmod(0)

    assert (
        complaint_of(path, tmp_path)
        == "secret.evalcase.yaml:1:1: the file may not be read: its permissions forbid it"
    )


def test_a_file_that_is_too_large_names_the_remedy(tmp_path: Path) -> None:
    path = tmp_path / "big.evalcase.yaml"
    with path.open("wb") as file:
        file.truncate(33 * 2**20)

    assert complaint_of(path, tmp_path) == (
        "big.evalcase.yaml:1:1: the file has 33.0 MB, more than 32: split it, or move the cases to "
        "a JSONL file and name "
        "it under 'datasets:'"
    )


def test_a_file_name_that_can_not_name_a_suite_asks_for_a_name(tmp_path: Path) -> None:
    path = tmp_path / "my(1).evalcase.yaml"
    path.write_text(one_case("expect: x"))

    assert complaint_of(path, tmp_path) == (
        "my(1).evalcase.yaml:1:1: the suite has the file's name, 'my(1)', which has (: letters, "
        "digits, '_', '.', '-' "
        "and single spaces are allowed: write 'suite: …'"
    )


def test_collect_false_is_passed_on(suite_of: ReadSuite) -> None:
    assert suite_of("collect: false\n" + one_case("expect: x")).collect is False


def test_the_same_prompt_is_asked_whatever_form_it_was_written_in(suite_of: ReadSuite) -> None:
    one, two = suite_of("""\
cases:
  - {id: a, system: S, prompt: P, expect: x}
  - {id: b, messages: [{role: system, content: S}, {content: P, role: user}], expect: x}
""").cases

    assert one.asked == two.asked
