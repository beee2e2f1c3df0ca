"""Turns the tokens of an answer, as they come, into the pieces of a message that a client is sent.

A whole message is the sum of its pieces, so that streamed and plain answers can't differ.
"""

from __future__ import annotations

import codecs
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .tokenizer import Tokenizer

Delta = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of one choice's message; `logprobs` are those of the tokens whose text begins in it."""

    choice: int
    delta: Delta
    logprobs: Sequence[Mapping[str, Any]] = ()
    finish_reason: str | None = None


class Content:
    """The text of an answer: ends before a stop sequence, and holds back what may be the start of one."""

    def __init__(self, stops: Sequence[bytes]) -> None:
        self._stops = stops
        self._held = b""
        #: How many bytes were let go, and where the tokens begin that were not.
        self._released = 0
        self._waiting: list[tuple[int, Mapping[str, Any]]] = []
        self.has_stopped = False

    def add(self, text: bytes, logprob: Mapping[str, Any] | None) -> tuple[bytes, list[Mapping[str, Any]]]:
        """Takes a token; gives the text and log-probabilities that are now sure to belong to the answer."""
        if logprob is not None:
            self._waiting.append((self._released + len(self._held), logprob))
        self._held += text
        found = [start for stop in self._stops if (start := self._held.find(stop)) >= 0]
        self.has_stopped = bool(found)
        return self._release(min(found) if found else len(self._held) - self._doubtful())

    def rest(self) -> tuple[bytes, list[Mapping[str, Any]]]:
        """What was held back, now that nothing follows."""
        return (b"", []) if self.has_stopped else self._release(len(self._held))

    def _release(self, count: int) -> tuple[bytes, list[Mapping[str, Any]]]:
        text, self._held = self._held[:count], self._held[count:]
        self._released += count
        sure = [entry for start, entry in self._waiting if start < self._released]
        self._waiting = self._waiting[len(sure) :]
        return text, sure

    def _doubtful(self) -> int:
        """The length of the longest end that some stop sequence begins with."""
        most = len(self._held) + 1
        starts = (stop[:length] for stop in self._stops for length in range(1, min(len(stop), most)))
        return max((len(start) for start in starts if self._held.endswith(start)), default=0)


class AnswerReader:
    """Reads one choice: text, then calls. Bytes of a character that is not whole yet wait for the rest."""

    def __init__(self, tokenizer: Tokenizer, stops: Sequence[bytes], choice: int) -> None:
        self._tokenizer, self._choice = tokenizer, choice
        self._call_token = tokenizer.special("<call>")
        self._content = Content(stops)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._call = -1
        #: The call's name as far as it is known; None once the arguments have begun.
        self._name: str | None = None
        self._has_arguments = False

    @property
    def has_stopped(self) -> bool:
        """Whether a stop sequence has come up."""
        return self._content.has_stopped

    @property
    def has_calls(self) -> bool:
        """Whether the answer calls a tool."""
        return self._call >= 0

    def read(self, token: int, logprob: Mapping[str, Any] | None) -> Iterator[Piece]:
        """What a token adds to the message; often a token later, and then all at once."""
        text = self._tokenizer.bytes_of(token)
        if token == self._call_token:
            yield from self.close()
            self._call, self._name, self._has_arguments = self._call + 1, "", False
        elif self.has_calls:
            yield from self._read_call(self._decoder.decode(text))
        else:
            yield from self._text(*self._content.add(text, logprob))

    def close(self) -> Iterator[Piece]:
        """What was held back, now that this text or call is complete."""
        if not self.has_calls:
            text, logprobs = self._content.rest()
            yield from self._text(text, logprobs, final=True)
            return
        yield from self._read_call(self._decoder.decode(b"", final=True))
        if self._name is not None:
            yield self._start_call(self._name)
        if not self._has_arguments:
            yield self._arguments("{}")

    def _text(
        self, text: bytes, logprobs: Sequence[Mapping[str, Any]], *, final: bool = False
    ) -> Iterator[Piece]:
        content = self._decoder.decode(text, final=final)
        if content or logprobs:
            yield Piece(choice=self._choice, delta={"content": content}, logprobs=logprobs)

    def _read_call(self, text: str) -> Iterator[Piece]:
        if self._name is not None:
            name, space, text = (self._name + text).partition(" ")
            self._name = None if space else name
            if space:
                yield self._start_call(name)
        if self._name is None and text:
            self._has_arguments = True
            yield self._arguments(text)

    def _start_call(self, name: str) -> Piece:
        call = {"id": f"call_{secrets.token_hex(12)}", "type": "function"}
        return self._call_piece(call | {"function": {"name": name, "arguments": ""}})

    def _arguments(self, text: str) -> Piece:
        return self._call_piece({"function": {"arguments": text}})

    def _call_piece(self, call: Mapping[str, Any]) -> Piece:
        return Piece(choice=self._choice, delta={"tool_calls": [{"index": self._call, **call}]})
