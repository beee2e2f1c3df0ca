"""Telling a cancelled task from a `CancelledError` that got out of somebody's own tasks."""

from __future__ import annotations

import asyncio


def was_cancelled() -> bool:
    """Whether somebody cancelled this task; else a `CancelledError` is an error of the code it came from."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
