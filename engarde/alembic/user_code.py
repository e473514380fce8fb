"""What of somebody's own env.py goes into the new one: its metadata, its options, and what it does to fill these."""

import ast
from collections.abc import Mapping, Sequence

from engarde.alembic.environment import Environment
from engarde.alembic.lost import KNOWN, METADATA, Losses
from engarde.alembic.source import Function, name_of
from engarde.alembic.statements import OldFile, bound_by, calls, is_off, loads

ASKED = "# What else context.configure is to be told, by name.\noptions = "

REPLACED = ("connection", "url", "dialect_name", "dialect_opts", "literal_binds", "version_table_schema", METADATA)
"""What the new file tells `context.configure` itself."""


def carried(env: Environment, ours: Mapping[str, object]) -> tuple[str | None, Losses]:
    """All that it does besides running migrations, its metadata, its options, and what these need; and what it loses.

    :param ours: the names of the new file, which stand for something else there.
    :returns: what goes into the new file, None where there is nothing; and what does not go over.
    """
    old = OldFile(env.source)
    losses = Losses(old)
    metadata = _metadata(env, old, losses)
    options = _options(env, old, losses)
    wanted = {METADATA, *loads(metadata), *(name for node in options.values() for name in loads(node))}
    kept = [statement for statement in _kept(old, losses, wanted) if not _is_there(statement, ours)]
    _refuse_taken(kept, ours, losses)
    losses.look()
    befores: list[ast.stmt | None] = [None, *kept]
    text = "".join(_between(*pair) + _lines(old, pair[1]) for pair in zip(befores, kept, strict=False))
    parts = [text.strip("\n")] if text else []
    if metadata is not None and not (isinstance(metadata, ast.Name) and metadata.id == METADATA):
        parts.append(f"{METADATA} = {old.segment(metadata)}")
    elif not any(METADATA in bound_by(statement) for statement in kept):
        parts.append(f"{METADATA} = None")
    entries = "".join(f'    "{name}": {old.segment(node)},\n' for name, node in options.items())
    parts.append(ASKED + (f"{{\n{entries}}}" if entries else "{}"))
    return "\n".join(parts) if kept or options else None, losses


# ---- What it tells Alembic.


def _metadata(env: Environment, old: OldFile, losses: Losses) -> ast.expr | None:
    nodes = [node for configure in env.configures if (node := configure.options.get(METADATA)) is not None]
    found = {ast.dump(node): node for node in nodes if not is_off(node)}
    for node in found.values():
        if local := _local(old, node):
            losses.refuse(node.lineno, f"{METADATA} is made from {local}, which only a function of it has")
    if len(found) > 1:
        losses.refuse([*found.values()][1].lineno, f"{METADATA} is not the same in each context.configure")
    return next(iter(found.values()), None)


def _options(env: Environment, old: OldFile, losses: Losses) -> dict[str, ast.expr]:
    if not env.configures and any(old.kind(statement) != "names" for statement in old.body):
        losses.refuse(1, "no context.configure is in it, so nobody knows what Alembic is told")
    found: dict[str, ast.expr] = {}
    for configure in sorted(env.configures, key=lambda configure: configure.mode == "offline"):
        if configure.opaque:
            why = "not all that context.configure is told is written out, and it may filter: write it out"
            losses.refuse(configure.line, why)
        for name, node in configure.options.items():
            if name in REPLACED or (name == "include_schemas" and is_off(node)):
                continue
            if name == "version_table":
                losses.refuse(
                    node.lineno, "its revisions are in a table of another name: `alembic check` says what to do"
                )
            elif local := _local(old, node):
                losses.refuse(node.lineno, f"{name} takes {local}, which only a function of it has: move it to the top")
            elif name in found and ast.dump(found[name]) != ast.dump(node):
                losses.refuse(node.lineno, f"{name} is not the same in each context.configure")
            else:
                found.setdefault(name, node)
    return found


def _local(old: OldFile, node: ast.expr) -> str:
    """The names in it that are not the module's own, listed."""
    named = {name for statement in old.body for name in bound_by(statement)}
    return "" if "*" in named else ", ".join(sorted(loads(node) - named))


# ---- What it does before.


def _kept(old: OldFile, losses: Losses, wanted: set[str]) -> list[ast.stmt]:
    """What does something before the migrations run, and what gives these and the options the names that they need."""
    ends = [place for place, statement in enumerate(old.body) if old.migrates(statement)]
    last = ends[-1] if ends else len(old.body)
    kept: set[ast.stmt] = set()
    for place, statement in enumerate(old.body):
        if old.kind(statement) == "does":
            known = isinstance(statement, ast.Expr) and all(name_of(call.func) in KNOWN for call in calls(statement))
            if place < last:
                kept.add(statement)
            elif not known:
                losses.leave(statement)
    while True:
        wanted = wanted.union(*map(loads, kept))
        names = [statement for statement in old.body if old.kind(statement) == "names"]
        more = {statement for statement in names if bound_by(statement).keys() & wanted} - kept
        if not more:
            return [statement for statement in old.body if statement in kept]
        kept |= more


def _is_there(statement: ast.stmt, ours: Mapping[str, object]) -> bool:
    """An import that the new file has already, or of what Python has to be told first."""
    if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
        return True
    names = bound_by(statement)
    imports = isinstance(statement, ast.Import | ast.ImportFrom) and bool(names)
    return imports and all(ours.get(name) == value for name, value in names.items())


def _refuse_taken(kept: Sequence[ast.stmt], ours: Mapping[str, object], losses: Losses) -> None:
    for statement in kept:
        for name, value in bound_by(statement).items():
            if name in ours and (value is None or ours[name] != value):
                losses.refuse(
                    statement.lineno, f"{name} is a name of something else in the new env.py: give it another one"
                )


# ---- Its text.


def _lines(old: OldFile, statement: ast.stmt) -> str:
    """A statement with the comments right above it."""
    lines = old.text.splitlines()
    first, last = _first(statement) - 1, statement.end_lineno or statement.lineno
    others = [other for other in old.body if other is not statement]
    if any(first < other.lineno <= last or (other.end_lineno or 0) - 1 == first for other in others):
        return old.segment(statement)
    while first and lines[first - 1].startswith("#"):
        first -= 1
    return "\n".join(lines[first:last])


def _between(before: ast.stmt | None, after: ast.stmt) -> str:
    """The lines' ends between two statements."""
    defines = any(isinstance(statement, Function | ast.ClassDef) for statement in (before, after))
    return "\n\n\n" if defines else "\n"


def _first(statement: ast.stmt) -> int:
    decorators = statement.decorator_list if isinstance(statement, Function | ast.ClassDef) else []
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])
