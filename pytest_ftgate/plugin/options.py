"""The command line and ini options as they are declared, and whether any is used; every session loads this.

`settings` reads them, once there is a reason to.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_ftgate.plugin.stash import taken_aliases_key

#: Short names, promised to users but never registered: a project's own option of that name must keep working.
ALIASES = {"--model": "--ftgate-model", "--baseline": "--ftgate-baseline"}

#: Each with what stands for its value in `pytest --help`.
TEXT_OPTIONS = {
    "model": (
        "MODEL",
        "the model that may ship: a name from ftgate.yaml, an OpenAI model id, openai:ID, recorded:FILE or "
        "python:MODULE:FUNCTION. Without one nothing is asked. Short: --model=MODEL",
    ),
    "baseline": ("MODEL", "what it is compared with, written in the same way. Short: --baseline=MODEL"),
    "judge": ("MODEL", "who grades for the checks `judge` and `prefer`, written in the same way"),
    "embeddings": ("MODEL", "whose embeddings the check `similarity` compares, written in the same way"),
    "config": ("PATH", "models and gate (default: ftgate.yaml in the rootdir)"),
    "concurrency": ("N", "how many requests may be in flight, by all workers together (default: 32)"),
    "verdict": ("PATH", "where to write the verdict (default: .ftgate/verdict.json in the rootdir)"),
    "history": (
        "PATH|off",
        "where each whole run adds a line that `ftgate history` reads (default: .ftgate/history.jsonl in the "
        "rootdir)",
    ),
    "run-id": ("ID", "what `ftgate verify --run-id` has to be given (default: $FTGATE_RUN_ID, else random)"),
    "save-answers": ("PATH", "write all answers to this file, to be played later by recorded:PATH"),
    "cache": (
        "resume|use|refresh|off|only",
        "which kept answers count: resume (the default) goes on with an unfinished run of the same plan; use "
        "takes any that is there and asks for the rest, only asks for none; refresh asks for all, and off "
        "keeps none either",
    ),
    "max-tokens": ("N", "stop when the answers of this run have used so many tokens; what came is kept"),
    "max-cost": ("AMOUNT", "stop when the answers have cost so much, in the currency of the prices"),
    "deadline": ("TIME", "stop after so long (90s, 30m, 2h); what came is kept, and the next run goes on"),
}
SWITCHES = {
    "strict": "every single case has to pass, whatever the gate allows (the criterion every_case)",
    "require-verdict": "fail if cases were left out (-k, --lf, node ids, ...): such a run decides nothing",
}
#: Paths, of which there may be several.
LISTS = {
    "report": (
        "write a report: .html for people, .md for a pull request, .csv for a spreadsheet, "
        ".json for programs, .jsonl for the whole record of the run; may be repeated"
    ),
    "review": "count the votes in this file, which `ftgate review apply` wrote; may be repeated",
    "calibration": (
        "trust the judges as far as this file says, which `ftgate judge calibrate` wrote; may be repeated"
    ),
}
#: Without ini twins: each of several calls of pytest is another shard.
_SHARD_OPTIONS = {
    "shard": (
        "N/M",
        "store",
        "run the N-th of M shares of the eval cases, each in a CI job of its own, all with one run id; "
        "`ftgate decide` judges their records together",
    ),
    "shard-durations": (
        "RECORD",
        "append",
        "with --ftgate-shard: make all shares take equally long, by the times in the record (.jsonl) of an "
        "earlier run; may be repeated, for its shards",
    ),
}


def add_options(parser: pytest.Parser) -> None:
    """Declares every option and its ini twin."""
    group = parser.getgroup("ftgate", "ftgate (may this fine-tuned model ship?)")
    for name, (value, text) in TEXT_OPTIONS.items():
        group.addoption(f"--ftgate-{name}", default=None, metavar=value, help=text)
        parser.addini(ini_name(name), help=text, default=None)
    for name, text in SWITCHES.items():
        group.addoption(f"--ftgate-{name}", action="store_true", default=None, help=text)
        parser.addini(ini_name(name), help=text, type="bool", default=False)
    for name, (value, action, text) in _SHARD_OPTIONS.items():
        group.addoption(f"--ftgate-{name}", action=action, default=None, metavar=value, help=text)
    for name, text in LISTS.items():
        group.addoption(f"--ftgate-{name}", action="append", default=None, metavar="PATH", help=text)
        parser.addini(ini_name(name), help=text, type="linelist", default=[])
    text = "how long after its last answer --ftgate-cache=resume goes on with a run (default: 1h)"
    parser.addini("ftgate_resume_max_age", help=text, default=None)
    text = "put outcomes, scores, latency, tokens and cost of each case into the JUnit file (default: true)"
    parser.addini("ftgate_junit_properties", help=text, type="bool", default=True)


def rewrite_aliases(parser: pytest.Parser, args: list[str]) -> tuple[str, ...]:
    """Turns `--model=X` into `--ftgate-model=X` in place, up to `--`; returns those of other owners."""
    taken = _known(parser)
    end = args.index("--") if "--" in args else len(args)
    for position, arg in enumerate(args[:end]):
        name, equals, value = arg.partition("=")
        if name in ALIASES and name not in taken:
            args[position] = ALIASES[name] + equals + value
    return taken


def _known(parser: pytest.Parser) -> tuple[str, ...]:
    """Which short names somebody has registered."""
    _, unknown = parser.parse_known_and_unknown_args([f"{alias}=x" for alias in ALIASES])
    return tuple(alias for alias in ALIASES if f"{alias}=x" not in unknown)


def is_used(config: pytest.Config) -> bool:
    """Whether the command line or the ini file sets anything of ours."""
    names = (*TEXT_OPTIONS, *SWITCHES, *LISTS)
    return any(option_of(config, name) is not None for name in (*names, *_SHARD_OPTIONS)) or any(
        config.getini(ini_name(name)) for name in names
    )


def asked_for_model(config: pytest.Config) -> bool:
    """Whether the command line itself names a model, however it is spelt."""
    is_taken = "--model" in config.stash.get(taken_aliases_key, ())
    return _names(
        config.invocation_params.args, ("--ftgate-model",) if is_taken else ("--ftgate-model", "--model")
    )


def _names(args: Sequence[object], names: tuple[str, ...]) -> bool:
    written = [str(arg) for arg in args]
    written = written[: written.index("--")] if "--" in written else written
    return any(arg.partition("=")[0] in names for arg in written)


def ini_name(name: str) -> str:
    """The ini twin of an option; likewise its name among the parsed options."""
    return f"ftgate_{name.replace('-', '_')}"


def option_of(config: pytest.Config, name: str) -> object:
    """What the command line gives for an option, None without."""
    return config.getoption(ini_name(name))
