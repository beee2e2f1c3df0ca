"""The page of `ftgate`: its commands as click knows them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import click

from pytest_ftgate.cli import main
from tools.reference.markdown import code, table

_HEAD = """# The command ftgate

Tools around the verdict of `pytest --model=…`. `ftgate COMMAND --help` shows the same.

## Exit statuses

Where nothing is said, 0 is done and 2 is wrong use. Those of pytest: [exit status](../gate.md#exit-status).

"""
_STATUS = re.compile(r"Exit (\d)(?::| only if)\s+(.*?)(?=\s*Exit \d:|\.\s|\.?$)", re.DOTALL)


def command_line_page() -> str:
    """Every command with its arguments, options and exit statuses."""
    commands = list(_commands(main, "ftgate"))
    statuses = [(code(name), *_statuses(command)) for name, command in commands if _told(command)]
    sections = [_section(name, command) for name, command in commands]
    return _HEAD + table(("command", "0", "1", "2", "3"), statuses) + "\n" + "\n".join(sections)


def _commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """The commands that do something, with their whole names."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    for below, found in command.commands.items():
        yield from _commands(found, f"{name} {below}")


def _told(command: click.Command) -> dict[str, str]:
    return {number: " ".join(said.split()) for number, said in _STATUS.findall(_text(command))}


def _statuses(command: click.Command) -> list[str]:
    told = _told(command)
    return [told.get(number, "") for number in "0123"]


def _text(command: click.Command) -> str:
    return inspect.cleandoc(command.help or "")


def _section(name: str, command: click.Command) -> str:
    usage = " ".join([name, *_usage(command)])
    text = f"## {name}\n\n```\n{usage}\n```\n\n{_prose(_text(command))}\n"
    options = [found for found in command.params if isinstance(found, click.Option)]
    return text + (f"\n{table(('option', 'meaning'), map(_row, options))}" if options else "")


def _usage(command: click.Command) -> Iterator[str]:
    context = click.Context(command)
    return (found.replace("[OPTIONS]", "[OPTION]...") for found in command.collect_usage_pieces(context))


def _prose(text: str) -> str:
    """Paragraphs as they are; one that click is told not to wrap is a block."""
    return re.sub("\b\n((?:.+\n?)+)", r"```\n\1```\n", text + "\n").strip()


def _row(option: click.Option) -> tuple[str, str]:
    names = ", ".join(code(name + _metavar(option)) for name in option.opts)
    default = option.default
    shown = isinstance(default, str | int) and not option.is_flag and not option.count
    said = f" Default: `{default}`." if shown and "efault" not in (option.help or "") else ""
    required = " Required." if option.required else ""
    return names, (option.help or "") + said + required


def _metavar(option: click.Option) -> str:
    if option.is_flag or option.count:
        return ""
    return f" {option.metavar or (option.name or '').upper()}"
