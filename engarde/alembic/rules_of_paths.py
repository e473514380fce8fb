"""Which schemas unqualified names reach while migrations run."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from engarde.alembic.autogenerate import filters
from engarde.alembic.environment import Configure
from engarde.alembic.judge import Table
from engarde.alembic.paths import SetPath
from engarde.alembic.rules_of_configure import ANY
from engarde.alembic.rules_of_engines import driver
from engarde.alembic.seen import Seen
from engarde.alembic.source import dotted, name_of
from engarde.declaration.names import PUBLIC
from engarde.output.findings import Finding

_CREATES = re.compile(r"\s*CREATE\s+SCHEMA\b", re.I)
SYSTEM = ("pg_catalog", "pg_temp")


def set_rightly(seen: Seen) -> Iterator[Finding]:
    """Each search_path that env.py sets: the own schema first, nobody else's after it."""
    allowed = {seen.schema, PUBLIC, *SYSTEM, *(each.schema_ for each in seen.stack.extensions)}
    for each in seen.paths:
        if each.schemas is None:
            yield seen.unjudged(each.line, f"a search_path of {seen.schema}", "the path is not written out")
        elif each.schemas[:1] != (seen.schema,) or not allowed.issuperset(each.schemas):
            names = [f'"{name}"' if "," in name else name for name in each.schemas]
            actual = f"search_path: {', '.join(names)}"
            yield seen.finding("search_path", each.line, f"{seen.schema} first, no other's", actual, *_lines(seen))
        yield from _way(seen, each)


def _way(seen: Seen, each: SetPath) -> Iterator[Finding]:
    """A driver's own setting, in the words of another driver."""
    asyncpg = driver(seen) == "asyncpg"
    if each.way == "options" and asyncpg:
        code = f'connect_args={{"server_settings": {{"search_path": {seen.set_path[1:-1].split(" TO ")[1]!r}}}}}'
        yield seen.finding("search_path", each.line, "server_settings, asyncpg's word", "options: a TypeError", code)
    elif each.way == "server_settings" and not asyncpg:
        code = f"connect_args={{\"options\": '-c search_path={seen.set_path[1:-1].split(' TO ')[1]}'}}"
        yield seen.finding("search_path", each.line, "options, the driver's word", "server_settings: asyncpg's", code)


def shows_no_others(seen: Seen) -> Iterator[Finding]:
    """Autogenerate takes whatever the search_path shows for the login's own: of `public`, too."""
    # One that is not written out is said so of, and may be narrow.
    if not seen.autogenerates or any(each.schemas is None or _narrow(seen, each) for each in seen.paths):
        return
    for configure in seen.env.of("online"):
        if configure.opaque or not filters(seen.env, configure).sees(Table(None, ANY, declared=False)):
            continue
        line = next((each.line for each in seen.paths if PUBLIC in (each.schemas or ())), configure.line)
        actual = f"{seen.schema}, {PUBLIC}: autogenerate proposes to drop the tables of {PUBLIC} that it shows"
        yield seen.finding("search_path", line, f"only {seen.schema} while migrations run", actual, *_lines(seen))


def offline(seen: Seen) -> Iterator[Finding]:
    """A script for somebody else to run says where it belongs."""
    expected = "a script that begins with its search_path"
    for configure in seen.env.of("offline"):
        if not any(_in(each, configure) for each in seen.paths):
            actual = "none: run as any other role, it makes its tables elsewhere"
            yield seen.finding("offline search_path", configure.line, expected, actual, *_begins(seen))
    # What asks for the mode and configures nothing for it refuses it.
    thought_of = seen.env.of("offline") or any(seen.env.source.calls("is_offline_mode"))
    if seen.env.configures and not thought_of and not any(_written(seen, each) for each in seen.paths):
        actual = "no offline mode: `alembic upgrade --sql` logs in, and writes no search_path"
        code = (
            "if context.is_offline_mode():",
            "    context.configure(",
            '        dialect_name="postgresql", dialect_opts={"paramstyle": "named"}, literal_binds=True,',
            f"        version_table_schema={seen.literal},",
            "    )",
            *(f"    {each}" for each in _begins(seen)),
        )
        yield seen.finding("offline search_path", seen.env.configures[0].line, expected, actual, *code)


def _begins(seen: Seen) -> tuple[str, ...]:
    return (
        "with context.begin_transaction():",
        f"    context.execute({seen.set_path})",
        "    context.run_migrations()",
    )


def _written(seen: Seen, path: SetPath) -> bool:
    """Whether Alembic itself executes it, which writes it where there is no connection."""
    return any(
        dotted(call.func) in ("context.execute", "op.execute") and call.lineno <= path.line <= (call.end_lineno or 0)
        for call in seen.env.source.calls("execute")
    )


def makes_no_schema(seen: Seen) -> Iterator[Finding]:
    """Schemas are the stack's to make."""
    for node in seen.env.source.nodes:
        match node:
            case ast.Constant(value=str() as text) if _CREATES.match(text):
                creates = not isinstance(seen.env.source.parents[node], ast.Expr)
            case ast.Call(func=func):
                creates = name_of(func) == "CreateSchema"
            case _:
                continue
        if creates:
            actual = "CREATE SCHEMA: the role may make none, and is refused even where it exists"
            code = f"leave it out: `pulumi up` has made {seen.schema}"
            yield seen.finding("schema", node.lineno, f"{seen.schema} made by the stack", actual, code)


def _narrow(seen: Seen, each: SetPath) -> bool:
    only_offline = (
        seen.env.of("offline")
        and all(not _in(each, configure) for configure in seen.env.of("online"))
        and any(_in(each, configure) for configure in seen.env.of("offline"))
    )
    return not only_offline and each.schemas is not None and PUBLIC not in each.schemas


def _in(each: SetPath, configure: Configure) -> bool:
    return each.within in configure.within or (each.within is None and not configure.within)


def _lines(seen: Seen) -> tuple[str, ...]:
    return (
        f"connection.execute(text({seen.set_path}))",
        "connection.commit()  # or the migrations join this transaction, and nobody commits it",
    )
