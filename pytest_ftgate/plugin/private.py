"""The private attributes of pytest and xdist that this plugin reads, each with its reason and a fallback."""

from __future__ import annotations

from typing import Any

import pytest


def shared_fixtureinfo(item: pytest.Function) -> Any:
    """The fixtures of an item, to be handed to its siblings, which ask for the same ones.

    Resolving them anew costs 70 µs a case. Without the attribute (None) pytest resolves them itself.
    """
    return getattr(item, "_fixtureinfo", None)


def release_request(item: pytest.Function) -> None:
    """Takes the state of a run off an item that does not run yet, as pytest itself does once it has run.

    pytest makes it anew before the item runs. It is 400 bytes an item, and items may be many. Without
    the attribute there is nothing to take.
    """
    if getattr(item, "_request", None):
        item._request = False  # type: ignore[assignment]
        item.funcargs = None  # type: ignore[assignment]


def is_overridden(item: pytest.Function, fixture: str) -> bool:
    """Whether a conftest or a module replaces a fixture of ours for this item, known before it runs.

    The last definition is the nearest to the item. Without the attribute (False) the item's request goes
    to the replaced model ahead of time; what the override returns is used all the same.
    """
    known = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    definitions = known.get(fixture) or ()
    module = getattr(getattr(definitions[-1], "func", None), "__module__", "") if definitions else ""
    return bool(definitions) and not str(module).startswith("pytest_ftgate.")


def parameter(item: pytest.Item, name: str) -> Any:
    """The value that an item is parametrized with under a name, None without one."""
    return getattr(getattr(item, "callspec", None), "params", {}).get(name)


def queued(config: pytest.Config) -> list[int]:
    """The numbers of the items that wait on this xdist worker, in their order, beyond the next one.

    So their answers can be asked for ahead of time. Without the attribute ([]) they are asked for later.
    """
    for plugin in config.pluginmanager.get_plugins():
        queue: Any = getattr(plugin, "torun", None)
        if type(plugin).__name__ == "WorkerInteractor" and hasattr(queue, "lock"):
            with queue.lock() as items:
                return [item for item in items if isinstance(item, int)]
    return []


def reports_of(item: pytest.Item, nextitem: pytest.Item | None) -> list[pytest.TestReport] | None:
    """Runs an item and gives its reports of setup, call and teardown to nobody but the caller.

    Plugins that re-run tests do it by the same function. None without it: then pytest runs the item itself.
    """
    run: Any = getattr(item.config.pluginmanager.get_plugin("runner"), "runtestprotocol", None)
    return None if run is None else list(run(item, log=False, nextitem=nextitem))
