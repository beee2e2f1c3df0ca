"""The `answer:` rule: what of an answer's text the text scorers see."""

from __future__ import annotations

import json
from typing import Any

from pytest_ftgate.cases import AnswerRule
from pytest_ftgate.scorers.json_values import NotJsonError, parse_json
from pytest_ftgate.scorers.patterns import search


def cut_answer(rule: AnswerRule | None, text: str) -> str:
    """The part of the text that the rule selects, then its first `lines`, then stripped.

    Without `after` in the text it is the whole text, so that an answer without the marker is still judged;
    without a match of `regex` or a value at `json` it is "". Raises ScorerError if a pattern runs too long.
    """
    if rule is None:
        return text
    cut = _selected(rule, text)
    if rule.lines is not None:
        cut = "\n".join(cut.lstrip().splitlines()[: rule.lines])
    return cut.strip(rule.strip) if rule.strip is not None else cut


def _selected(rule: AnswerRule, text: str) -> str:
    if rule.after is not None:
        return _after(rule, rule.after, text)
    if rule.regex is not None:
        pattern = f"(?i:{rule.regex})" if rule.ignore_case else rule.regex
        found = search(pattern, text, last=rule.which == "last")
        return "" if found is None else (found[1] if found.re.groups else found[0]) or ""
    if rule.json is not None:
        return _at_path(rule.json, text)
    return text


def _after(rule: AnswerRule, marker: str, text: str) -> str:
    fold = _lower if rule.ignore_case else str
    find = fold(text).rfind if rule.which == "last" else fold(text).find
    start = find(fold(marker))
    return text if start < 0 else text[start + len(marker) :]


def _lower(text: str) -> str:
    """Lower case of the same length: the one character that would become two is kept."""
    return "".join(lower if len(lower := char.lower()) == 1 else char for char in text)


def _at_path(path: str, text: str) -> str:
    try:
        value: Any = parse_json(text)
    except NotJsonError:
        return ""
    for key in path.split("."):
        if isinstance(value, dict) and key in value:
            value = value[key]
        elif isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        else:
            return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
