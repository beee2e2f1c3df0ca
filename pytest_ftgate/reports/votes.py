"""What people said of the answers, for the reports: in one line, and as JSON."""

from __future__ import annotations

from typing import Any

from pytest_ftgate.reports.inert import inert_line
from pytest_ftgate.reports.json_values import number
from pytest_ftgate.reports.numbers import fixed, percent
from pytest_ftgate.summary import VoteSummary


def votes_line(votes: VoteSummary) -> str:
    """`330 votes of 3 reviewers on 110 cases: 80 won, 24 lost, 6 tied; 76.9% preferred; alpha 0.86`."""
    parts = [f"{_count(votes.votes, 'vote')} of {_count(votes.reviewers, 'reviewer')}"]
    parts[0] += f" on {_count(votes.cases, 'case')}"
    if votes.cases:
        bad = f" ({votes.both_bad} both bad)" if votes.both_bad else ""
        parts[0] += f": {votes.wins} won, {votes.losses} lost, {votes.ties} tied{bad}"
        parts.append(
            "no preference" if votes.preference is None else f"{percent(votes.preference)} preferred"
        )
        parts.append(f"alpha {'n/a' if votes.alpha is None else fixed(votes.alpha, 2)}")
    return inert_line("; ".join(parts))


def votes_json(votes: VoteSummary) -> dict[str, Any]:
    """The same for programs."""
    return {
        "votes": votes.votes,
        "reviewers": votes.reviewers,
        "cases": votes.cases,
        "wins": votes.wins,
        "losses": votes.losses,
        "ties": votes.ties,
        "both_bad": votes.both_bad,
        "preference": number(votes.preference),
        "alpha": number(votes.alpha),
        "not_counted": len(votes.strangers),
    }


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n:,} {noun}s"
