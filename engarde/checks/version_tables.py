"""Alembic's version tables: each service has its own, in its schema."""

from collections.abc import Iterator, Sequence

from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack, Service
from engarde.declaration.names import VERSION_TABLE
from engarde.output.findings import Finding, Remedy
from engarde.server.catalog import VersionTable
from engarde.util.quoting import literal, quoted, statement


@check(
    Question(
        "version table",
        "a version table that a service uses outside of its own schema ([more](doctor.md#version-tables))",
        "sql",
        "move the table to the service's schema, or create a new one",
        safe=True,
    ),
    group="migrations",
    needs=("catalogs", "services' logins"),
    stage=Stage.OBJECTS,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Each version table that services use outside of their own schemas; not the backend's own in `public`."""
    for table in observed.version_tables:
        users = [service for service in stack.services if _uses(observed, service, table)]
        if users:
            yield _finding(observed, table, users)


def _uses(observed: Observed, service: Service, table: VersionTable) -> bool:
    """Whether it is a service's table outside of its schema, or one that its next migration would find and write."""
    if table.schema == service.schema_:
        return False
    has_own = _own(observed, service) is not None
    if observed.histories.uses(service, table, has_own):
        return True
    if has_own or not observed.histories.may_use(service, table):
        return False
    migrates = any(relation.stored and relation.schema == service.schema_ for relation in observed.catalog.relations)
    return migrates and service.role in table.writers


def _own(observed: Observed, service: Service) -> VersionTable | None:
    return next((table for table in observed.version_tables if table.schema == service.schema_), None)


def _finding(observed: Observed, table: VersionTable, users: list[Service]) -> Finding:
    home = observed.histories.home(table)
    everybody = [owner.name for owner in (*([home] if home else ()), *users)]
    shared = len(everybody) > 1
    used = f"shared by {', '.join(everybody)}" if shared else f"of {everybody[0]}"
    expected = " and ".join(quoted(user.schema_, VERSION_TABLE) for user in users)
    evidence = [said for user in users if (said := observed.histories.evidence(user, table))]
    mine = not shared and bool(table.revisions) and not _others(observed, table, users[0])
    # The service may get the table itself only if no other role put code into it, which would run as the service.
    harmless = (table.trusted and not table.disarming) or table.owner == users[0].role
    if mine and harmless and not _own(observed, users[0]):
        remedy = _moved(observed, table, users[0])
    else:
        may = observed.admin.may(table.owner) and (observed.admin.superuser or not table.disarming)
        remedy = Remedy("sql", _parted(observed, table, users, shared), by_superuser=not may)
    held = f"not read: {table.unread}" if table.revisions is None else ", ".join(table.revisions) or "none"
    return Finding(
        "version table",
        table.identity,
        f"a table for each service in its schema: {expected}",
        "; ".join([f"{used}, owned by {table.owner}", f"revisions: {held}", *evidence]),
        remedy,
        frozenset({table.schema, *(name for user in users for name in (user.role, user.schema_))}),
    )


def _moved(observed: Observed, table: VersionTable, service: Service) -> Remedy:
    """Moves the table itself to the service's schema, with its rows: nothing is lost."""
    steps = [f"ALTER TABLE {table.identity} {statement('SET SCHEMA {}', service.schema_)}"]
    if table.owner != service.role:
        moved = quoted(service.schema_, VERSION_TABLE)
        steps.append(f"ALTER TABLE {moved} {statement('OWNER TO {}', service.role)}")
    may = observed.admin.may(table.owner, service.role)
    return Remedy("sql", "\n".join(steps), by_superuser=not may, safe=may)


def _others(observed: Observed, table: VersionTable, service: Service) -> list[str]:
    """The revisions that are not proven to be the service's."""
    own = observed.histories.proven(service, table)
    return [revision for revision in table.revisions or () if revision not in own]


def _parted(observed: Observed, table: VersionTable, users: list[Service], shared: bool) -> str:
    """Its owner gets the table itself if it has no unknown revision; every other service gets a table of its own."""
    steps: list[str] = []
    proven = {revision for service in users for revision in observed.histories.proven(service, table)}
    for service in sorted(users, key=lambda user: user.role == table.owner):
        own, known = observed.histories.proven(service, table), observed.histories.of(service, table)
        strange = known and {*(table.revisions or ())} - {*known} - proven
        if _own(observed, service):
            steps += _without(observed, table, service, own, shared)
        elif service.role == table.owner and not strange:
            steps.append(f"ALTER TABLE {table.identity} {statement('SET SCHEMA {}', service.schema_)}")
        else:
            # A revision's number proves nothing, and neither does a table in a neighbour's schema.
            sure = bool(own) and not observed.histories.home(table)
            steps += [*_made(table, service, own or known, sure=sure), *_given_up(observed, table, service, own)]
    if shared and len(table.revisions or ()) > 1 and not all(observed.histories.proven(user, table) for user in users):
        steps.append("-- after COMMIT, each service deletes the other services' revisions from its own table")
    # If somebody created a table of that name first, nothing is written into it.
    return "\n".join(steps if len(steps) == 1 else ["BEGIN;", *steps, "COMMIT;"])


def _without(observed: Observed, table: VersionTable, service: Service, own: list[str], shared: bool) -> list[str]:
    """Ends the use of a table by a service that has its own, and keeps revisions that may be another's."""
    sure = f" -- only if {service.name} certainly uses its own table"
    steps = []
    if own and not observed.histories.home(table) and (kept := _own(observed, service)) and kept.revisions == ():
        # With an empty table it would begin at base. Only the service writes there: a trigger could run as the writer.
        put = f"INSERT INTO {kept.identity} VALUES {_rows(own)};"
        steps = [f"-- first of all, as {service.role} (bin/engarde psql {service.name}): {put}"]
    if not shared and table.revisions is not None and not _others(observed, table, service):
        return [*steps, f"DROP TABLE {table.identity};{sure}"]
    if own or table.owner == service.role:
        return [*steps, *(f"{statement}{sure}" for statement in _given_up(observed, table, service, own))]
    return [f"REVOKE ALL ON TABLE {table.identity} FROM {quoted(service.role)};{sure}"]


def _given_up(observed: Observed, table: VersionTable, service: Service, own: list[str]) -> list[str]:
    """Deletes the revisions proven to be the service's; if none is, the service loses the ownership."""
    if own:
        return _deleted(observed, table, own)
    if table.owner == service.role:
        return [f"ALTER TABLE {table.identity} {statement('OWNER TO {}', observed.stack.server.user)}"]
    return []


def _made(table: VersionTable, service: Service, own: list[str], *, sure: bool) -> Iterator[str]:
    """A new table for the service: code that somebody put into the old one would run with the service's privileges."""
    made = quoted(service.schema_, VERSION_TABLE)
    revisions = own or table.revisions or ()
    longest = max((32, *map(len, revisions)))
    fill = f"VALUES {_rows(revisions)}"
    if not sure:
        # A service without tables has not been migrated yet.
        fill = (
            f"SELECT * FROM ({fill}) AS rows WHERE EXISTS (SELECT FROM pg_class WHERE relkind IN ('r', 'p')"
            f" AND relname <> {literal(VERSION_TABLE)} AND relnamespace ="
            f" (SELECT oid FROM pg_namespace WHERE nspname = {literal(service.schema_)}))"
        )
    yield f"CREATE TABLE {made} (version_num varchar({longest}) PRIMARY KEY);"
    if revisions:
        yield f"INSERT INTO {made} {fill};"
    yield f"ALTER TABLE {made} {statement('OWNER TO {}', service.role)}"
    if table.revisions is None:
        yield f"-- {made} is empty: run `alembic stamp` with its revision before {service.name} migrates again"


def _rows(revisions: Sequence[str]) -> str:
    return ", ".join(f"({literal(revision)})" for revision in revisions)


def _deleted(observed: Observed, table: VersionTable, own: list[str]) -> list[str]:
    """The table's owner deletes the rows: a trigger on it would run with the privileges of any other role."""
    delete = f"DELETE FROM {table.identity} WHERE version_num IN ({', '.join(map(literal, own))});"
    if table.trusted:
        return [*table.disarming, delete]
    owner = next((service.name for service in observed.stack.services if service.role == table.owner), None)
    return [f"-- as {table.owner}{f' (bin/engarde psql {owner})' if owner else ''}: {delete}"]
