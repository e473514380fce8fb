"""What of somebody's own env.py is about the service's models, and so goes into the new one."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from engarde import bounded
from engarde.alembic.source import Source, dotted

METADATA = "target_metadata"
OPTIONS = "options"

ALEMBICS = ("alembic", "asyncio", "logging", "os", "sqlalchemy")
"""Packages of which the new file imports what it needs itself."""

NO_OPTIONS = f"# What else context.configure is to be told, by name.\n{OPTIONS} = {{}}"


def carried(old: Source) -> str | None:
    """Its imports, what it calls of these, its changes to sys.path, and its metadata; None without metadata."""
    body = [each for each in old.tree.body if not _is_docstring(each)]
    own = set().union(*(_imports(each) for each in body if _is_own_import(each)))
    wanted = {METADATA}
    kept: list[ast.stmt] = []
    # From the end: what a statement needs stands before it.
    for statement in reversed(body):
        if (
            _names(statement, ast.Store) & wanted
            or _changes_path(statement)
            or _changes(statement, wanted)
            or _calls(statement, own)
        ):
            wanted |= _names(statement, ast.Load)
            kept.append(statement)
    if not any(METADATA in _names(each, ast.Store) for each in kept):
        return None
    kept += [each for each in body if _is_own_import(each) or _imports(each) & wanted - _provided(each)]
    lines = bounded.text(old.file).splitlines()
    parts = (_lines(lines, each) for each in body if each in kept)
    return "\n".join([*parts, NO_OPTIONS])


def _names(statement: ast.stmt, context: type[ast.expr_context]) -> set[str]:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.If | ast.Try):
        return set()
    return {each.id for each in ast.walk(statement) if isinstance(each, ast.Name) and isinstance(each.ctx, context)}


def _changes_path(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr | ast.Assign) and any(
        dotted(each) == "sys.path" for each in ast.walk(statement) if isinstance(each, ast.Attribute)
    )


def _changes(statement: ast.stmt, names: set[str]) -> bool:
    """An attribute set on one of them, such as a naming convention of the metadata."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return any(isinstance(each, ast.Attribute) and dotted(each).split(".")[0] in names for each in targets)


def _calls(statement: ast.stmt, names: set[str]) -> bool:
    """A call of one of them for what it does, such as one that reads a file of variables or imports all models."""
    match statement:
        case ast.Expr(value=ast.Call(func=func)):
            return dotted(func).split(".")[0] in names
    return False


def _modules(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.Import(names=names):
            yield from (each.name for each in names)
        case ast.ImportFrom(module=module, level=level):
            yield "." * level + (module or "")


def _is_own_import(statement: ast.stmt) -> bool:
    """One of the service's modules, which may be there to fill the metadata alone."""
    return any(each.split(".")[0] not in (*ALEMBICS, "__future__") for each in _modules(statement))


def _imports(statement: ast.stmt) -> set[str]:
    if not isinstance(statement, ast.Import | ast.ImportFrom):
        return set()
    return {(each.asname or each.name).split(".")[0] for each in statement.names}


def _provided(statement: ast.stmt) -> set[str]:
    """`import os` stands in the new file already."""
    return {"os"} if isinstance(statement, ast.Import) else set()


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _lines(lines: list[str], statement: ast.stmt) -> str:
    """A statement with the comments right above it."""
    first = statement.lineno - 1
    while first and lines[first - 1].startswith("#"):
        first -= 1
    return "\n".join(lines[first : statement.end_lineno])
