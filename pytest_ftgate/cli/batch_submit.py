"""`ftgate batch submit`: what a run would ask of endpoints goes to their batch endpoint, once."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytest_ftgate.cases import Arm
from pytest_ftgate.cli.batch_folder import (
    Working,
    duration,
    say,
    say_next,
    status_command,
    to_option,
    to_words,
)
from pytest_ftgate.cli.console import UNUSABLE, complain, is_coloured, print_text
from pytest_ftgate.cli.pytest_args import PASSES_ON, PytestCommand, theirs
from pytest_ftgate.errors import BatchError

if TYPE_CHECKING:
    from pytest_ftgate.models import Request
    from pytest_ftgate.models.batches.requests import BatchRequest
    from pytest_ftgate.models.batches.splitting import Limits
    from pytest_ftgate.models.batches.state import BatchFolder, State
    from pytest_ftgate.models.batches.submitting import Line
    from pytest_ftgate.plugin.batch_requests import Wanted

_SHOWN = 20


@click.command(cls=PytestCommand, short_help="Submit what a run would ask.", context_settings=PASSES_ON)
@click.argument("pytest_args", metavar="[PYTEST ARGS]...", nargs=-1, type=click.UNPROCESSED)
@to_option
@click.option("--missing", is_flag=True, help="Submit again what an earlier batch has brought no answer to.")
@click.option(
    "--max-requests",
    type=click.IntRange(1),
    metavar="N",
    help="Requests per file, if the provider takes fewer than OpenAI's 50,000.",
)
@click.option(
    "--max-bytes",
    type=click.IntRange(1),
    metavar="N",
    help="Bytes per file, if the provider takes fewer than OpenAI's 200 MB.",
)
@click.option(
    "--settle",
    default="30s",
    show_default=True,
    metavar="TIME",
    callback=duration,
    help="How long to look for a batch whose creation got no reply, before it is created again.",
)
@click.option("--found", metavar="BATCH_ID", help="The batch that is in doubt was created, and is this one.")
@click.option(
    "--not-created", is_flag=True, help="The batch that is in doubt was not created: I have looked."
)
def submit(pytest_args: tuple[str, ...], **given: Any) -> None:
    """Submit what `pytest [PYTEST ARGS]...` would ask of endpoints, for both arms; no chat endpoint is asked.

    The same command again goes on where it was: nothing is ever submitted twice.

    Exit 0: all is submitted. Exit 2: wrong use, or not all could be submitted; what was, is kept.
    """
    with Working(given["to"]):
        wanted = _wanted(args := theirs(pytest_args))
        _submit(wanted, _Given(args=tuple(args), **given))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Given:
    """What the user wrote behind `ftgate batch submit`; `args` are pytest's."""

    args: tuple[str, ...]
    to: Path
    missing: bool
    max_requests: int | None
    max_bytes: int | None
    settle: float
    found: str | None
    not_created: bool

    @property
    def limits(self) -> tuple[str, ...]:
        """The options that say how large a file may be."""
        given = {"--max-requests": self.max_requests, "--max-bytes": self.max_bytes}
        return tuple(f"{name}={limit}" for name, limit in given.items() if limit is not None)


def _wanted(args: list[str]) -> Wanted:
    """What pytest collects; where it can't, this shows what it said, and ends with status 2."""
    from pytest_ftgate.plugin.batch_requests import collect_requests  # noqa: PLC0415  (imports pytest)

    found = collect_requests(args, coloured=is_coloured())
    if found.wanted is not None:
        return found.wanted
    if found.refusal:
        complain(found.refusal)
    else:
        print_text(found.printed)
    sys.exit(UNUSABLE)


def _submit(wanted: Wanted, given: _Given) -> None:
    from pytest_ftgate.models.batches.state import BatchFolder  # noqa: PLC0415
    from pytest_ftgate.models.batches.submitting import Submitter, write_parts  # noqa: PLC0415
    from pytest_ftgate.models.batches.watching import done  # noqa: PLC0415  (loads aiohttp)

    for line in wanted.left_out:
        say(line)
    with BatchFolder(given.to) as folder:
        state = folder.read()
        if state is None:
            _refuse_more_rounds(given)
            state = _new_state(wanted)
            state.args, state.options = given.args, given.limits
            requests: list[BatchRequest] = []
            write_parts(folder, state, _noted(_lines(wanted), requests), _limits(given))
            folder.write_requests(requests)
            folder.write(state)
        else:
            _refuse_changes(folder, wanted)
            state.args, state.options = given.args, given.limits
            _settle_doubt(folder, state, given, wanted)
            if given.missing:
                _add_round(folder, state, wanted, given)
        submitter = Submitter(folder, state, settle_s=given.settle, say=say)
        new = done(submitter.run(wanted.endpoints))
    say(_summary(state, new))
    to = to_words(given.to)
    answers = f"{given.to.name}.jsonl" if to else "answers.jsonl"
    say_next(status_command(given.to, "--wait"), ["ftgate", "batch", "collect", *to, "-o", answers])


def _summary(state: State, new: int) -> str:
    parts = [part for part in state.parts if part.round == state.rounds]
    requests = sum(part.requests for part in parts)
    count = f"{_counted(requests, 'request')} in {_counted(len(parts), 'batch')}"
    return f"submitted: {count}" if new else f"nothing was sent: submitted before are {count}"


def _counted(number: int, noun: str) -> str:
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}{'es' if noun.endswith('ch') else 's'}"


def _new_state(wanted: Wanted) -> State:
    from pytest_ftgate.cli.batch_project import who  # noqa: PLC0415
    from pytest_ftgate.models.batches.state import Asked, State  # noqa: PLC0415

    asked = tuple(
        Asked(arm=arm, spec=spec, who=who(settings))
        for (arm, spec), settings in sorted(wanted.endpoints.items(), key=lambda pair: _model_first(pair[0]))
    )
    config = os.path.relpath(wanted.config) if wanted.config else None
    return State(rootdir=os.path.relpath(wanted.rootdir), config=config, asked=asked)


def _lines(wanted: Wanted) -> Iterator[Line]:
    from pytest_ftgate.models.batches.requests import BatchEndpoint  # noqa: PLC0415
    from pytest_ftgate.models.batches.submitting import Line  # noqa: PLC0415

    endpoints = {
        (arm, spec): BatchEndpoint(spec, settings) for (arm, spec), settings in wanted.endpoints.items()
    }
    for request, spec in sorted(wanted.requests, key=_place):
        named, line = endpoints[request.arm.value, spec].line(request)
        yield Line(request=named, line=line)


def _place(asked: tuple[Request, str]) -> tuple[object, ...]:
    """Files hold requests of one arm and model each, the model's first."""
    request, spec = asked
    return (_model_first((request.arm.value, spec)), request.key)


def _model_first(who: tuple[str, str]) -> tuple[bool, str]:
    arm, spec = who
    return (arm != Arm.MODEL, spec)


def _noted(lines: Iterable[Line], requests: list[BatchRequest]) -> Iterator[Line]:
    for line in lines:
        requests.append(line.request)
        yield line


def _limits(given: _Given) -> Limits:
    from pytest_ftgate.models.batches.splitting import MAX_BYTES, MAX_REQUESTS, Limits  # noqa: PLC0415

    return Limits(requests=given.max_requests or MAX_REQUESTS, bytes=given.max_bytes or MAX_BYTES)


def _refuse_more_rounds(given: _Given) -> None:
    """What goes on from earlier batches needs some."""
    used: dict[str, object] = {
        "--missing": given.missing,
        "--found": given.found,
        "--not-created": given.not_created,
    }
    if named := next((name for name, value in used.items() if value), None):
        raise BatchError(f"{named}: nothing was submitted from {given.to} yet")


def _refuse_changes(folder: BatchFolder, wanted: Wanted) -> None:
    """What is asked now must be what was submitted: else its answers would be taken for others."""
    from pytest_ftgate.models.batches.requests import differences  # noqa: PLC0415

    changed = list(differences(folder.read_requests(), [line.request for line in _lines(wanted)]))
    if changed:
        more = [f"… and {len(changed) - _SHOWN:,} more"] if len(changed) > _SHOWN else []
        raise BatchError(
            "\n".join(
                [
                    f"{folder.path} holds batches of other requests:",
                    *changed[:_SHOWN],
                    *more,
                    "submit these with another --to FOLDER; what was submitted stays, and can be collected",
                ]
            )
        )


def _settle_doubt(folder: BatchFolder, state: State, given: _Given, wanted: Wanted) -> None:
    """What a person found out of a batch that nobody knows of whether it was created."""
    from pytest_ftgate.models.batches.client import BatchClient  # noqa: PLC0415  (loads aiohttp)
    from pytest_ftgate.models.batches.submitting import adopt, in_doubt  # noqa: PLC0415
    from pytest_ftgate.models.batches.watching import done  # noqa: PLC0415

    if not (given.found or given.not_created):
        return
    doubtful = in_doubt(state.parts)
    if (given.found and given.not_created) or not doubtful:
        what = "no batch is in doubt here" if not doubtful else "one of them, not both"
        raise BatchError(f"--found and --not-created: {what}")
    part = doubtful[0]
    if given.not_created:
        part.creating = None
    else:

        async def check(batch_id: str) -> None:
            async with BatchClient(wanted.endpoints[part.arm, part.spec]) as client:
                await adopt(client, part, batch_id)

        done(check(given.found or ""))
    folder.write(state)


def _add_round(folder: BatchFolder, state: State, wanted: Wanted, given: _Given) -> None:
    """Another round, of what earlier ones brought no answer to; all of them must have ended."""
    from pytest_ftgate.cli.batch_project import Project  # noqa: PLC0415
    from pytest_ftgate.models.batches.collecting import Join, fetch, missing  # noqa: PLC0415
    from pytest_ftgate.models.batches.submitting import write_parts  # noqa: PLC0415
    from pytest_ftgate.models.batches.watching import all_ended, done, refresh  # noqa: PLC0415

    if any(part.batch is None for part in state.parts):
        return  # of a round that was begun before: it is gone on with
    project = Project(state)
    done(refresh(folder, state, project.endpoints))
    if not all_ended(state.parts):
        running = ", ".join(part.name for part in state.parts if part.batch and not part.batch.has_ended)
        wait = shlex.join(status_command(given.to, "--wait"))
        raise BatchError(f"--missing: not known yet: {running} still run; `{wait}` waits for them")
    if troubles := done(fetch(folder, state, project.endpoints)):
        raise BatchError("\n".join(["--missing: not known yet:", *troubles]))
    lacking = missing(Join(folder, state, project))
    folder.write(state)
    if not lacking:
        say("nothing is missing")
        return
    lines = (line for line in _lines(wanted) if line.request.custom_id in lacking)
    write_parts(folder, state, lines, _limits(given))
    folder.write(state)
