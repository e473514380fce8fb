"""The figures of pg_stat_statements for each service, where they are, and what makes them readable."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import MAINTENANCE
from engarde.declaration.stack_file import lines
from engarde.errors import LoginRefused, NotAnswered
from engarde.output.findings import Remedy
from engarde.server.credentials import Access
from engarde.server.session import Session, session
from engarde.util.masking import one_line
from engarde.util.quoting import literal, quoted, statement

EXTENSION = "pg_stat_statements"
TOP = 5
"""Statements of each role that are listed, by total and by mean time."""

PRELOAD = "shared_preload_libraries"


@dataclass(frozen=True, slots=True)
class Unseen:
    """One kind of figure that is left out, because the role may not see it; it is not zero."""

    what: str
    reason: str
    remedy: Remedy


@dataclass(frozen=True, slots=True)
class Place:
    """Where pg_stat_statements is, if it is anywhere."""

    loaded: bool
    preloaded: str | None
    """the setting; None if this role may not see it"""
    schema: str | None
    readable: bool | None
    columns: list[str] | None


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a role, and the sums of all its statements."""

    role: str
    queryid: int | None
    visible: bool
    query: str | None
    calls: int
    total: float
    """milliseconds"""
    mean: float
    """milliseconds"""
    rows: int
    hit: int
    """blocks found in the cache"""
    read: int
    """blocks read"""
    temp: int
    """blocks written to temporary files"""
    ours: bool
    """the tool's own, by a comment in it"""
    all_calls: int
    """this sum and the next ones leave out the tool's own statements"""
    all_total: float
    all_rows: int
    all_hit: int
    all_read: int
    all_temp: int
    tool_calls: int
    tool_total: float
    """milliseconds"""


@dataclass(frozen=True, slots=True)
class Slow:
    """One statement, without its constants."""

    query_id: str | None
    """None if it is not visible"""
    query: str | None
    calls: int
    total_milliseconds: float
    mean_milliseconds: float
    rows: int
    cache_hit_ratio: float | None
    """1 = all; None if it requested no block"""
    temp_blocks: int
    """written to temporary files"""


@dataclass(frozen=True, slots=True)
class StatementStats:
    """All statements of a service's roles in the database; those that the tool ran as these roles are counted apart."""

    calls: int
    total_milliseconds: float
    mean_milliseconds: float | None
    """None without a call"""
    rows: int
    cache_hit_ratio: float | None
    """1 = all; None if no block was requested"""
    temp_blocks: int
    by_total: tuple[Slow, ...]
    by_mean: tuple[Slow, ...]
    tool_calls: int
    tool_milliseconds: float
    blocks_hit: int
    blocks_read: int


def of_roles(roles: Iterable[str], counted: Iterable[Statement]) -> StatementStats:
    """The statements of these roles."""
    every = [row for row in counted if row.role in roles]
    # Every statement of a role carries the sums of all of them.
    sums = list({row.role: row for row in every}.values())
    mine = [row for row in every if not row.ours]
    calls, total = sum(row.all_calls for row in sums), sum(row.all_total for row in sums)
    hit, read = sum(row.all_hit for row in sums), sum(row.all_read for row in sums)
    return StatementStats(
        calls,
        total,
        total / calls if calls else None,
        sum(row.all_rows for row in sums),
        cache_hit_ratio(hit, read),
        sum(row.all_temp for row in sums),
        tuple(map(_slow, sorted(mine, key=lambda row: -row.total)[:TOP])),
        tuple(map(_slow, sorted(mine, key=lambda row: -row.mean)[:TOP])),
        sum(row.tool_calls for row in sums),
        sum(row.tool_total for row in sums),
        hit,
        read,
    )


def _slow(row: Statement) -> Slow:
    query_id = str(row.queryid) if row.visible and row.queryid is not None else None
    hit = cache_hit_ratio(row.hit, row.read)
    return Slow(query_id, one_line(row.query), row.calls, row.total, row.mean, row.rows, hit, row.temp)


def cache_hit_ratio(hit: int, read: int) -> float | None:
    """The share of requested blocks that were in the cache, 1 = all; None if none was requested."""
    return hit / (hit + read) if hit + read else None


def read(
    asked: Session, database: int, role: str, login: Access, stack: DatabaseStack, queries: bool
) -> tuple[Statement, ...] | Unseen:
    """The statements of every role in the stack's database (its oid), from wherever they can be read.

    :param role: the session's; a pooler may use another one than the login's.
    """
    [place, *_] = asked.query("status_statements_place", Place)
    if not place.loaded:
        return _unseen("the server does not preload pg_stat_statements", _preload(place))
    if place.schema is not None:
        return _counted(asked, place, database, role, queries)
    if login.database != MAINTENANCE:
        try:
            with session(replace(login, database=MAINTENANCE)) as elsewhere:
                elsewhere.execute_file("status_begin")
                [other, *_] = elsewhere.query("status_statements_place", Place)
                if other.readable:
                    return _counted(elsewhere, other, database, role, queries)
        except LoginRefused:
            pass
    return _unseen("the database has no pg_stat_statements", _declare(stack))


def _counted(asked: Session, place: Place, database: int, role: str, queries: bool) -> tuple[Statement, ...] | Unseen:
    columns, schema = place.columns or [], place.schema or ""
    grants = (
        f"{statement('GRANT USAGE ON SCHEMA {} TO {}', schema, role)}\n"
        f"GRANT EXECUTE ON FUNCTION {quoted(schema, EXTENSION)}(boolean) TO {quoted(role)};"
    )
    if not place.readable:
        return _unseen(f"{role} may not read pg_stat_statements", Remedy("sql", grants, by_superuser=True))
    put = {
        "schema": schema,
        # After an upgrade of the server, the extension may be older than it.
        "total": "total_exec_time" if "total_exec_time" in columns else "total_time",
        # What ran inside a function is counted with its call. Older versions have no such column; any one that is never
        # false takes its place.
        "top": "toplevel" if "toplevel" in columns else "calls",
    }
    try:
        return tuple(asked.try_query("status_statements", Statement, put, database=database, queries=queries, top=TOP))
    except NotAnswered as refusal:
        return _unseen(f"pg_stat_statements cannot be read: {refusal}", Remedy("sql", grants, by_superuser=True))


def _unseen(reason: str, remedy: Remedy) -> Unseen:
    return Unseen("the statements of all services", reason, remedy)


def _declare(stack: DatabaseStack) -> Remedy:
    # Without databases, an extension is the shared one's.
    where = {"databases": [stack.label]} if stack.label else None
    declared = {extension.name for extension in stack.stack.extensions}
    beside = "  # beside the extensions that are there" if declared - {EXTENSION} else ""
    beside = "  # beside the databases that it names already" if EXTENSION in declared else beside
    return Remedy("edit", f"{lines('extensions', {EXTENSION: where})}{beside}")


def _preload(place: Place) -> Remedy:
    before = [name.strip() for name in (place.preloaded or "").split(",") if name.strip()]
    libraries = ", ".join(map(literal, (*before, EXTENSION)))
    also = "" if place.preloaded is not None else " -- and the libraries that are set now"
    declare = "" if place.schema else f"; then declare the extension {EXTENSION} in the stack file"
    text = f"ALTER SYSTEM SET {PRELOAD} = {libraries};{also}\n-- then restart the server{declare}"
    return Remedy("sql", text, by_superuser=True)
