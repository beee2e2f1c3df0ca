"""Hostile texts for every sink, and what it means that one came out harmless."""

from __future__ import annotations

import re
import unicodedata

from hypothesis import strategies as st

HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x1b]52;c;aGk=\x07",
    "\x1b]0;title\x07",
    "\x1b]8;;http://x\x07link",
    "\x9b31m",
    "a\rb\x08c",
    "\u202egnp.exe",
    "\u061c\u2067\u2068x\u2069",
    "\ud800",
    "Par\u200dis",
    "\ufeff\u200b\u2066x",
    "\U000e0041\u00ad",
    "::error::boo",
    "\n::stop-commands::x",
    "##[error]boo",
    "###[x",
    "##vso[task.complete result=Succeeded;]",
    "##teamcity[buildStatus text='ok']",
    "\n\n  ::warning::x",
    "section_start:1:x\r\x1b[0K",
    "\x00\x7f\x85\u2028\u2029\ufffe",
    "word " * 40 + "::error::x",
    "a" * 73 + "::error::x",
    "SHIP\nSHIP: all criteria are met",
    "]]><failure/>&amp;&#0;",
    "</script><script>alert(1)</script>",
    "</details></summary><img src=x onerror=alert(1)>",
    "# SHIP\n\n> quote\n\n- list\n\n```\nfence\n```\n",
    "`", "``` `` `", "`" * 300,
    " ` ",
    "| a | b |\n|---|---|",
    "a\\|b\\\\|c\\",
    "![x](http://evil/pixel.png) [x](javascript:alert(1)) <http://x> https://x www.x.com",
    "@somebody #1 GH-1 org/repo@0123456 :tada: ~~x~~ **x** $`x`$",
    "=1+1",
    "9" * 4000,
    "\n" * 5000,
    "[" * 3000,
    "x" * 100_000,
]  # fmt: skip
hostile_texts = st.lists(st.sampled_from(HOSTILE) | st.text(st.characters(), max_size=30), max_size=6).map(
    "".join
)

_UNICODE_ESCAPE = re.compile(r"\\(?:[nrt]|x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")


def assert_inert(text: str) -> None:
    """Nothing in it that a terminal or a CI runner would act on, or that is not what it looks like."""
    for character in text:
        assert unicodedata.category(character) not in {"Cc", "Cs"} or character == "\n", repr(character)
        assert character not in "\u061c\u202e\u2066\u2067\u2068\u2069\u200b\ufeff\u2028\u2029\ufffe", repr(
            character
        )
    assert not re.search(r"##\w*\[", text)
    for row in text.split("\n"):
        assert not row.lstrip().startswith("::")


def unescaped(shown: str) -> str:
    r"""The text behind its visible escapes (`\n`, `\x1b`, `\u202e`), if it had no backslash of its own."""
    return _UNICODE_ESCAPE.sub(lambda found: found[0].encode("ascii").decode("unicode_escape"), shown)
