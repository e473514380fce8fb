"""What of somebody's own env.py goes into the new one, and what of it cannot."""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engarde.alembic.environment import ASYNC_ENGINES, OPTIONS, SYNC_ENGINES, Environment
from engarde.alembic.settings import URL
from engarde.alembic.source import Function, dotted, name_of
from engarde.util.files import read_text

METADATA = "target_metadata"
GIVEN = "options"

OTHERS = frozenset({"alembic", "sqlalchemy", *sys.stdlib_module_names})
"""Packages that fill no metadata by being imported."""

ASKED = f"# What else context.configure is to be told, by name.\n{GIVEN} = "

REPLACED = ("connection", "url", "dialect_name", "dialect_opts", "literal_binds", "version_table_schema", METADATA)
"""What the new file tells `context.configure` itself."""

ENGINES = (*SYNC_ENGINES, *ASYNC_ENGINES)
OF_ENGINES = ("prefix", "poolclass", "future", "url")
"""What the new file says of its engine itself, or has no need of."""

RUNS = ("run_migrations", "begin_transaction", "run_sync", *ENGINES)
KNOWN = (
    *(*RUNS, *OPTIONS, "configure", "fileConfig", "connect", "begin", "commit", "rollback", "close", "dispose"),
    *("is_offline_mode", "get_event_loop", "get_running_loop", "new_event_loop"),
    *("debug", "info", "warning", "error", "exception"),
)
"""Calls that the new file makes in its own way, or that only tell something."""
READS = (
    *("getenv", "get", "getLogger", "get_main_option", "get_section", "get_section_option", "get_x_argument"),
    *("str", "dict", "set", "list", "tuple", "frozenset", "int", "bool", "replace", "split", "strip", "format"),
    *("Path", "resolve", "abspath", "dirname", "join", "make_url", "quote", "quote_plus", "render_as_string"),
)
"""Calls that do nothing but give something back."""
SETS_PATH = re.compile(r"\bset\s+(?:session\s+|local\s+)?search_path\b", re.I)
"""A statement that the new file has, too."""
EXECUTES = ("execute", "exec_driver_sql", "scalar", "scalars")
CONNECTIONS = ("connection", "conn", "engine", "connectable", "bind")

Kind = Literal["runs", "does", "names"]
"""It runs the migrations, which the new file does in its own way; it does something else; it gives something a name."""

Compound = ast.If | ast.For | ast.While | ast.Try | ast.With | ast.AsyncWith | ast.AsyncFor | ast.Match | ast.TryStar


@dataclass(frozen=True, slots=True)
class Carried:
    """What becomes of an env.py."""

    yours: str | None
    """what goes into the new one; None where there is nothing"""
    left: tuple[str, ...]
    """what does not, each with its line, and cannot fill or filter the metadata"""
    refused: tuple[str, ...]
    """what does not, though it may: each with its line, and what is to be done about it"""


def bound(text: str) -> Mapping[str, object]:
    """The names of a module, each with its literal value, what it is imported from, or None."""
    found: dict[str, object] = {}
    for statement in ast.parse(text).body:
        found |= _bound(statement)
    return found


def carried(env: Environment, ours: Mapping[str, object]) -> Carried:
    """All that it does besides running migrations, its metadata, its options, and what these need.

    :param ours: the names of the new file, which stand for something else there.
    """
    return _Old(env, ours).carried()


class _Old:
    def __init__(self, env: Environment, ours: Mapping[str, object]) -> None:
        self.env, self.source, self.ours = env, env.source, ours
        self.text = read_text(env.source.file)
        self.body = [each for each in env.source.tree.body if not _is_docstring(each)]
        self.running = self._reaching(lambda call: name_of(call.func) in RUNS or _configures(call))
        self.migrating = self._reaching(lambda call: name_of(call.func) == "run_migrations")
        self.named = {name for each in self.body for name in _bound(each)}
        self.left: list[tuple[int, str]] = []
        self.refused: list[tuple[int, str]] = []

    def carried(self) -> Carried:
        metadata = self._metadata()
        options = self._options()
        kept = self._kept({METADATA, *_loads(metadata), *(name for each in options.values() for name in _loads(each))})
        self._refuse_taken(kept)
        self._look_at_what_runs(self._filling())
        text = "".join(
            f"{_between(before, each)}{self._lines(each)}" for before, each in zip([None, *kept], kept, strict=False)
        )
        parts = [text.strip("\n")] if text else []
        if isinstance(metadata, ast.expr) and not (isinstance(metadata, ast.Name) and metadata.id == METADATA):
            parts.append(f"{METADATA} = {self._segment(metadata)}")
        elif not any(METADATA in _bound(each) for each in kept):
            parts.append(f"{METADATA} = None")
        entries = "".join(f'    "{name}": {self._segment(node)},\n' for name, node in options.items())
        yours = "\n".join([*parts, ASKED + (f"{{\n{entries}}}" if entries else "{}")])
        return Carried(yours if kept or options else None, _told(self.left), _told(self.refused))

    def _refuse(self, node: ast.AST, why: str) -> None:
        self.refused.append((getattr(node, "lineno", 1), why))

    # ---- What it tells Alembic.

    def _metadata(self) -> ast.expr | None:
        given = [node for each in self.env.configures if (node := each.options.get(METADATA)) is not None]
        found = {ast.dump(each): each for each in given if not _is_none(each)}
        for node in found.values():
            if local := self._local(node):
                self._refuse(node, f"{METADATA} is made from {_listed(local)}, which only a function of it has")
        if len(found) > 1:
            self._refuse([*found.values()][1], f"{METADATA} is not the same in each context.configure")
        return next(iter(found.values()), None)

    def _options(self) -> dict[str, ast.expr]:
        if not self.env.configures and any(self._kind(each) != "names" for each in self.body):
            self._refuse(self.source.tree, "no context.configure is in it, so nobody knows what Alembic is told")
        found: dict[str, ast.expr] = {}
        for each in sorted(self.env.configures, key=lambda each: each.mode == "offline"):
            if each.opaque:
                why = "not all that context.configure is told is written out, and it may filter: write it out"
                self.refused.append((each.line, why))
            for name, node in each.options.items():
                if name in REPLACED or (name == "include_schemas" and _is_none(node)):
                    continue
                if name == "version_table":
                    self._refuse(node, "its revisions are in a table of another name: `alembic check` says what to do")
                elif local := self._local(node):
                    self._refuse(
                        node, f"{name} takes {_listed(local)}, which only a function of it has: move it to the top"
                    )
                elif name in found and ast.dump(found[name]) != ast.dump(node):
                    self._refuse(node, f"{name} is not the same in each context.configure")
                else:
                    found.setdefault(name, node)
        return found

    def _local(self, node: ast.expr) -> set[str]:
        """The names in it that are not the module's own."""
        return set() if "*" in self.named else _loads(node) - self.named

    # ---- What it does before.

    def _reaching(self, wanted: Callable[[ast.Call], bool]) -> set[str]:
        """The functions that make such a call, themselves or by another one of them."""
        found: set[str] = set()
        while True:
            more = {
                name
                for name, function in self.source.functions.items()
                if any(
                    (isinstance(node, ast.Call) and wanted(node)) or (isinstance(node, ast.Name) and node.id in found)
                    for node in ast.walk(function)
                )
            }
            if more <= found:
                return found
            found |= more

    def _kind(self, statement: ast.stmt) -> Kind:
        if isinstance(statement, Function):
            return "runs" if statement.name in self.running else "does" if statement.decorator_list else "names"
        if isinstance(statement, ast.Import | ast.ImportFrom):
            return "does" if is_own_import(statement) else "names"
        if isinstance(statement, ast.ClassDef):
            return "does"
        if self._runs(statement):
            return "runs"
        if isinstance(statement, Compound):
            kinds = {self._kind(each) for each in _within(statement)}
            return "does" if "does" in kinds else "runs" if "runs" in kinds else "names"
        if isinstance(statement, ast.Pass):
            return "names"
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            plain = all(isinstance(each, ast.Name | ast.Tuple) for each in targets)
            if plain and all(name_of(each.func) in READS for each in _calls(statement)):
                return "names"
        return "does"

    def _runs(self, statement: ast.stmt) -> bool:
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            call = statement.value
            if name_of(call.func) == "fileConfig" or (name_of(call.func) in OPTIONS and _sets_url(call)):
                return True
        if isinstance(statement, ast.Assign) and any(map(_is_url, statement.targets)):
            return True
        return any(
            name_of(each.func) in RUNS or _configures(each) or _mentions(each, self.running)
            for each in _calls(statement)
        )

    def _kept(self, wanted: set[str]) -> list[ast.stmt]:
        ends = [place for place, each in enumerate(self.body) if self._migrates(each)]
        last = ends[-1] if ends else len(self.body)
        kept: set[ast.stmt] = set()
        for place, each in enumerate(self.body):
            if self._kind(each) == "does":
                if place < last:
                    kept.add(each)
                elif not (isinstance(each, ast.Expr) and all(name_of(call.func) in KNOWN for call in _calls(each))):
                    self._leave(each)
        while True:
            wanted = wanted.union(*map(_loads, kept))
            more = {each for each in self.body if self._kind(each) == "names" and _bound(each).keys() & wanted} - kept
            if not more:
                break
            kept |= more
        return [each for each in self.body if each in kept and not self._is_there(each)]

    def _migrates(self, statement: ast.stmt) -> bool:
        return not isinstance(statement, Function) and any(
            name_of(each.func) == "run_migrations" or _mentions(each, self.migrating) for each in _calls(statement)
        )

    def _is_there(self, statement: ast.stmt) -> bool:
        """An import that the new file has already, or of what Python has to be told first."""
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            return True
        names = _bound(statement)
        imports = isinstance(statement, ast.Import | ast.ImportFrom) and bool(names)
        return imports and all(self.ours.get(name) == value for name, value in names.items())

    def _refuse_taken(self, kept: Sequence[ast.stmt]) -> None:
        for each in kept:
            for name, value in _bound(each).items():
                if name in self.ours and (value is None or self.ours[name] != value):
                    self._refuse(each, f"{name} is a name of something else in the new env.py: give it another one")

    # ---- What it does where it runs them.

    def _filling(self) -> set[str]:
        """The names by which the metadata is filled or changed."""
        found = {METADATA}
        while True:
            more = {name for each in self.body if _bound(each).keys() & found for name in _loads(each)}
            own = {name for each in self.body if not _is_alembics(each) for name in _bound(each)} - {"config"}
            if more & own <= found:
                return found
            found |= more & own

    def _look_at_what_runs(self, filling: set[str]) -> None:
        for call in self.source.calls(*ENGINES):
            for each in call.keywords:
                if each.arg not in OF_ENGINES and not (each.arg and _is_none(each.value)):
                    self.left.append((each.value.lineno, f"{name_of(call.func)}({each.arg or '**'}=...)"))
        for statement in self.body:
            if self._kind(statement) == "runs":
                self._look_at(statement, filling)

    def _look_at(self, statement: ast.stmt, filling: set[str]) -> None:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                for each in statement.body:
                    self._look_at(each, filling)
            case ast.Import() | ast.ImportFrom() if is_own_import(statement):
                self._refuse(statement, f"{self._said(statement)} may fill the metadata: move it to the top")
            case ast.For(iter=over) if _loads(over) & filling:
                self._refuse(statement, f"{self._said(statement)} changes the metadata: move it to the top")
            case _ if isinstance(statement, Compound):
                if any(map(self._is_lost, _heads(statement))):
                    self._leave(statement)
                for each in _within(statement):
                    self._look_at(each, filling)
            case ast.Expr(value=value):
                self._look_at_call(statement, value.value if isinstance(value, ast.Await) else value, filling)
            case ast.Assign(targets=targets) if not all(isinstance(each, ast.Name | ast.Tuple) for each in targets):
                if any(_loads(each) & filling for each in targets):
                    self._refuse(statement, f"{self._said(statement)} changes the metadata: move it to the top")
                elif not any(map(_is_url, targets)):
                    self._leave(statement)
            case ast.Assign(value=value) if self._is_lost(value):
                self._leave(statement)
            case ast.Raise() | ast.Delete() | ast.AugAssign():
                self._leave(statement)

    def _look_at_call(self, statement: ast.stmt, value: ast.expr, filling: set[str]) -> None:
        if not isinstance(value, ast.Call):
            return
        name = name_of(value.func)
        if name in KNOWN or _mentions(value, self.running):
            return
        given = {each for part in (*value.args, *(word.value for word in value.keywords)) for each in _loads(part)}
        on_connection = dotted(value.func).split(".")[0] in CONNECTIONS or bool(given & {*CONNECTIONS})
        fills = METADATA in given or bool(_loads(value.func) & filling)
        if fills or (not on_connection and _loads(value.func) & self._own()):
            self._refuse(
                statement, f"{self._said(statement)} may fill the metadata: move it to the top, or take it out"
            )
        else:
            self._leave(statement)

    def _is_lost(self, value: ast.expr) -> bool:
        """Whether the service's modules, the database or the caller takes part in it, as none does in the new file."""
        imported = {name for each in self.body if is_own_import(each) for name in _bound(each)}
        return any(
            _is_told_more(each)
            or (isinstance(each, ast.Call) and bool(_loads(each.func) & imported) and name_of(each.func) not in READS)
            for each in ast.walk(value)
        )

    def _leave(self, statement: ast.stmt) -> None:
        if not SETS_PATH.search(said := self._said(statement)):
            self.left.append((statement.lineno, said))

    def _own(self) -> set[str]:
        """Names of the service's own modules, and of what it defines itself."""
        return {name for each in self.body if not _is_alembics(each) for name in _bound(each)} - {"config"}

    # ---- Its text.

    def _said(self, statement: ast.stmt) -> str:
        """The statement's first line."""
        return (self._segment(statement) or "").partition("\n")[0].strip()

    def _segment(self, node: ast.AST) -> str:
        return ast.get_source_segment(self.text, node) or ast.unparse(node)

    def _lines(self, statement: ast.stmt) -> str:
        """A statement with the comments right above it."""
        lines = self.text.splitlines()
        first, last = _first(statement) - 1, statement.end_lineno or statement.lineno
        beside = [each for each in self.body if each is not statement and first < each.lineno <= last]
        if beside or any((each.end_lineno or 0) - 1 == first for each in self.body if each is not statement):
            return self._segment(statement)
        while first and lines[first - 1].startswith("#"):
            first -= 1
        return "\n".join(lines[first:last])


def _between(before: ast.stmt | None, after: ast.stmt | None) -> str:
    """The lines' ends between two statements."""
    defines = any(isinstance(each, Function | ast.ClassDef) for each in (before, after))
    return "\n\n\n" if defines else "\n"


def _told(found: Iterable[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(f"line {line}: {text}" for line, text in sorted(dict.fromkeys(found)))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _first(statement: ast.stmt) -> int:
    decorators = statement.decorator_list if isinstance(statement, Function | ast.ClassDef) else []
    return min([statement.lineno, *(each.lineno for each in decorators)])


def _within(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statements right in another one."""
    for node in ast.iter_child_nodes(statement):
        if isinstance(node, ast.stmt):
            yield node
        elif isinstance(node, ast.ExceptHandler | ast.match_case):
            yield from node.body


def _heads(statement: ast.stmt) -> Iterator[ast.expr]:
    """What a statement evaluates before those in it."""
    for node in ast.iter_child_nodes(statement):
        if isinstance(node, ast.expr):
            yield node
        elif isinstance(node, ast.withitem):
            yield node.context_expr


def _calls(node: ast.AST) -> list[ast.Call]:
    return [each for each in ast.walk(node) if isinstance(each, ast.Call)]


def _configures(call: ast.Call) -> bool:
    return dotted(call.func).endswith("context.configure")


def _mentions(call: ast.Call, functions: set[str]) -> bool:
    return any(isinstance(each, ast.Name) and each.id in functions for each in ast.walk(call))


def _sets_url(call: ast.Call) -> bool:
    return any(isinstance(each, ast.Constant) and each.value == URL for each in call.args)


def _is_told_more(node: ast.AST) -> bool:
    """What a database answers, or whoever calls Alembic says: a connection of its own, an argument."""
    if isinstance(node, ast.Call):
        return name_of(node.func) in (*EXECUTES, "get_x_argument")
    return isinstance(node, ast.Attribute) and node.attr == "attributes"


def _is_url(target: ast.expr) -> bool:
    """`section["sqlalchemy.url"]`, or `["url"]`."""
    match target:
        case ast.Subscript(slice=ast.Constant(value=key)):
            return key in (URL, "url")
    return False


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or node.value is False)


def _loads(node: ast.AST | None) -> set[str]:
    """The names that it takes from around it, and are not Python's own."""
    if node is None:
        return set()
    names = [each for each in ast.walk(node) if isinstance(each, ast.Name)]
    given = {each.arg for each in ast.walk(node) if isinstance(each, ast.arg)}
    if isinstance(node, ast.expr):
        given |= {each.id for each in names if isinstance(each.ctx, ast.Store)}
    return {each.id for each in names if isinstance(each.ctx, ast.Load)} - given - {*dir(builtins)}


def _bound(statement: ast.AST) -> dict[str, object]:
    """The names that a statement binds in its module."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name: None}
        case ast.Import(names=names):
            return {each.asname or each.name.split(".")[0]: ("from", each.name, None) for each in names}
        case ast.ImportFrom(module=module, names=names, level=level):
            return {each.asname or each.name: ("from", f"{'.' * level}{module or ''}", each.name) for each in names}
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
            return {name: value}
    found: dict[str, object] = {}
    for each in ast.iter_child_nodes(statement):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            found[each.id] = None
        else:
            found |= dict.fromkeys(_bound(each))
    return found


def _modules(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.Import(names=names):
            yield from (each.name for each in names)
        case ast.ImportFrom(module=module, level=level):
            yield "." * level + (module or "")


def is_own_import(statement: ast.stmt) -> bool:
    """One of the service's modules, which may be there to fill the metadata alone."""
    return any(each.split(".")[0] not in OTHERS for each in _modules(statement))


def _is_alembics(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Import | ast.ImportFrom) and not is_own_import(statement)


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
