"""The record of one run: the plan (what had to run) and the trials (what happened).

It is the one currency between processes, shards and reports. Nothing here judges.
"""

from pytest_ftgate.record.calibrations import Calibration, merged_calibrations
from pytest_ftgate.record.comparing import Named, compared
from pytest_ftgate.record.file import RECORD_SCHEMA, parse_record, record_lines
from pytest_ftgate.record.merging import merge
from pytest_ftgate.record.plan import CaseKey, Plan, PlannedCase, PlannedItem, TrialKey, case_plan
from pytest_ftgate.record.run_record import RunRecord
from pytest_ftgate.record.runs import Record, RunInfo
from pytest_ftgate.record.shards import Shard, Share, balanced_shares, in_shard
from pytest_ftgate.record.trials import Outcome, Trial, TrialError
from pytest_ftgate.record.votes import Choice, Vote, VoteKey, answers_digest, merged_votes

__all__ = [
    "RECORD_SCHEMA",
    "Calibration",
    "CaseKey",
    "Choice",
    "Named",
    "Outcome",
    "Plan",
    "PlannedCase",
    "PlannedItem",
    "Record",
    "RunInfo",
    "RunRecord",
    "Shard",
    "Share",
    "Trial",
    "TrialError",
    "TrialKey",
    "Vote",
    "VoteKey",
    "answers_digest",
    "balanced_shares",
    "case_plan",
    "compared",
    "in_shard",
    "merge",
    "merged_calibrations",
    "merged_votes",
    "parse_record",
    "record_lines",
]
