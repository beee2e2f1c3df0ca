from __future__ import annotations

import json

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from pytest_ftgate.cases import Arm
from pytest_ftgate.completions import Completion
from pytest_ftgate.errors import ScorerError
from pytest_ftgate.scorers import BUILTIN, Bench, Question, questions_of
from tests.data import data_folder
from tests.scorers.benches import Judge, given, needs_of, score_by, winner
from tests.scorers.build import case, check, problem


def by_text(good: str) -> Judge:
    """Prefers the answer that holds this text, wherever it stands."""
    return Judge(lambda question: winner("A" if good in given(question, "answer-A") else "B"))


def test_the_better_answer_gets_one_and_the_other_the_rest() -> None:
    model = score_by(by_text("kind"), "a kind one", "prefer", opponent="a short one")
    baseline = score_by(by_text("kind"), "a short one", "prefer", arm=Arm.BASELINE, opponent="a kind one")

    assert (model.value, model.passed, model.explanation) == (1, True, "prefer: won: 'because'")
    assert (baseline.value, baseline.passed, baseline.explanation) == (0, False, "prefer: lost: 'because'")
    assert model.details == baseline.details
    assert model.details["result"] == "win"


def test_both_orders_are_asked_and_the_arms_are_not_named() -> None:
    judge = by_text("kind")

    score_by(judge, "a kind one", "prefer", opponent="a short one")

    assert [(given(question, "answer-A"), given(question, "answer-B")) for question in judge.asked] == [
        ("a kind one", "a short one"),
        ("a short one", "a kind one"),
    ]


@for_all(st.text(min_size=1), st.text(min_size=1))
def test_a_judge_is_asked_the_same_whoever_gave_which_answer(one: str, other: str) -> None:
    compared = case(check("prefer"))
    ways = [
        questions_of(
            compared,
            Completion(text=model),
            BUILTIN,
            bench=Bench(arm=Arm.MODEL, opponent=Completion(text=baseline)),
        )
        for model, baseline in ((one, other), (other, one))
    ]

    assert {question.digest for question in ways[0]} == {question.digest for question in ways[1]}


@pytest.mark.parametrize(
    ("replies", "value", "said"),
    [
        (("A", "A"), 0.5, "prefer: a tie (the two orders disagree): 'because'"),
        (("B", "B"), 0.5, "prefer: a tie (the two orders disagree): 'because'"),
        (("A", "tie"), 0.5, "prefer: a tie (the two orders disagree): 'because'"),
        (("tie", "tie"), 0.5, "prefer: a tie: 'because'"),
        (("A", "B"), 1.0, "prefer: won: 'because'"),
        (("B", "A"), 0.0, "prefer: lost: 'because'"),
    ],
)
def test_orders_that_disagree_are_a_tie(replies: tuple[str, str], value: float, said: str) -> None:
    found = score_by(Judge(map(winner, replies)), "one", "prefer", opponent="other")

    assert (found.value, found.explanation) == (value, said)
    assert found.passed is (value >= 0.5)


def test_the_majority_of_votes_counts() -> None:
    orders = ["A", "B", "A", "A", "A", "B"]  # won, a tie, won

    found = score_by(Judge(map(winner, orders)), "one", "prefer", opponent="other", votes=3)

    assert found.value == 1
    assert found.explanation == "prefer: won (3 votes, 1 with orders that disagree): 'because'"


def test_votes_that_cancel_out_are_a_tie() -> None:
    orders = ["A", "B", "B", "A"]

    found = score_by(Judge(map(winner, orders)), "one", "prefer", opponent="other", votes=2)

    assert (found.value, found.explanation) == (
        0.5,
        "prefer: a tie (2 votes, 0 with orders that disagree): 'the votes differ'",
    )


def test_equal_answers_are_a_tie_without_asking() -> None:
    judge = Judge([])

    found = score_by(judge, "same", "prefer", opponent="same")

    assert (found.value, found.passed) == (0.5, True)
    assert found.explanation == "prefer: a tie: both arms gave the same answer"
    assert found.details == {"result": "tie", "votes": []}


def test_at_least_one_wants_a_win() -> None:
    assert not score_by(Judge([]), "same", "prefer", opponent="same", at_least=1).passed


@pytest.mark.parametrize(("arm", "lacks"), [(Arm.MODEL, "baseline"), (Arm.BASELINE, "model")])
def test_without_the_other_answer_there_is_nothing_to_compare(arm: Arm, lacks: str) -> None:
    with pytest.raises(ScorerError) as raised:
        score_by(Judge([]), "one", "prefer", arm=arm)

    assert str(raised.value) == f"scorer 'prefer': there is no answer of the {lacks} to compare with"


@pytest.mark.parametrize("reply", ["A", winner("C"), winner("a"), winner("model"), '{"winner": "A"}'])
def test_a_reply_that_names_no_winner_is_an_error(reply: str) -> None:
    with pytest.raises(ScorerError, match=r"^scorer 'prefer': the judge's reply "):
        score_by(Judge([reply, reply]), "one", "prefer", opponent="other")


def test_two_questions_a_vote_are_foreseen_once_both_answers_are_there() -> None:
    compared = case(check("prefer", votes=2))

    assert [(need.calls, need.of_pair) for need in needs_of(compared)] == [(4, True)]
    assert questions_of(compared, Completion(text="one"), BUILTIN, bench=Bench(arm=Arm.MODEL)) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"criteria": ""}, "'criteria' is ''; say in words what is judged, or leave it out"),
        ({"at_least": 2}, "'at_least' is 2, it must be a number from 0 to 1; write 0.02 for 2 %"),
    ],
)
def test_options_that_make_no_sense_are_named(options: dict[str, object], said: str) -> None:
    assert problem("prefer", **options) == said


class TestScorePairs:
    def test_two_scores_on_the_first_line_name_the_winner(self) -> None:
        judge = Judge(["8 9\nThe second is fuller.", "9.5, 7\nThe first is fuller."])

        found = score_by(judge, "one", "prefer", opponent="other", reply="scores")

        assert (found.value, found.explanation) == (0.0, "prefer: lost: 'The second is fuller.'")
        assert found.details["votes"][0]["scores"] == [[8.0, 9.0], [9.5, 7.0]]
        assert "response_format" not in judge.asked[0].params

    @pytest.mark.parametrize(
        "first", ["", "8", "8 9 7", "8/10 9/10", "A: 8 B: 9", "eight nine", "8 nan", "-1 5"]
    )
    def test_any_other_first_line_is_an_error(self, first: str) -> None:
        with pytest.raises(ScorerError, match=r"the judge's (first line|reply is empty)"):
            score_by(Judge([f"{first}\n", f"{first}\n"]), "one", "prefer", opponent="other", reply="scores")


class TestAgainstPublishedReviews:
    """GPT-4's reviews of LLaMA-13B, the baseline, and Vicuna-13B; the baseline's answer stood first."""

    @pytest.fixture
    def pairs(self) -> list[dict[str, object]]:
        path = data_folder("vicuna_llm_judge") / "pairs.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    @staticmethod
    def judged(pairs: list[dict[str, object]], review_of: object) -> tuple[list[float], dict[str, int]]:
        """The totals of both, and how often Vicuna won, lost, tied, or nobody can say."""
        totals, counts = [0.0, 0.0], {"win": 0, "tie": 0, "loss": 0, "error": 0}
        for pair in pairs:
            scores, text = review_of(pair)  # type: ignore[operator]
            baseline = str(pair["baseline_output"])

            def reply(
                question: Question, scores: object = scores, text: str = text, first: str = baseline
            ) -> str:
                if given(question, "answer-A") == (first or "[nothing: the answer is empty]"):
                    return text
                # Nobody recorded the other order: a judge without bias gives both scores the other way round.
                return f"{scores[1]} {scores[0]}\n" if scores else text  # type: ignore[index]

            try:
                found = score_by(
                    Judge(reply), str(pair["model_output"]), "prefer", opponent=baseline, reply="scores"
                )
            except ScorerError:
                counts["error"] += 1
                continue
            counts[str(found.details["result"])] += 1
            _, (one, other) = found.details["votes"][0]["scores"]
            totals = [totals[0] + one, totals[1] + other]
        return totals, counts

    def test_recorded_scores_give_the_published_totals(self, pairs: list[dict[str, object]]) -> None:
        def recorded(pair: dict[str, object]) -> tuple[list[float], str]:
            review = pair["judge"]
            scores = [review["baseline_score"], review["model_score"]]  # type: ignore[index]
            return scores, f"{scores[0]} {scores[1]}\n"

        totals, counts = self.judged(pairs, recorded)

        assert totals == [513.0, 694.0]
        assert counts == {"win": 77, "tie": 0, "loss": 3, "error": 0}

    def test_reviews_without_scores_on_their_first_line_are_errors(
        self, pairs: list[dict[str, object]]
    ) -> None:
        def as_written(pair: dict[str, object]) -> tuple[list[str], str]:
            text = str(pair["judge"]["text"])  # type: ignore[index]
            return text.split("\n", maxsplit=1)[0].split(), text

        totals, counts = self.judged(pairs, as_written)

        assert totals == [501.0, 683.0]
        assert counts == {"win": 75, "tie": 0, "loss": 2, "error": 3}
