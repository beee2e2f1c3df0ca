"""What pages of one file have in common: their parts, the policy that lets only these run, their data.

What models wrote stands in islands of JSON, or goes through the escaping of the templates; nothing else
enters a page. Loads jinja2.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

#: In JSON they mean the same as escapes, and in HTML nothing: no text can end the island.
_ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def environment() -> Environment:
    """Templates that escape all they are given, and refuse a name that nobody gave."""
    from jinja2 import Environment, StrictUndefined  # noqa: PLC0415  (only who makes a page pays for it)

    return Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def island(content: object) -> str:
    """JSON that HTML can't mistake for anything else."""
    return json.dumps(content, ensure_ascii=True).translate(_ESCAPES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The files that make a page, and the digests by which its policy knows script and style."""

    template: str
    script: str
    style: str

    @property
    def script_hash(self) -> str:
        """As the policy writes it."""
        return _hash(self.script)

    @property
    def style_hash(self) -> str:
        """As the policy writes it."""
        return _hash(self.style)


def read_parts(package: str, folder: str) -> Parts:
    """The parts in a folder of a package: `page.html.jinja`, `page.js`, `page.css`."""
    template, script, style = (
        # Browsers read a CR as a line feed, and the hash is of what they read.
        resources.files(package).joinpath(folder, name).read_text(encoding="utf-8").replace("\r\n", "\n")
        for name in ("page.html.jinja", "page.js", "page.css")
    )
    return Parts(template=template, script=script, style=style)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
