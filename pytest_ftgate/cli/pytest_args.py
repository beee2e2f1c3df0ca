"""Commands that pass arguments on to pytest: how ours are told from pytest's."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import click

#: Marks a bundle of pytest's short options (`-kview`), in which click would find letters of ours.
_THEIRS = "\0"
_BUNDLED = re.compile(r"-[^-]..*", re.DOTALL)

#: What a command with such arguments needs besides.
PASSES_ON = {"ignore_unknown_options": True}


class PytestCommand(click.Command):
    """Leaves pytest's arguments as they are; `theirs` gives them back."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click does, once our options are told from pytest's."""
        takes_value = {
            name
            for option in self.params
            if isinstance(option, click.Option) and not (option.is_flag or option.count)
            for name in option.opts
        }
        return super().parse_args(ctx, _marked(args, takes_value))


def _marked(args: Sequence[str], takes_value: Collection[str]) -> list[str]:
    told: list[str] = []
    for at, arg in enumerate(args):
        if arg == "--":
            return [*told, _THEIRS + "--", *(_THEIRS + each for each in args[at + 1 :])]
        is_value = bool(told) and told[-1] in takes_value
        is_ours = arg.strip("v") == "-"
        told.append(_THEIRS + arg if _BUNDLED.fullmatch(arg) and not is_ours and not is_value else arg)
    return told


def without_options(args: Sequence[str], names: Collection[str]) -> list[str]:
    """The arguments without these options and their values, behind `=` or in the next argument."""
    end = args.index("--") if "--" in args else len(args)
    kept: list[str] = []
    is_value = False
    for arg in args[:end]:
        name, equals, _ = arg.partition("=")
        if name not in names and not is_value:
            kept.append(arg)
        # `--model X` is no way to give our short option: X would be a path.
        is_value = name in names and not equals and name.startswith("--ftgate-")
    return [*kept, *args[end:]]


def theirs(args: Sequence[str]) -> list[str]:
    """The arguments as the user wrote them."""
    return [arg.removeprefix(_THEIRS) for arg in args]
