"""Tool calls that a model wrote as text: Python calls, JSON, in a code fence or in tags.

Only an answer that consists of calls is read as calls; prose that mentions one is prose. Nothing is run.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_ftgate.completions import ToolCall
from pytest_ftgate.scorers.json_values import NotJsonError, parse_json

MAX_CHARACTERS = 100_000
MAX_CALLS = 200
MAX_DEPTH = 50

_FENCE = re.compile(r"(```+|~~~+)[\w+-]*[ \t]*\n(.*?)\n?[ \t]*\1", re.DOTALL)
_OPEN_TAG, _CLOSE_TAG = "<tool_call>", "</tool_call>"
_PREFIXES = ("<|python_tag|>", "[TOOL_CALLS]")
_BETWEEN_VALUES = re.compile(r"[\s;,]*")
#: What models of another mother tongue write for True, False, None.
_JSON_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None}


class _NotCallsError(ValueError):
    """The text is not made of calls."""


def decode_calls(text: str) -> tuple[ToolCall, ...]:
    """The calls that the text consists of; () if it is anything else.

    A call whose arguments can't be read (by position, an expression, another call) has `arguments` None.
    """
    text = text.strip()
    if len(text) > MAX_CHARACTERS:
        return ()
    if _OPEN_TAG in text:
        return tuple(_tagged(text))[:MAX_CALLS]
    try:
        return tuple(_decode(_unwrapped(text)))[:MAX_CALLS]
    except _NotCallsError:
        return ()


def _unwrapped(text: str) -> str:
    for prefix in _PREFIXES:
        text = text.removeprefix(prefix).lstrip()
    fence = _FENCE.fullmatch(text)
    return (fence[2] if fence else text.strip("`")).strip()


def _tagged(text: str) -> Iterator[ToolCall]:
    """The calls in `<tool_call>` tags; the tags say that a call was meant, so unreadable ones count too."""
    for part in text.split(_OPEN_TAG)[1:]:
        body = part.split(_CLOSE_TAG)[0].strip()
        try:
            yield from _decode(_unwrapped(body))
        except _NotCallsError:
            yield ToolCall(name="", arguments=None, text=body)


def _decode(text: str) -> Sequence[ToolCall]:
    if text.startswith(("{", "[{")) or re.match(r"\[\s*\{", text):
        return [call for value in _json_values(text) for call in _from_json(value)]
    return list(_from_python(text))


def _json_values(text: str) -> Iterator[Any]:
    """The JSON values of a text that holds nothing else but separators."""
    try:
        yield parse_json(text)
    except NotJsonError:
        yield from _json_sequence(text)


def _json_sequence(text: str) -> Iterator[Any]:
    decoder, position = json.JSONDecoder(), 0
    while position < len(text):
        try:
            value, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            raise _NotCallsError from None
        yield value
        gap = _BETWEEN_VALUES.match(text, position)
        position = gap.end() if gap else position


def _from_json(value: Any) -> Iterator[ToolCall]:
    if isinstance(value, list):
        for item in value:
            if not isinstance(item, dict):
                raise _NotCallsError
            yield from _from_json(item)
    elif isinstance(value, dict) and isinstance(value.get("tool_calls"), list):
        yield from _from_json(value["tool_calls"])
    elif isinstance(value, dict) and isinstance(value.get("function"), dict):
        yield from _from_json(value["function"])
    else:
        yield _json_call(value)


def _json_call(value: Any) -> ToolCall:
    key = next((key for key in ("arguments", "parameters") if key in value), None)
    if key is None or not isinstance(value.get("name"), str):
        raise _NotCallsError
    arguments = value[key]
    if isinstance(arguments, str):
        try:
            arguments = parse_json(arguments)
        except NotJsonError:
            return ToolCall(name=value["name"], arguments=None, text=value[key])
    if not isinstance(arguments, dict):
        return ToolCall(name=value["name"], arguments=None, text=json.dumps(arguments))
    return ToolCall(name=value["name"], arguments=arguments)


def _from_python(text: str) -> Iterator[ToolCall]:
    if "(" not in text:
        raise _NotCallsError
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the parser thinks of a model's escape sequences
            body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _NotCallsError from None
    for statement in body:
        if not isinstance(statement, ast.Expr):
            raise _NotCallsError
        value = statement.value
        parts = value.elts if isinstance(value, ast.List | ast.Tuple) else [value]
        yield from (_python_call(part, text) for part in parts)


def _python_call(node: ast.expr, text: str) -> ToolCall:
    if not isinstance(node, ast.Call):
        raise _NotCallsError
    name, written = _dotted(node.func), ast.get_source_segment(text, node) or ""
    # "Paris (France)" is prose: nobody who writes a call leaves a space there.
    if not written.replace("\n", "").startswith(f"{name}("):
        raise _NotCallsError
    try:
        if node.args or any(keyword.arg is None for keyword in node.keywords):
            raise _NotCallsError
        arguments = {str(keyword.arg): _literal(keyword.value, 0) for keyword in node.keywords}
    except _NotCallsError:
        return ToolCall(name=name, arguments=None, text=written)
    return ToolCall(name=name, arguments=arguments)


def _dotted(node: ast.expr) -> str:
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        raise _NotCallsError
    return ".".join([node.id, *reversed(names)])


def _literal(node: ast.expr, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise _NotCallsError
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bool | int | float | None):
        return node.value
    if isinstance(node, ast.Name):  # an unquoted word is its text, as in BFCL's decoder
        return _JSON_WORDS.get(node.id, node.id)
    if isinstance(node, ast.UnaryOp):
        return _signed(node, depth)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return [_literal(item, depth + 1) for item in node.elts]
    if isinstance(node, ast.Dict):
        return {
            _key(key): _literal(item, depth + 1) for key, item in zip(node.keys, node.values, strict=True)
        }
    raise _NotCallsError


def _signed(node: ast.UnaryOp, depth: int) -> Any:
    value = _literal(node.operand, depth + 1)
    if (
        not isinstance(node.op, ast.USub | ast.UAdd)
        or isinstance(value, bool)
        or not isinstance(value, int | float)
    ):
        raise _NotCallsError
    return -value if isinstance(node.op, ast.USub) else value


def _key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise _NotCallsError
