"""What pg_stat_statements has counted: where it is, whether it can be read, what makes it readable, and whose it is."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import MAINTENANCE
from engarde.declaration.stack_file import lines
from engarde.errors import LoginRefused, NotAnswered
from engarde.server.credentials import Access
from engarde.server.session import Session, session
from engarde.status.rows import Place, Server, Statement, Unseen
from engarde.util.masking import one_line
from engarde.util.quoting import literal, quoted, statement

EXTENSION = "pg_stat_statements"
TOP = 5
"""Statements of each role that are listed, by total and by mean time."""

PRELOAD = "shared_preload_libraries"
WHAT = "the statements of all services"


@dataclass(frozen=True, slots=True)
class Statements:
    """What was counted, or why it is not seen."""

    counted: tuple[Statement, ...] | None
    unseen: Unseen | None = None


@dataclass(frozen=True, slots=True)
class Slow:
    """One statement, its constants taken out."""

    query_id: str | None
    """None where it is not visible"""
    query: str | None
    calls: int
    total_milliseconds: float
    mean_milliseconds: float
    rows: int
    cache_hit: float | None
    """1 = all; None where it asked for no block"""
    temp_blocks: int
    """written to temporary files"""


@dataclass(frozen=True, slots=True)
class StatementStats:
    """Everything that a service's roles had run in the stack's database."""

    calls: int
    total_milliseconds: float
    mean_milliseconds: float | None
    """None without a call"""
    rows: int
    cache_hit: float | None
    """1 = all; None where nothing asked for a block"""
    temp_blocks: int
    by_total: tuple[Slow, ...]
    by_mean: tuple[Slow, ...]
    blocks_hit: int
    blocks_read: int


def of_roles(roles: Iterable[str], counted: Iterable[Statement]) -> StatementStats:
    """What of all that was counted these roles had run."""
    mine = [row for row in counted if row.role in roles]
    # Every statement of a role carries the sums of all of them.
    sums = list({row.role: row for row in mine}.values())
    calls, total = sum(row.all_calls for row in sums), sum(row.all_total for row in sums)
    hit, read = sum(row.all_hit for row in sums), sum(row.all_read for row in sums)
    return StatementStats(
        calls,
        total,
        total / calls if calls else None,
        sum(row.all_rows for row in sums),
        cache_hit(hit, read),
        sum(row.all_temp for row in sums),
        tuple(map(_slow, sorted(mine, key=lambda row: -row.total)[:TOP])),
        tuple(map(_slow, sorted(mine, key=lambda row: -row.mean)[:TOP])),
        hit,
        read,
    )


def _slow(row: Statement) -> Slow:
    return Slow(
        str(row.queryid) if row.visible and row.queryid is not None else None,
        one_line(row.query),
        row.calls,
        row.total,
        row.mean,
        row.rows,
        cache_hit(row.hit, row.read),
        row.temp,
    )


def cache_hit(hit: int, read: int) -> float | None:
    """How many of the blocks that were asked for were in the cache, 1 = all; None where none was asked for."""
    return hit / (hit + read) if hit + read else None


def read(asked: Session, server: Server, login: Access, stack: DatabaseStack, queries: bool) -> Statements:
    """The statements of every role in the stack's database, by whatever way they can be read."""
    [place, *_] = asked.query("status_statements_place", Place)
    if not place.loaded:
        return Statements(None, _not_loaded(place, stack))
    if place.schema is not None:
        return _counted(asked, place, server, queries)
    if login.database != MAINTENANCE:
        try:
            with session(replace(login, database=MAINTENANCE)) as elsewhere:
                elsewhere.execute_file("status_begin")
                [other, *_] = elsewhere.query("status_statements_place", Place)
                if other.readable:
                    return _counted(elsewhere, other, server, queries)
        except LoginRefused:
            pass
    return Statements(None, Unseen(WHAT, f"the database has no {EXTENSION}", _declare(stack)))


def _counted(asked: Session, place: Place, server: Server, queries: bool) -> Statements:
    columns, schema = place.columns or [], place.schema or ""
    if not place.readable:
        return Statements(None, _not_readable(schema, server.role))
    put = {
        "schema": schema,
        # The extension may be older than the server that it came into by an upgrade.
        "total": "total_exec_time" if "total_exec_time" in columns else "total_time",
        # What ran inside of a function is counted with the call; before, any column that is never false does.
        "top": "toplevel" if "toplevel" in columns else "calls",
    }
    try:
        found = asked.try_query(
            "status_statements", Statement, put, database=server.database_oid, queries=queries, top=TOP
        )
    except NotAnswered as refusal:
        return Statements(
            None, Unseen(WHAT, f"{EXTENSION} answers with {refusal}", _not_readable(schema, server.role).heal)
        )
    return Statements(tuple(found))


def _declare(stack: DatabaseStack) -> str:
    # Without databases, an extension is the shared one's.
    where = {"databases": [stack.label]} if stack.label else None
    beside = "  # beside those that it names already" if stack.label else ""
    return f"{lines('extensions', {EXTENSION: where})}{beside}\nbin/pulumi up --stack {stack.name}"


def _not_loaded(place: Place, stack: DatabaseStack) -> Unseen:
    before = [name.strip() for name in (place.preloaded or "").split(",") if name.strip()]
    libraries = ", ".join(map(literal, (*before, EXTENSION)))
    also = "" if place.preloaded is not None else " -- and what stands there now"
    heal = f"ALTER SYSTEM SET {PRELOAD} = {libraries};{also}\nthen a restart of the server"
    if place.schema is None:
        heal += f"; then\n{_declare(stack)}"
    return Unseen(WHAT, f"the server does not preload {EXTENSION}", heal)


def _not_readable(schema: str, role: str) -> Unseen:
    heal = [
        statement("GRANT USAGE ON SCHEMA {} TO {}", schema, role),
        f"GRANT EXECUTE ON FUNCTION {quoted(schema, EXTENSION)}(boolean) TO {quoted(role)};",
    ]
    return Unseen(WHAT, f"{role} may not read {EXTENSION}", "\n".join(heal))
