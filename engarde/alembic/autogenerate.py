"""Which tables `alembic revision --autogenerate` would compare, and so create or drop."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from engarde.alembic.environment import Configure, Environment
from engarde.alembic.filters import Filter
from engarde.alembic.judge import Table


@dataclass(frozen=True, slots=True)
class Filters:
    """What one `context.configure` lets autogenerate see."""

    schemas: bool
    """every schema that there is, not only those of the search_path"""
    by_name: Filter | None
    by_object: Filter | None
    opaque: bool
    """one of the two cannot be found in the project's text"""

    def sees(self, table: Table) -> bool | None:
        """Whether a table is compared; None where that cannot be told."""
        answers: list[bool | None] = [None] if self.opaque else []
        if table.exists and table.schema is not None and not self.schemas:
            return False
        qualified = f"{table.schema}.{table.name}" if table.schema else table.name
        if self.by_name and table.exists:
            parents = {"schema_name": table.schema, "schema_qualified_table_name": qualified}
            answers.append(self.by_name.lets(table, (table.schema, "schema", {})))
            answers.append(self.by_name.lets(table, (table.name, "table", parents)))
        if self.by_object:
            found = not table.declared
            compared = table if table.exists and table.declared else None
            answers.append(self.by_object.lets(table, (table, table.name, "table", found, compared)))
        return False if False in answers else None if None in answers else True


def filters(env: Environment, configure: Configure) -> Filters:
    """Those of one call."""
    schemas = configure.options.get("include_schemas")
    names, by_name = _function(env, configure, "include_name")
    objects, by_object = _function(env, configure, "include_object")
    every = schemas is not None and env.value(schemas).constant is not False
    return Filters(every, by_name, by_object, bool(names and not by_name) or bool(objects and not by_object))


def _function(env: Environment, configure: Configure, option: str) -> tuple[bool, Filter | None]:
    node = configure.options.get(option)
    if node is None or (isinstance(node, ast.Constant) and node.value is None):
        return False, None
    if isinstance(node, ast.Lambda):
        return True, Filter(env.source, node, env.reader)
    if not isinstance(node, ast.Name):
        return True, None
    for each in env.source.nodes:
        if isinstance(each, ast.FunctionDef) and each.name == node.id:
            return True, Filter(env.source, each, env.reader)
    imported = env.reader.imported(env.source, node.id)
    if imported and imported[1] and (function := imported[0].functions.get(imported[1])):
        return True, Filter(imported[0], function, env.reader)
    return True, None
