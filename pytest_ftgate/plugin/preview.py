"""What a run would do, learnt by letting pytest collect it: nothing is sent, no verdict file is touched."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.errors import ConfigError, FileError
from pytest_ftgate.plugin.arms import Arms
from pytest_ftgate.plugin.eval_test import EvalTest, eval_tests
from pytest_ftgate.plugin.lookout import Lookout, look

if TYPE_CHECKING:
    from pytest_ftgate.models import Request
    from pytest_ftgate.models.make import Foreseen
    from pytest_ftgate.planning import Answerer, Ask, Preview
    from pytest_ftgate.plugin.session import FtgateSession

_NOBODY = "(not named)"


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAhead:
    """What came of looking ahead: a preview, or what pytest printed instead of one.

    `refusal` is what makes a run impossible although pytest collected it, `similar` files that look like
    misspelt case files.
    """

    preview: Preview | None
    printed: str
    status: int
    refusal: str | None = None
    similar: tuple[str, ...] = ()


def look_ahead(args: Sequence[str], *, coloured: bool = False) -> LookAhead:
    """Collects as `pytest ARGS` would in this folder, and takes the plan that follows.

    Without a model named, both arms are assumed. What pytest prints is kept; it may be `coloured`.
    """
    lookout = _Preview()
    printed, status = look(args, lookout, coloured=coloured)
    return LookAhead(
        preview=lookout.preview,
        printed=printed,
        status=status,
        refusal=lookout.refusal,
        similar=lookout.similar,
    )


class _Preview(Lookout):
    """Assumes the arms that are not named, and takes the plan at the end."""

    command = "ftgate plan"

    def __init__(self) -> None:
        super().__init__()
        self.preview: Preview | None = None
        self.similar: tuple[str, ...] = ()
        self._assumed: frozenset[Arm] = frozenset()

    def begin(self, ftgate: FtgateSession) -> None:
        """Puts nobody in the place of a model that is not named."""
        if not ftgate.has_model:
            self._assumed = frozenset(Arm)
            settings = replace(ftgate.settings, model=_NOBODY, baseline=ftgate.settings.baseline or _NOBODY)
            ftgate.arms = Arms(ftgate.config, settings, ftgate.config_file)
            self._assumed = frozenset(arm for arm in Arm if _NOBODY in _names(ftgate, arm))

    def take(self, ftgate: FtgateSession, session: pytest.Session) -> None:
        """Makes the preview of what was collected."""
        from pytest_ftgate.planning import Grading, Preview  # noqa: PLC0415  (not loaded by an ordinary run)

        answerers = _Answerers(ftgate)
        plan = ftgate.make_plan(session.items)
        selected = eval_tests(session.items)
        self.similar = tuple(ftgate.similar_names()) if not plan.cases else ()
        tests = ftgate.collected.tests.values()
        cases = {(test.case.suite, test.case.id): test.case for test in tests}
        self.preview = Preview(
            plan=plan,
            gate=ftgate.gate,
            metrics=ftgate.metrics,
            cases=tuple(case for _, case in sorted(cases.items())),
            asks=tuple(_asks(ftgate, answerers, selected)),
            gradings=tuple(
                Grading(role=role, name=name, requests=count)
                for (role, name), count in sorted(ftgate.graders.foreseen(selected).items())
            ),
            assumed=self._assumed,
            warnings=(*ftgate.collected.warnings, *answerers.lacking(selected)),
        )


def _names(session: FtgateSession, arm: Arm) -> set[str]:
    return {specs[arm] for specs in session.arms.specs.values() if arm in specs}


def _specs(session: FtgateSession) -> list[tuple[Arm, str]]:
    """Who is named for which arm, each once."""
    named = [(arm, spec) for specs in session.arms.specs.values() for arm, spec in specs.items()]
    return [pair for pair in dict.fromkeys(named) if pair[1] != _NOBODY]


class _Answerers:
    """All who are named, and what is known of them before they are asked; raises UsageError as a run would.

    No key is needed, and no function of the user's is imported; saved answers are read.
    """

    def __init__(self, ftgate: FtgateSession) -> None:
        self._ftgate = ftgate
        try:
            self._foreseen = {(arm, spec): self._foresee(arm, spec) for arm, spec in _specs(ftgate)}
        except (FileError, ConfigError) as error:
            raise pytest.UsageError(str(error)) from None

    def of(self, arm: Arm, spec: str) -> Answerer:
        """Who answers by this name."""
        from pytest_ftgate.planning import Answerer  # noqa: PLC0415

        foreseen = self._foreseen.get((arm, spec))
        if foreseen is None:
            return Answerer(name=spec, kind="assumed" if spec == _NOBODY else "python")
        entry = self._ftgate.config_file.models.get(spec)
        price = foreseen.price
        return Answerer(
            name=spec,
            kind=foreseen.kind,
            params=entry.params if entry else {},
            system=entry.system if entry else None,
            price=(price.input, price.output) if price else None,
            price_source=price.source if price else "",
        )

    def lacking(self, tests: Sequence[EvalTest]) -> Iterator[str]:
        """What saved answers lack for these tests: a run refuses to begin without it."""
        for (arm, spec), foreseen in self._foreseen.items():
            if foreseen is None or foreseen.recorded is None:
                continue
            requests = [request for test in tests if test.runs for request in _requests(test, arm)]
            asked = [one for one in requests if self._ftgate.arms.specs[one.case.role].get(arm) == spec]
            lines = list(foreseen.recorded.missing(asked))
            if lines:
                others = f" (and {len(lines) - 1:,} more like this)" if len(lines) > 1 else ""
                yield f"a run would not begin: {lines[0]}{others}"

    def _foresee(self, arm: Arm, spec: str) -> Foreseen | None:
        """None for a model of the project's own hook, which is asked first as in a run."""
        from pytest_ftgate.models.make import foresee_model  # noqa: PLC0415

        config = self._ftgate.config
        if config.hook.pytest_ftgate_make_model(config=config, spec=spec) is not None:
            return None
        rootdir, file = config.rootpath, self._ftgate.config_file
        return foresee_model(spec, arm, file, rootdir=rootdir, environ=os.environ)


def _requests(test: EvalTest, arm: Arm) -> Iterator[Request]:
    return (one for one in test.requests() if one.arm is arm and arm not in test.replaced and not one.model)


def _asks(ftgate: FtgateSession, answerers: _Answerers, tests: Sequence[EvalTest]) -> Iterator[Ask]:
    """Each request once, whoever needs its answer."""
    from pytest_ftgate.planning import Answerer, Ask  # noqa: PLC0415

    seen = set()
    for test in tests:
        for request in test.requests() if test.runs else ():
            replaced = request.arm in test.replaced
            key = (request.key, test.key.rpartition("/")[0] if replaced else "")
            if key in seen:
                continue
            seen.add(key)
            answerer = Answerer(name="by a conftest", kind="replaced")
            if not replaced:
                answerer = answerers.of(request.arm, ftgate.arms.specs[test.case.role][request.arm])
            yield Ask(case=test.case, arm=request.arm, repeat=request.repeat, answerer=answerer)
