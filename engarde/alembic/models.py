"""The schemas that a service's models name, in the modules that its env.py imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from engarde.alembic.reader import Reader
from engarde.alembic.source import Source, dotted, name_of
from engarde.alembic.values import UNKNOWN

MOST = 2000
"""Of a project's modules, so that a wrong folder does not keep the operator waiting."""


@dataclass(frozen=True, slots=True)
class Named:
    """One place that names a schema."""

    source: Source
    line: int
    schema: object
    """UNKNOWN where the text does not tell"""
    of_metadata: bool
    """it is the default of all tables, not one table's own"""


@dataclass(frozen=True, slots=True)
class Models:
    """All places that name one."""

    named: tuple[Named, ...]

    @property
    def default(self) -> object:
        """The schema of tables that name none: None, a name, or UNKNOWN where several are named."""
        found = {repr(each.schema): each.schema for each in self.named if each.of_metadata}
        return None if not found else next(iter(found.values())) if len(found) == 1 else UNKNOWN


def models(env: Source, reader: Reader) -> Models:
    """Reads what an env.py imports, and what that imports, within the project."""
    return Models(tuple(each for source in _reached(env, reader) for each in _named(source, reader)))


def _reached(env: Source, reader: Reader) -> Iterator[Source]:
    waiting, seen = [env], {env.file}
    while waiting and len(seen) < MOST:
        source = waiting.pop(0)
        yield source
        for module, name in source.imports.values():
            parts = module.split(".") if module else []
            names = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
            for each in (*names, *([f"{module}.{name}"] if name else [])):
                file = source.module(each)
                if file and file not in seen and (found := reader.source(file)):
                    seen.add(file)
                    waiting.append(found)


def _named(source: Source, reader: Reader) -> Iterator[Named]:
    for node in source.nodes:
        match node:
            case ast.Call(func=func, keywords=keywords) if name_of(func) in ("MetaData", "Table"):
                for each in keywords:
                    if each.arg == "schema":
                        schema = reader.value(source, each.value).constant
                        yield Named(source, each.value.lineno, schema, name_of(func) == "MetaData")
            case ast.Assign(targets=[ast.Attribute(value=holder, attr="schema")], value=value) if dotted(
                holder
            ).endswith("metadata"):
                yield Named(source, node.lineno, reader.value(source, value).constant, True)
            case ast.Assign(targets=[ast.Name(id="__table_args__")], value=value):
                yield from _of_table(source, reader, value)
            case ast.AnnAssign(target=ast.Name(id="__table_args__"), value=ast.expr() as value):
                yield from _of_table(source, reader, value)


def _of_table(source: Source, reader: Reader, value: ast.expr) -> Iterator[Named]:
    last = value.elts[-1] if isinstance(value, ast.Tuple) and value.elts else value
    if isinstance(last, ast.Dict):
        for key, schema in zip(last.keys, last.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "schema":
                yield Named(source, schema.lineno, reader.value(source, schema).constant, False)
