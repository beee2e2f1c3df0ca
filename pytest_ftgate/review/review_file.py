"""The file of a review: unblinded votes for the gate, and what they amount to."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_ftgate.cases import digest
from pytest_ftgate.errors import RecordError
from pytest_ftgate.record import Vote, merged_votes

if TYPE_CHECKING:
    from pytest_ftgate.review.results import Agreement, Results

REVIEW_SCHEMA = "ftgate.review/1"


def review_json(results: Results) -> dict[str, Any]:
    """The whole review; the same votes give the same content."""
    joined = results.joined
    votes = [
        one.vote.as_json()
        | {"criteria": {name: choice.value for name, choice in one.criteria.items()}}
        | {"pair": one.pair, "side": one.side, "notes": one.notes, "seconds": one.seconds}
        for one in joined.votes
    ]
    return {
        "schema": REVIEW_SCHEMA,
        "batch": joined.key.batch,
        "run_id": joined.key.run_id,
        "preference": {
            one.question: {
                "wins": one.wins,
                "losses": one.losses,
                "ties": one.ties,
                "both_bad": one.both_bad,
                "rate": None if one.rate is None else float(one.rate),
                "interval": one.bounds,
            }
            for one in results.preferences
        },
        "agreement": {
            "alpha": _agreement(results.alpha),
            "kappa": [{"reviewers": list(one.who)} | _agreement(one) for one in results.kappas],
        },
        "reviewers": [
            {
                "reviewer": one.reviewer,
                "votes": one.votes,
                "asked": one.asked,
                "median_s": one.seconds,
                "left": one.left,
                "right": one.right,
                "side_p": one.side_p,
            }
            for one in results.ways
        ],
        "to_discuss": [
            {"pair": id_, "suite": joined.key.pairs[id_].suite, "case": joined.key.pairs[id_].case}
            for id_ in results.to_discuss
        ],
        "problems": [*joined.problems, *joined.missing],
        "votes": votes,
        "digest": digest(votes),
    }


def read_reviews(paths: Iterable[Path]) -> tuple[Vote, ...]:
    """The votes of all these files, each once; raises RecordError that names the file."""
    return merged_votes(vote for path in paths for vote in _read(path))


def parse_review(text: str, name: str) -> Sequence[Vote]:
    """The votes in the text of a file called `name`; raises RecordError."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{name} is not a review: not JSON: {error}") from None
    if not isinstance(content, Mapping) or content.get("schema") != REVIEW_SCHEMA:
        raise RecordError(f"{name} is not a review that `ftgate review apply` wrote ({REVIEW_SCHEMA})")
    try:
        votes = content["votes"]
        if content["digest"] != digest(votes):
            raise RecordError(f"{name}: the votes were changed after they were written: apply them again")
        return [Vote.from_json(row) for row in votes]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RecordError(f"{name} is damaged: {type(error).__name__}: {error}") from None


def _read(path: Path) -> Sequence[Vote]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise RecordError(f"review {path} can't be read: {why}") from None
    return parse_review(text, str(path))


def _agreement(one: Agreement) -> dict[str, Any]:
    return {"pairs": one.n, "value": one.value, "interval": one.bounds, "words": one.words}
