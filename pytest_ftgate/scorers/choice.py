"""The scorer `choice`: which option of a question the answer names; an answer that names two names none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_ftgate.scorers.explain import quote, show, show_any, verdict
from pytest_ftgate.scorers.options import as_list, check_texts, texts
from pytest_ftgate.scorers.spec import Option, ScorerSpec, Subject
from pytest_ftgate.scores import Score

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MARKUP = re.compile(r"[*_`]{1,3}|\\boxed\{|\\text\{|\\\(|\\\)|[${}]")
_EDGES = " \t\n.:;,!\"'\u201c\u201d\u2018\u2019"
#: Words that say: what follows is my choice.
_ANNOUNCED = re.compile(
    r"\b(?:answer|choice|option|selection|choose|chose|pick|select|go\s+with)\b"
    r"(?:\s+(?:is|are|would\s+be|should\s+be|must\s+be|to|for|letter|option|choice|indeed|clearly|definitely)\b)*"
    r"\s*(?:[:=\u2013-]|->|\u2192)?\s*(?:\b(?:option|choice|letter)\s+)?",
    re.IGNORECASE,
)
_JOINED = re.compile(r"\s*(?:,|/|&|\+|\bor\b|\band\b|\bas well as\b)\s*(?:option\s+|both\s+)?", re.IGNORECASE)
_TAKEN_BACK = re.compile(
    r"\b(?:actually|wait|rather|or\s+maybe|maybe|perhaps|possibly|alternatively|no)\b[\s,:.]*(?:it'?s\s+|it\s+is\s+|option\s+)*",
    re.IGNORECASE,
)
#: "It isn't Lyon" mentions Lyon; who says what is not the answer has to announce what is.
_NEGATED = re.compile(
    r"\b(?:not|neither|nor|never|except|wrong|incorrect|cannot)\b|n['\u2019]t\b", re.IGNORECASE
)

#: What follows a label at the beginning: it is set off (`B) Lyon`), approved ("B is correct") or discussed.
_SET_OFF = re.compile(r"\s*(?:[).:\n]|[-\u2013\u2014]\s)")
_APPROVED = re.compile(
    r"\s+is\s+(?:the\s+)?(?:\w+\s+)?(?:correct|right|best|answer)\b(?<!not correct)(?<!not right)"
)
_DISCUSSED = re.compile(
    r"\s+(?:is|isn|are|was|can|could|would|may|might|must|seems|looks|does|doesn|has|says)\b"
)


class _Options:
    """The options of one question: labels, and the texts where the case gives them."""

    def __init__(self, given: Any) -> None:
        if isinstance(given, Mapping):
            self.texts = {str(label): str(text) for label, text in given.items()}
        else:
            self.texts = dict(zip(_LETTERS, map(str, given or ()), strict=False))
        labels = "|".join(sorted(map(re.escape, self.texts), key=len, reverse=True)) or "[A-Za-z]"
        wrapped = rf"\((?P<a>{labels})\)|\[(?P<b>{labels})\]|(?P<c>{labels})(?![\w'\u2019-])"
        self.label = re.compile(wrapped, re.IGNORECASE)
        self.bracketed = re.compile(rf"\(({labels})\)|\[({labels})\]", re.IGNORECASE)
        self._by_text = {_plain(text): label for label, text in self.texts.items()}

    def canonical(self, label: str) -> str:
        """The label as the case writes it; a letter without options in upper case."""
        known = {key.casefold(): key for key in self.texts}
        return known.get(label.casefold(), label.upper())

    def of_text(self, text: str) -> str | None:
        """The label of the option that has exactly this text."""
        return self._by_text.get(_plain(text))

    def resolve(self, reference: str) -> str | None:
        """The label that a reference means: a label, or an option's text."""
        found = self.label.fullmatch(reference.strip())
        if found:
            return self.canonical(_name(found))
        return self.of_text(reference)

    def mentioned(self, text: str) -> set[str]:
        """Options whose text occurs in a text, those left out that only occur inside a longer one."""
        rest, found = f" {_plain(text)} ", set()
        for plain in sorted(self._by_text, key=len, reverse=True):
            if plain and f" {plain} " in rest:
                found.add(self._by_text[plain])
                rest = rest.replace(f" {plain} ", " | ")
        return found


def _plain(text: str) -> str:
    """Words and numbers only, in one case: how texts of options are compared."""
    return " ".join(re.findall(r"\w+(?:[.,]\d+)*|[+\-\u2212](?=\d)|[^\w\s.,;:!?'\"()]", text.casefold()))


def _name(found: re.Match[str]) -> str:
    return next(group for group in found.groups() if group)


def chosen(answer: str, given: Any = None) -> set[str]:
    """The labels of the options that an answer chooses: one in a clear answer, else none or several.

    The surest sign decides: the answer is a label or an option's text; it begins with a label or announces
    one ("the answer is B"); its last line is one; at last, options that are merely mentioned.
    """
    options, text = _Options(given), _MARKUP.sub("", answer).strip()
    bare = text.strip(_EDGES)
    whole = options.resolve(bare) or options.resolve(text)
    if whole:
        return {whole}
    stated = {*_leading(options, text), *_announced(options, text)}
    return stated or _on_last_line(options, bare) or _mentioned(options, text)


def _leading(options: _Options, text: str) -> Iterator[str]:
    """`B) Lyon`, `B. Lyon`, `(B) Lyon`, `B or C`; "A dog" begins with an article."""
    found = options.label.match(text)
    if not found:
        return
    rest = text[found.end() :]
    joined = list(_list_after(options, text, found.end()))
    approved = _APPROVED.match(rest)
    if _DISCUSSED.match(rest) and not approved:
        return
    if found["c"] and not joined and not approved and not _SET_OFF.match(rest):
        return
    yield options.canonical(_name(found))
    yield from joined
    yield from _corrections(options, rest)
    named = options.of_text(rest.strip(_EDGES + ")-\u2013\u2014").partition("\n")[0])
    if named:
        yield named


def _announced(options: _Options, text: str) -> Iterator[str]:
    for announcement in _ANNOUNCED.finditer(text):
        start = announcement.end()
        found = options.label.match(text, start)
        if found and not _is_word(found, text):
            yield options.canonical(_name(found))
            yield from _list_after(options, text, found.end())
            yield from _corrections(options, text[found.end() :])
        elif options.texts:
            sentence = re.split(r"[.!?](?:\s|$)|\n|\bnot\b", text[start:], maxsplit=1)[0]
            yield from options.mentioned(sentence)


def _is_word(found: re.Match[str], text: str) -> bool:
    """Whether a bare letter is an English word: "the answer is a dog", "I pick I guess"."""
    if not found["c"] or len(found["c"]) != 1:
        return False
    before_word = re.match(r"\s+[a-z]", text[found.end() :]) is not None
    joined = _JOINED.match(text, found.end()) or re.match(
        r"\s+(?:because|since|as|is)\b", text[found.end() :]
    )
    return before_word and not joined and found["c"] in "aAI"


def _list_after(options: _Options, text: str, position: int) -> Iterator[str]:
    """The further labels of "B or C", "A, B and D"."""
    while (joint := _JOINED.match(text, position)) and (found := options.label.match(text, joint.end())):
        if _is_word(found, text) or (found["c"] or "X").islower():
            return
        yield options.canonical(_name(found))
        position = found.end()


def _corrections(options: _Options, text: str) -> Iterator[str]:
    """The label after "actually", "wait, no": an answer that takes its choice back."""
    for change in _TAKEN_BACK.finditer(text):
        found = options.label.match(text, change.end())
        if found and not _is_word(found, text) and not (found["c"] or "X").islower():
            yield options.canonical(_name(found))


def _on_last_line(options: _Options, text: str) -> set[str]:
    last = options.resolve(text.rpartition("\n")[2].strip(_EDGES)) if "\n" in text else None
    return {last} if last else set()


def _mentioned(options: _Options, text: str) -> set[str]:
    if _NEGATED.search(text):
        return set()
    labels = {options.canonical(_name(found)) for found in options.bracketed.finditer(text)}
    return labels | options.mentioned(text)


def _choice(options: Mapping[str, Any], subject: Subject) -> Score:
    given, references = options.get("options"), texts(options)
    known = _Options(given)
    wanted = {known.resolve(reference) or reference for reference in references}
    got = sorted(chosen(subject.text, given))
    if len(got) == 1:
        passed = got[0] in wanted
        ending = ", as expected" if passed else f", expected {show_any(references)}"
        return verdict("choice", passed, f"chose {quote(got[0])} in {quote(subject.text)}{ending}")
    named = f"names several options ({', '.join(got)})" if got else "names no option"
    return verdict("choice", False, f"{quote(subject.text)} {named}, expected {show_any(references)}")


def _check(options: Mapping[str, Any]) -> str | None:
    problem = check_texts(options) or _check_options(options.get("options"))
    if problem:
        return problem
    known = _Options(options.get("options"))
    for reference in as_list(options["reference"]):
        if not known.resolve(reference):
            if not known.texts:
                return f"'reference' is {quote(reference)}; give a letter, or the texts under 'options'"
            labels = ", ".join(known.texts)
            return f"'reference' is {quote(reference)}, which is neither an option ({labels}) nor its text"
    return None


def _check_options(given: Any) -> str | None:
    if given is None:
        return None
    values = list(given.values()) if isinstance(given, Mapping) else given
    if not isinstance(values, list | tuple) or not 2 <= len(values) <= len(_LETTERS):
        return f"'options' is {show(given)}, it must be a list or mapping of 2 to {len(_LETTERS)} options"
    plain = [_plain(str(value)) for value in values]
    twice = next((values[i] for i, text in enumerate(plain) if text in plain[:i]), None)
    return f"the option {show(twice)} stands there twice" if twice is not None else None


_TEXT = {"type": ["string", "number", "boolean"]}

SCORERS = (
    ScorerSpec(
        name="choice",
        doc="The answer chooses this option, by letter (`B`, `(B)`, `B.`, `The answer is B`) or by its text.",
        score=_choice,
        options={
            "reference": Option(
                schema={
                    "anyOf": [
                        {"type": "string"},
                        {"type": "array", "items": {"type": "string"}, "minItems": 1},
                    ]
                },
                text=True,
                doc="The right option's letter or text; a list means that any of them is right.",
            ),
            "options": Option(
                schema={
                    "anyOf": [
                        {"type": "array", "items": _TEXT, "minItems": 2, "maxItems": len(_LETTERS)},
                        {"type": "object", "additionalProperties": _TEXT, "minProperties": 2},
                    ]
                },
                text=True,
                doc="The texts of the options, lettered A, B, C …, or a mapping of labels to texts.",
            ),
        },
        main="reference",
        required=("reference",),
        check=_check,
    ),
)
