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
    keys: bool
    """there are foreign keys in what it names it for"""
    late: bool
    """env.py sets it once the tables are there, which changes none of them"""


@dataclass(frozen=True, slots=True)
class Models:
    """All places that name one."""

    named: tuple[Named, ...]

    @property
    def of_tables(self) -> tuple[Named, ...]:
        """Those that tables get."""
        return tuple(each for each in self.named if not each.late)

    @property
    def default(self) -> object:
        """What the metadata's schema is while Alembic runs: None, a name, or UNKNOWN where several are named."""
        late = [each.schema for each in self.named if each.late]
        found = {repr(each): each for each in late or [each.schema for each in self.of_tables if each.of_metadata]}
        return None if not found else next(iter(found.values())) if len(found) == 1 else UNKNOWN


def models(env: Source, reader: Reader) -> Models:
    """Reads what an env.py imports, and what that imports, within the project."""
    sources = list(reached(env, reader))
    keys = any(_has_keys(source.tree) for source in sources)
    return Models(tuple(each for source in sources for each in _named(source, reader, keys, source is env)))


def _has_keys(tree: ast.AST) -> bool:
    """Whether a foreign key is written in it, SQLModel's own spelling included."""
    return any(
        (isinstance(node, ast.Call) and name_of(node.func) in ("ForeignKey", "ForeignKeyConstraint"))
        or (isinstance(node, ast.keyword) and node.arg == "foreign_key")
        for node in ast.walk(tree)
    )


def reached(env: Source, reader: Reader) -> Iterator[Source]:
    """An env.py, what it imports, and what that imports, within the project."""
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


def _named(source: Source, reader: Reader, keys: bool, is_env: bool) -> Iterator[Named]:
    for node in source.nodes:
        match node:
            case ast.Call(func=func, keywords=keywords) if name_of(func) in ("MetaData", "Table"):
                of_metadata = name_of(func) == "MetaData"
                for each in keywords:
                    if each.arg == "schema":
                        schema = reader.value(source, each.value).likely
                        has = keys if of_metadata else _has_keys(node)
                        yield Named(source, each.value.lineno, schema, of_metadata, has, late=False)
            case ast.Assign(targets=[ast.Attribute(value=holder, attr="schema")], value=value) if dotted(
                holder
            ).endswith("metadata"):
                yield Named(source, node.lineno, reader.value(source, value).likely, True, keys, late=is_env)
            case (
                ast.Assign(targets=[ast.Name(id="__table_args__")], value=value)
                | ast.AnnAssign(target=ast.Name(id="__table_args__"), value=ast.expr() as value)
            ):
                yield from _of_table(source, reader, value, _has_keys(source.parents[node]))


def _of_table(source: Source, reader: Reader, value: ast.expr, keys: bool) -> Iterator[Named]:
    last = value.elts[-1] if isinstance(value, ast.Tuple) and value.elts else value
    if isinstance(last, ast.Dict):
        for key, schema in zip(last.keys, last.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "schema":
                found = reader.value(source, schema).likely
                yield Named(source, schema.lineno, found, of_metadata=False, keys=keys, late=False)
