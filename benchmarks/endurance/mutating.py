"""Mutants of a module: small wrong versions of it, made on its syntax tree, for a test to notice each.

What nothing can notice is not mutated: annotations, docstrings, `assert`, decorators (frozen, slots, caches),
imports, type variables, `zip(strict=…)`, and texts for people (any text with a space in it, all of an
f-string's text).
"""

from __future__ import annotations

import ast
import copy
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: Further than this nobody reads a description.
_LONGEST = 100
_BOUNDARY: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.Pow: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
_TWINS = {"any": "all", "all": "any", "min": "max", "max": "min", "sorted": "list"}
#: Calls, assignments and fields that only types, or only people, read.
_UNREAD_CALLS = {"TypeVar", "cast", "NewType", "get_args"}
_UNREAD_NAMES = {"__all__", "__slots__"}
_UNREAD_FIELDS = {"annotation", "returns", "decorator_list", "format_spec"}
_FOR_PEOPLE = {"doc", "nothing", "lacking"}  # the keywords of a metric that hold sentences

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One change of one module. `place` is the function around it, empty for what runs at import.

    `outermost` is the function that its module or class holds, to be compiled anew; None at import.
    `lines` are those of the statement.
    """

    path: Path
    module: str
    place: str
    lines: range
    change: str
    target: ast.AST
    replacement: ast.AST
    tree: ast.Module
    outermost: tuple[str, int] | None

    @property
    def name(self) -> str:
        """What stays the same when lines move."""
        return f"`{self.module}` `{self.place or 'at import'}`: {self.change}"

    def compiled(self) -> object:
        """The module's code with the change in it. It changes the tree: call it in a process of its own."""
        _Replace(self.target, self.replacement).visit(self.tree)
        return compile(ast.fix_missing_locations(self.tree), str(self.path), "exec")


def mutants_of(path: Path, module: str) -> list[Mutant]:
    """All mutants of one file, in the order of its lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: list[Mutant] = []
    seen: dict[str, int] = {}
    for place, outermost, lines, node in _Walk().module(tree):
        for replacement in _changed(node):
            made = Mutant(
                path=path,
                module=module,
                place=place,
                lines=lines,
                change=_told(node, replacement),
                target=node,
                replacement=replacement,
                tree=tree,
                outermost=outermost,
            )
            count = seen[made.name] = seen.get(made.name, 0) + 1
            change = f"{made.change} (number {count})" if count > 1 else made.change
            found.append(dataclasses.replace(made, change=change))
    return found


class _Replace(ast.NodeTransformer):
    def __init__(self, target: ast.AST, replacement: ast.AST) -> None:
        self.target, self.replacement = target, replacement

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.target:
            return ast.copy_location(self.replacement, node)
        return self.generic_visit(node)


_Node = ast.expr | ast.stmt
_Found = Iterator[tuple[str, tuple[str, int] | None, range, _Node]]


class _Walk:
    """Visits what may be mutated, and knows in which function it stands."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.outermost: tuple[str, int] | None = None
        self.lines = range(0)

    def module(self, tree: ast.Module) -> _Found:
        for node in tree.body:
            yield from self._visit(node)

    def _visit(self, node: ast.AST) -> _Found:
        if _is_unread(node):
            return
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from self._function(node)
            return
        if isinstance(node, ast.stmt):
            self.lines = _lines(node)
        if isinstance(node, (ast.expr, ast.stmt)):
            yield ".".join(self.names), self.outermost, self.lines, node
        if isinstance(node, ast.ClassDef):
            self.names.append(node.name)
            for part in node.body:
                yield from self._visit(part)
            self.names.pop()
            return
        for child in _children(node):
            yield from self._visit(child)

    def _function(self, node: Function) -> _Found:
        self.lines = range(node.lineno, node.lineno + 1)
        for default in (*node.args.defaults, *filter(None, node.args.kw_defaults)):
            yield from self._visit(default)
        self.names.append(node.name)
        is_outermost = self.outermost is None
        if is_outermost:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            self.outermost = (".".join(self.names), first)
        for part in node.body:
            yield from self._visit(part)
        self.names.pop()
        if is_outermost:
            self.outermost = None


def _lines(node: ast.stmt) -> range:
    """The statement's own lines, those of a body left out."""
    body: list[ast.stmt] = getattr(node, "body", [])
    return range(node.lineno, max(body[0].lineno if body else (node.end_lineno or 0) + 1, node.lineno + 1))


def _children(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.JoinedStr):
        yield from (part for part in node.values if isinstance(part, ast.FormattedValue))
        return
    # The last of what has one element is its first: only the second is another one.
    is_first = isinstance(node, ast.Subscript) and ast.unparse(node.slice) == "0"
    for field, value in ast.iter_fields(node):
        if field in _UNREAD_FIELDS or (is_first and field == "slice"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield child


def _is_unread(node: ast.AST) -> bool:  # noqa: PLR0911  (a table)
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Assert():
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id=name)]) if name in _UNREAD_NAMES:
            return True
        case ast.Assign(
            value=ast.Subscript(value=ast.Name(id="Literal" | "Callable" | "Mapping" | "Sequence"))
        ):
            return True
        case ast.Assign(value=ast.BinOp(op=ast.BitOr(), right=ast.Name())):
            return True
        case ast.Call(func=ast.Name(id=name)) if name in _UNREAD_CALLS:
            return True
        case ast.keyword(arg=name) if name in _FOR_PEOPLE:
            return True
        case ast.keyword(arg="strict") | ast.keyword(arg="key", value=ast.Name(id="float")):
            return True  # fractions are sorted as floats only because that is quicker
    return False


def _changed(node: _Node) -> Iterator[ast.AST]:  # noqa: PLR0912  (a table)
    """The wrong versions of one node."""
    match node:
        case ast.Compare():
            yield from _comparisons(node)
        case ast.BoolOp():
            yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
            for place in range(len(node.values)):
                rest = [value for other, value in enumerate(node.values) if other != place]
                yield copy.deepcopy(rest[0]) if len(rest) == 1 else _with(node, values=rest)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield copy.deepcopy(node.operand)
        case ast.BinOp() if type(node.op) in _ARITHMETIC and not _is_type(node):
            yield _with(node, op=_ARITHMETIC[type(node.op)]())
        case ast.AugAssign() if type(node.op) in _ARITHMETIC:
            yield _with(node, op=_ARITHMETIC[type(node.op)]())
            yield ast.Pass()
        case ast.IfExp() | ast.If() | ast.While():
            if _is_plain(node.test):
                yield _with(node, test=ast.UnaryOp(op=ast.Not(), operand=node.test))
        case ast.Subscript(slice=ast.Constant(value=0)):
            yield _with(node, slice=ast.Constant(1))
        case ast.Constant():
            yield from (ast.Constant(value) for value in _constants(node.value))
        case ast.Call():
            yield from _calls(node)
        case ast.Return(value=ast.expr() as value):
            if not (isinstance(value, ast.Constant) and value.value is None):
                yield _with(node, value=ast.Constant(None))
        case ast.Expr() | ast.Raise():
            yield ast.Pass()
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
        case ast.Assign(targets=[ast.Subscript() | ast.Attribute()]):
            yield ast.Pass()
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            yield from _comprehensions(node)
    if isinstance(node, ast.If) and _leaves(node.body[-1]) and not node.orelse:
        yield ast.Pass()


def _comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    for place, op in enumerate(node.ops):
        for table in (_BOUNDARY, _OPPOSITE):
            if type(op) in table:
                yield _with(node, ops=[*node.ops[:place], table[type(op)](), *node.ops[place + 1 :]])


def _constants(value: object) -> Iterator[str | bool | int | float]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield value + 1
        yield value - 1
    elif isinstance(value, float):
        yield value + 1
        if value:
            yield value / 2
    elif isinstance(value, str) and not any(char.isspace() for char in value):
        yield f"{value}X"


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    if isinstance(node.func, ast.Name) and node.func.id in _TWINS:
        twin = _TWINS[node.func.id]
        yield _with(node, func=ast.Name(twin), keywords=[] if twin == "list" else node.keywords)
    for keyword in node.keywords:
        if keyword.arg and not _is_unread(keyword):
            yield _with(node, keywords=[one for one in node.keywords if one is not keyword])


def _comprehensions(node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> Iterator[ast.AST]:
    for place, part in enumerate(node.generators):
        for condition in part.ifs:
            rest = [one for one in part.ifs if one is not condition]
            if any(isinstance(one, ast.NamedExpr) for one in ast.walk(condition)):
                continue  # what follows needs the name
            generators = [*node.generators[:place], _with(part, ifs=rest), *node.generators[place + 1 :]]
            yield _with(node, generators=generators)


def _is_plain(test: ast.expr) -> bool:
    """Whether nothing within it is turned round already."""
    return not isinstance(test, (ast.Compare, ast.UnaryOp))


def _is_type(node: ast.BinOp) -> bool:
    """`int | str`, `X | None`: a type, not a number."""
    return isinstance(node.op, ast.BitOr) and isinstance(node.right, (ast.Name, ast.Constant))


def _leaves(node: ast.stmt) -> bool:
    return isinstance(node, (ast.Return, ast.Raise, ast.Continue, ast.Break))


def _with(node: ast.AST, **fields: object) -> ast.AST:
    """A copy with other fields."""
    made = copy.deepcopy(node)
    for name, value in fields.items():
        setattr(made, name, copy.deepcopy(value))
    return made


def _told(before: ast.AST, after: ast.AST) -> str:
    was = _short(ast.unparse(before))
    return f"without `{was}`" if isinstance(after, ast.Pass) else f"`{was}` → `{_short(ast.unparse(after))}`"


def _short(code: str) -> str:
    code = " ".join(code.split())
    return code if len(code) <= _LONGEST else f"{code[: _LONGEST - 1]}…"
