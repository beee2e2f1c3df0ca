"""What a record amounts to: outcomes by case, rates by group, wins and losses, times. Nothing here judges."""

from pytest_ftgate.summary.case_results import CaseResult, Flip
from pytest_ftgate.summary.latencies import Latency
from pytest_ftgate.summary.summarizing import Group, Rate, Summary, summarize

__all__ = ["CaseResult", "Flip", "Group", "Latency", "Rate", "Summary", "summarize"]
