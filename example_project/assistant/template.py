"""A conversation as the models read it, and their answers. It trusts what it gets: `requests` checks that.

<system>text <tools>signatures <user>text <assistant>answer<end> <result>text <assistant>
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .tokenizer import Tokenizer

#: A message or a tool, in the form of the chat completions API.
Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool call; the arguments are the model's own text, which need not be JSON."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model said: text, or calls, or a text and then calls."""

    text: str
    calls: tuple[Call, ...] = ()


def render(messages: Sequence[Json], tools: Sequence[Json] | None, tokenizer: Tokenizer) -> list[int]:
    """The whole prompt, up to where the assistant's next answer begins."""
    system = [text_of(message) for message in messages if message["role"] in ("system", "developer")]
    ids = _part("<system>", "\n".join(system), tokenizer) if system else []
    if tools:
        ids += _part("<tools>", "\n".join(signature(tool["function"]) for tool in tools), tokenizer)
    for message in messages:
        ids += _message_ids(message, tokenizer)
    return [*ids, tokenizer.special("<assistant>")]


def answer_ids(message: Json, tokenizer: Tokenizer) -> list[int]:
    """An assistant's message as a model writes it, with its end."""
    ids = tokenizer.encode(text_of(message))
    for call in message.get("tool_calls") or ():
        function = call["function"]
        ids += _part("<call>", f"{function['name']} {_respelt(function['arguments'])}", tokenizer)
    return [*ids, tokenizer.special("<end>")]


def parse(ids: Sequence[int], tokenizer: Tokenizer) -> Answer:
    """The answer in a model's tokens; arguments that the model left out are `{}`."""
    parts: list[list[int]] = [[]]
    for token in ids:
        if token == tokenizer.special("<call>"):
            parts.append([])
        else:
            parts[-1].append(token)
    text, *calls = map(tokenizer.decode, parts)
    split = [call.partition(" ") for call in calls]
    return Answer(text=text, calls=tuple(Call(name=name, arguments=rest or "{}") for name, _, rest in split))


def text_of(message: Json) -> str:
    """A message's content, its text parts joined."""
    content = message.get("content") or ""
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def signature(function: Json) -> str:
    """A tool as `name(required,optional?)`, in the order of the schema's properties."""
    schema = function.get("parameters") or {}
    required = schema.get("required") or ()
    names = [name if name in required else f"{name}?" for name in schema.get("properties") or {}]
    return f"{function['name']}({','.join(names)})"


def _message_ids(message: Json, tokenizer: Tokenizer) -> list[int]:
    match message["role"]:
        case "user":
            return _part("<user>", text_of(message), tokenizer)
        case "tool":
            return _part("<result>", text_of(message), tokenizer)
        case "assistant":
            return [tokenizer.special("<assistant>"), *answer_ids(message, tokenizer)]
    return []


def _part(special: str, text: str, tokenizer: Tokenizer) -> list[int]:
    return [tokenizer.special(special), *tokenizer.encode(text)]


def _respelt(arguments: str) -> str:
    """JSON in the one spelling that the models know; what is no JSON stays as it was written."""
    try:
        return json.dumps(json.loads(arguments or "{}"))
    except ValueError:
        return arguments
