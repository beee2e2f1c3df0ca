"""One thing to learn: what is said to the model, and what it is to say then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assistant.template import signature


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A conversation as the chat completions API has it; the last message, the assistant's, is learned."""

    messages: list[dict[str, Any]]
    tools: list[dict[str, Any]] | None = None

    @property
    def prompt(self) -> str:
        """What the user said last."""
        return next(str(m["content"]) for m in reversed(self.messages) if m["role"] == "user")


def texts_of(sample: Sample) -> Iterator[str]:
    """All texts of a sample, as the tokenizer will see them."""
    for message in sample.messages:
        yield message["content"] or ""
        for call in message.get("tool_calls", ()):
            yield f"{call['function']['name']} {call['function']['arguments']}"
    if sample.tools:
        yield "\n".join(signature(tool["function"]) for tool in sample.tools)


def question(prompt: str, answer: str) -> Sample:
    return Sample(messages=[{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}])


def calls(*named: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """An assistant's message that calls tools."""
    functions = [{"name": name, "arguments": json.dumps(arguments)} for name, arguments in named]
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": f"call_{index}", "type": "function", "function": function}
            for index, function in enumerate(functions)
        ],
    }
