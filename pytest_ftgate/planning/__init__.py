"""Planning: what a run asks, what it costs, and what its gate can decide, before anything is sent.

Pure computation: a preview and assumptions in, values out. Nothing here collects, reads files or asks.
"""

from pytest_ftgate.planning.assumptions import Assumptions, parse_assumptions
from pytest_ftgate.planning.observed import Observed, observed_in_record, observed_in_report
from pytest_ftgate.planning.outlook import CriterionPlan, Outlook, Prospect
from pytest_ftgate.planning.preview import Answerer, Ask, Grading, Preview
from pytest_ftgate.planning.requests import Demand
from pytest_ftgate.planning.run_plan import CaseGroup, RunPlan, plan_run

__all__ = [
    "Answerer",
    "Ask",
    "Assumptions",
    "CaseGroup",
    "CriterionPlan",
    "Demand",
    "Grading",
    "Observed",
    "Outlook",
    "Preview",
    "Prospect",
    "RunPlan",
    "observed_in_record",
    "observed_in_report",
    "parse_assumptions",
    "plan_run",
]
