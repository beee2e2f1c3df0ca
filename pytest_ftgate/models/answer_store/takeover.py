"""Whether the answers of an earlier session still hold: not before a new answer came from the same model.

An endpoint may serve other weights under the same name by now. So the first new answer of each model decides:
earlier ones count if the same model with the same fingerprint gave them. Plain bookkeeping: nothing is sent
or stored here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from pytest_ftgate.completions import Completion, Source
from pytest_ftgate.models.answer_store.store import Earlier
from pytest_ftgate.models.lanes import Job


class Served(NamedTuple):
    """Who an endpoint says has answered."""

    model: str | None
    fingerprint: str | None


class Offer(NamedTuple):
    """An answer of an earlier session to a request of this one."""

    key: str
    job: Job
    earlier: Earlier


@dataclass(slots=True)
class _Model:
    """What is known of one model: who answers now, what waits for that, and what is asked besides."""

    held: dict[str, Offer]
    #: Requests that no earlier session has an answer to, in order.
    pending: dict[str, Job]
    #: Empty if no new answer is to come, so that all are of one time.
    served: frozenset[Served] | None = None


class Takeover:
    """Keeps offers until they can be judged; lives in the store's thread, owned by `Sharing`.

    Models are told apart by their digests, requests by their keys.
    """

    def __init__(self) -> None:
        self._models: defaultdict[str, _Model] = defaultdict(lambda: _Model({}, {}))

    def survey(self, who: str, jobs: Mapping[str, Job], earlier: Iterable[str]) -> list[Job]:
        """Takes all that a model is going to be asked; returns the request to send first, if any."""
        model = self._models[who]
        have = set(earlier)
        model.pending |= {key: job for key, job in jobs.items() if key not in have}
        if not have.intersection(jobs):
            return []
        if not model.pending:
            model.served = frozenset()
        return [*model.pending.values()][:1] if model.served is None else []

    def judge(self, who: str, offer: Offer) -> bool | None:
        """Whether the earlier answer counts; None, and it is kept, as long as that can't be known."""
        model = self._models[who]
        if model.served is None:
            model.held[offer.key] = offer
            return None
        return not model.served or _served(offer.earlier.answer) in model.served

    def is_unheard_of(self, who: str) -> bool:
        """Whether nothing was said yet of what this model is going to be asked, as of a grader at first."""
        return who not in self._models

    def is_asked(self, who: str) -> bool:
        """Whether a new answer of this model would decide about earlier ones."""
        return who in self._models and self._models[who].served is None

    def heard(self, who: str, answer: Completion) -> list[Offer]:
        """A new answer came: from here on it is known who answers. Returns what waited for it."""
        model = self._models[who]
        model.served = frozenset({_served(answer)})
        return self._released(model)

    def failed(self, who: str, key: str) -> tuple[Sequence[Job], Sequence[Offer]]:
        """No answer came to this request: which to send now, or which offer has to be asked anew."""
        model = self._models[who]
        model.pending.pop(key, None)
        if model.served is not None or not model.held:
            return (), ()
        if model.pending:
            return [next(iter(model.pending.values()))], ()
        first = next(iter(model.held))
        offer = model.held.pop(first)
        model.pending[first] = offer.job
        return (), [offer]

    def clear(self) -> None:
        """Everything has an outcome."""
        self._models.clear()

    def _released(self, model: _Model) -> list[Offer]:
        offers = [*model.held.values()]
        model.held.clear()
        return offers


def taken_over(answer: Completion, source: Source) -> Completion:
    """The answer, marked as one that this session did not ask for."""
    steps = tuple(replace(step, source=source) for step in answer.steps)
    return replace(answer, source=source, steps=steps)


def _served(answer: Completion) -> Served:
    return Served(answer.model, answer.fingerprint)
