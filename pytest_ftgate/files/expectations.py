"""`expect:` → checked `Expectation`s, driven by the table of scorers. Never scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_ftgate.cases import COMPOSITES, Expectation
from pytest_ftgate.files import option_checks, values
from pytest_ftgate.files.labels import label
from pytest_ftgate.files.nodes import ListNode, MapNode, Node, NodeError, Note, Scalar, Value, wrong
from pytest_ftgate.files.references import References
from pytest_ftgate.files.wording import did_you_mean, quoted
from pytest_ftgate.scorers.spec import Option, ScorerSpec

_EXTRAS = ("weight", "name")
_NO_LIST_OF_TEXTS = (
    "a list under 'expect' holds checks that must all pass. Write 'exact_match: […]' if one of several texts "
    "is right, or 'all_of: [{contains: …}, {contains: …}]' for several checks"
)


class ExpectationReader:
    """Reads the `expect:` of all cases of one suite; keeps what it compiled for the next case."""

    def __init__(self, table: Mapping[str, ScorerSpec], references: References) -> None:
        self._table = table
        self._references = references
        self._checks: dict[tuple[str, str], option_checks.OptionCheck] = {}
        self._names = (*table, *COMPOSITES)

    def read(self, node: Node) -> tuple[Expectation, ...]:
        """All checks of a case; () for `expect: none`."""
        if _is_none(node):
            return ()
        entries = values.items_or_none(node)
        if entries is None:
            return (self._either(node),)
        if not entries:
            raise wrong(node, "an empty list expects nothing: write 'expect: none' if that is meant")
        return self._entries(entries, _NO_LIST_OF_TEXTS)

    def _entries(self, nodes: Sequence[Node], rule: str) -> tuple[Expectation, ...]:
        """A list of checks; of the entries that are none, the first is named."""
        bare = next((node for node in nodes if not values.is_mapping(node)), None)
        notes = (
            [] if bare is None else [(bare.line, bare.column, f"{values.shown(bare)} is no check: {rule}")]
        )
        try:
            entries = values.each(self._entry, [node for node in nodes if values.is_mapping(node)])
        except NodeError as error:
            notes.extend(error.notes)
        if notes:
            raise NodeError(*notes)
        return tuple(entries)

    def _either(self, node: Node) -> Expectation:
        """A whole `expect:` that is no list: a mapping with one scorer, or text for `exact_match`."""
        if values.is_mapping(node):
            return self._entry(node)
        spec = self._table["exact_match"]
        options = self._options(spec, node, "'expect'")
        return Expectation(scorer=spec.name, options=options, line=node.line, column=node.column)

    def misfits(self, expect: Sequence[Expectation], tools: Sequence[Mapping[str, Any]]) -> Iterator[Note]:
        """Calls that a case expects and that its tools do not allow; none where it has no tools."""
        for leaf in (leaf for check in expect for leaf in check.leaves()) if tools else ():
            for problem in self._table[leaf.scorer].check_tools(leaf.options, tools):
                yield leaf.line, leaf.column, f"{leaf.scorer}: {problem}"

    def _entry(self, node: Node) -> Expectation:
        entry = values.mapping(node, "an entry of 'expect'")
        name, argument = self._scorer(entry)
        if name in COMPOSITES:
            children = self._children(name, argument)
            return Expectation(
                scorer=name, children=children, line=entry.line, column=entry.column, **_extras(entry)
            )
        spec = self._table[name]
        if spec.own_code and _holds_row_value(node):
            raise wrong(
                argument, f"{name} runs the repository's own code, which a data set's row may not name"
            )
        options = self._options(spec, argument, name)
        if len(entry.values) == 1:
            return Expectation(scorer=name, options=options, line=entry.line, column=entry.column)
        return Expectation(
            scorer=name, options=options, line=entry.line, column=entry.column, **_extras(entry)
        )

    def _scorer(self, entry: MapNode) -> tuple[str, Node]:
        """The one key of an entry that is a scorer, and its argument."""
        names = [key for key in entry.values if key not in _EXTRAS]
        known = [key for key in names if key in self._table or key in COMPOSITES]
        if not names:
            raise wrong(
                entry, f"an entry of 'expect' names no scorer. {did_you_mean('', self._names, 'Scorers')}"
            )
        if len(known) == 1 and len(names) > 1:
            self._refuse_misplaced_options(entry, known[0], [key for key in names if key != known[0]])
        if len(known) < len(names):
            raise NodeError(*(self._unknown(entry.keys[key]) for key in names if key not in known))
        if len(known) > 1:
            raise wrong(entry.keys[known[1]], _two_scorers(known))
        return known[0], entry.values[known[0]]

    def _refuse_misplaced_options(self, entry: MapNode, scorer: str, others: list[str]) -> None:
        spec = self._table.get(scorer)
        misplaced = [key for key in others if spec is not None and key in spec.options]
        if spec is not None and misplaced:
            main = f"{spec.main}: …, " if spec.main else ""
            right = f"{scorer}: {{{main}{misplaced[0]}: …}}"
            raise wrong(
                entry.keys[misplaced[0]], f"{quoted(misplaced[0])} is an option of {scorer}: write {right}"
            )

    def _unknown(self, key: Scalar) -> tuple[int, int, str]:
        return (
            key.line,
            key.column,
            f"unknown scorer {quoted(key.text)}. {did_you_mean(key.text, self._names, 'Scorers')}",
        )

    def _children(self, name: str, node: Node) -> tuple[Expectation, ...]:
        if name == "not":
            if values.items_or_none(node) is not None:
                raise wrong(node, "'not' takes one check: write not: {any_of: […]} or not: {all_of: […]}")
            return (self._either(node),)
        entries = values.items(node, f"'{name}'")
        if not entries:
            raise wrong(node, f"'{name}' takes at least one check, and this list is empty")
        rule = f"'{name}' holds checks, so write {{exact_match: …}} for a text that must be the answer"
        return self._entries(entries, rule)

    def _options(self, spec: ScorerSpec, node: Node, what: str) -> dict[str, Any]:
        options = self._given(spec, node, what)
        missing = [name for name in spec.required if name not in options]
        if missing:
            raise wrong(node, f"{spec.name} needs {' and '.join(map(quoted, missing))}")
        # The scorer's own check words things better than a schema can, once the outermost types are right.
        problem = spec.check(options)
        if problem:
            raise wrong(node, f"{spec.name}: {problem}")
        for name, value in options.items():
            check = self._check(spec, name)
            if check.whole is not None and not check.whole(value):
                raise wrong(
                    node, f"{quoted(name)} of {spec.name} takes {check.wanted}, and this does not fit"
                )
        return options

    def _given(self, spec: ScorerSpec, node: Node, what: str) -> dict[str, Any]:
        """The options as written, the short form under the name of the main one."""
        if type(node) is Scalar or not values.is_mapping(node) or _is_reference(spec, node):
            return self._short(spec, node, what)
        written = values.mapping(node, what)
        unknown = [key for key in written.values if key not in spec.options]
        if unknown:
            raise NodeError(*(_unknown_option(spec, written.keys[key]) for key in unknown))
        return {
            key: self._option(spec, key, value, f"{quoted(key)} of {spec.name}")
            for key, value in written.values.items()
        }

    def _short(self, spec: ScorerSpec, node: Node, what: str) -> dict[str, Any]:
        if spec.main is not None:
            return {spec.main: self._option(spec, spec.main, node, what)}
        if values.plain(node) is True:
            return {}
        if not spec.options:
            hint = (
                f"; for the opposite write not: {{{spec.name}: true}}" if values.plain(node) is False else ""
            )
            raise wrong(node, f"{spec.name} takes true, and this is {values.shown(node)}{hint}")
        takes = f"true or a mapping of its options ({', '.join(spec.options)})"
        raise wrong(node, f"{spec.name} takes {takes}, and this is {values.shown(node)}")

    def _option(self, spec: ScorerSpec, name: str, node: Node, what: str) -> Any:
        value = self._value(spec.options[name], node, what)
        check = self._check(spec, name)
        if not check.shape(value):
            raise wrong(node, f"{what} takes {check.wanted}, and this is {values.shown(node)}")
        return value

    def _check(self, spec: ScorerSpec, name: str) -> option_checks.OptionCheck:
        check = self._checks.get((spec.name, name))
        if check is None:
            check = self._checks[spec.name, name] = option_checks.compiled(spec.options[name].schema)
        return check

    def _value(self, option: Option, node: Node, what: str) -> Any:
        if option.text:
            return _texts(node, what)
        value = values.plain(node)
        if option.file and isinstance(value, str):
            return self._references.read_json(value, node, _as_it_is)
        return value


def _is_none(node: Node) -> bool:
    if type(node) is Scalar:
        return node.plain and node.text == "none"
    return type(node) is Value and node.value is None and not node.row


def _is_reference(spec: ScorerSpec, node: Node) -> bool:
    """Whether a mapping is a row's data: as a whole the reference, whatever its keys are called.

    Where the reference is text, a mapping that spells out the scorer's options is taken as such.
    """
    if type(node) is not Value or not node.row or spec.main is None:
        return False
    spelt_out = spec.main in node.value and node.value.keys() <= spec.options.keys()
    return not (spec.options[spec.main].text and spelt_out)


def _texts(node: Node, what: str) -> str | list[str]:
    if type(node) is Scalar:
        return values.text(node, what)
    entries = values.items_or_none(node)
    if entries is None:
        return values.text(node, what)
    return [values.text(entry, f"an entry of {what}") for entry in entries]


def _extras(entry: MapNode) -> dict[str, Any]:
    extras: dict[str, Any] = {}
    if "weight" in entry.values:
        extras["weight"] = values.number(entry.values["weight"], "'weight'", least=0, above=True)
    if "name" in entry.values:
        extras["name"] = label(entry.values["name"], "'name'")
    return extras


def _holds_row_value(node: Node) -> bool:
    if type(node) is Value:
        return node.row
    below: Iterator[Node] = iter(())
    if type(node) is ListNode:
        below = iter(node.items)
    elif type(node) is MapNode:
        below = iter(node.values.values())
    return any(_holds_row_value(child) for child in below)


def _two_scorers(names: list[str]) -> str:
    return (
        f"one entry holds one scorer, and this one {' and '.join(map(quoted, names))}: write a list, "
        f"or 'all_of: [{', '.join(f'{{{name}: …}}' for name in names)}]'"
    )


def _unknown_option(spec: ScorerSpec, key: Scalar) -> tuple[int, int, str]:
    message = (
        f"{spec.name} has no option {quoted(key.text)}. {did_you_mean(key.text, spec.options, 'Options')}"
    )
    if spec.main is not None:
        full_stop = "" if message.endswith("?") else "."
        message += f"{full_stop} A mapping that is itself the reference stands under '{spec.main}:'"
    return key.line, key.column, message


def _as_it_is(value: Any) -> Any:
    return value
