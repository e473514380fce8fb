"""Foreign keys of models and migrations that point at other schemas."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from engarde.alembic.models import reached
from engarde.alembic.seen import Seen
from engarde.alembic.source import Source, name_of
from engarde.declaration.stack_file_edits import referring
from engarde.output.findings import Finding, Remedy

Target = tuple[str, str, tuple[str, ...]]
"""schema, table and the columns that are known"""


def foreign_keys(seen: Seen) -> Iterator[Finding]:
    """Those at a table for which REFERENCES is not declared; only what is written out counts."""
    found = {
        (file, line, target)
        for source in _sources(seen)
        for node in source.nodes
        if isinstance(node, ast.Call)
        for file, line, target in _of_call(source, node)
    }
    for file, line, (schema, table, columns) in sorted(found):
        read = next((each for each in seen.service.reads if (each.schema_, each.table) == (schema, table)), None)
        allowed = read and read.references and (read.columns is None or set(columns) <= set(read.columns))
        if schema == seen.schema or allowed:
            continue
        what = f"{schema}.{table}" + (f" ({', '.join(columns)})" if columns else "")
        if read and read.columns and set(columns) - set(read.columns):
            read = read.model_copy(update={"columns": tuple(dict.fromkeys((*read.columns, *columns)))})
        remedy = Remedy("edit", referring(seen.service.name, schema, table, read))
        yield seen.healed("foreign key", line, "REFERENCES declared on what it points at", what, remedy, file)


def _sources(seen: Seen) -> Iterator[Source]:
    yield from reached(seen.env.source, seen.env.reader)
    for each in seen.graph.revisions.values():
        if found := seen.env.reader.source(each.file):
            yield found


def _of_call(source: Source, call: ast.Call) -> Iterator[tuple[Path, int, Target]]:
    named = {each.arg: each.value for each in call.keywords}
    match name_of(call.func):
        case "ForeignKey":
            targets = [_spelled(named.get("column", call.args[0] if call.args else None))]
        case "ForeignKeyConstraint":
            columns = [_spelled(each) for each in _items(named.get("refcolumns", *call.args[1:2]))]
            targets = [_together([each for each in columns if each])]
        case "create_foreign_key":
            targets = [_of_operation(call, named)]
        case _:
            # SQLModel's own spelling.
            targets = [_spelled(named.get("foreign_key"))]
    yield from ((source.file, call.lineno, target) for target in targets if target)


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _items(node: ast.expr | None) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.List | ast.Tuple) else []


def _spelled(node: ast.expr | None) -> Target | None:
    """`schema.table.column`, as SQLAlchemy takes it apart."""
    parts = (_text(node) or "").rsplit(".", 2)
    return (parts[0], parts[1], (parts[2],)) if len(parts) == 3 else None


def _together(columns: list[Target]) -> Target | None:
    return (*columns[0][:2], tuple(column for _, _, each in columns for column in each)) if columns else None


def _of_operation(call: ast.Call, named: dict[str | None, ast.expr]) -> Target | None:
    """Of `op.create_foreign_key(name, source, referent, local, remote)`, or without `source` of a batch's."""
    schema = _text(named.get("referent_schema"))
    texts = [_text(each) for each in call.args[1:3]]
    table = _text(named.get("referent_table")) or next((each for each in reversed(texts) if each), None)
    lists = [each for each in call.args if isinstance(each, ast.List | ast.Tuple)]
    remote = named.get("remote_cols", *lists[1:2])
    columns = tuple(filter(None, map(_text, _items(remote))))
    return (schema, table, columns) if schema and table else None
