"""Carries a service's own code from an old env.py into the new one: metadata, options, and what fills these.

Code that cannot be carried over is left out; it is refused if it may fill or filter the metadata.
"""

import ast
import re
from collections.abc import Mapping, Set

from engarde.alembic.context import Environment
from engarde.alembic.environment import EXECUTES, OPTIONS
from engarde.alembic.source import Function, dotted, handed, name_of
from engarde.alembic.statements import (
    ENGINES,
    READS,
    RUNS,
    Compound,
    OldFile,
    bound_by,
    bound_in,
    calls,
    grown,
    heads,
    is_off,
    is_others_import,
    is_own_import,
    is_url,
    loads,
    mentions,
    within,
)

Lines = tuple[str, ...]
"""what a file would lose, each with its line"""

METADATA = "target_metadata"

ASKED = "# More options for context.configure, by name.\noptions = "

REPLACED = ("connection", "url", "dialect_name", "dialect_opts", "literal_binds", "version_table_schema", METADATA)
"""The options that the new file itself passes to `context.configure`."""

OF_ENGINES = ("prefix", "poolclass", "future", "url")
"""The options of an engine that the new file sets itself, or does not need."""
KNOWN = (
    *(*RUNS, *OPTIONS, "configure", "fileConfig", "connect", "begin", "commit", "rollback", "close", "dispose"),
    *("is_offline_mode", "get_event_loop", "get_running_loop", "new_event_loop"),
    *("debug", "info", "warning", "error", "exception"),
)
"""Calls that the new file makes in its own way, or that only log."""
SETS_PATH = re.compile(r"\bset\s+(?:session\s+|local\s+)?search_path\b", re.I)
"""A statement that the new file also has."""
CONNECTIONS = ("connection", "conn", "engine", "connectable", "bind")


class Losses:
    """The code of a file that is not carried over."""

    def __init__(self, old: OldFile) -> None:
        self.old = old
        self.left: set[tuple[int, str]] = set()
        """code that cannot fill or filter the metadata, with its line"""
        self.refused: set[tuple[int, str]] = set()
        """code that may, with its line, and what to do about it"""
        self._own = bound_in(statement for statement in old.body if not is_others_import(statement)) - {"config"}
        """names of the service's own modules, and of its own definitions"""
        self._imported = bound_in(filter(is_own_import, old.body))
        self._filling = grown({METADATA}, self._needed)
        """the names through which the metadata is filled or changed"""

    def _needed(self, names: Set[str]) -> set[str]:
        users = [statement for statement in self.old.body if bound_by(statement).keys() & names]
        return {name for statement in users for name in loads(statement)} & self._own

    def refuse(self, line: int, why: str) -> None:
        """Records code that may fill or filter the metadata."""
        self.refused.add((line, why))

    def leave(self, statement: ast.stmt) -> None:
        """Records code that is left out, unless the new file does the same."""
        if not SETS_PATH.search(text := self.old.first_line(statement)):
            self.left.add((statement.lineno, text))

    def look(self) -> None:
        """Inspects the code that runs the migrations, which the new file replaces."""
        for call in self.old.source.calls(*ENGINES):
            for word in call.keywords:
                if word.arg not in OF_ENGINES and not (word.arg and is_off(word.value)):
                    self.left.add((word.value.lineno, f"{name_of(call.func)}({word.arg or '**'}=...)"))
        for statement in self.old.body:
            if self.old.kind(statement) == "runs":
                self._look_at(statement)

    def _look_at(self, statement: ast.stmt) -> None:
        line = self.old.first_line(statement)
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                for inner in statement.body:
                    self._look_at(inner)
            case ast.Import() | ast.ImportFrom() if is_own_import(statement):
                self.refuse(statement.lineno, f"{line} may fill the metadata: move it to the top")
            case ast.For(iter=over) if loads(over) & self._filling:
                self.refuse(statement.lineno, f"{line} changes the metadata: move it to the top")
            case _ if isinstance(statement, Compound):
                if any(map(self._is_lost, heads(statement))):
                    self.leave(statement)
                for inner in within(statement):
                    self._look_at(inner)
            case ast.Expr(value=ast.Await(value=ast.Call() as call)) | ast.Expr(value=ast.Call() as call):
                self._look_at_call(statement, call)
            case ast.Assign(targets=targets) if not all(isinstance(node, ast.Name | ast.Tuple) for node in targets):
                if any(loads(target) & self._filling for target in targets):
                    self.refuse(statement.lineno, f"{line} changes the metadata: move it to the top")
                elif not any(map(is_url, targets)):
                    self.leave(statement)
            case ast.Assign(value=value) if self._is_lost(value):
                self.leave(statement)
            case ast.Raise() | ast.Delete() | ast.AugAssign():
                self.leave(statement)

    def _look_at_call(self, statement: ast.stmt, call: ast.Call) -> None:
        if name_of(call.func) in KNOWN or mentions(call, self.old.running):
            return
        given = {name for part in handed(call) for name in loads(part)}
        on_connection = dotted(call.func).split(".")[0] in CONNECTIONS or bool(given & {*CONNECTIONS})
        fills = METADATA in given or bool(loads(call.func) & self._filling)
        if fills or (not on_connection and loads(call.func) & self._own):
            line = self.old.first_line(statement)
            self.refuse(statement.lineno, f"{line} may fill the metadata: move it to the top, or remove it")
        else:
            self.leave(statement)

    def _is_lost(self, value: ast.expr) -> bool:
        """Whether it uses the service's modules, the database or the caller, which the new file does not use there."""
        told_more = any(isinstance(node, ast.Attribute) and node.attr == "attributes" for node in ast.walk(value))
        return told_more or any(
            (name := name_of(call.func)) in (*EXECUTES, "get_x_argument")
            or (bool(loads(call.func) & self._imported) and name not in READS)
            for call in calls(value)
        )


def carried(env: Environment, ours: Mapping[str, object]) -> tuple[str | None, Lines, Lines]:
    """The code of an old file that goes into the new one, and the code that does not.

    :param ours: the names that the new file uses itself.
    :returns: the text for the new file, None if there is none; then the lines that are left out, because they cannot
        fill or filter the metadata; then the lines that may, with what to do about them.
    """
    old = OldFile(env.source)
    losses = Losses(old)
    metadata = _metadata(env, old, losses)
    options = _options(env, old, losses)
    wanted = {METADATA, *loads(metadata), *(name for node in options.values() for name in loads(node))}
    kept = [statement for statement in _kept(old, losses, wanted) if not _is_there(statement, ours)]
    for statement in kept:
        for name, value in bound_by(statement).items():
            if name in ours and (value is None or ours[name] != value):
                why = f"the new env.py uses the name {name} for something else: choose another name"
                losses.refuse(statement.lineno, why)
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
    left, refused = (
        tuple(f"line {line}: {text}" for line, text in sorted(found)) for found in (losses.left, losses.refused)
    )
    return "\n".join(parts) if kept or options else None, left, refused


# ---- What it tells Alembic.


def _metadata(env: Environment, old: OldFile, losses: Losses) -> ast.expr | None:
    nodes = [node for configure in env.configures if (node := configure.options.get(METADATA)) is not None]
    found = {ast.dump(node): node for node in nodes if not is_off(node)}
    for node in found.values():
        if local := _local(old, node):
            why = f"{METADATA} is made from {local}, which only exists inside a function: move it to the top"
            losses.refuse(node.lineno, why)
    if len(found) > 1:
        losses.refuse(
            [*found.values()][1].lineno, f"{METADATA} is not the same in each context.configure: make it the same"
        )
    return next(iter(found.values()), None)


def _options(env: Environment, old: OldFile, losses: Losses) -> dict[str, ast.expr]:
    if not env.configures and any(old.kind(statement) != "names" for statement in old.body):
        losses.refuse(1, "there is no context.configure, so its options are not known: write it out in this file")
    found: dict[str, ast.expr] = {}
    for configure in sorted(env.configures, key=lambda configure: configure.mode == "offline"):
        if configure.opaque:
            why = "some options of context.configure are not written out, and may filter: write them out"
            losses.refuse(configure.line, why)
        for name, node in configure.options.items():
            if name in REPLACED or (name == "include_schemas" and is_off(node)):
                continue
            if name == "version_table":
                why = "its version table has another name: `bin/engarde alembic check` says what to do"
                losses.refuse(node.lineno, why)
            elif local := _local(old, node):
                why = f"{name} uses {local}, which only exists inside a function: move it to the top"
                losses.refuse(node.lineno, why)
            elif name in found and ast.dump(found[name]) != ast.dump(node):
                losses.refuse(node.lineno, f"{name} is not the same in each context.configure: make it the same")
            else:
                found.setdefault(name, node)
    return found


def _local(old: OldFile, node: ast.expr) -> str:
    """The names in it that are not the module's own, listed."""
    named = bound_in(old.body)
    return "" if "*" in named else ", ".join(sorted(loads(node) - named))


# ---- What it does before.


def _kept(old: OldFile, losses: Losses, wanted: set[str]) -> list[ast.stmt]:
    """The statements that act before the migrations run, and those that define names for these and for the options."""
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
    names = [statement for statement in old.body if old.kind(statement) == "names"]

    def needed(kept: Set[ast.stmt]) -> set[ast.stmt]:
        taken = wanted.union(*map(loads, kept))
        return {statement for statement in names if bound_by(statement).keys() & taken}

    whole = grown(kept, needed)
    return [statement for statement in old.body if statement in whole]


def _is_there(statement: ast.stmt, ours: Mapping[str, object]) -> bool:
    """An import that the new file already has, or one from `__future__`."""
    if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
        return True
    names = bound_by(statement)
    imports = isinstance(statement, ast.Import | ast.ImportFrom) and bool(names)
    return imports and all(ours.get(name) == value for name, value in names.items())


# ---- Its text.


def _lines(old: OldFile, statement: ast.stmt) -> str:
    """A statement with the comments right above it."""
    lines = old.text.splitlines()
    decorators = statement.decorator_list if isinstance(statement, Function | ast.ClassDef) else []
    first = min([statement.lineno, *(decorator.lineno for decorator in decorators)]) - 1
    last = statement.end_lineno or statement.lineno
    others = [other for other in old.body if other is not statement]
    if any(first < other.lineno <= last or (other.end_lineno or 0) - 1 == first for other in others):
        return old.segment(statement)
    while first and lines[first - 1].startswith("#"):
        first -= 1
    return "\n".join(lines[first:last])


def _between(before: ast.stmt | None, after: ast.stmt) -> str:
    """The line breaks between two statements."""
    defines = any(isinstance(statement, Function | ast.ClassDef) for statement in (before, after))
    return "\n\n\n" if defines else "\n"
