"""What a run would ask of endpoints, for a batch: pytest collects, and nothing is sent."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_ftgate.cases import Arm, EvalCase
from pytest_ftgate.errors import ConfigError, FileError
from pytest_ftgate.plugin.eval_test import EvalTest, eval_tests
from pytest_ftgate.plugin.lookout import Lookout, look

if TYPE_CHECKING:
    from pytest_ftgate.models import Request
    from pytest_ftgate.models.endpoints.settings import EndpointSettings
    from pytest_ftgate.plugin.session import FtgateSession

_NAMED = 20
_NO_MODEL = "no model is named: say whose answers are wanted with --model=NAME, and --baseline=NAME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """All that is to be asked, each request once, with the name of whom; `left_out` says what is not.

    `endpoints` are those that are asked, by arm and name. `config` is the path of `ftgate.yaml`, if any.
    """

    requests: Sequence[tuple[Request, str]]
    endpoints: Mapping[tuple[str, str], EndpointSettings]
    left_out: Sequence[str]
    rootdir: Path
    config: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What came of collecting: what is wanted, or a refusal, or what pytest printed instead."""

    wanted: Wanted | None
    refusal: str | None
    printed: str


def collect_requests(args: Sequence[str], *, coloured: bool = False) -> Found:
    """Collects as `pytest ARGS` would in this folder; what pytest prints may be coloured."""
    lookout = _Requests()
    printed, _ = look(args, lookout, coloured=coloured)
    return Found(wanted=lookout.wanted, refusal=lookout.refusal, printed=printed)


class _Requests(Lookout):
    """Takes the requests of the items that pytest selected."""

    command = "ftgate batch submit"

    def __init__(self) -> None:
        super().__init__()
        self.wanted: Wanted | None = None

    def begin(self, ftgate: FtgateSession) -> None:
        """Without a model there is nobody to ask."""
        if not ftgate.has_model:
            raise pytest.UsageError(_NO_MODEL)

    def take(self, ftgate: FtgateSession, session: pytest.Session) -> None:
        """Sorts out whom a batch can ask; raises UsageError."""
        tests = [test for test in eval_tests(session.items) if test.runs]
        if not tests:
            similar = ftgate.similar_names()
            meant = f" Did you mean {', '.join(similar)}?" if similar else ""
            raise pytest.UsageError(f"there is no eval case to ask in what pytest collects here.{meant}")
        try:
            wanted = _Sorting(ftgate).wanted(tests)
        except (FileError, ConfigError) as error:
            raise pytest.UsageError(str(error)) from None
        if not wanted.requests:
            nothing = "nothing is left for a batch to ask: only endpoints have one"
            raise pytest.UsageError("\n".join([nothing, *wanted.left_out]))
        talks = {
            (case.path, case.line): case for request, _ in wanted.requests if (case := request.case).turns
        }
        if talks:
            raise pytest.UsageError(_conversations(list(talks.values())))
        self.wanted = wanted


class _Sorting:
    """Tells whom a batch can ask from all others."""

    def __init__(self, ftgate: FtgateSession) -> None:
        self._ftgate = ftgate
        self._kinds: dict[tuple[Arm, str], str] = {}
        self._endpoints: dict[tuple[str, str], EndpointSettings] = {}

    def wanted(self, tests: Sequence[EvalTest]) -> Wanted:
        """What is to be asked for these tests."""
        asked: dict[object, tuple[Request, str]] = {}
        others: Counter[tuple[Arm, str, str]] = Counter()
        for request, is_replaced in _requests(tests):
            spec = self._ftgate.arms.specs[request.case.role][request.arm]
            kind = "replaced" if is_replaced else self._kind(request.arm, spec)
            if kind == "openai":
                asked.setdefault(request.key, (request, spec))
            else:
                others[request.arm, spec, kind] += 1
        file = self._ftgate.config_file.path
        return Wanted(
            requests=list(asked.values()),
            endpoints=self._endpoints,
            left_out=[_left_out(*who, count) for who, count in sorted(others.items())],
            rootdir=self._ftgate.config.rootpath,
            config=self._ftgate.config.rootpath / file if file else None,
        )

    def _kind(self, arm: Arm, spec: str) -> str:
        if (arm, spec) not in self._kinds:
            self._kinds[arm, spec] = self._looked_up(arm, spec)
        return self._kinds[arm, spec]

    def _looked_up(self, arm: Arm, spec: str) -> str:
        from pytest_ftgate.models.make import endpoint_settings, foresee_model  # noqa: PLC0415

        config, file = self._ftgate.config, self._ftgate.config_file
        if config.hook.pytest_ftgate_make_model(config=config, spec=spec) is not None:
            return "plugin"
        settings = endpoint_settings(spec, file, os.environ)
        if settings is not None:
            self._endpoints[arm.value, spec] = settings
            return "openai"
        return foresee_model(spec, arm, file, rootdir=config.rootpath, environ=os.environ).kind


def _requests(tests: Sequence[EvalTest]) -> Iterator[tuple[Request, bool]]:
    """All that items ask before they run, and whether a conftest puts another model in the arm's place."""
    for test in tests:
        for request in test.requests():
            yield request, request.arm in test.replaced or request.model is not None


_KINDS = {
    "recorded": "saved answers are played",
    "python": "a Python function has no batch endpoint",
    "plugin": "a plugin's model has no batch endpoint",
    "replaced": "a conftest puts another model in its place",
}


def _left_out(arm: Arm, spec: str, kind: str, count: int) -> str:
    requests = "1 request" if count == 1 else f"{count:,} requests"
    return f"left out: {requests} to {arm} {spec}: {_KINDS[kind]}"


def _conversations(cases: Sequence[EvalCase]) -> str:
    """Why conversations can't be in a batch, each with its place, and what to do."""
    first = f"{len(cases)} scripted conversation{'s' * (len(cases) > 1)} can't be asked in a batch"
    shown = [f"{case.path}:{case.line}: case '{case.id}'" for case in cases[:_NAMED]]
    more = [f"… and {len(cases) - _NAMED:,} more"] if len(cases) > _NAMED else []
    nodes = " ".join(dict.fromkeys(f"--deselect={case.path}::{case.id}" for case in cases[:3]))
    return "\n".join(
        [
            f"{first}: each turn needs the answer to the one before",
            *shown,
            *more,
            f"leave them out here (-k, -m, or {nodes}), and run them live with --ftgate-save-answers=FILE",
        ]
    )
