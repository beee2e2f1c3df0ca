"""Eval cases: one prompt or conversation, and what is expected of the answer. Plain values, no I/O."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

COMPOSITES = ("any_of", "all_of", "not")


class Role(StrEnum):
    """What a suite is for: the task the model was tuned for, or the abilities it must not lose."""

    TARGET = "target"
    GENERAL = "general"


class Arm(StrEnum):
    """Who answers: the same words as the fixtures."""

    MODEL = "model"
    BASELINE = "baseline"


#: What most cases have for parameters and metadata; one for all, never changed.
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """One configured check: a scorer with validated options, or `any_of`, `all_of`, `not` over others.

    `options` are canonical: the main one stands under its own name (`reference`, `pattern`, `schema`,
    `at_most`), whichever form the author wrote.
    """

    scorer: str
    options: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    name: str | None = None
    weight: float = 1.0
    children: tuple[Expectation, ...] = ()
    line: int = 0
    column: int = field(default=0, compare=False)

    def leaves(self) -> Iterator[Expectation]:
        """All checks below this one that are not composites, those inside `not` included."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRule:
    """What of the answer's text the text scorers see; exactly one of `after`, `regex`, `json`, or none."""

    after: str | None = None
    which: Literal["first", "last"] = "first"
    ignore_case: bool = False
    regex: str | None = None
    json: str | None = None
    lines: int | None = None
    strip: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of a scripted conversation: what the user says, and what is expected of the answer to it.

    `user` is text or content parts. `tool_results` has, by the name of a tool, what its calls return: any
    JSON, those of the case included.
    """

    user: str | Sequence[Mapping[str, Any]]
    expect: tuple[Expectation, ...] = ()
    answer: AnswerRule | None = None
    tool_results: Mapping[str, Any] = field(default_factory=dict)

    @property
    def message(self) -> Mapping[str, Any]:
        """What the user says, in the form of chat completions."""
        return {"role": "user", "content": self.user}

    @property
    def asked(self) -> Mapping[str, Any]:
        """All of it that a model may come to see."""
        return {"user": self.user, "tool_results": self.tool_results}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalCase:
    """One eval case, complete: defaults are merged, templates filled in, references read.

    `messages` begin with the system message, if there is one, and are in the form of chat completions; of a
    scripted conversation they are what comes before its `turns`. `tools` are in OpenAI's form. `expect` is of
    the (last) answer; it is empty for `expect: none`, and where only turns expect something. `path` is
    relative to the rootdir, with slashes; `line` and `column` count from 1 and point at the case (for a
    dataset row, at the entry under `datasets:`).
    """

    suite: str
    id: str
    path: str
    line: int
    column: int = 1
    role: Role = Role.TARGET
    category: str = "default"
    tags: tuple[str, ...] = ()
    messages: tuple[Mapping[str, Any], ...]
    turns: tuple[Turn, ...] = ()
    tools: tuple[Mapping[str, Any], ...] = ()
    params: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    expect: tuple[Expectation, ...] = ()
    answer: AnswerRule | None = None
    repeat: int = 1
    must_pass: bool = False
    skip: str | None = None
    xfail: str | None = None
    accept_truncated: bool = False
    metadata: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    #: True where the expectation came from a row of a data set, which may never name code to run.
    from_dataset: bool = False

    @property
    def prompt(self) -> str:
        """The text of the last user message; of a scripted conversation, all that the user says in it."""
        if self.turns:
            return "\n".join(message_text(turn.message) for turn in self.turns)
        return last_user_text(self.messages)

    @property
    def checks(self) -> tuple[Expectation, ...]:
        """All that is expected: of each turn, in order, then of the last answer. () if nothing is judged."""
        return (*(check for turn in self.turns for check in turn.expect), *self.expect)

    @property
    def wants_logprobs(self) -> bool:
        """Whether a check needs the log-probabilities of the answer's tokens."""
        return any(leaf.scorer == "perplexity" for top in self.checks for leaf in top.leaves())

    def params_of(self, repeat: int) -> dict[str, Any]:
        """The request's parameters for one repeat (counted from 1): a `seed` moves along with it."""
        params = dict(self.params)
        if isinstance(params.get("seed"), int) and repeat > 1:
            params["seed"] += repeat - 1
        return params

    @property
    def asked(self) -> str:
        """Digest of what is asked (messages, turns, tools, the case's params), whoever is asked."""
        content = {"messages": self.messages, "tools": self.tools, "params": self.params}
        return digest(content | ({"turns": [turn.asked for turn in self.turns]} if self.turns else {}))


def last_user_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """The text of the last message of a user; "" where there is none."""
    asked = (message for message in reversed(messages) if message.get("role") == "user")
    return message_text(next(asked, {}))


def message_text(message: Mapping[str, Any]) -> str:
    """The text of one message, its content parts joined; "" where it has none."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts: Sequence[Mapping[str, Any]] = content or ()
    return "\n".join(
        part["text"] if part.get("type") == "text" else f"[{part.get('type')}]" for part in parts
    )


def canonical(value: object) -> str:
    """JSON with sorted keys and no spaces: equal values give equal texts. NaN and infinity are refused."""
    return _CANONICAL.encode(value)


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: object) -> str:
    """The first 16 hex digits of SHA-256 over the canonical JSON of `value`."""
    return hashlib.sha256(canonical(value).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def digest_of_list(texts: Iterable[str]) -> str:
    """What `digest` gives for the list of values that these canonical texts say, one at a time."""
    hashed = hashlib.sha256(b"[")
    for number, text in enumerate(texts):
        hashed.update((b"," if number else b"") + text.encode("utf-8", "backslashreplace"))
    hashed.update(b"]")
    return hashed.hexdigest()[:16]
