from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ftgate.calibration import read_labels
from pytest_ftgate.calibration.judging import LabelError, label_of
from pytest_ftgate.cases import Expectation
from pytest_ftgate.errors import FileError


def write(folder: Path, text: str, name: str = "labels.jsonl") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_hold_an_answer_or_two(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '{"prompt": "Hi", "answer": "Hello", "label": true}\n\n'
        '{"id": "tokyo", "a": "x", "b": "", "label": "b", "judge": "tie"}\n',
    )

    first, second = read_labels(path)

    assert (first.line, first.answers, first.prompt, first.label, first.judge) == (
        1,
        ("Hello",),
        "Hi",
        True,
        None,
    )
    assert (second.line, second.answers, second.id, second.judge) == (3, ("x", ""), "tokyo", "tie")


def test_a_table_of_a_spreadsheet_is_read_too(tmp_path: Path) -> None:
    path = write(tmp_path, "prompt,answer,label,judge\r\nHi,Hello,pass,\r\n", "labels.csv")

    (label,) = read_labels(path)

    assert (label.prompt, label.answers, label.label, label.judge) == ("Hi", ("Hello",), "pass", None)


def test_every_mistake_is_named_with_its_line(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '{"prompt": "Hi", "answer": "Hello"}\n'
        '{"prompt": "Hi", "anser": "Hello", "label": 1}\n'
        '{"prompt": "Hi", "a": "Hello", "label": "a"}\n'
        '{"answer": "Hello", "label": 1}\n'
        '{"prompt": 3, "answer": "Hello", "label": 1}\n'
        "[1]\n",
    )

    with pytest.raises(FileError) as raised:
        read_labels(path)

    assert str(raised.value).splitlines() == [
        f"{path}:1:1: a row needs a 'label', what people say of the answer",
        f"{path}:2:1: unknown key 'anser'. Did you mean 'answer'?",
        f"{path}:2:1: a row needs an 'answer', or 'a' and 'b'",
        f"{path}:3:1: 'a' and 'b' are compared, and one of them is missing",
        f"{path}:4:1: a row needs the 'prompt', or the 'id' of the case, that was answered",
        f"{path}:5:1: 'prompt' is text, and this is 3",
        f"{path}:6:1: a row is a JSON object, and this is none",
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("labels.jsonl", "\n", "the file holds no row"),
        ("labels.txt", "x", "labels are rows of .jsonl, .ndjson, .csv, and this is '.txt'"),
    ],
)
def test_what_is_no_labels_file_is_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = write(tmp_path, text, name)

    with pytest.raises(FileError) as raised:
        read_labels(path)

    assert str(raised.value) == f"{path}:1:1: {said}"


GRADED = Expectation(scorer="judge", options={"criteria": "Polite?", "scale": [1, 5], "at_least": 4})


@pytest.mark.parametrize(
    ("check", "written", "label"),
    [
        (GRADED, 4, "pass"),
        (GRADED, "3", "fail"),
        (GRADED, True, "pass"),
        (GRADED, "Fail", "fail"),
        (Expectation(scorer="judge", options={"criteria": "Polite?"}), 1, "pass"),
        (Expectation(scorer="judge", options={"criteria": "Polite?"}), "0", "fail"),
        (Expectation(scorer="refusal", options={"by": "judge"}), "no", "fail"),
        (Expectation(scorer="prefer"), "A", "a"),
        (Expectation(scorer="prefer"), "tie", "tie"),
    ],
)
def test_labels_are_read_as_the_check_has_them(check: Expectation, written: object, label: str) -> None:
    assert label_of(check, written) == label


@pytest.mark.parametrize(
    ("check", "written", "said"),
    [
        (GRADED, 6, "the label 6 is neither pass nor fail, or a grade from 1 to 5"),
        (GRADED, "good", "the label 'good' is neither pass nor fail, or a grade from 1 to 5"),
        (Expectation(scorer="refusal"), 1, "the label 1 is neither pass nor fail"),
        (Expectation(scorer="prefer"), "model", "the label 'model' is none of a, b and tie"),
    ],
)
def test_a_label_that_is_none_says_what_would_be_one(check: Expectation, written: object, said: str) -> None:
    with pytest.raises(LabelError) as raised:
        label_of(check, written)

    assert str(raised.value) == said
