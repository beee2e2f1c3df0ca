"""Completions: one answer of one arm. Plain values, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from pytest_ftgate.cases import Arm

Source = Literal["live", "recorded", "resumed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call that the model made.

    `arguments` is None if the model's text for them is not a JSON object; `text` then holds that text.
    """

    name: str
    arguments: Mapping[str, Any] | None
    text: str = ""

    def as_json(self) -> dict[str, Any]:
        """Builtins only, ready for `json.dumps`."""
        row: dict[str, Any] = {"name": self.name, "arguments": self.arguments}
        return row | ({"text": self.text} if self.text else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one call, as the endpoint counts them; None where it does not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One answer of one arm.

    `latency_s` and `time_to_first_token_s` are seconds on the wire, None where nothing was measured.
    `logprobs` are natural logarithms of the answer tokens' probabilities. `refusal` is the text of the API's
    refusal field. `cost` is in the currency of the entry's price, None without a price. `model` is what the
    endpoint says it served.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    refusal: str | None = None
    usage: Usage = Usage()
    latency_s: float | None = None
    time_to_first_token_s: float | None = None
    logprobs: tuple[float, ...] | None = None
    cost: float | None = None
    model: str | None = None
    fingerprint: str | None = None
    source: Source = "live"
    #: Who answered; set where a test is handed the answer, so that judging it need not say whose it is.
    arm: Arm | None = None
    #: Seconds since the epoch at which the answer arrived; a stamp, never compared.
    created: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Builtins only, empty fields left out, ready for `json.dumps`."""
        row: dict[str, Any] = {
            "text": self.text,
            "tool_calls": [call.as_json() for call in self.tool_calls],
            "finish_reason": self.finish_reason,
            "refusal": self.refusal,
            "usage": _without_none(
                {"input_tokens": self.usage.input_tokens, "output_tokens": self.usage.output_tokens}
            ),
            "latency_s": self.latency_s,
            "time_to_first_token_s": self.time_to_first_token_s,
            "logprobs": list(self.logprobs) if self.logprobs is not None else None,
            "cost": self.cost,
            "model": self.model,
            "fingerprint": self.fingerprint,
            "source": self.source,
            "created": self.created,
        }
        return {key: value for key, value in row.items() if value is not None and value not in ([], {})}

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Self:
        """The inverse of `as_json`; unknown keys are ignored."""
        usage = row.get("usage") or {}
        calls = row.get("tool_calls") or ()
        return cls(
            text=row.get("text") or "",
            tool_calls=tuple(
                ToolCall(name=call["name"], arguments=call.get("arguments"), text=call.get("text") or "")
                for call in calls
            ),
            finish_reason=row.get("finish_reason"),
            refusal=row.get("refusal"),
            usage=Usage(input_tokens=usage.get("input_tokens"), output_tokens=usage.get("output_tokens")),
            latency_s=row.get("latency_s"),
            time_to_first_token_s=row.get("time_to_first_token_s"),
            logprobs=tuple(row["logprobs"]) if row.get("logprobs") is not None else None,
            cost=row.get("cost"),
            model=row.get("model"),
            fingerprint=row.get("fingerprint"),
            source=row.get("source") or "live",
            created=row.get("created"),
        )


def _without_none(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value is not None}
