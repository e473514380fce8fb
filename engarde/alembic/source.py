"""A Python file as text, and the modules of the same project that it names."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engarde.errors import ConfigError
from engarde.util.files import read_bytes

Function = ast.FunctionDef | ast.AsyncFunctionDef
Scope = Function | ast.Lambda | ast.Module

_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Module)
_CONDITIONAL = (ast.If, ast.Try, ast.For, ast.While)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One parsed file."""

    file: Path
    tree: ast.Module
    roots: tuple[Path, ...]
    """where its project's modules are imported from"""
    parents: Mapping[ast.AST, ast.AST] = field(repr=False)
    functions: Mapping[str, Function] = field(repr=False)
    imports: Mapping[str, tuple[str, str | None]] = field(repr=False)
    """name here: module, and the name there unless it is the module itself"""
    nodes: tuple[ast.AST, ...] = field(repr=False)

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node is in, from the inside."""
        while (parent := self.parents.get(node)) is not None:
            yield parent
            node = parent

    def scope(self, node: ast.AST) -> Scope:
        """The function in which a node is, or the module."""
        return next((each for each in self.above(node) if isinstance(each, _SCOPES)), self.tree)

    def function(self, node: ast.AST) -> Function | None:
        """The outermost function in which a node is."""
        found = [each for each in self.above(node) if isinstance(each, Function)]
        return found[-1] if found else None

    def depends(self, node: ast.AST, scope: Scope) -> bool:
        """Whether a node of a scope is reached only sometimes."""
        for each in self.above(node):
            if each is scope:
                return False
            if isinstance(each, _CONDITIONAL):
                return True
        return False

    def calls(self, *names: str) -> Iterator[ast.Call]:
        """The calls of functions and methods with these names, in the order of the text."""
        for node in self.nodes:
            if isinstance(node, ast.Call) and name_of(node.func) in names:
                yield node

    def module(self, name: str) -> Path | None:
        """The file of a module that is the project's own."""
        for root in self.roots:
            place = root.joinpath(*name.split("."))
            for file in (place.with_suffix(".py"), place / "__init__.py"):
                if file.is_file():
                    return file
        return None


def name_of(node: ast.expr) -> str | None:
    """The last part of `name` or `object.name`."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return None


def dotted(node: ast.expr) -> str:
    """`a.b.c` as text; what is no such thing ends it."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{dotted(value)}.{name}"
    return "?"


def named(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Which name gets what in `a = 1` and in `a, b = 1, 2`."""
    match target, value:
        case ast.Name(id=name), _:
            yield name, value
        case ast.Tuple(elts=names) | ast.List(elts=names), ast.Tuple(elts=values) | ast.List(elts=values):
            for one, other in zip(names, values, strict=False):
                yield from named(one, other)


def parsed(file: Path) -> ast.Module:
    """What a file says.

    :raises ConfigError: it is no Python.
    """
    try:
        return ast.parse(read_bytes(file), str(file))
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read: {error.strerror}") from None
    except SyntaxError as error:
        raise ConfigError(f"{file}:{error.lineno or 1}: not Python: {error.msg}") from None
    except ValueError:
        # What Python up to 3.11.3 says of a null byte.
        raise ConfigError(f"{file}:1: not Python: it holds a null byte") from None


def source(file: Path, roots: tuple[Path, ...]) -> Source:
    """Reads a file of a project.

    :raises ConfigError: it is no Python.
    """
    tree = parsed(file)
    nodes = sorted(ast.walk(tree), key=lambda node: (getattr(node, "lineno", 0), getattr(node, "col_offset", 0)))
    return Source(
        file,
        tree,
        roots,
        {child: node for node in nodes for child in ast.iter_child_nodes(node)},
        {node.name: node for node in tree.body if isinstance(node, Function)},
        dict(_imports(file, nodes, roots)),
        tuple(nodes),
    )


def _imports(file: Path, nodes: list[ast.AST], roots: tuple[Path, ...]) -> Iterator[tuple[str, tuple[str, str | None]]]:
    for node in nodes:
        match node:
            case ast.Import(names=names):
                for each in names:
                    yield each.asname or each.name, (each.name, None)
            case ast.ImportFrom(module=module, names=names, level=level):
                package = _package(file, level, roots) if level else ""
                base = ".".join(filter(None, (package, module)))
                for each in names:
                    # A star brings names that only its module knows; the module itself is still one to look at.
                    yield (
                        (f"*{base}", (base, None))
                        if each.name == "*"
                        else (each.asname or each.name, (base, each.name))
                    )


def _package(file: Path, level: int, roots: tuple[Path, ...]) -> str:
    folder = file.parents[level - 1] if level <= len(file.parents) else file.parent
    for root in roots:
        if folder.is_relative_to(root):
            return ".".join(folder.relative_to(root).parts)
    return folder.name
