"""What a record amounts to: outcomes by case, rates by group, wins and losses, times. Nothing here judges."""

from pytest_ftgate.summary.case_results import CaseResult, Flip
from pytest_ftgate.summary.case_votes import CaseVotes
from pytest_ftgate.summary.comparison import Comparison, Estimated, Sides
from pytest_ftgate.summary.estimating import SEED
from pytest_ftgate.summary.groups import Group, Rate
from pytest_ftgate.summary.judged_pairs import JudgedPairs
from pytest_ftgate.summary.latencies import Latency
from pytest_ftgate.summary.repeats import Repeats
from pytest_ftgate.summary.summarizing import Summary, summarize
from pytest_ftgate.summary.votes import VoteSummary

__all__ = [
    "SEED",
    "CaseResult",
    "CaseVotes",
    "Comparison",
    "Estimated",
    "Flip",
    "Group",
    "JudgedPairs",
    "Latency",
    "Rate",
    "Repeats",
    "Sides",
    "Summary",
    "VoteSummary",
    "summarize",
]
