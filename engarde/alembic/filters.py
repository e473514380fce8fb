"""Which tables `alembic revision --autogenerate` would compare, and so create or drop.

One filter is known by its text: the one that findings say to write. What any other one lets through only running it
tells.
"""

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from engarde.alembic.source import UNKNOWN, Source
from engarde.declaration.names import VERSION_TABLE

ANY = "any_table"
"""Stands for a table of whatever name."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table as autogenerate shows it to the filters."""

    schema: str | None
    """None in the login's first schema"""
    name: str = ANY
    declared: bool = False
    """the models have it"""
    exists: bool = True
    """the database has it, too"""
    modelled: str | None = None
    """the schema that the models give it"""


Answers = Mapping[Table, bool | None]
"""Whether a table is compared; None where that could not be told."""


def by_name(schema: str) -> tuple[str, ...]:
    """The filter that is right, for a schema's name as Python spells it."""
    return (
        "def include_name(name, type_, parent_names):",
        '    if type_ == "schema":',
        f"        return name in (None, {schema})  # None: the login's first schema, which is the same",
        f'    return not (type_ == "table" and name == "{VERSION_TABLE}")',
    )


def sees(source: Source, options: Mapping[str, ast.expr], ours: Collection[str], own: str, table: Table) -> bool | None:
    """Whether a call with these options lets autogenerate compare a table; None where its text does not tell.

    :param ours: the functions of the file that are as `init` writes them.
    :param own: the service's schema.
    """
    schemas = source.value(options.get("include_schemas", ast.Constant(False))).constant
    names, objects = (options.get(name, ast.Constant(None)) for name in ("include_name", "include_object"))
    elsewhere, told = table.schema is not None, table.exists and not _is_none(names)
    if table.exists and elsewhere and not schemas:
        return False
    right = isinstance(names, ast.Name) and (names.id in ours or _is_right(source, names.id, own))
    if told and right and (table.schema not in (None, own) or table.name == VERSION_TABLE):
        return False
    unknown = (told and not right) or not _is_none(objects) or (elsewhere and schemas is UNKNOWN)
    return None if unknown else True


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_right(source: Source, name: str, own: str) -> bool:
    """Whether a function is the filter that is right, its constants written out or by name."""
    there = (source, name) if name in source.functions else source.imported(name)
    function = there[0].functions.get(there[1] or "") if there else None
    if there is None or function is None:
        return False
    taken = [argument.arg for argument in function.args.args]
    body = "\n".join(map(ast.unparse, function.body))
    right = ast.parse("\n".join(by_name(repr(own)))).body[0]
    assert isinstance(right, ast.FunctionDef)
    plain = _Constants(there[0], taken).visit(ast.parse(body))
    return taken[:2] == ["name", "type_"] and ast.unparse(plain) == "\n".join(map(ast.unparse, right.body))


class _Constants(ast.NodeTransformer):
    """Puts what they are worth in the place of a module's names."""

    def __init__(self, source: Source, but: Collection[str]) -> None:
        self.source, self.but = source, but

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """One name."""
        constant = UNKNOWN if node.id in self.but else self.source.value(node).constant
        return node if constant is UNKNOWN else ast.parse(repr(constant), mode="eval").body
