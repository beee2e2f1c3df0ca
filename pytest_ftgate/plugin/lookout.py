"""How a command lets pytest collect as a run would: nothing is sent, no verdict file is touched."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, ClassVar

import pytest

from pytest_ftgate.plugin.activation import activate, refuse

if TYPE_CHECKING:
    from pytest_ftgate.plugin.session import FtgateSession


class Lookout:
    """A plugin of one run of pytest, that looks at what it collected; `refusal` says why a run can't be."""

    #: As messages name it.
    command: ClassVar[str]

    def __init__(self) -> None:
        self.refusal: str | None = None

    def begin(self, ftgate: FtgateSession) -> None:
        """Called before the first case is seen."""

    def take(self, ftgate: FtgateSession, session: pytest.Session) -> None:
        """Called once what pytest collected is sound; what is raised as UsageError becomes the refusal."""
        raise NotImplementedError

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """Starts our session before the first case is seen, so that its arms are known."""
        if config.getoption("ftgate_model", "no such option") == "no such option":
            message = f"`{self.command}` needs the plugin, and it is not loaded (-p no:ftgate?)"
            raise pytest.UsageError(message)
        session = activate(config)
        refuse(session)
        self.begin(session)

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
        """Looks once pytest has said that what it collected is sound."""
        result = yield
        if not session.testsfailed:
            ftgate = activate(session.config)
            try:
                if ftgate.usage_error:
                    raise pytest.UsageError(ftgate.usage_error)
                self.take(ftgate, session)
            except pytest.UsageError as error:
                self.refusal = str(error)
        return result


def look(args: Sequence[str], lookout: Lookout, *, coloured: bool) -> tuple[str, int]:
    """Collects as `pytest ARGS` would in this folder: what it printed, maybe coloured, and its status."""
    # Plain asserts: we are imported already, and pytest would warn that it can't rewrite ours.
    first = ["--color=yes" if coloured else "--color=no", "--assert=plain"]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        status = pytest.main([*first, *_before_dashes(args), "--collect-only", *_dashes(args)], [lookout])
    return printed.getvalue(), int(status)


def _before_dashes(args: Sequence[str]) -> Sequence[str]:
    return args[: args.index("--")] if "--" in args else args


def _dashes(args: Sequence[str]) -> Sequence[str]:
    return args[args.index("--") :] if "--" in args else ()
