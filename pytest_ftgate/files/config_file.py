"""`ftgate.yaml` → which models are compared, how they are asked, and the gate as written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_ftgate.cases import Role
from pytest_ftgate.files import values
from pytest_ftgate.files.mistakes import Mistakes, file_error
from pytest_ftgate.files.model_entries import ModelEntry, entry_name, parse_entry
from pytest_ftgate.files.nodes import ListNode, MapNode, Node, NodeError, Scalar
from pytest_ftgate.files.references import References, Unusable, read_regular_file, relative
from pytest_ftgate.gates import BUILTIN_METRICS, GateError, Metric, parse_gate

DEFAULT_NAME = "ftgate.yaml"
MAX_CONFIG_BYTES = 2 * 2**20

_NAMES = ("model", "baseline", "judge", "embeddings")
KEYS = (*_NAMES, "roles", "models", "gate")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigFile:
    """What `ftgate.yaml` says; empty without one.

    `path` is relative to the rootdir. `gate` is raw, for `parse_gate`: numbers as the text that was written,
    booleans as bool. `roles` replace model or baseline for the suites of one role.
    """

    path: str | None = None
    model: str | None = None
    baseline: str | None = None
    judge: str | None = None
    embeddings: str | None = None
    roles: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    models: Mapping[str, ModelEntry] = field(default_factory=dict)
    gate: Mapping[str, Any] = field(default_factory=dict)


def read_config(
    path: Path | None, rootdir: Path, metrics: Mapping[str, Metric] = BUILTIN_METRICS
) -> ConfigFile:
    """Reads `ftgate.yaml` of the rootdir, or another file; without the former there is nothing to read.

    Raises `FileError` with every mistake, those of the gate included.
    """
    if path is None and not (rootdir / DEFAULT_NAME).exists():
        return ConfigFile()
    chosen = path or rootdir / DEFAULT_NAME
    shown = relative(chosen, rootdir)
    try:
        root = _root(read_regular_file(chosen, limit=MAX_CONFIG_BYTES, remedy="a gate is no place for data"))
    except Unusable as reason:
        raise file_error(shown, f"the file {reason}") from None
    except NodeError as error:
        raise file_error(shown, error) from None
    return _ConfigReader(root, shown, References(chosen.parent, rootdir), metrics).config()


def _root(raw: bytes) -> MapNode:
    from pytest_ftgate.files.yaml_nodes import parse_yaml  # noqa: PLC0415 - most runs have no ftgate.yaml

    root = parse_yaml(raw)
    return MapNode({}, {}, 1, 1) if root is None else values.mapping(root, "ftgate.yaml")


class _ConfigReader:
    """Reads one `ftgate.yaml`; lives for one call of `read_config`."""

    def __init__(
        self, root: MapNode, path: str, references: References, metrics: Mapping[str, Metric]
    ) -> None:
        self._root = root
        self._path = path
        self._references = references
        self._metrics = metrics
        self._mistakes = Mistakes(path)

    def config(self) -> ConfigFile:
        root = self._root
        self._mistakes.add(values.unknown_key(root.keys[key], KEYS) for key in root.keys if key not in KEYS)
        config = ConfigFile(
            path=self._path,
            **{key: self._checked(key, _name_reader(key), None) for key in _NAMES},
            roles=self._checked("roles", _roles, {}),
            models=self._checked("models", self._models, {}),
            gate=self._checked("gate", lambda node: _gate(node, self._metrics), {}),
        )
        if self._mistakes:
            raise self._mistakes.error()
        return config

    def _checked(self, key: str, parse: Callable[[Node], Any], default: Any) -> Any:
        node = self._root.values.get(key)
        if node is None or values.is_null(node):
            return default
        try:
            return parse(node)
        except NodeError as error:
            self._mistakes.add(error.notes)
            return default

    def _models(self, node: Node) -> dict[str, ModelEntry]:
        models = values.mapping(node, "'models'")
        names = list(models.keys.values())
        entries = values.each(lambda key: self._entry(key, models), names)
        return {entry.name: entry for entry in entries}

    def _entry(self, key: Node, models: MapNode) -> ModelEntry:
        name = entry_name(key)
        return parse_entry(name, models.values[name], self._references)


def _name_reader(key: str) -> Callable[[Node], str]:
    return lambda node: values.filled_text(node, f"'{key}'")


def _roles(node: Node) -> dict[str, dict[str, str]]:
    roles = values.mapping(node, "'roles'")
    values.known_keys(roles, tuple(Role), "Roles")
    read: dict[str, dict[str, str]] = {}
    for role, below in roles.values.items():
        names = values.mapping(below, f"the role {role}")
        values.known_keys(names, ("model", "baseline"))
        read[role] = {key: values.filled_text(value, f"'{key}'") for key, value in names.values.items()}
    return read


def _gate(node: Node, metrics: Mapping[str, Metric]) -> dict[str, Any]:
    written = values.mapping(node, "'gate'")
    raw = {key: _raw(value) for key, value in written.values.items()}
    try:
        parse_gate(raw, metrics=metrics)
    except GateError as error:
        places = [(_at(written, where), message) for where, message in error.each()]
        raise NodeError(*((at.line, at.column, message) for at, message in places)) from None
    return raw


def _raw(node: Node) -> Any:
    """Builtins with every number as it was written: thresholds are compared exactly."""
    if isinstance(node, MapNode):
        return {key: _raw(value) for key, value in node.values.items()}
    if isinstance(node, ListNode):
        return [_raw(item) for item in node.items]
    if not isinstance(node, Scalar) or not node.plain:
        return node.text if isinstance(node, Scalar) else node.value
    if not node.text:
        return None
    return node.text if node.text[0] in "+-.0123456789" else values.core(node)


def _at(node: MapNode, where: tuple[str, ...]) -> Node:
    """The key to which a path of keys leads, or the last one on the way that is there."""
    found: Node = node
    at: Node = node
    for key in where:
        if isinstance(found, MapNode) and key in found.values:
            at, found = found.keys[key], found.values[key]
    return at
