"""What of an old env.py is not in the new one: what is left out, and what may fill or filter the metadata."""

import ast
import re
from collections.abc import Iterator, Sequence

from engarde.alembic import template
from engarde.alembic.environment import EXECUTES, OPTIONS
from engarde.alembic.source import dotted, name_of
from engarde.alembic.statements import (
    ENGINES,
    READS,
    RUNS,
    Compound,
    OldFile,
    bound,
    bound_by,
    heads,
    is_off,
    is_others_import,
    is_own_import,
    is_text,
    is_url,
    loads,
    mentions,
    within,
)

METADATA = "target_metadata"

OF_ENGINES = ("prefix", "poolclass", "future", "url")
"""What the new file says of its engine itself, or has no need of."""
KNOWN = (
    *(*RUNS, *OPTIONS, "configure", "fileConfig", "connect", "begin", "commit", "rollback", "close", "dispose"),
    *("is_offline_mode", "get_event_loop", "get_running_loop", "new_event_loop"),
    *("debug", "info", "warning", "error", "exception"),
)
"""Calls that the new file makes in its own way, or that only tell something."""
SETS_PATH = re.compile(r"\bset\s+(?:session\s+|local\s+)?search_path\b", re.I)
"""A statement that the new file has, too."""
CONNECTIONS = ("connection", "conn", "engine", "connectable", "bind")

FILTERING = ("include_name", "shown", "migrate")
"""The functions of a file of ours that decide what autogenerate sees, and what Alembic is told."""


class Losses:
    """What does not go over from a file."""

    def __init__(self, old: OldFile) -> None:
        self.old = old
        self._left: set[tuple[int, str]] = set()
        self._refused: set[tuple[int, str]] = set()

    @property
    def left(self) -> tuple[str, ...]:
        """What cannot fill or filter the metadata, each with its line."""
        return _told(self._left)

    @property
    def refused(self) -> tuple[str, ...]:
        """What may, each with its line, and what is to be done about it."""
        return _told(self._refused)

    def refuse(self, line: int, why: str) -> None:
        """Says that something may fill or filter the metadata."""
        self._refused.add((line, why))

    def leave(self, statement: ast.stmt) -> None:
        """Says that something goes, unless the new file does the same."""
        if not SETS_PATH.search(text := self.old.first_line(statement)):
            self._left.add((statement.lineno, text))

    def look(self) -> None:
        """Looks at what stands where the migrations are run, which the new file does in its own way."""
        for call in self.old.source.calls(*ENGINES):
            for word in call.keywords:
                if word.arg not in OF_ENGINES and not (word.arg and is_off(word.value)):
                    self._left.add((word.value.lineno, f"{name_of(call.func)}({word.arg or '**'}=...)"))
        filling = self._filling()
        for statement in self.old.body:
            if self.old.kind(statement) == "runs":
                self._look_at(statement, filling)

    def _own(self) -> set[str]:
        """Names of the service's own modules, and of what it defines itself."""
        own = [statement for statement in self.old.body if not is_others_import(statement)]
        return {name for statement in own for name in bound_by(statement)} - {"config"}

    def _filling(self) -> set[str]:
        """The names by which the metadata is filled or changed."""
        found, own = {METADATA}, self._own()
        while True:
            users = [statement for statement in self.old.body if bound_by(statement).keys() & found]
            more = {name for statement in users for name in loads(statement)} & own
            if more <= found:
                return found
            found |= more

    def _look_at(self, statement: ast.stmt, filling: set[str]) -> None:
        line = self.old.first_line(statement)
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                for inner in statement.body:
                    self._look_at(inner, filling)
            case ast.Import() | ast.ImportFrom() if is_own_import(statement):
                self.refuse(statement.lineno, f"{line} may fill the metadata: move it to the top")
            case ast.For(iter=over) if loads(over) & filling:
                self.refuse(statement.lineno, f"{line} changes the metadata: move it to the top")
            case _ if isinstance(statement, Compound):
                if any(map(self._is_lost, heads(statement))):
                    self.leave(statement)
                for inner in within(statement):
                    self._look_at(inner, filling)
            case ast.Expr(value=ast.Await(value=ast.Call() as call)) | ast.Expr(value=ast.Call() as call):
                self._look_at_call(statement, call, filling)
            case ast.Assign(targets=targets) if not all(isinstance(node, ast.Name | ast.Tuple) for node in targets):
                if any(loads(target) & filling for target in targets):
                    self.refuse(statement.lineno, f"{line} changes the metadata: move it to the top")
                elif not any(map(is_url, targets)):
                    self.leave(statement)
            case ast.Assign(value=value) if self._is_lost(value):
                self.leave(statement)
            case ast.Raise() | ast.Delete() | ast.AugAssign():
                self.leave(statement)

    def _look_at_call(self, statement: ast.stmt, call: ast.Call, filling: set[str]) -> None:
        if name_of(call.func) in KNOWN or mentions(call, self.old.running):
            return
        parts = (*call.args, *(word.value for word in call.keywords))
        given = {name for part in parts for name in loads(part)}
        on_connection = dotted(call.func).split(".")[0] in CONNECTIONS or bool(given & {*CONNECTIONS})
        fills = METADATA in given or bool(loads(call.func) & filling)
        if fills or (not on_connection and loads(call.func) & self._own()):
            line = self.old.first_line(statement)
            self.refuse(statement.lineno, f"{line} may fill the metadata: move it to the top, or take it out")
        else:
            self.leave(statement)

    def _is_lost(self, value: ast.expr) -> bool:
        """Whether the service's modules, the database or the caller takes part in it, as none does in the new file."""
        imports = [statement for statement in self.old.body if is_own_import(statement)]
        imported = {name for statement in imports for name in bound_by(statement)}
        return any(
            _is_told_more(node)
            or (isinstance(node, ast.Call) and bool(loads(node.func) & imported) and name_of(node.func) not in READS)
            for node in ast.walk(value)
        )


def _told(found: set[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(f"line {line}: {text}" for line, text in sorted(found))


def _is_told_more(node: ast.AST) -> bool:
    """What a database answers, or whoever calls Alembic says: a connection of its own, an argument."""
    if isinstance(node, ast.Call):
        return name_of(node.func) in (*EXECUTES, "get_x_argument")
    return isinstance(node, ast.Attribute) and node.attr == "attributes"


def edited(before: str, written: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What somebody has changed in a file of ours elsewhere than between the lines that are the service's own.

    It is not in the new file: first what neither fills nor filters the metadata, then what may.

    :param written: the same file as it would be written, for each driver.
    """
    ours = {ast.dump(statement) for text in written for statement in _rest(text)}
    names = {name for text in written for name in bound(text)}
    left, refused = [], []
    for statement in _rest(before):
        if ast.dump(statement) in ours or is_others_import(statement):
            continue
        own = bound_by(statement).keys()
        line = f"line {statement.lineno}: {ast.unparse(statement).partition(chr(10))[0]}"
        if own and own <= names and not own & {*FILTERING}:
            left.append(line)
        else:
            place = f"between the lines {template.BEGIN!r} and {template.END!r}"
            refused.append(f"{line}: put what is changed there {place}")
    return tuple(left), tuple(refused)


def _rest(text: str) -> Iterator[ast.stmt]:
    """The statements of a file of ours that are not the service's own."""
    lines = text.splitlines()
    first, last = lines.index(template.BEGIN) + 1, lines.index(template.END) + 1
    for statement in ast.parse(text).body:
        if not is_text(statement) and not first < statement.lineno < last:
            yield statement
