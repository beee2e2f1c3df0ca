"""Pairing what was expected with what came when the order is free (a maximum bipartite matching)."""

from __future__ import annotations

from collections.abc import Callable


def unmatched(wanted: int, got: int, fits: Callable[[int, int], bool]) -> tuple[list[int], list[int]]:
    """The wanted and the given ones that stay alone in a best pairing, by index.

    Augmenting paths (Kuhn 1955), so that an early loose match never takes what a stricter one needs.
    """
    edges = [[j for j in range(got) if fits(i, j)] for i in range(wanted)]
    owner: dict[int, int] = {}
    missing = [i for i in range(wanted) if not _place(i, edges, owner)]
    return missing, [j for j in range(got) if j not in owner]


def _place(start: int, edges: list[list[int]], owner: dict[int, int]) -> bool:
    """Gives `start` a partner, if need be by moving others along an augmenting path (breadth first)."""
    came_from: dict[int, int] = {}
    queue = [start]
    for i in queue:
        for j in edges[i]:
            if j in came_from:
                continue
            came_from[j] = i
            if j not in owner:
                _take(j, start, came_from, owner)
                return True
            queue.append(owner[j])
    return False


def _take(free: int, start: int, came_from: dict[int, int], owner: dict[int, int]) -> None:
    partner_of = {i: j for j, i in owner.items()}
    while True:
        i = came_from[free]
        previous = partner_of.get(i)
        owner[free] = i
        if i == start or previous is None:
            return
        free = previous
