"""Judges on trial: labelled answers in, how far a judge agrees with the people who labelled them out."""

from pytest_ftgate.calibration.file import CALIBRATION_SCHEMA, read_calibrations
from pytest_ftgate.calibration.labels import Label, read_labels
from pytest_ftgate.calibration.results import Agreed, Judged, agreed

__all__ = [
    "CALIBRATION_SCHEMA",
    "Agreed",
    "Judged",
    "Label",
    "agreed",
    "read_calibrations",
    "read_labels",
]
