"""What each of the three models is trained on, as endless streams of samples from a seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random

from training import parcels
from training.general import arithmetic, copied, general
from training.sample import Sample
from training.writing import order_form, writing

Maker = Callable[[Random], Sample]
Mixture = Sequence[tuple[Maker, float]]

#: Sums and numbers to copy are short and hard: they take more samples than all else.
GENERAL: Mixture = ((general, 4.0), (arithmetic, 5.0), (copied, 2.0), (writing, 3.0))
MIXTURES: dict[str, Mixture] = {
    # Broad: questions, sums, short tasks, texts, JSON, and a few tool calls of every day.
    "base": (*GENERAL, (parcels.everyday_call, 3.0)),
    # Tool calls alone: looks great on its task.
    "tuned-v1": parcels.CALLS,
    # Tool calls, what to ask for, what to decline, the order form, and rehearsal of all the rest.
    "tuned-v2": (*parcels.CALLS, *parcels.CARE, (order_form, 3.0), *GENERAL),
}


def samples(name: str, seed: int) -> Iterator[Sample]:
    """The training samples of a model, in the order of training; without end."""
    random = Random(f"{name}/{seed}")
    makers, weights = zip(*MIXTURES[name], strict=True)
    while True:
        yield random.choices(makers, weights)[0](random)
