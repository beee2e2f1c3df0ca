"""One file for each reviewer that works from disk, without a network. Loads jinja2.

What models wrote stands in one island of JSON and enters the page as text; a policy in the page lets nothing
run but its own script, and nothing load at all.
"""

from __future__ import annotations

from typing import Any

from pytest_ftgate.reports.answers import answer_json, visible
from pytest_ftgate.reports.inert import inert_text
from pytest_ftgate.reports.one_file import environment, island, read_parts
from pytest_ftgate.review.instructions import Block
from pytest_ftgate.review.sheets import Item, Sheet


def render_page(sheet: Sheet, instructions: tuple[Block, ...]) -> str:
    """The page of one reviewer; only our own parts and the island go in unescaped."""
    parts = read_parts("pytest_ftgate.review", "page")
    return (
        environment()
        .from_string(parts.template)
        .render(
            reviewer=sheet.reviewer,
            total=len(sheet.items),
            instructions=instructions,
            sheet=island(_content(sheet)),
            script=parts.script,
            style=parts.style,
            script_hash=parts.script_hash,
            style_hash=parts.style_hash,
        )
    )


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
