"""What differs between two answers, word by word. Loads rapidfuzz."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz.distance import Indel

#: Texts in turn alike and different, beginning with what is alike ("" if they differ from the start).
Segments = list[str]

_WORD = re.compile(r"\w+|\s+|[^\w\s]")
#: Longer answers are shown without marks: nobody compares them word by word.
_MOST_WORDS = 6000
#: Answers that share less than this have nothing in common that a mark could show.
_LEAST_ALIKE = 0.25


def differences(model: str, baseline: str) -> tuple[Segments, Segments]:
    """Both texts in segments; a text in one segment has no marks."""
    if model == baseline or not model or not baseline:
        return [model], [baseline]
    ours, theirs = _WORD.findall(model), _WORD.findall(baseline)
    if max(len(ours), len(theirs)) > _MOST_WORDS or Indel.normalized_similarity(ours, theirs) < _LEAST_ALIKE:
        return [model], [baseline]
    found = Indel.opcodes(ours, theirs)
    return (
        _segments([(one.tag == "equal", ours[one.src_start : one.src_end]) for one in found]),
        _segments([(one.tag == "equal", theirs[one.dest_start : one.dest_end]) for one in found]),
    )


def _segments(runs: Sequence[tuple[bool, list[str]]]) -> Segments:
    """Runs of words joined; a space between two different words is no agreement."""
    found: Segments = [""]
    for same, words in runs:
        text = "".join(words)
        is_alike = len(found) % 2 == 1
        if not text:
            continue
        if same == is_alike or (same and text.isspace() and found[-1]):
            found[-1] += text
        else:
            found.append(text)
    return found
