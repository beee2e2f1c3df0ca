"""One `*.evalcase.yaml` file → a suite of eval cases, and everything that is wrong with it, in one go."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_ftgate.cases import EvalCase, Role
from pytest_ftgate.errors import Mistake
from pytest_ftgate.files import values
from pytest_ftgate.files.case_reader import CaseReader, SuiteHead, entries
from pytest_ftgate.files.datasets import DataSet, add_cases, parse_dataset
from pytest_ftgate.files.expectations import ExpectationReader
from pytest_ftgate.files.fields import FieldReader, Fields
from pytest_ftgate.files.labels import label, label_problem
from pytest_ftgate.files.mistakes import Mistakes, file_error
from pytest_ftgate.files.nodes import MapNode, Node, NodeError, Note, Scalar, Value, wrong
from pytest_ftgate.files.references import (
    MAX_CASE_FILE_BYTES,
    References,
    Unusable,
    read_regular_file,
    relative,
)
from pytest_ftgate.files.strict_json import JsonError, refuse_depth
from pytest_ftgate.files.wording import quoted
from pytest_ftgate.scorers.spec import ScorerSpec

KEYS = ("suite", "role", "collect", "defaults", "cases", "datasets")
SUFFIXES = (".evalcase.yaml", ".evalcase.yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One case file as read.

    `cases` are the sound ones; `mistakes` say what is wrong with the others, each with the id of its case, or
    with one made up of its place. `collect` is False if only markers use the file. `digest` covers the file's
    bytes and those of every file that it names.
    """

    name: str
    role: Role
    path: str
    collect: bool
    cases: tuple[EvalCase, ...]
    mistakes: tuple[Mistake, ...]
    warnings: tuple[str, ...]
    digest: str


def read_suite(path: Path, rootdir: Path, table: Mapping[str, ScorerSpec]) -> Suite:
    """Reads a case file and all that it names.

    Raises `FileError` if the file can't be used as a whole; what is wrong with single cases is in `mistakes`.
    """
    shown = relative(path, rootdir)
    try:
        raw = read_regular_file(path, limit=MAX_CASE_FILE_BYTES, remedy=_SPLIT)
    except Unusable as reason:
        raise file_error(shown, f"the file {reason}") from None
    try:
        root = _root(raw)
    except NodeError as error:
        raise file_error(shown, error) from None
    return _SuiteReader(root, path, rootdir, table).suite(raw)


def _root(raw: bytes) -> MapNode:
    from pytest_ftgate.files.yaml_nodes import parse_yaml  # noqa: PLC0415 - inline cases need no YAML

    root = parse_yaml(raw)
    if root is None:
        raise NodeError((1, 1, "no cases: the file is empty"))
    return values.mapping(root, "a case file")


class _SuiteReader:
    """Reads one suite; lives for one call of `read_suite`."""

    def __init__(self, root: MapNode, path: Path, rootdir: Path, table: Mapping[str, ScorerSpec]) -> None:
        self._root = root
        self._path = relative(path, rootdir)
        self._rootdir = rootdir
        self._references = References(path.parent, rootdir)
        # What is wrong with the file as a whole, and what with single cases.
        self._file = Mistakes(self._path)
        self._single = Mistakes(self._path)
        self._fields = FieldReader(ExpectationReader(table, self._references), self._references)

    def suite(self, raw: bytes) -> Suite:
        root, checked = self._root, self._checked
        self._file.add(values.unknown_key(root.keys[key], KEYS) for key in root.keys if key not in KEYS)
        head = SuiteHead(
            name=checked("suite", lambda node: label(node, "'suite'"), None) or self._file_name(),
            role=Role(checked("role", lambda node: values.choice(node, "'role'", tuple(Role)), Role.TARGET)),
            path=self._path,
        )
        collect = checked("collect", lambda node: values.boolean(node, "'collect'"), True)
        reader = CaseReader(head, self._fields, self._single)
        self._read_cases(reader)
        if self._file:
            self._file.absorb(self._single)
            raise self._file.error()
        return Suite(
            name=head.name,
            role=head.role,
            path=head.path,
            collect=collect,
            cases=tuple(reader.cases),
            mistakes=self._single.listed(),
            warnings=tuple(reader.labels.warnings),
            digest=self._references.digest(raw),
        )

    def _checked(self, key: str, parse: Callable[[Node], Any], default: Any) -> Any:
        node = self._root.values.get(key)
        if node is None:
            return default
        try:
            return parse(node)
        except NodeError as error:
            self._file.add(error.notes)
            return default

    def _file_name(self) -> str:
        name = self._path.rpartition("/")[2]
        name = next((name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix)), name)
        problem = label_problem(name)
        if problem:
            self._file.add(
                [(1, 1, f"the suite has the file's name, {quoted(name)}, which {problem}: write 'suite: …'")]
            )
        return name

    def _read_cases(self, reader: CaseReader) -> None:
        cases = self._list("cases")
        datasets = self._list("datasets")
        if not cases and not datasets and not self._file:
            at: Node = self._root.values.get("cases", self._root)
            self._file.add(
                [(at.line, at.column, "no cases: write them under 'cases:', or name files under 'datasets:'")]
            )
        defaults_node = self._checked("defaults", _defaults_mapping, None)
        defaults = self._defaults(defaults_node) if cases and defaults_node else {}
        for node in cases:
            self._case(node, defaults, reader)
        for node in datasets:
            self._dataset(node, defaults_node, reader)

    def _list(self, key: str) -> Sequence[Node]:
        node = self._root.values.get(key)
        if (
            node is None
            or values.is_null(node)
            or (isinstance(node, Scalar) and node.plain and not node.text)
        ):
            return ()
        found: Sequence[Node] = self._checked(key, lambda node: values.items(node, quoted(key)), ())
        return found

    def _defaults(self, node: MapNode) -> Fields:
        notes: list[Note] = []
        defaults = self._fields.read(entries(node), notes)
        self._file.add(notes)
        return defaults

    def _case(self, node: Node, defaults: Fields, reader: CaseReader) -> None:
        try:
            reader.read(values.mapping(node, "a case"), defaults)
        except NodeError as error:
            self._single.add(error.notes, case=f"case-at-line-{node.line}")

    def _dataset(self, node: Node, defaults: MapNode | None, reader: CaseReader) -> None:
        try:
            dataset = parse_dataset(node, defaults, reader, self._references)
            add_cases(dataset, self._shown(dataset), reader)
        except NodeError as error:
            self._file.add(error.notes)

    def _shown(self, dataset: DataSet) -> str:
        path = self._references.resolve(dataset.path, dataset.node)
        return relative(path, self._rootdir.resolve())


def _defaults_mapping(node: Node) -> MapNode | None:
    if values.is_null(node):
        return None
    found = values.mapping(node, "'defaults'")
    if "id" in found.values:
        raise wrong(found.keys["id"], "an 'id' can't be a default: every case needs its own")
    return found


_SPLIT = "split it, or move the cases to a JSONL file and name it under 'datasets:'"


@dataclass(frozen=True, slots=True, kw_only=True)
class InlinePlace:
    """Where cases written in Python stand: the module, its suite's name, and the line of the marker."""

    path: Path
    rootdir: Path
    line: int
    suite: str
    role: Role = Role.TARGET


def parse_cases(
    given: Sequence[Mapping[str, Any]], place: InlinePlace, table: Mapping[str, ScorerSpec]
) -> tuple[tuple[EvalCase, ...], tuple[Mistake, ...]]:
    """Cases given as Python values, validated like those of a file; they may leave out `expect`."""
    shown = relative(place.path, place.rootdir)
    references = References(place.path.parent, place.rootdir)
    mistakes = Mistakes(shown)
    head = SuiteHead(name=place.suite, role=place.role, path=shown, expect_required=False)
    reader = CaseReader(head, FieldReader(ExpectationReader(table, references), references), mistakes)
    for value in given:
        node = Value(value, place.line, 1)
        try:
            refuse_foreign(node)
            reader.read(values.mapping(node, "a case"), {})
        except NodeError as error:
            mistakes.add(error.notes, case=f"case-at-line-{place.line}")
    return tuple(reader.cases), mistakes.listed()


def refuse_foreign(node: Value) -> None:
    """Raises for anything that JSON can't hold: other types, NaN, lone surrogates, bottomless nesting."""
    try:
        refuse_depth(node.value)
        json.dumps(node.value, ensure_ascii=False, allow_nan=False).encode()
    except JsonError as error:
        problem = error.reason
    except TypeError as error:
        problem = str(error)
    except UnicodeEncodeError as error:
        problem = f"half of a character, \\u{ord(error.object[error.start]):04x}, is no text"
    except ValueError:
        problem = "NaN and infinity are no JSON"
    else:
        return
    raise wrong(node, f"a case holds text, numbers, booleans, lists and mappings only: {problem}")
