"""Reports of cases that passed on their way from an xdist worker to the controller, each as one text.

execnet takes a report apart piece by piece, in Python; JSON does it at once. In a large run that is most of
what the controller does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from pytest_ftgate.plugin.brief import TIMES

_TYPE, _TEXT = "$report_type", "ftgate_packed"
_OURS = "ftgate.packed"
#: What others may look at on the way.
_SEEN = ("nodeid", "when", "outcome")
_PLAIN = (str, int, float, bool, type(None))


def packed_report(data: dict[str, Any], report: pytest.TestReport) -> dict[str, Any]:
    """The data of a report, packed if JSON holds it without loss: that of a test that went well does."""
    is_usual = data.get(_TYPE) == "TestReport" and data.keys() >= _KNOWN
    if is_usual and report.passed and not report.sections and _is_plain(data):
        seen = {name: data.pop(name) for name in _SEEN}
        return {**seen, _TYPE: _OURS, _TEXT: json.dumps(data)}
    return data


def unpacked_report(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """The data that was packed, beside what xdist added to it; None of any other report."""
    if data.get(_TYPE) != _OURS:
        return None
    found: dict[str, Any] = json.loads(data[_TEXT])
    found["location"] = tuple(found["location"])
    found["user_properties"] = [tuple(each) for each in found["user_properties"]]
    return {name: value for name, value in data.items() if name != _TEXT} | found


def _is_plain(data: Mapping[str, Any]) -> bool:
    """Whether all is text, number or nothing, but for what `unpacked_report` restores and for keywords."""
    properties = data["user_properties"]
    return (
        all(isinstance(value, _PLAIN) for name, value in data.items() if name not in _NESTED)
        and all(isinstance(value, _PLAIN) for each in properties for value in each)
        and all(isinstance(value, _PLAIN) for value in data["keywords"].values())
    )


_NESTED = {"keywords", "location", "sections", "user_properties", TIMES}
_KNOWN = {"keywords", "location", "sections", "user_properties", *_SEEN}
