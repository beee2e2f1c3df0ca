"""The last net: whatever pytest is about to show or send on is without secrets, and of eval tests harmless.

pytest prints what tests print and raise: answers that a Python test quotes, locals with `-l`, warnings of a
user's model. It all passes here once, in the process where it arose, before terminal, JUnit XML, xdist's
channel or another plugin sees it. What our own reports say is made safe where they are rendered.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Generator
from typing import Any

import pytest

from pytest_ftgate.models.boundary import bounded
from pytest_ftgate.plugin.eval_test import eval_test_of
from pytest_ftgate.plugin.session import FtgateSession
from pytest_ftgate.plugin.transport import ATTRIBUTE, TRIALS, dumps
from pytest_ftgate.reports.case_text import MAX_BYTES, xml_bytes
from pytest_ftgate.reports.inert import inert_lines

_Clean = Callable[[str], str]
_MAX_DEPTH = 30
_MAX_LINE = 2000


class SafeOutput:
    """Registered with the session, on every process; owns nothing."""

    def __init__(self, session: FtgateSession) -> None:
        self.ftgate = session

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Cleans what the report says and carries; of an eval test it becomes harmless and bounded, too."""
        report = yield
        if eval_test_of(item) is None:
            _clean_report(report, self.redact)
        else:
            _clean_report(report, lambda text: inert_lines(_cut(self.redact(text))))
            if report.failed:
                report.longrepr = _bounded_repr(report.longrepr, report.longreprtext)
        self._clean_payload(report)
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_make_collect_report(self) -> Generator[None, Any, Any]:
        """A collection error quotes what a conftest or a module raised."""
        report = yield
        _clean_report(report, self.redact)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """A warning with a secret in it is shown without it."""
        text = str(warning_message.message)
        if (clean := self._harmless(text)) != text:
            warning_message.message = clean

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: object) -> None:
        """The traceback that will be printed, with locals if asked to."""
        _cleaned(excrepr, self._harmless, _MAX_DEPTH)

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """What `pytest.exit` was given is printed as the reason."""
        said = excinfo.value
        said.args = tuple(self._harmless(text) if isinstance(text, str) else text for text in said.args)
        if isinstance(said, pytest.exit.Exception):
            said.msg = self._harmless(str(said.msg))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Why the session stopped may be a model's own words."""
        for name in ("shouldstop", "shouldfail"):
            if isinstance(reason := getattr(session, name), str):
                setattr(session, name, self._harmless(reason))

    def redact(self, text: str) -> str:
        """Without the run's secrets; with a broken configuration no model is made, and none is known."""
        try:
            return self.ftgate.arms.redact(text)
        except pytest.UsageError:
            return text

    def usage_error(self, error: pytest.UsageError) -> pytest.UsageError:
        """The same error, harmless to print."""
        return pytest.UsageError(*(self._harmless(str(text)) for text in error.args))

    def _harmless(self, text: str) -> str:
        return inert_lines(self.redact(text))

    def _clean_payload(self, report: Any) -> None:
        """Trials as they travel: made anew only if a secret stands in them."""
        text = getattr(report, ATTRIBUTE, None)
        if isinstance(text, str) and self.redact(text) != text:
            payload = json.loads(text)
            payload[TRIALS] = [_redacted(row, self.redact) for row in payload.get(TRIALS, ())]
            setattr(report, ATTRIBUTE, dumps(payload))
        for number, (name, value) in enumerate(report.user_properties):
            if isinstance(value, str) and (clean := self.redact(value)) != value:
                report.user_properties[number] = (name, clean)


#: What says which trial this is, and words that have a meaning here.
_IDENTITY = frozenset({"suite", "case", "arm", "item", "outcome", "scorer", "source"})


def _redacted(value: Any, redact: _Clean) -> Any:
    """All texts in a trial, but those that name it."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {name: part if name in _IDENTITY else _redacted(part, redact) for name, part in value.items()}
    return [_redacted(part, redact) for part in value] if isinstance(value, list) else value


def _clean_report(report: Any, clean: _Clean) -> None:
    report.longrepr = _cleaned(report.longrepr, clean, _MAX_DEPTH)
    if report.sections:
        report.sections = [(name, clean(text)) for name, text in report.sections]


def _bounded_repr(longrepr: object, text: str) -> object:
    """As it is, or cut to a text: a JUnit file holds it, and readers refuse nodes that are much larger."""
    return longrepr if xml_bytes(text) <= MAX_BYTES else _cut(text)


def _cleaned(value: Any, clean: _Clean, depth: int) -> Any:
    """The text, or what pytest made of an exception: a tree of its own small objects, changed in place."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list | tuple):
        return type(value)([_cleaned(part, clean, depth) for part in value])
    if depth and hasattr(value, "toterminal"):
        for name, part in list(vars(value).items()):
            setattr(value, name, _cleaned(part, clean, depth - 1))
    return value


def _cut(text: str) -> str:
    """At most as many bytes as a node of a JUnit file should hold, and a note of what was cut."""
    if xml_bytes(text) <= MAX_BYTES:
        return text
    kept, used = list[str](), 0
    lines = text.split("\n")
    for number, line in enumerate(lines):
        kept.append(bounded(line, _MAX_LINE))
        used += xml_bytes(kept[-1]) + 1
        if used > MAX_BYTES:
            return "\n".join([*kept[:-1], f"({len(lines) - number} more lines, cut)"])
    return "\n".join(kept)
