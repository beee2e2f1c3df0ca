"""What a run would do, learnt by letting pytest collect it: nothing is sent, no verdict file is touched."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from pytest_ftgate.cases import Arm
from pytest_ftgate.plugin.activation import activate, refuse
from pytest_ftgate.plugin.arms import Arms
from pytest_ftgate.plugin.eval_test import EvalTest, eval_tests

if TYPE_CHECKING:
    from pytest_ftgate.planning import Answerer, Ask, Preview
    from pytest_ftgate.planning.preview import Kind
    from pytest_ftgate.plugin.session import FtgateSession

_NOBODY = "(not named)"
_SCHEMES: Mapping[str, Kind] = {"recorded": "recorded", "python": "python"}


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
    lookout = _Lookout()
    # Plain asserts: we are imported already, and pytest would warn that it can't rewrite ours.
    first = ["--color=yes" if coloured else "--color=no", "--assert=plain"]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        status = pytest.main([*first, *_before_dashes(args), "--collect-only", *_dashes(args)], [lookout])
    return LookAhead(
        preview=lookout.preview,
        printed=printed.getvalue(),
        status=int(status),
        refusal=lookout.refusal,
        similar=lookout.similar,
    )


def _before_dashes(args: Sequence[str]) -> Sequence[str]:
    return args[: args.index("--")] if "--" in args else args


def _dashes(args: Sequence[str]) -> Sequence[str]:
    return args[args.index("--") :] if "--" in args else ()


class _Lookout:
    """A plugin of one run of pytest: assumes the arms that are not named, and takes the plan at the end."""

    def __init__(self) -> None:
        self.preview: Preview | None = None
        self.refusal: str | None = None
        self.similar: tuple[str, ...] = ()
        self._assumed: frozenset[Arm] = frozenset()

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Starts our session before the first case is seen, so that its arms are known."""
        if config.getoption("ftgate_model", "no such option") == "no such option":
            raise pytest.UsageError("`ftgate plan` needs the plugin, and it is not loaded (-p no:ftgate?)")
        session = activate(config)
        refuse(session)
        if not session.has_model:
            self._assumed = frozenset(Arm)
            settings = replace(session.settings, model=_NOBODY, baseline=session.settings.baseline or _NOBODY)
            session.arms = Arms(config, settings, session.config_file)
            self._assumed = frozenset(arm for arm in Arm if _NOBODY in _names(session, arm))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Keeps the terminal from listing every item: what is printed is for mistakes."""
        session.config.option.collectonly = False
        try:
            return (yield)
        finally:
            session.config.option.collectonly = True

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Takes the plan once pytest has said that what it collected is sound."""
        result = yield
        if not session.testsfailed:
            self._take(activate(session.config), session)
        return result

    def _take(self, ftgate: FtgateSession, session: pytest.Session) -> None:
        from pytest_ftgate.planning import Preview  # noqa: PLC0415  (not loaded by an ordinary run)

        try:
            if ftgate.usage_error:
                raise pytest.UsageError(ftgate.usage_error)
            plan = ftgate.make_plan(session.items)
        except pytest.UsageError as error:
            self.refusal = str(error)
            return
        self.similar = tuple(ftgate.similar_names()) if not plan.cases else ()
        tests = ftgate.collected.tests.values()
        cases = {(test.case.suite, test.case.id): test.case for test in tests}
        self.preview = Preview(
            plan=plan,
            gate=ftgate.gate,
            metrics=ftgate.metrics,
            cases=tuple(case for _, case in sorted(cases.items())),
            asks=tuple(_asks(ftgate, eval_tests(session.items))),
            assumed=self._assumed,
            warnings=tuple(ftgate.collected.warnings),
        )


def _names(session: FtgateSession, arm: Arm) -> set[str]:
    return {specs[arm] for specs in session.arms.specs.values() if arm in specs}


def _asks(ftgate: FtgateSession, tests: Sequence[EvalTest]) -> Iterator[Ask]:
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
                answerer = _answerer(ftgate, ftgate.arms.specs[test.case.role][request.arm])
            yield Ask(case=test.case, arm=request.arm, repeat=request.repeat, answerer=answerer)


def _answerer(ftgate: FtgateSession, spec: str) -> Answerer:
    """What is known of a model without making it, which may take a key, a file or an import."""
    from pytest_ftgate.planning import Answerer  # noqa: PLC0415

    entry = ftgate.config_file.models.get(spec)
    if entry is None:
        if spec == _NOBODY:
            return Answerer(name=spec, kind="assumed")
        return Answerer(name=spec, kind=_SCHEMES.get(spec.partition(":")[0], "openai"))
    price = entry.price or {}
    both = (price["input"], price["output"]) if len(price) == 2 else None
    return Answerer(name=spec, kind=entry.kind, params=entry.params, system=entry.system, price=both)
