from __future__ import annotations

from typing import Any

import pytest

from pytest_ftgate.files.conversation import messages
from pytest_ftgate.files.nodes import NodeError
from pytest_ftgate.files.yaml_nodes import parse_yaml


def read(source: str) -> tuple[Any, ...]:
    node = parse_yaml(source.encode())
    assert node is not None
    return messages(node)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("{role: user, content: 1.10}", {"role": "user", "content": "1.10"}),
        ("{role: user, content: ''}", {"role": "user", "content": ""}),
        ("{role: user, name: no, content: x}", {"role": "user", "name": "no", "content": "x"}),
        (
            "{role: user, content: [{type: image_url, image_url: {url: 'data:x', detail: low}}]}",
            {
                "role": "user",
                "content": [{"type": "image_url", "image_url": {"url": "data:x", "detail": "low"}}],
            },
        ),
        (
            "{role: assistant, content: null, tool_calls: [{id: 1, type: function, function: {name: f}}]}",
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            },
        ),
        (
            "{role: assistant, tool_calls: [{id: a, function: {name: f, arguments: '{\"x\": 1}'}}]}",
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x": 1}'}}
                ],
            },
        ),
    ],
)
def test_a_message_is_in_the_form_of_chat_completions(written: str, expected: dict[str, Any]) -> None:
    assert read(f"[{written}]") == (expected,)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[]", (1, 1, "'messages' is an empty list")),
        ("x", (1, 1, "'messages' takes a list, and this is 'x'")),
        ("[x]", (1, 2, "a message takes a mapping, and this is 'x'")),
        ("[{content: x}]", (1, 2, "a message needs 'role'")),
        ("[{role: user, contnt: x}]", (1, 15, "unknown key 'contnt'. Did you mean 'content'?")),
        ("[{role: user, content: null}]", (1, 2, "a message needs content")),
        ("[{role: user, content: {a: b}}]", (1, 24, "'content' takes text, and this is a mapping")),
        ("[{role: user, content: [{text: x}]}]", (1, 25, "a content part needs 'type'")),
        ("[{role: user, content: [{type: text}]}]", (1, 25, "a content part of type text needs 'text'")),
        (
            "[{role: user, content: [{type: image_url, image_url: {detail: low}}]}]",
            (1, 54, "'image_url' needs 'url'"),
        ),
        ("[{role: assistant, tool_calls: [{id: a}]}]", (1, 33, "a tool call needs 'function'")),
        ("[{role: assistant, tool_calls: [{function: {name: f}}]}]", (1, 33, "a tool call needs 'id'")),
        ("[{role: assistant, tool_calls: [{id: a, function: {}}]}]", (1, 51, "'function' needs 'name'")),
    ],
)
def test_a_mistake_in_a_message_is_named_with_its_place(written: str, expected: tuple[int, int, str]) -> None:
    with pytest.raises(NodeError) as caught:
        read(written)

    assert caught.value.notes == (expected,)
