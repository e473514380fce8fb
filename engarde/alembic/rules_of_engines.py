"""How the engine is made and used: synchronous or not, by which driver, and in whose transaction."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from engarde.alembic.environment import Configure
from engarde.alembic.seen import Seen
from engarde.alembic.source import Function, name_of
from engarde.alembic.values import Value
from engarde.declared import UrlFormat
from engarde.findings import Finding

DRIVERS_OF_ASYNC = frozenset({"asyncpg", "psycopg"})
RUNNERS = ("run", "run_until_complete", "create_task", "ensure_future")
EXECUTES = ("execute", "exec_driver_sql", "scalar")


def driver(seen: Seen) -> str:
    """The driver that its engine has, as far as its text tells."""
    known = {name for each in seen.env.sinks for name in _drivers(seen, each.value)}
    return next(iter(known)) if len(known) == 1 else "asyncpg" if seen.env.asynchronous else "psycopg2"


def driver_fits(seen: Seen) -> Iterator[Finding]:
    """An asynchronous engine with an asynchronous driver, and the other way round."""
    if not seen.env.engines:
        return
    for sink in seen.env.sinks:
        for name in sorted(_drivers(seen, sink.value)):
            if seen.env.asynchronous and name not in DRIVERS_OF_ASYNC:
                code = 'url = url.replace("postgresql://", "postgresql+asyncpg://", 1)'
                yield seen.finding("driver", sink.line, "a URL of asyncpg or psycopg", f"one of {name}", code)
            elif not seen.env.asynchronous and name == "asyncpg":
                code = 'url = url.replace("+asyncpg", "", 1)'
                yield seen.finding("driver", sink.line, "a URL of a synchronous driver", "one of asyncpg", code)


def _drivers(seen: Seen, value: Value) -> set[str]:
    """Those that its variables' URLs name, once it has put in place what it puts in place."""
    if value.altered:
        return set()
    found: set[str] = set()
    for form in _forms(seen, value):
        scheme = form.replace("sqlalchemy", "postgresql") if form.startswith("sqlalchemy") else "postgresql"
        url = f"{'jdbc:' if form == 'jdbc' else ''}{scheme}://"
        for old, new in value.replaced:
            url = f"{new}://" if old is None else url.replace(old, new)
        dialect, _, name = url.partition("://")[0].partition("+")
        found.add(name or ("psycopg2" if dialect in ("postgresql", "postgres") else dialect))
    return found


def _forms(seen: Seen, value: Value) -> set[UrlFormat]:
    delivered = seen.variables
    migrations = seen.service.migrations
    found: set[UrlFormat] = set()
    for name in value.variables:
        if name in delivered:
            found.add(delivered[name].url_format or seen.service.url_format)
        if migrations and name == migrations.variable:
            found.add(migrations.url_format or seen.service.url_format)
    return found


def asynchronous(seen: Seen) -> Iterator[Finding]:
    """An asynchronous engine, awaited, with Alembic's synchronous part in `run_sync`."""
    if not seen.env.asynchronous:
        return
    source, line = seen.env.source, seen.env.engines[0].lineno
    if not any(source.calls("run_sync")):
        actual = "the asynchronous connection is handed to Alembic, which awaits nothing"
        code = "await connection.run_sync(do_run_migrations)"
        yield seen.finding("async", line, "await connection.run_sync(...)", actual, code)
    for node in source.nodes:
        if isinstance(node, ast.With) and any(_opens(item.context_expr) for item in node.items):
            code = "async with connectable.connect() as connection:"
            yield seen.finding("async", node.lineno, "async with", "with, on an asynchronous engine", code)
    coroutines = [each for each in source.functions.values() if isinstance(each, ast.AsyncFunctionDef)]
    if coroutines and not any(source.calls(*RUNNERS)):
        code = f"asyncio.run({coroutines[-1].name}())"
        yield seen.finding("async", coroutines[-1].lineno, "asyncio.run(...)", "nothing runs the coroutine", code)


def _opens(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name() as of, attr="connect" | "begin")):
            return of.id not in ("connection", "conn", "context")
    return False


def commits(seen: Seen) -> Iterator[Finding]:
    """No statement before Alembic's transaction that begins one which nobody commits."""
    told: set[int] = set()
    for configure in seen.env.of("online"):
        for call in _early(seen, configure):
            if call.lineno not in told:
                told.add(call.lineno)
                actual = "it begins a transaction that the migrations join, and that is rolled back at the end"
                code = ("connection.commit()  # right after it",)
                yield seen.finding("transaction", call.lineno, "a commit before the migrations", actual, *code)


def _early(seen: Seen, configure: Configure) -> Iterator[ast.Call]:
    source = seen.env.source
    if "AUTOCOMMIT" in {node.value for node in source.nodes if isinstance(node, ast.Constant)}:
        return
    handing = [f for call in source.calls("run_sync") if (f := source.function(call))]
    functions = dict.fromkeys((*configure.within, *handing))
    everything = [call for function in functions for call in _calls(function)]
    names = {name_of(call.func) for call in everything}
    opened = [call for call in everything if name_of(call.func) == "begin" and _opens(call)]
    if opened and not any(name_of(call.func) == "connect" for call in everything):
        return
    if "begin_transaction" not in names:
        return
    for function in functions:
        calls = _calls(function)
        ends = [c.lineno for c in calls if name_of(c.func) in ("begin_transaction", "run_sync", "run_migrations")]
        committed = max((call.lineno for call in calls if name_of(call.func) == "commit"), default=0)
        for call in calls:
            early = name_of(call.func) in EXECUTES and ends and committed < call.lineno < min(ends)
            if early and not _of_context(call) and not any(_is_own_transaction(each) for each in source.above(call)):
                yield call


def _calls(function: Function) -> list[ast.Call]:
    return [each for each in ast.walk(function) if isinstance(each, ast.Call)]


def _of_context(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and name_of(call.func.value) in ("context", "op", "cursor")


def _is_own_transaction(node: ast.AST) -> bool:
    return isinstance(node, ast.With | ast.AsyncWith) and any(
        isinstance(item.context_expr, ast.Call) and name_of(item.context_expr.func) == "begin" for item in node.items
    )
