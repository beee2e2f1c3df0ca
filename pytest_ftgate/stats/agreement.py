"""How far people or judges agree beyond chance. Undefined is None, never 1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence


def cohen_kappa(pairs: Iterable[tuple[Hashable, Hashable]]) -> float | None:
    """Cohen's kappa of two raters' labels of the same items, -1…1 (Cohen 1960, equation 1).

    None without an item, and where both gave one and the same label to all: chance alone would agree.
    """
    rated = list(pairs)
    n = len(rated)
    first, second = Counter(one for one, _ in rated), Counter(other for _, other in rated)
    # In whole numbers, so that complete agreement by chance is found exactly.
    agreed = n * sum(one == other for one, other in rated)
    expected = sum(first[label] * second[label] for label in first)
    return (agreed - expected) / (n * n - expected) if n * n != expected else None


def krippendorff_alpha(units: Iterable[Sequence[Hashable | None]]) -> float | None:
    """Krippendorff's alpha of nominal labels, at most 1 (Krippendorff 2011, section C).

    Each unit holds the labels that any number of raters gave to one item, None where a rater gave none; a
    unit with fewer than two labels says nothing. None if nothing is left, or only one label was ever given.
    """
    labelled = [[label for label in unit if label is not None] for unit in units]
    counts = [Counter(unit) for unit in labelled if len(unit) > 1]
    totals: Counter[Hashable] = sum(counts, Counter())
    n = totals.total()
    # Ordered pairs of unlike labels: within units, each unit weighing as many labels as it has; and at all.
    apart = sum(_unlike(unit) / (unit.total() - 1) for unit in counts)
    expected = _unlike(totals)
    return 1 - (n - 1) * apart / expected if expected else None


#: Landis and Koch 1977, Biometrics 33:165: words for a kappa, up to and including each bound.
_BANDS = ((0.2, "slight"), (0.4, "fair"), (0.6, "moderate"), (0.8, "substantial"), (1.0, "almost perfect"))


def band(value: float | None) -> str:
    """What Landis and Koch call so much agreement; words, not a judgement."""
    if value is None:
        return "undefined: only one label was given"
    return "poor" if value < 0 else next(word for bound, word in _BANDS if value <= bound)


def _unlike(labels: Counter[Hashable]) -> int:
    return labels.total() ** 2 - sum(count**2 for count in labels.values())
