"""One file for each reviewer that works from disk, without a network. Loads jinja2.

What models wrote stands in one island of JSON and enters the page as text; a policy in the page lets nothing
run but its own script, and nothing load at all.
"""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources
from typing import Any

from pytest_ftgate.reports.inert import inert_text
from pytest_ftgate.review.answers import answer_json, visible
from pytest_ftgate.review.instructions import Block
from pytest_ftgate.review.sheets import Item, Sheet

#: In JSON they mean the same as escapes, and in HTML nothing: no text can end the island.
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def render_page(sheet: Sheet, instructions: tuple[Block, ...]) -> str:
    """The page of one reviewer; only our own parts and the island go in unescaped."""
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415  (only who exports pays for it)

    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    script, style = _part("page.js"), _part("page.css")
    return environment.from_string(_part("page.html.jinja")).render(
        reviewer=sheet.reviewer,
        total=len(sheet.items),
        instructions=instructions,
        sheet=island(_content(sheet)),
        script=script,
        style=style,
        script_hash=_hash(script),
        style_hash=_hash(style),
    )


def island(content: object) -> str:
    """JSON that HTML can't mistake for anything else."""
    return json.dumps(content, ensure_ascii=True).translate(_ESCAPES)


def _content(sheet: Sheet) -> dict[str, Any]:
    return {
        "batch": sheet.batch,
        "reviewer": sheet.reviewer,
        "questions": [{"key": one.key, "label": one.label, "hint": one.hint} for one in sheet.questions],
        "items": [_item(item) for item in sheet.items],
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "digest": item.digest,
        "category": inert_text(item.category),
        "prompt": inert_text(item.prompt),
        "a": answer_json(visible(item.a)),
        "b": answer_json(visible(item.b)),
    }


def _part(name: str) -> str:
    # Browsers read a CR as a line feed, and the hash is of what they read.
    text = resources.files("pytest_ftgate.review").joinpath("page", name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
