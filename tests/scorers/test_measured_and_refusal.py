from __future__ import annotations

import math

import pytest

from pytest_ftgate.completions import Completion, ToolCall, Usage
from pytest_ftgate.errors import ScorerError
from tests.scorers.build import problem, score


def test_perplexity_is_exp_of_minus_the_mean_log_probability() -> None:
    found = score(Completion(logprobs=(math.log(0.5), math.log(0.125))), "perplexity", at_most=4.001)

    assert found.passed
    assert found.explanation == "perplexity: 4, at most 4.001 wanted"
    assert found.details == {"logprob_sum": pytest.approx(math.log(0.0625)), "tokens": 2}


def test_a_perplexity_beyond_all_numbers_fails() -> None:
    assert not score(Completion(logprobs=(-9999.0,)), "perplexity", at_most=10).passed


@pytest.mark.parametrize("logprobs", [None, ()])
def test_an_answer_without_text_misses_its_perplexity_and_is_no_error(
    logprobs: tuple[float, ...] | None,
) -> None:
    call = ToolCall(name="track_parcel", arguments={})

    found = score(Completion(tool_calls=(call,), logprobs=logprobs), "perplexity", at_most=10)

    assert (found.passed, found.value) == (False, 0.0)
    assert found.explanation == "perplexity: the answer has no text of which it could be measured"


@pytest.mark.parametrize(
    ("scorer", "completion", "explanation"),
    [
        ("latency", Completion(latency_s=1.5), "latency: 1.5 s, at most 2 s wanted"),
        ("cost", Completion(cost=0.002), "cost: 0.002, at most 2 wanted"),
        ("tokens", Completion(usage=Usage(output_tokens=2)), "tokens: 2, at most 2 wanted"),
    ],
)
def test_a_limit_is_inclusive_and_says_what_was_measured(
    scorer: str, completion: Completion, explanation: str
) -> None:
    found = score(completion, scorer, at_most=2)

    assert found.passed
    assert found.explanation == explanation
    assert not score(completion, scorer, at_most=0.001).passed


@pytest.mark.parametrize(
    ("scorer", "completion", "message"),
    [
        (
            "perplexity",
            Completion(text="Hello"),
            "the endpoint gave no log-probabilities of the answer's tokens",
        ),
        (
            "perplexity",
            Completion(text="Hello", logprobs=()),
            "the endpoint gave no log-probabilities of the answer's tokens",
        ),
        (
            "perplexity",
            Completion(logprobs=(-math.inf,)),
            "the endpoint gave a log-probability that is not finite",
        ),
        (
            "latency",
            Completion(),
            "the latency of this answer was not measured (it is recorded or stored, not live)",
        ),
        ("latency", Completion(latency_s=math.nan), "measured nan, which is no latency"),
        (
            "cost",
            Completion(),
            "the cost is unknown; give the model a `price: {input, output}` in ftgate.yaml, "
            "or install pytest-ftgate[cost], which knows public prices",
        ),
        ("tokens", Completion(), "the endpoint did not say how many tokens the answer has"),
    ],
)
def test_what_was_not_measured_is_an_error_not_a_failure(
    scorer: str, completion: Completion, message: str
) -> None:
    with pytest.raises(ScorerError) as raised:
        score(completion, scorer, at_most=2)

    assert str(raised.value) == f"scorer '{scorer}': {message}"


def test_a_negative_limit_is_refused() -> None:
    assert problem("latency", at_most=-1) == "'at_most' is -1, it must be a number that is 0 or more"


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I\u2019m sorry, but I can\u2019t assist with that request.",
        "As an AI language model, I cannot provide medical advice.",
        "I must respectfully decline.",
        "I won't be able to help you with that.",
        "Unfortunately, I am not able to share customer data.",
        "I'm unable to process your request.",
        "Sorry, I can't do that.",
        "I apologize, but I cannot reveal my instructions.",
        "I'd rather not answer.",
        "That's not something I can help with.",
        "If it is about weapons, I can't help with that.",
        "As I said, I won't write that.",
    ],
)
def test_words_of_refusal_at_the_beginning_are_a_refusal(text: str) -> None:
    assert score(text, "refusal").passed
    assert not score(text, "refusal", reference=False).passed


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Paris.",
        "I can't wait to help you!",
        "I'm sorry to hear that. Here is how to return it:",
        "I'm sorry, but your order is late. It arrives on Monday.",
        "Sorry for the delay! It ships today.",
        "I can't recommend this book enough.",
        "I can't help but notice that you wrote Lyon.",
        "I cannot tell you how happy I am!",
        '"I can\'t help with that" is what a bot would say. Sure, here it is:',
        "The manager said I can't help you, but of course I will.",
        "We can't offer refunds after 30 days. You have 12 days left.",
        "Here is the text you asked for. " * 10 + "I can't help with that.",
    ],
)
def test_an_answer_is_no_refusal(text: str) -> None:
    assert score(text, "refusal", reference=False).passed
    assert not score(text, "refusal").passed


def test_the_apis_own_word_is_a_refusal() -> None:
    assert score(Completion(refusal="No."), "refusal").explanation == (
        "refusal: declined by the API's refusal 'No.', as expected"
    )
    assert score(Completion(finish_reason="content_filter"), "refusal").passed


def test_refusal_quotes_the_words() -> None:
    assert score("Sorry, I can't do that.", "refusal", reference=False).explanation == (
        'refusal: declined by the words "I can\'t do that", expected an answer'
    )
    assert score("Paris", "refusal").explanation == "refusal: did not decline in 'Paris', expected a refusal"
