"""An entry under `datasets:` → cases, one for each row that it takes. An entry is compiled once."""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pytest_ftgate.files import parquet, templates, values
from pytest_ftgate.files.case_reader import MERGED, CaseReader, entries, merged
from pytest_ftgate.files.fields import KEYS, Fields
from pytest_ftgate.files.nodes import MapNode, Node, NodeError, Note, Scalar, wrong
from pytest_ftgate.files.references import References
from pytest_ftgate.files.rows import FORMATS, Row, read_rows
from pytest_ftgate.files.wording import did_you_mean, quoted

MAX_DATASET_BYTES = 256 * 2**20
MAX_ROWS = 200_000

_OWN_KEYS = ("path", "where", "limit", "seed")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet:
    """One entry, checked: which rows of which file it takes, and what each becomes.

    `constant` are the fields without templates; `filled` makes the others, by key, out of a row. `names` are
    all that is looked up in a row.
    """

    node: MapNode
    path: str
    raw: bytes
    suffix: str
    where: Mapping[str, tuple[Any, ...]]
    limit: int | None
    seed: int | None
    constant: Fields
    filled: tuple[tuple[Scalar, templates.Fill], ...]
    names: frozenset[str]

    def rows(self) -> Iterator[Row]:
        """All rows of the file, the broken ones too."""
        if self.suffix in parquet.SUFFIXES:
            return parquet.parquet_rows(self.raw, self.names, MAX_DATASET_BYTES)
        return read_rows(self.raw, self.suffix)


def parse_dataset(
    node: Node, defaults: MapNode | None, reader: CaseReader, references: References
) -> DataSet:
    """One entry under `datasets:`; raises `NodeError` with all that is wrong with the entry itself."""
    entry = values.mapping(node, "an entry of 'datasets'")
    notes = [
        values.unknown_key(entry.keys[key], (*_OWN_KEYS, *KEYS))
        for key in entry.keys
        if key not in _OWN_KEYS and key not in KEYS
    ]
    if "path" not in entry.values:
        notes.append((entry.line, entry.column, "a data set needs a 'path'"))
    written = entry.values.get("id")
    if written is None or templates.compiled(written) is None:
        at = entry if written is None else written
        notes.append((at.line, at.column, "a data set needs an 'id' with a template, as in id: '{{id}}'"))
    if notes:
        raise NodeError(*notes)
    return _compiled(entry, defaults, reader, references)


def _compiled(
    entry: MapNode, defaults: MapNode | None, reader: CaseReader, references: References
) -> DataSet:
    written = values.filled_text(entry.values["path"], "'path'")
    suffix = _suffix(written, entry.values["path"])
    where = _where(entry.values["where"], suffix) if "where" in entry.values else {}
    limit = (
        values.whole_number(entry.values["limit"], "'limit'", least=1) if "limit" in entry.values else None
    )
    seed = values.whole_number(entry.values["seed"], "'seed'", least=0) if "seed" in entry.values else None
    if seed is not None and limit is None:
        raise wrong(entry.keys["seed"], "'seed' chooses the rows of a 'limit', and there is none")
    notes: list[Note] = []
    parts = [
        (key, value, templates.compiled(value)) for key, value in entries(_merged_nodes(defaults, entry))
    ]
    constant = reader.fields.read([(key, value) for key, value, fill in parts if fill is None], notes)
    if notes:
        raise NodeError(*notes)
    remedy = "split it, or keep only the columns that are used"
    return DataSet(
        node=entry,
        path=written,
        raw=references.read(written, entry.values["path"], limit=MAX_DATASET_BYTES, remedy=remedy),
        suffix=suffix,
        where=where,
        limit=limit,
        seed=seed,
        constant=merged({}, constant),
        filled=tuple((key, fill) for key, _, fill in parts if fill is not None),
        names=frozenset(where).union(*(templates.names(value) for _, value, _ in parts)),
    )


def _suffix(written: str, node: Node) -> str:
    suffix = "." + written.lower().rpartition(".")[2]
    if suffix in parquet.SUFFIXES and not parquet.is_installed():
        raise wrong(node, f"{quoted(written)}: {parquet.NEEDED}")
    if suffix in FORMATS or suffix in parquet.SUFFIXES:
        return suffix
    known = "JSONL (.jsonl), CSV (.csv) or Parquet (.parquet)"
    raise wrong(node, f"{quoted(written)} is no data set: take {known}")


def _where(node: Node, suffix: str) -> dict[str, tuple[Any, ...]]:
    """The allowed values by dotted key; a CSV file has only text, so there they are taken as written."""
    value = values.plain if suffix != ".csv" else lambda one: values.text(one, "a value of 'where'")
    conditions = values.mapping(node, "'where'").values
    return {
        key: tuple(value(one) for one in values.items_or_none(allowed) or (allowed,))
        for key, allowed in conditions.items()
    }


def _merged_nodes(defaults: MapNode | None, entry: MapNode) -> MapNode:
    """The case fields of an entry over those of `defaults:`, before templates are filled in."""
    own = {key: node for key, node in entry.values.items() if key not in _OWN_KEYS}
    if defaults is None:
        return MapNode(own, entry.keys, entry.line, entry.column)
    both = {**defaults.values, **own}
    for key in MERGED:
        below, above = defaults.values.get(key), own.get(key)
        if isinstance(below, MapNode) and isinstance(above, MapNode):
            both[key] = MapNode(
                {**below.values, **above.values}, {**below.keys, **above.keys}, above.line, above.column
            )
    return MapNode(both, {**defaults.keys, **entry.keys}, entry.line, entry.column)


def add_cases(dataset: DataSet, path: str, reader: CaseReader) -> None:
    """Adds the cases of all rows that the entry takes, and what is wrong with the others.

    `path` is the data file's, from the rootdir. Raises `NodeError` if the entry takes no row at all.
    """
    matching: list[Row] = []
    seen: list[Row] = []
    for row in dataset.rows():
        if row.problem is not None:
            reader.mistakes.add(row.problem.notes, case=_row_name(path, row), path=path)
        elif _matches(dataset.where, row.values):
            matching.append(row)
        seen.append(row)
    if not matching and not any(row.problem for row in seen):
        raise wrong(dataset.node.values["path"], _nothing(dataset, seen))
    chosen = list(_limited(dataset, matching))
    if len(chosen) > MAX_ROWS:
        message = f"{len(chosen)} rows are more than {MAX_ROWS}: take fewer with 'where' or 'limit'"
        raise wrong(dataset.node.values["path"], message)
    for row in chosen:
        _add_case(dataset, row, path, reader)


def _matches(where: Mapping[str, tuple[Any, ...]], row: Mapping[str, Any]) -> bool:
    return all(_is_one_of(templates.find(row, key), allowed) for key, allowed in where.items())


def _is_one_of(found: Any, allowed: tuple[Any, ...]) -> bool:
    # `True == 1` in Python, but not in JSON.
    return any(found == one and (type(found) is bool) == (type(one) is bool) for one in allowed)


def _nothing(dataset: DataSet, rows: list[Row]) -> str:
    if not rows:
        return f"{quoted(dataset.path)} has no rows"
    for key in dataset.where:
        if all(templates.find(row.values, key) is templates.MISSING for row in rows):
            known = {name for row in rows[:100] for name in row.values}
            return f"no row of {quoted(dataset.path)} has {quoted(key)}. {did_you_mean(key, known, 'Names')}"
    return f"no row of {quoted(dataset.path)} matches 'where'"


def _limited(dataset: DataSet, rows: list[Row]) -> Iterator[Row]:
    if dataset.limit is None or len(rows) <= dataset.limit:
        return iter(rows)
    if dataset.seed is None:
        return iter(rows[: dataset.limit])
    ranked = ((_rank(dataset, row), index) for index, row in enumerate(rows))
    return iter(
        [rows[index] for index in sorted(index for _, index in heapq.nsmallest(dataset.limit, ranked))]
    )


def _rank(dataset: DataSet, row: Row) -> bytes:
    """A hash of seed and id: a row keeps its rank when others are added."""
    fill = next(fill for key, fill in dataset.filled if key.text == "id")
    try:
        written = values.text(fill(row.values), "'id'")
    except NodeError:
        return b""  # first of all, so that its mistake is seen
    return hashlib.blake2b(f"{dataset.seed}:{written}".encode(), digest_size=16).digest()


def _add_case(dataset: DataSet, row: Row, path: str, reader: CaseReader) -> None:
    notes: list[Note] = []
    taken: list[Note] = []
    nodes: list[tuple[Scalar, Node]] = []
    for key, fill in dataset.filled:
        try:
            nodes.append((key, fill(row.values)))
        except NodeError as error:
            notes.extend(error.notes)
    own = reader.fields.read(nodes, notes)
    name = own.get("id")
    if name is not None:
        name = reader.claim(name, Scalar(name, False, row.line, 1), path, taken)
    fields = {**dataset.constant, **_without_nulls(own)}
    case = None if notes or taken else reader.build(fields, dataset.node, notes, from_dataset=True)
    if case is not None:
        reader.add(case, path, row.line)
        return
    here = reader.head.path
    placed = [
        (row.line, 1, f"{message} (asked for in {here}:{line}:{column})") for line, column, message in notes
    ]
    reader.mistakes.add([*taken, *placed], case=name or _row_name(path, row), path=path)


def _without_nulls(fields: Fields) -> Fields:
    return merged({}, fields)


def _row_name(path: str, row: Row) -> str:
    unit = "row" if path.lower().endswith(parquet.SUFFIXES) else "line"
    return f"{path.rpartition('/')[2]}-{unit}-{row.line}"
