"""From a case in the form of chat completions to a request of the Responses API. No I/O.

What is asked stays the same; only names and places change. Source: the reference of both APIs, as the openai
package types it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_LOGPROBS = "message.output_text.logprobs"


def responses_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters under the names that they have there; those without another name stay as they are.

    Nothing is kept by the endpoint (`store: false`) unless they say so.
    """
    given = dict(params)
    # Where both forms of one are given, the API's own wins.
    renamed = [given.pop(name, None) for name in ("max_completion_tokens", "max_tokens")]
    most = next((value for value in renamed if value is not None), None)
    body: dict[str, Any] = {"store": False, **({"max_output_tokens": most} if most is not None else {})}
    text = {"format": _format(given.pop("response_format", None)), "verbosity": given.pop("verbosity", None)}
    _put(body, given, "text", text)
    _put(body, given, "reasoning", {"effort": given.pop("reasoning_effort", None)})
    if given.pop("logprobs", False):
        body["include"] = [*(given.pop("include", None) or []), _LOGPROBS]
    if isinstance(given.get("tool_choice"), Mapping):
        given["tool_choice"] = _tool_choice(given["tool_choice"])
    return body | given


def responses_tools(tools: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The tools in their flat form."""
    return [_tool(tool) for tool in tools]


def input_items(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The messages as input items, in their order; the name of a speaker has no place there."""
    return [item for message in messages for item in _items(message)]


def _put(body: dict[str, Any], given: dict[str, Any], name: str, found: Mapping[str, Any]) -> None:
    """Adds what was found to a parameter that is a mapping, under what it says itself."""
    known = {key: value for key, value in found.items() if value is not None}
    own = given.get(name)
    if known and (own is None or isinstance(own, Mapping)):
        body[name] = {**known, **(given.pop(name, None) or {})}


def _format(written: object) -> object:
    if isinstance(written, Mapping) and isinstance(written.get("json_schema"), Mapping):
        return {"type": written.get("type"), **written["json_schema"]}
    return written


def _tool_choice(choice: Mapping[str, Any]) -> dict[str, Any]:
    """`{type, function: {name}}` is `{type, name}` there; `allowed_tools` loses a level in the same way."""
    kind = choice.get("type")
    inner = choice.get(kind) if isinstance(kind, str) else None
    flat = {"type": kind, **inner} if isinstance(inner, Mapping) else dict(choice)
    if isinstance(flat.get("tools"), list):
        flat["tools"] = [_tool_choice(tool) if isinstance(tool, Mapping) else tool for tool in flat["tools"]]
    return flat


def _tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    function = tool.get("function")
    if not isinstance(function, Mapping):
        return dict(tool)
    # There a tool that says nothing is strict, and one without parameters is refused; in chat neither holds.
    defaults = {"parameters": {"type": "object", "properties": {}}, "strict": False}
    return {
        "type": "function",
        **defaults,
        **{key: part for key, part in function.items() if part is not None},
    }


def _items(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    role, content = message.get("role"), message.get("content")
    if role == "tool":
        call_id = message.get("tool_call_id")
        yield {"type": "function_call_output", "call_id": call_id, "output": _content(content, role)}
        return
    if content:
        yield {"role": role, "content": _content(content, role)}
    for call in message.get("tool_calls") or ():
        function = call["function"]
        yield {
            "type": "function_call",
            "call_id": call.get("id"),
            "name": function["name"],
            "arguments": function.get("arguments") or "{}",
        }


def _content(content: object, role: object) -> Any:
    if not isinstance(content, list | tuple):
        return content or ""
    if role == "assistant":
        # What it said is not input there, and its parts would need an id and annotations that nobody has.
        return "".join(part.get("text") or "" for part in content)
    return [_part(part) for part in content]


def _part(part: Mapping[str, Any]) -> dict[str, Any]:
    if part.get("type") == "text":
        return {"type": "input_text", "text": part.get("text")}
    image = part.get("image_url")
    if part.get("type") == "image_url" and isinstance(image, Mapping):
        return {"type": "input_image", "image_url": image.get("url"), "detail": image.get("detail") or "auto"}
    return dict(part)
