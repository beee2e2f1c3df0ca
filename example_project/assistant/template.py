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
#: A special token and the text that follows it.
Part = tuple[str, str]


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
    return encode(parts(messages, tools), tokenizer)


def answer_ids(message: Json, tokenizer: Tokenizer) -> list[int]:
    """An assistant's message as a model writes it after `<assistant>`, with its end."""
    return encode(_answer_parts(message), tokenizer)[1:]


def parts(messages: Sequence[Json], tools: Sequence[Json] | None) -> list[Part]:
    """A prompt before it is encoded."""
    system = [text_of(message) for message in messages if message["role"] in ("system", "developer")]
    listed = [("<system>", "\n".join(system))] if system else []
    if tools:
        listed.append(("<tools>", "\n".join(signature(tool["function"]) for tool in tools)))
    for message in messages:
        listed += _message_parts(message)
    return [*listed, ("<assistant>", "")]


def encode(parts: Sequence[Part], tokenizer: Tokenizer) -> list[int]:
    """The tokens of parts, one after the other."""
    return [
        token for special, text in parts for token in (tokenizer.special(special), *tokenizer.encode(text))
    ]


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


def _message_parts(message: Json) -> list[Part]:
    match message["role"]:
        case "user":
            return [("<user>", text_of(message))]
        case "tool":
            return [("<result>", text_of(message))]
        case "assistant":
            return _answer_parts(message)
    return []


def _answer_parts(message: Json) -> list[Part]:
    functions = [call["function"] for call in message.get("tool_calls") or ()]
    calls = [("<call>", f"{function['name']} {_respelt(function['arguments'])}") for function in functions]
    return [("<assistant>", text_of(message)), *calls, ("<end>", "")]


def _respelt(arguments: str) -> str:
    """JSON in the one spelling that the models know; what is no JSON stays as it was written."""
    try:
        return json.dumps(json.loads(arguments or "{}"))
    except (ValueError, RecursionError):
        return arguments
