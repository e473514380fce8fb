"""A Python file of a project, read as text: its imports, and the values of its plain expressions.

Literals, names with one value, variables of the environment, and the common ways to change a URL are plain. Everything
else counts as computed: only running it shows its value.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

from engarde.errors import ConfigError
from engarde.util.files import read_bytes

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = Function | ast.Lambda | ast.ClassDef | ast.Module

DEEPEST = 12
"""How far names are followed before a value counts as computed."""

SCHEME = "://"
"""In `Value.replaced`, it stands for the whole scheme of a URL."""

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef, ast.Module)
_CONDITIONAL = (ast.If, ast.Try, ast.For, ast.While, ast.Match)
_FROM_SETTINGS = ("get_main_option", "get_section_option", "get_section", "get_alembic_option")
_SAME = ("str", "text", "quoted_name", "make_url")
"""Functions that return their one argument, or something equivalent."""


UNKNOWN = object()
"""Stands for a value that only running the code could show."""


@dataclass(frozen=True, slots=True)
class Value:
    constant: object = field(default=UNKNOWN, repr=False)
    default: object = field(default=UNKNOWN, repr=False)
    """its value if the environment has none of its variables; may hold a password"""
    variables: frozenset[str] = frozenset()
    """the environment variables that it is made from"""
    from_settings: bool = False
    """it is read from alembic.ini"""
    replaced: tuple[tuple[str, str], ...] = ()
    """what was replaced in it, and by what"""
    computed: bool = False
    """it is not plain"""

    @property
    def text(self) -> str | None:
        """Its value, if that is a known string."""
        return self.constant if isinstance(self.constant, str) else None

    @property
    def likely(self) -> object:
        """Its value if the environment has none of its variables."""
        return self.default if self.constant is UNKNOWN else self.constant


@dataclass(frozen=True, slots=True)
class Modules:
    """A project's own files, each read once."""

    roots: tuple[Path, ...]
    """the folders that its modules are imported from"""
    _read: dict[Path, Source | None] = field(default_factory=dict, repr=False, compare=False)

    def source(self, file: Path) -> Source | None:
        """A file of the project; None if it is not Python."""
        if file not in self._read:
            self._read[file] = None
            with suppress(ConfigError):
                self._read[file] = source(file, self)
        return self._read[file]

    def file(self, name: str) -> Path | None:
        """The file of a module of the project."""
        places = [root.joinpath(*name.split(".")) for root in self.roots]
        files = [file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")]
        return next((file for file in files if file.is_file()), None)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    file: Path
    tree: ast.Module
    modules: Modules = field(repr=False)
    parents: Mapping[ast.AST, ast.AST] = field(repr=False)
    functions: Mapping[str, Function] = field(repr=False)
    imports: Mapping[str, tuple[str, str | None]] = field(repr=False)
    """name here: module, and the name there unless it is the module itself"""
    nodes: tuple[ast.AST, ...] = field(repr=False)

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """The nodes around a node, from the inside."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def function(self, node: ast.AST) -> Function | None:
        """The outermost function around a node."""
        return next((parent for parent in reversed([*self.above(node)]) if isinstance(parent, Function)), None)

    def calls(self, *names: str) -> Iterator[ast.Call]:
        """The calls of functions and methods with these names, in the order of the text."""
        return (node for node in self.nodes if isinstance(node, ast.Call) and name_of(node.func) in names)

    def imported(self, name: str) -> tuple[Source, str | None] | None:
        """The file of the project that a name comes from, and its name there unless it is the module itself."""
        module, there = self.imports.get(name, ("", None))
        if there and (file := self.modules.file(f"{module}.{there}")):
            there = None
        else:
            file = self.modules.file(module) if module else None
        found = self.modules.source(file) if file else None
        return (found, there) if found else None

    def assigned(self, name: str, scope: Scope) -> ast.expr | None:
        """The only value that a name has in a scope; None if it may have others, or is changed.

        :raises LookupError: the scope does not assign the name.
        """
        uses = [use for use in self.nodes if isinstance(use, ast.Name) and use.id == name]
        stores = [use for use in uses if isinstance(use.ctx, ast.Store) and self._scope(use) is scope]
        if not stores:
            raise LookupError(name)
        above = [[*takewhile(lambda node: node is not scope, self.above(use))] for use in stores]
        sometimes = any(isinstance(node, _CONDITIONAL) for nodes in above for node in nodes)
        elsewhere = any(isinstance(node, ast.Global) and name in node.names for node in self.nodes)
        if sometimes or elsewhere or any(map(self._is_changed, uses)):
            return None
        values = [
            dict(assigned(next(node for node in nodes if isinstance(node, ast.stmt)))).get(name) for nodes in above
        ]
        return values[0] if all(values) and len({ast.dump(value) for value in values if value}) == 1 else None

    def _scope(self, node: ast.AST) -> Scope:
        return next((parent for parent in self.above(node) if isinstance(parent, _SCOPES)), self.tree)

    def _is_changed(self, use: ast.Name) -> bool:
        """Whether this use of a name changes what is in it, as `name["x"] = 1` and `name.append(1)` do."""
        match self.parents[use]:
            case ast.Subscript(ctx=ctx):
                return not isinstance(ctx, ast.Load)
            case ast.Attribute(attr="append" | "extend" | "insert" | "update" | "setdefault" | "pop" | "remove"):
                return True
        return False

    # ---- Values of expressions.

    def value(self, node: ast.expr, depth: int = 0) -> Value:
        """The value of an expression of this file."""
        if depth > DEEPEST:
            return Value(computed=True)
        if plain := self._plain(node, depth + 1):
            return plain
        parts = [part.value if isinstance(part, ast.keyword) else part for part in ast.iter_child_nodes(node)]
        values = [self.value(part, depth + 1) for part in parts if isinstance(part, ast.expr)]
        return Value(variables=_variables(values), computed=True)

    def _plain(self, node: ast.expr, depth: int) -> Value | None:
        match node:
            case ast.Constant(value=value):
                return Value(value)
            case ast.Name(id=name):
                return self._name(name, self._scope(node), depth)
            case ast.Attribute(value=ast.Name(id=name), attr=attribute):
                found = self.imported(name)
                return found[0]._name(attribute, found[0].tree, depth) if found and not found[1] else None
            case ast.Tuple(elts=parts):
                known = [self.value(part, depth).constant for part in parts]
                return None if UNKNOWN in known else Value(tuple(known))
            case ast.FormattedValue(value=value):
                return self.value(value, depth)
            case ast.JoinedStr(values=parts):
                return _joined([self.value(part, depth) for part in parts])
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return _joined([self.value(left, depth), self.value(right, depth)])
            case ast.Subscript(value=value, slice=key) if dotted(value).endswith("environ"):
                return self._variable([key], depth)
            case ast.Call(func=func, args=arguments) if dotted(func).endswith(("getenv", "environ.get")):
                return self._variable(arguments, depth)
            case ast.Call(func=func) if name_of(func) in _FROM_SETTINGS:
                return Value(from_settings=True)
            case ast.Call(func=ast.Attribute(value=whole, attr="replace"), args=[old, new, *_]):
                return _replaced(*(self.value(part, depth) for part in (whole, old, new)))
            case ast.Call(func=ast.Attribute(value=whole, attr="set"), keywords=[ast.keyword("drivername", driver)]):
                return _replaced(self.value(whole, depth), Value(SCHEME), self.value(driver, depth))
            case ast.Call(func=ast.Attribute(value=whole, attr="render_as_string")):
                return self.value(whole, depth)
            case ast.Call(func=func, args=[whole], keywords=[]) if name_of(func) in _SAME:
                return self.value(whole, depth)
        return None

    def _name(self, name: str, scope: Scope, depth: int) -> Value | None:
        try:
            node = self.assigned(name, scope)
            return self.value(node, depth) if node else None
        except LookupError:
            pass
        if scope is not self.tree:
            taken = ast.walk(scope.args) if isinstance(scope, Function | ast.Lambda) else ()
            is_taken = any(isinstance(node, ast.arg) and node.arg == name for node in taken)
            return None if is_taken else self._name(name, self.tree, depth)
        there = self.imported(name)
        return there[0]._name(there[1], there[0].tree, depth + 1) if there and there[1] and depth < DEEPEST else None

    def _variable(self, arguments: list[ast.expr], depth: int) -> Value | None:
        name, *defaults = [self.value(node, depth) for node in arguments] or [Value()]
        if name.text is None:
            return None
        default = defaults[0].likely if defaults else UNKNOWN
        return Value(default=default, variables=_variables(defaults) | {name.text})


def _variables(values: Iterable[Value]) -> frozenset[str]:
    return frozenset().union(*(value.variables for value in values))


def _joined(parts: list[Value]) -> Value:
    """The concatenation of these."""
    if all(part.constant is not UNKNOWN for part in parts):
        return Value("".join(str(part.constant) for part in parts))
    likely = all(part.likely is not UNKNOWN for part in parts)
    scheme, found, _ = (parts[0].text or "").partition("://")
    return Value(
        default="".join(str(part.likely) for part in parts) if likely else UNKNOWN,
        # If a URL is built from a user, a password and a host, none of these variables holds the whole URL.
        variables=frozenset() if found else _variables(parts),
        from_settings=any(part.from_settings for part in parts),
        replaced=((SCHEME, scheme),) if found else parts[0].replaced,
        computed=any(part.computed for part in parts),
    )


def _replaced(whole: Value, old: Value, new: Value) -> Value | None:
    """The whole after a replacement; None if its strings are not known."""
    if old.text is None or new.text is None:
        return None
    if whole.text is not None:
        return replace(whole, constant=whole.text.replace(old.text, new.text))
    return replace(whole, replaced=(*whole.replaced, (old.text, new.text)))


def name_of(node: ast.AST) -> str | None:
    """The last part of `name` or `object.name`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


def dotted(node: ast.expr) -> str:
    """`a.b.c` as text; anything else becomes `?`."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{dotted(value)}.{name}"
    return "?"


def handed(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def texts_in(node: ast.AST) -> tuple[str, ...]:
    """The strings that are written in it."""
    constants = [inner.value for inner in ast.walk(node) if isinstance(inner, ast.Constant)]
    return tuple(text for text in constants if isinstance(text, str))


def assigned(statement: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The names and their values in `a = 1` and in `a, b = 1, 2`; empty for any other statement."""
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _pairs(target, value)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield from _pairs(target, value)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    match target, value:
        case ast.Name(id=name), _:
            yield name, value
        case ast.Tuple(elts=names) | ast.List(elts=names), ast.Tuple(elts=values) | ast.List(elts=values):
            for one, other in zip(names, values, strict=False):
                yield from _pairs(one, other)


def parsed(file: Path) -> ast.Module:
    """Parses a file.

    :raises ConfigError: it is not Python.
    """
    try:
        return ast.parse(read_bytes(file), str(file))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except SyntaxError as error:
        raise ConfigError(f"{file}:{error.lineno or 1}: not Python: {error.msg}") from None
    except ValueError:
        # Python up to 3.11.3 raises this for a null byte.
        raise ConfigError(f"{file}:1: not Python: it holds a null byte") from None


def source(file: Path, modules: Modules) -> Source:
    """Reads a file of a project.

    :raises ConfigError: it is not Python.
    """
    tree = parsed(file)
    nodes = sorted(ast.walk(tree), key=lambda node: (getattr(node, "lineno", 0), getattr(node, "col_offset", 0)))
    return Source(
        file,
        tree,
        modules,
        {child: node for node in nodes for child in ast.iter_child_nodes(node)},
        {node.name: node for node in tree.body if isinstance(node, Function)},
        dict(_imports(file, nodes, modules.roots)),
        tuple(nodes),
    )


def _imports(file: Path, nodes: list[ast.AST], roots: tuple[Path, ...]) -> Iterator[tuple[str, tuple[str, str | None]]]:
    for node in nodes:
        match node:
            case ast.Import(names=names):
                yield from ((alias.asname or alias.name, (alias.name, None)) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                package: tuple[str, ...] = ()
                if level:
                    folder = file.parents[min(level, len(file.parents)) - 1]
                    above = next((root for root in roots if folder.is_relative_to(root)), folder.parent)
                    package = folder.relative_to(above).parts
                base = ".".join(filter(None, (*package, module)))
                for alias in names:
                    # Only its module knows the names that a star imports; the module itself is still read.
                    star = alias.name == "*"
                    yield (f"*{base}", (base, None)) if star else (alias.asname or alias.name, (base, alias.name))
