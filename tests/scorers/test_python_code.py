from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from pytest_ftgate.errors import ScorerError
from tests.scorers.build import problem, score

CODE = """\
from decimal import Decimal
from pytest_ftgate.scores import Score


def yes(completion, case):
    return completion.text == case.prompt


def value(completion, case):
    return float(completion.text)


def full(completion, case):
    return Score(scorer="ours", value=0.25, passed=True, explanation="ours: good enough")


def wrong(completion, case):
    return {"none": None, "text": "yes", "decimal": Decimal(1), "score": Score(
        scorer="x", value=2, passed=True, explanation="")}[completion.text]


async def later(completion, case):
    return True


def hidden(completion, case):
    return later(completion, case)


def broken(completion, case):
    return 1 / 0


def numpys(completion, case):
    return type("bool", (), {"__module__": "numpy"})()


def leave(completion, case):
    raise SystemExit(0)


number = 5
"""


@pytest.fixture(autouse=True, scope="module")
def _modules(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("code")
    (folder / "our_scorers.py").write_text(CODE)
    (folder / "broken_module.py").write_text("import no_such_module_at_all")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.chdir(folder)
        yield
    sys.modules.pop("our_scorers", None)


def line_of(text: str) -> int:
    return CODE.split("\n").index(text) + 1


def test_a_function_may_return_a_bool_a_number_or_a_score() -> None:
    assert score("Capital of France?", "python", reference="our_scorers:yes").explanation == (
        "python: our_scorers:yes: returned True"
    )
    assert score("0.5", "python", reference="our_scorers:value", at_least=0.5).passed
    assert score("0.5", "python", reference="our_scorers:value").explanation == (
        "python: our_scorers:value: 0.5, at least 1 wanted"
    )
    found = score("x", "python", reference="our_scorers:full")
    assert (found.scorer, found.value, found.passed) == ("python", 0.25, True)


@pytest.mark.parametrize(
    ("function", "answer", "message"),
    [
        ("wrong", "none", "returned NoneType, it must return a bool, a number from 0 to 1, or a Score"),
        ("wrong", "text", "returned str, it must return a bool, a number from 0 to 1, or a Score"),
        (
            "wrong",
            "decimal",
            "returned decimal.Decimal, it must return a bool, a number from 0 to 1, or a Score",
        ),
        ("wrong", "score", "gave the value 2, it must be a number from 0 to 1"),
        ("value", "1.5", "returned 1.5, it must return a bool, a number from 0 to 1, or a Score"),
        ("value", "-1", "returned -1.0, it must return a bool, a number from 0 to 1, or a Score"),
        ("value", "nan", "returned nan, it must return a bool, a number from 0 to 1, or a Score"),
        ("numpys", "", "returned numpy.bool, it must return a bool, a number from 0 to 1, or a Score"),
        ("hidden", "", "returned a coroutine; a scorer must not be async"),
    ],
)
def test_anything_else_is_an_error_with_the_functions_place(function: str, answer: str, message: str) -> None:
    line = line_of(f"def {function}(completion, case):")

    with pytest.raises(ScorerError) as raised:
        score(answer, "python", reference=f"our_scorers:{function}")

    assert str(raised.value) == f"scorer 'python': our_scorers.py:{line} {message}"


@pytest.mark.parametrize(
    ("function", "line", "message"),
    [
        ("broken", "    return 1 / 0", "raised ZeroDivisionError: division by zero"),
        ("leave", "    raise SystemExit(0)", "raised SystemExit: 0"),
    ],
)
def test_what_the_function_raises_is_an_error_with_its_line(function: str, line: str, message: str) -> None:
    with pytest.raises(ScorerError) as raised:
        score("x", "python", reference=f"our_scorers:{function}")

    assert str(raised.value) == f"scorer 'python' (our_scorers.py:{line_of(line)}) {message}"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("our_scorers", "'reference' is 'our_scorers', it must be `module:function`"),
        ("our_scorers:", "'reference' is 'our_scorers:', it must be `module:function`"),
        ("our_scorers:nope", "'our_scorers' has no function 'nope'"),
        ("our_scorers:number", "'our_scorers' has no function 'number'"),
        ("our_scorers:later", "'our_scorers:later' is async; a scorer must not be"),
        (
            "broken_module:f",
            "the module 'broken_module' can't be imported (ModuleNotFoundError: No module named "
            "'no_such_module_at_all'); is its folder in pytest's `pythonpath`?",
        ),
    ],
)
def test_a_function_that_cannot_be_called_is_named_before_anything_is_asked(
    reference: str, message: str
) -> None:
    assert problem("python", reference=reference) == message


def test_a_sound_function_has_no_problem() -> None:
    assert problem("python", reference="our_scorers:yes", at_least=0.5) is None
