"""Samples as packed rows of tokens: several texts in a row, none of which sees another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from assistant.template import answer_ids, render
from assistant.tokenizer import Tokenizer
from torch import Tensor

from training.sample import Sample

IGNORED = -100


class Batch(NamedTuple):
    """Each of shape (rows, length): tokens, which text of its row one is of, the next token, its weight."""

    ids: Tensor
    documents: Tensor
    targets: Tensor
    weights: Tensor


def encoded(sample: Sample, tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """A sample's tokens, and for each the next one if it is part of the answer."""
    *conversation, answer = sample.messages
    asked = render(conversation, sample.tools, tokenizer)
    said = answer_ids(answer, tokenizer)
    return asked + said[:-1], [IGNORED] * (len(asked) - 1) + said


def batches(samples: Iterator[Sample], tokenizer: Tokenizer, rows: int, length: int) -> Iterator[Batch]:
    """Endless batches; a sample longer than `length` is an error."""
    waiting = encoded(next(samples), tokenizer)
    while True:
        ids = torch.zeros(rows, length, dtype=torch.long)
        documents = torch.full((rows, length), -1)
        targets = torch.full((rows, length), IGNORED)
        weights = torch.zeros(rows, length)
        for row in range(rows):
            start, document = 0, 0
            while start + len(waiting[0]) <= length:
                end = start + len(waiting[0])
                ids[row, start:end] = torch.tensor(waiting[0])
                targets[row, start:end] = torch.tensor(waiting[1])
                documents[row, start:end] = document
                # A short answer, such as a sum, would count for little beside a long one.
                weights[row, start:end] = sum(target != IGNORED for target in waiting[1]) ** -0.5
                start, document = end, document + 1
                waiting = encoded(next(samples), tokenizer)
            if not document:
                raise ValueError(f"a sample has {len(waiting[0])} tokens, a row {length}")
        yield Batch(ids, documents, targets, weights)
