"""The record of one run: the plan (what had to run) and the trials (what happened).

It is the one currency between processes, shards and reports. Nothing here judges.
"""

from pytest_ftgate.record.file import RECORD_SCHEMA, parse_record, record_lines
from pytest_ftgate.record.plan import CaseKey, Plan, PlannedCase, PlannedItem, TrialKey, case_plan, in_shard
from pytest_ftgate.record.run_record import RunRecord, merge
from pytest_ftgate.record.runs import Record, RunInfo
from pytest_ftgate.record.trials import Outcome, Trial, TrialError

__all__ = [
    "RECORD_SCHEMA",
    "CaseKey",
    "Outcome",
    "Plan",
    "PlannedCase",
    "PlannedItem",
    "Record",
    "RunInfo",
    "RunRecord",
    "Trial",
    "TrialError",
    "TrialKey",
    "case_plan",
    "in_shard",
    "merge",
    "parse_record",
    "record_lines",
]
