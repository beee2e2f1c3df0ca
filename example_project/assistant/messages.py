"""Checks the messages and tools of a request, so that whatever renders them may trust them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .errors import ApiError
from .template import Json

_ROLES = ("system", "developer", "user", "assistant", "tool")


def checked_messages(messages: object) -> Sequence[Json]:
    """The messages, if they are a conversation that the models can read; raises `ApiError`."""
    if not isinstance(messages, list) or not messages:
        raise ApiError("'messages' must be a list of at least one message", param="messages")
    open_calls: set[str] = set()
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        _check_message(message, where)
        if message["role"] == "tool":
            _close_call(message, where, open_calls)
        elif open_calls:
            raise _unanswered(open_calls, where)
        open_calls |= {call["id"] for call in message.get("tool_calls") or ()}
    if open_calls:
        raise _unanswered(open_calls, "messages")
    return messages


def checked_tools(tools: object) -> Sequence[Json]:
    """The tools, if all of them are functions; raises `ApiError`."""
    if not isinstance(tools, list):
        raise ApiError("'tools' must be a list", param="tools")
    for index, tool in enumerate(tools):
        where = f"tools[{index}]"
        if not isinstance(tool, dict) or tool.get("type") != "function":
            raise ApiError(f"{where}: this server knows only tools of the type 'function'", param=where)
        _check_function(tool.get("function"), f"{where}.function")
    return tools


def _check_message(message: Any, where: str) -> None:
    role = message.get("role") if isinstance(message, dict) else None
    if role not in _ROLES:
        raise ApiError(f"{where}.role must be one of {', '.join(_ROLES)}", param=f"{where}.role")
    calls = message.get("tool_calls")
    if calls is not None:
        _check_calls(calls, role, f"{where}.tool_calls")
    if message.get("content") is not None:
        _check_content(message["content"], f"{where}.content")
    elif not calls:
        raise ApiError(f"{where}.content is missing", param=f"{where}.content")


def _check_content(content: object, where: str) -> None:
    if isinstance(content, str):
        return
    if not isinstance(content, list):
        raise ApiError(f"{where} must be a text or a list of parts", param=where)
    for index, part in enumerate(content):
        kind = part.get("type") if isinstance(part, dict) else None
        if kind != "text" or not isinstance(part.get("text"), str):
            raise ApiError(f"{where}[{index}]: this server reads only parts of the type 'text'", param=where)


def _check_calls(calls: object, role: str, where: str) -> None:
    if role != "assistant" or not isinstance(calls, list):
        raise ApiError(f"{where} must be a list, in a message of the assistant", param=where)
    for index, call in enumerate(calls):
        function = call.get("function") if isinstance(call, dict) else None
        texts = [call.get("id"), function.get("name"), function.get("arguments")] if function else []
        if len(texts) != 3 or not all(isinstance(text, str) for text in texts):
            message = f"{where}[{index}] must have an id and a function with a name and arguments, all texts"
            raise ApiError(message, param=f"{where}[{index}]")


def _close_call(message: Json, where: str, open_calls: set[str]) -> None:
    called = message.get("tool_call_id")
    if not isinstance(called, str) or called not in open_calls:
        raise ApiError(
            f"{where}.tool_call_id names no call that is still open", param=f"{where}.tool_call_id"
        )
    open_calls.remove(called)


def _unanswered(open_calls: set[str], where: str) -> ApiError:
    return ApiError(f"{where}: no tool has answered {', '.join(sorted(open_calls))} yet", param=where)


def _check_function(function: object, where: str) -> None:
    if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
        raise ApiError(f"{where}.name is missing", param=where)
    schema = function.get("parameters") or {}
    if not isinstance(schema, dict) or not (
        isinstance(schema.get("properties", {}), dict) and isinstance(schema.get("required", []), list)
    ):
        raise ApiError(f"{where}.parameters must be a JSON Schema of an object", param=f"{where}.parameters")
