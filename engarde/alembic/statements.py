"""What the statements of a service's own env.py do, and which names they define and use."""

import ast
import builtins
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from typing import Literal, TypeVar

from engarde.alembic.environment import ASYNC_ENGINES, OPTIONS, SYNC_ENGINES
from engarde.alembic.project import URL
from engarde.alembic.source import Function, Source, dotted, name_of
from engarde.util.files import read_text

OTHERS = frozenset({"alembic", "sqlalchemy", *sys.stdlib_module_names})
"""Packages whose import fills no metadata."""

ENGINES = (*SYNC_ENGINES, *ASYNC_ENGINES)
RUNS = ("run_migrations", "begin_transaction", "run_sync", *ENGINES)
READS = (
    *("getenv", "get", "getLogger", "get_main_option", "get_section", "get_section_option", "get_x_argument"),
    *("str", "dict", "set", "list", "tuple", "frozenset", "int", "bool", "replace", "split", "strip", "format"),
    *("Path", "resolve", "abspath", "dirname", "join", "make_url", "quote", "quote_plus", "render_as_string"),
)
"""Calls that only return a value."""

Item = TypeVar("Item")

Kind = Literal["runs", "does", "names"]
"""The statement runs the migrations, which the new file does itself; does something else; or only defines names."""

Compound = ast.If | ast.For | ast.While | ast.Try | ast.With | ast.AsyncWith | ast.AsyncFor | ast.Match | ast.TryStar


class OldFile:
    """A service's own env.py, as statements."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = read_text(source.file)
        self.body = [statement for statement in source.tree.body if not is_text(statement)]
        self.running = self._reaching(lambda call: name_of(call.func) in RUNS or _configures(call))
        """the functions that help to run the migrations"""
        self.migrating = self._reaching(lambda call: name_of(call.func) == "run_migrations")
        """those that run them"""

    def kind(self, statement: ast.stmt) -> Kind:
        """The kind of a statement."""
        match statement:
            case (
                ast.FunctionDef(name=name, decorator_list=decorators)
                | ast.AsyncFunctionDef(name=name, decorator_list=decorators)
            ):
                return "runs" if name in self.running else "does" if decorators else "names"
            case ast.Import() | ast.ImportFrom():
                return "does" if is_own_import(statement) else "names"
            case ast.ClassDef():
                return "does"
            case _ if self._runs(statement):
                return "runs"
            case ast.Pass():
                return "names"
            case ast.Assign(targets=targets):
                return "names" if _is_plain(statement, targets) else "does"
            case ast.AnnAssign(target=target):
                return "names" if _is_plain(statement, [target]) else "does"
            case _ if isinstance(statement, Compound):
                kinds = {self.kind(inner) for inner in within(statement)}
                return "does" if "does" in kinds else "runs" if "runs" in kinds else "names"
        return "does"

    def migrates(self, statement: ast.stmt) -> bool:
        """Whether it runs the migrations."""
        return not isinstance(statement, Function) and any(
            name_of(call.func) == "run_migrations" or mentions(call, self.migrating) for call in calls(statement)
        )

    def segment(self, node: ast.AST) -> str:
        return ast.get_source_segment(self.text, node) or ast.unparse(node)

    def first_line(self, statement: ast.stmt) -> str:
        return self.segment(statement).partition("\n")[0].strip()

    def _reaching(self, wanted: Callable[[ast.Call], bool]) -> Set[str]:
        """The functions that make such a call, directly or through another function."""

        def more(found: Set[str]) -> set[str]:
            return {
                name
                for name, function in self.source.functions.items()
                for node in ast.walk(function)
                if (isinstance(node, ast.Call) and wanted(node)) or (isinstance(node, ast.Name) and node.id in found)
            }

        return grown(set(), more)

    def _runs(self, statement: ast.stmt) -> bool:
        match statement:
            case ast.Expr(value=ast.Call(func=func, args=arguments)):
                sets_url = any(isinstance(node, ast.Constant) and node.value == URL for node in arguments)
                if name_of(func) == "fileConfig" or (name_of(func) in OPTIONS and sets_url):
                    return True
            case ast.Assign(targets=targets) if any(map(is_url, targets)):
                return True
        return any(
            name_of(call.func) in RUNS or _configures(call) or mentions(call, self.running) for call in calls(statement)
        )


def grown(found: Set[Item], more: Callable[[Set[Item]], Set[Item]]) -> Set[Item]:
    """Adds what `more` finds, until it finds nothing new."""
    while not (further := more(found)) <= found:
        found = found | further
    return found


def _is_plain(statement: ast.stmt, targets: list[ast.expr]) -> bool:
    plain = all(isinstance(target, ast.Name | ast.Tuple) for target in targets)
    return plain and all(name_of(call.func) in READS for call in calls(statement))


def _configures(call: ast.Call) -> bool:
    return dotted(call.func).endswith("context.configure")


def within(statement: ast.stmt) -> Iterator[ast.stmt]:
    """The statements directly inside another one."""
    for node in ast.iter_child_nodes(statement):
        if isinstance(node, ast.stmt):
            yield node
        elif isinstance(node, ast.ExceptHandler | ast.match_case):
            yield from node.body


def heads(statement: ast.stmt) -> Iterator[ast.expr]:
    """The expressions that a statement evaluates before the statements inside it."""
    for node in ast.iter_child_nodes(statement):
        if isinstance(node, ast.expr):
            yield node
        elif isinstance(node, ast.withitem):
            yield node.context_expr


def calls(node: ast.AST) -> list[ast.Call]:
    return [inner for inner in ast.walk(node) if isinstance(inner, ast.Call)]


def mentions(call: ast.Call, functions: Set[str]) -> bool:
    """Whether a call calls one of these functions, or passes one on."""
    return any(isinstance(node, ast.Name) and node.id in functions for node in ast.walk(call))


def is_url(target: ast.expr) -> bool:
    """`section["sqlalchemy.url"]`, or `["url"]`."""
    match target:
        case ast.Subscript(slice=ast.Constant(value=key)):
            return key in (URL, "url")
    return False


def is_off(node: ast.expr) -> bool:
    """None or False, written out."""
    return isinstance(node, ast.Constant) and (node.value is None or node.value is False)


def is_text(statement: ast.stmt) -> bool:
    """A constant that nobody uses, such as a docstring."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def loads(node: ast.AST | None) -> set[str]:
    """The names that it uses and does not define itself, except Python's own."""
    if node is None:
        return set()
    names = [inner for inner in ast.walk(node) if isinstance(inner, ast.Name)]
    given = {inner.arg for inner in ast.walk(node) if isinstance(inner, ast.arg)}
    if isinstance(node, ast.expr):
        given |= {name.id for name in names if isinstance(name.ctx, ast.Store)}
    return {name.id for name in names if isinstance(name.ctx, ast.Load)} - given - {*dir(builtins)}


def bound(text: str) -> Mapping[str, object]:
    """The names of a module, each with its literal value, its import, or None."""
    found: dict[str, object] = {}
    for statement in ast.parse(text).body:
        found |= bound_by(statement)
    return found


def bound_in(statements: Iterable[ast.stmt]) -> set[str]:
    """The names that these statements define."""
    return {name for statement in statements for name in bound_by(statement)}


def bound_by(statement: ast.AST) -> dict[str, object]:
    """The names that a statement defines in its module, as in `bound`."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name: None}
        case ast.Import(names=names):
            return {alias.asname or alias.name.split(".")[0]: ("from", alias.name, None) for alias in names}
        case ast.ImportFrom(module=module, names=names, level=level):
            return {alias.asname or alias.name: ("from", f"{'.' * level}{module or ''}", alias.name) for alias in names}
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=value)):
            return {name: value}
    found: dict[str, object] = {}
    for node in ast.iter_child_nodes(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = None
        else:
            found |= dict.fromkeys(bound_by(node))
    return found


def is_own_import(statement: ast.stmt) -> bool:
    """Whether it imports a module of the service, perhaps only to fill the metadata."""
    match statement:
        case ast.Import(names=names):
            return any(alias.name.split(".")[0] not in OTHERS for alias in names)
        case ast.ImportFrom(module=module, level=level):
            return level > 0 or (module or "").split(".")[0] not in OTHERS
    return False


def is_others_import(statement: ast.stmt) -> bool:
    """Whether it imports only modules that are not the service's."""
    return isinstance(statement, ast.Import | ast.ImportFrom) and not is_own_import(statement)
