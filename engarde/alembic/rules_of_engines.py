"""How the engine is made and used: synchronous or not, by which driver, and in whose transaction."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from engarde.alembic.environment import Configure, Sink
from engarde.alembic.seen import Seen
from engarde.alembic.source import Function, Source, dotted, name_of
from engarde.alembic.values import Value
from engarde.declaration.declared import UrlFormat
from engarde.output.findings import Finding
from engarde.util.files import read_text

DRIVERS_OF_ASYNC = frozenset({"asyncpg", "psycopg"})
RUNNERS = ("run", "run_until_complete", "create_task", "ensure_future")
BEGINS = ("begin_transaction", "run_sync", "run_migrations")
ENDS = ("commit", "rollback")
WITH_IT = re.compile(r"\s*SET\s+LOCAL\b|pg_(?:try_)?advisory_xact_lock|set_config\([^)]*\btrue\s*\)", re.I)
"""What ends with its transaction, so that a commit would undo it."""
DEEPEST = 3
"""How far functions of env.py are followed that call one another."""
PSYCOPG_IS_DEFAULT = (2, 1)
"""From this version of SQLAlchemy on."""
PINS = ("*.lock", "requirements*.txt", "pyproject.toml")
PINNED = re.compile(
    r"""(?im)^\W*(?:name = )?["']?sqlalchemy["']?(?:\[[\w, ]*\])?\s*(?:version = ["']|[=~>]=\s*)(\d+)\.(\d+)"""
)
UPWARDS = 3
"""How many folders are looked through, the project's and those that it is in."""
EXECUTES = ("execute", "exec_driver_sql", "scalar")


def driver(seen: Seen) -> str:
    """The driver that its engine has, as far as its text tells, or will have once it fits."""
    known = {name for each in _of_engines(seen) for name in _drivers(seen, each.value)}
    fitting = {name for name in known if _fits(seen, name)}
    return next(iter(fitting)) if len(fitting) == 1 else "asyncpg" if seen.env.asynchronous else "psycopg2"


def _fits(seen: Seen, name: str) -> bool:
    return name in DRIVERS_OF_ASYNC if seen.env.asynchronous else name != "asyncpg"


def driver_fits(seen: Seen) -> Iterator[Finding]:
    """An asynchronous engine with an asynchronous driver, and the other way round."""
    if not seen.env.engines:
        return
    for sink in _of_engines(seen):
        for name in sorted(_drivers(seen, sink.value)):
            if _fits(seen, name):
                continue
            if seen.env.asynchronous:
                code = 'make_url(url).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)'
                yield seen.finding("driver", sink.line, "a URL of asyncpg or psycopg", f"one of {name}", code)
            else:
                code = 'url.replace("+asyncpg", "", 1)'
                yield seen.finding("driver", sink.line, "a URL of a synchronous driver", "one of asyncpg", code)


def _of_engines(seen: Seen) -> list[Sink]:
    """The places where engines get their URLs; what the configuration is given may be for the other mode alone."""
    configured = any(
        (name_of(each.func) or "").endswith("engine_from_config")
        or any(seen.env.value(part).from_settings for part in (*each.args, *(word.value for word in each.keywords)))
        for each in seen.env.engines
    )
    return [each for each in seen.env.sinks if not each.offline and (configured or not each.interpolated)]


def _drivers(seen: Seen, value: Value) -> set[str]:
    """Those that its variables' URLs name, once it has put in place what it puts in place."""
    if value.altered:
        return set()
    found: set[str] = set()
    for form in _forms(seen, value):
        scheme = form.replace("sqlalchemy", "postgresql") if form.startswith("sqlalchemy") else "postgresql"
        url = f"{'jdbc:' if form == 'jdbc' else ''}{scheme}://"
        for old, new in value.replaced:
            url = url.replace(old, new) if old else f"{new}://"
        dialect, _, name = url.partition("://")[0].partition("+")
        found.add(name or (_default_driver(seen) if dialect in ("postgresql", "postgres") else dialect))
    return found


def _default_driver(seen: Seen) -> str:
    """What SQLAlchemy takes where a URL names no driver, by the version that the project's files pin."""
    folders = (seen.project.folder, *seen.project.folder.parents)[:UPWARDS]
    for folder, pattern in ((folder, pattern) for folder in folders for pattern in PINS):
        for file in sorted(folder.glob(pattern)):
            if pinned := PINNED.search(read_text(file)):
                return "psycopg" if (int(pinned[1]), int(pinned[2])) >= PSYCOPG_IS_DEFAULT else "psycopg2"
    return "psycopg2"


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
        for call, decides in _early(seen, configure):
            if call.lineno not in told:
                told.add(call.lineno)
                if _is_under_condition(seen.env.source, call, decides):
                    reason = "where it is reached, it begins a transaction that nobody commits"
                    yield seen.unjudged(call.lineno, "no statement before context.configure, or a commit", reason)
                    continue
                actual = "it begins a transaction that the migrations join, and that is rolled back at the end"
                yield seen.finding("transaction", call.lineno, *_of_its_own(seen, call, actual))


def _of_its_own(seen: Seen, call: ast.Call, actual: str) -> tuple[str, str, str]:
    """What is expected of such a statement, what it does, and the code that heals it."""
    texts = [each.value for each in ast.walk(call) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if any(map(WITH_IT.search, texts)):
        code = "with context.begin_transaction():\n    ...  # here, and then context.run_migrations()"
        return "it in the migrations' own transaction, with which it ends", actual, code
    awaited = "await " if isinstance(seen.env.source.parents[call], ast.Await) else ""
    return "a commit before the migrations", actual, f"{awaited}connection.commit()  # right after it"


def _early(seen: Seen, configure: Configure) -> Iterator[tuple[ast.Call, ast.Call]]:
    """The statements that leave a transaction open, each with the call at which Alembic sees it."""
    source = seen.env.source
    if "AUTOCOMMIT" in {node.value for node in source.nodes if isinstance(node, ast.Constant)}:
        return
    handing = [f for call in source.calls("run_sync") if (f := source.function(call))]
    functions = dict.fromkeys((*(configure.within or [source.tree]), *handing))
    everything = [call for function in functions for call in _calls(function)]
    names = {name_of(call.func) for call in everything}
    opened = [call for call in everything if name_of(call.func) == "begin" and _opens(call)]
    if opened and not any(name_of(call.func) == "connect" for call in everything):
        return
    if "begin_transaction" not in names:
        return
    flows = [list(_in_order(source, function)) for function in functions]
    if not any(map(_committed_at_the_end, flows)):
        for flow in flows:
            yield from _left_open(source, flow)


def _committed_at_the_end(flow: list[ast.Call]) -> bool:
    """Whether it commits, once the migrations have run, whatever they have joined."""
    names = [name_of(call.func) for call in flow]
    begun = next((place for place, name in enumerate(names) if name in BEGINS), len(names))
    return "commit" in names[begun:]


def _left_open(source: Source, flow: list[ast.Call]) -> list[tuple[ast.Call, ast.Call]]:
    """The statements whose transaction still goes on where Alembic is configured, each with the call that does so."""
    found: list[ast.Call] = []
    for call in flow:
        name = name_of(call.func)
        # Here Alembic sees whether a transaction is another's; one that begins later it takes over, and commits.
        if name == "run_sync" or (name == "configure" and dotted(call.func) in ("configure", "context.configure")):
            return [(each, call) for each in found if not _is_over(source, each, call)]
        if name in ENDS:
            found = []
        elif name in EXECUTES and not _is_apart(source, call) and not any(map(_is_own_transaction, source.above(call))):
            found.append(call)
    return []


def _is_over(source: Source, call: ast.Call, later: ast.Call) -> bool:
    """Whether its connection has been closed by then, at the end of the block that has opened it."""
    around = set(source.above(later))
    whose = _receiver(call)
    return any(
        isinstance(each, ast.With | ast.AsyncWith)
        and each not in around
        and any(isinstance(item.optional_vars, ast.Name) and item.optional_vars.id == whose for item in each.items)
        for each in source.above(call)
    )


def _is_under_condition(source: Source, call: ast.Call, later: ast.Call) -> bool:
    around = set(source.above(later))
    return any(isinstance(each, ast.If | ast.IfExp) and each not in around for each in source.above(call))


def _in_order(source: Source, function: Function | ast.Module, depth: int = 0) -> Iterator[ast.Call]:
    """Its calls, and in the place of a function of the same file the calls of this."""
    for call in sorted(_calls(function), key=lambda each: (each.lineno, each.col_offset)):
        called = source.functions.get(call.func.id) if isinstance(call.func, ast.Name) else None
        if called is None or depth == DEEPEST:
            yield call
        else:
            yield from _in_order(source, called, depth + 1)


def _calls(function: Function | ast.Module) -> list[ast.Call]:
    body = [each for each in function.body if isinstance(function, Function) or not isinstance(each, Function)]
    return [each for statement in body for each in ast.walk(statement) if isinstance(each, ast.Call)]


def _receiver(call: ast.Call) -> str | None:
    return name_of(call.func.value) if isinstance(call.func, ast.Attribute) else None


def _is_apart(source: Source, call: ast.Call) -> bool:
    """Alembic's own statements, those that SQLAlchemy does not see, and SQLite's."""
    texts = [each.value for each in ast.walk(call) if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if any(each.lstrip().upper().startswith("PRAGMA") for each in texts):
        return True
    cursors = {name for each in source.calls("cursor") for name in _names(source.parents[each])}
    return _receiver(call) in {"context", "op", *cursors}


def _names(node: ast.AST) -> set[str]:
    """What a statement, or a part of a `with`, gives a name."""
    return {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}


def _is_own_transaction(node: ast.AST) -> bool:
    return isinstance(node, ast.With | ast.AsyncWith) and any(
        isinstance(item.context_expr, ast.Call) and name_of(item.context_expr.func) == "begin" for item in node.items
    )
