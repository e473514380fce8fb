"""Alembic's version tables: each service has its own, in its schema."""

from __future__ import annotations

from collections.abc import Iterator

from engarde.catalog.further import VersionTable
from engarde.findings import Finding, Remedy
from engarde.health.seen import Seen
from engarde.model import Service
from engarde.quoting import literal, quoted, statement

VERSION_TABLE = "alembic_version"


def check(seen: Seen) -> Iterator[Finding]:
    """Each version table that services use outside of their own schemas; the backend's own in `public` is none."""
    for table in seen.version_tables:
        users = [service for service in seen.stack.services if _uses(seen, service, table)]
        if users:
            yield _finding(seen, table, users)


def _uses(seen: Seen, service: Service, table: VersionTable) -> bool:
    """Whether it is a service's, but not in its schema, or what its next migration would find and write."""
    if table.schema == service.schema_ or seen.stack_lets_make(table.schema, service.role):
        return False
    history = seen.histories.get(service.name)
    if history and table.revisions:
        # Its scripts say for certain what rights and owners only make likely, as far as no other's say the same.
        if _proven(seen, service, table):
            return True
        if not any(map(history.knows, table.revisions)):
            return False
    if _explained(seen, table):
        return False
    if table.owner == service.role:
        return True
    migrates = any(each.stored and each.schema == service.schema_ for each in seen.catalog.relations)
    return migrates and service.role in table.writers and not _has_own(seen, service)


def _home(seen: Seen, table: VersionTable) -> Service | None:
    """The service in whose schema it is."""
    return next((service for service in seen.stack.services if service.schema_ == table.schema), None)


def _explained(seen: Seen, table: VersionTable) -> bool:
    """Whether all that is in it is in the history of the service in whose schema it is."""
    home = _home(seen, table)
    history = seen.histories.get(home.name) if home else None
    return bool(history and table.revisions and all(map(history.knows, table.revisions)))


def _proven(seen: Seen, service: Service, table: VersionTable) -> list[str]:
    """The revisions that its migration scripts have, and nobody else's: many a history begins with 0001."""
    home, history = _home(seen, table), seen.histories.get(service.name)
    if not history or (home and home.name not in seen.histories):
        return []
    others = [each for name, each in seen.histories.items() if name != service.name]
    return [
        each for each in table.revisions or () if history.knows(each) and not any(other.knows(each) for other in others)
    ]


def _has_own(seen: Seen, service: Service) -> bool:
    return any(each.schema == service.schema_ for each in seen.version_tables)


def _finding(seen: Seen, table: VersionTable, users: list[Service]) -> Finding:
    home = _home(seen, table)
    everybody = [each.name for each in (*([home] if home else ()), *users)]
    shared = len(everybody) > 1
    used = f"shared by {', '.join(everybody)}" if shared else f"of {everybody[0]}"
    expected = " and ".join(quoted(each.schema_, VERSION_TABLE) for each in users)
    proofs = [_proof(seen, each, own) for each in users if (own := _proven(seen, each, table))]
    mine = not shared and len(proofs) == 1 and len(table.revisions or ()) == len(_proven(seen, users[0], table))
    if mine and not _has_own(seen, users[0]) and _harmless(table, users[0]):
        remedy = _moved(seen, table, users[0])
    else:
        may = seen.acts_as(table.owner) and (seen.admin_is_superuser or not table.disarming)
        remedy = Remedy("sql", _parted(seen, table, users, shared), by_superuser=not may)
    return Finding(
        "version table",
        table.identity,
        f"a table for each service in its schema: {expected}",
        f"{used}, owned by {table.owner}; revisions: {_held(table)}" + "".join(f"; {each}" for each in proofs),
        remedy,
        frozenset({table.schema, *(name for each in users for name in (each.role, each.schema_))}),
    )


def _held(table: VersionTable) -> str:
    if table.revisions is None:
        return f"not read: {table.unread}"
    return ", ".join(table.revisions) or "none"


def _harmless(table: VersionTable, service: Service) -> bool:
    """Whether the table itself may become the service's: nobody else has put code into it, which would run as it."""
    return (table.trusted and not table.disarming) or table.owner == service.role


def _proof(seen: Seen, service: Service, own: list[str]) -> str:
    """Where it stands that they are this service's."""
    file = seen.histories[service.name].revisions[own[0]].file
    return f"{', '.join(own)} is {service.name}'s, by {file.name}"


def _moved(seen: Seen, table: VersionTable, service: Service) -> Remedy:
    """The table itself goes to where it belongs, with its rows and its owner: nothing is lost."""
    steps = [f"ALTER TABLE {table.identity} {statement('SET SCHEMA {}', service.schema_)}"]
    if table.owner != service.role:
        moved = quoted(service.schema_, VERSION_TABLE)
        steps.append(f"ALTER TABLE {moved} {statement('OWNER TO {}', service.role)}")
    may = seen.acts_as(table.owner) and seen.acts_as(service.role)
    return Remedy("sql", "\n".join(steps), by_superuser=not may, safe=may)


def _parted(seen: Seen, table: VersionTable, users: list[Service], shared: bool) -> str:
    """A table for each that does not own it, and the table itself for its owner."""
    steps = []
    for service in sorted(users, key=lambda each: each.role == table.owner):
        own = _proven(seen, service, table)
        if _has_own(seen, service):
            steps += _without(seen, table, service, own, shared)
        elif service.role == table.owner:
            steps.append(f"ALTER TABLE {table.identity} {statement('SET SCHEMA {}', service.schema_)}")
        else:
            steps += [*_made(table, service, own), *(_deleted(seen, table, own) if own else ())]
    if shared and len(table.revisions or ()) > 1 and not all(_proven(seen, each, table) for each in users):
        if table.trusted:
            steps += [each for each in table.disarming if each not in steps]
            steps.append(f"-- then, before COMMIT, delete from {table.identity} the revisions that are another's")
        steps.append("-- after COMMIT, each service deletes from its own the revisions that are another's")
    # Where somebody has made a table of that name first, nothing is written into that one.
    return "\n".join(steps if len(steps) == 1 else ["BEGIN;", *steps, "COMMIT;"])


def _without(seen: Seen, table: VersionTable, service: Service, own: list[str], shared: bool) -> list[str]:
    """What ends the use of a table by a service that has its own."""
    sure = f" -- only once it is sure that {service.name} goes by its own"
    if not shared:
        return [f"DROP TABLE {table.identity};{sure}"]
    if own:
        return [f"{each}{sure}" for each in _deleted(seen, table, own)]
    return [f"REVOKE ALL ON TABLE {table.identity} FROM {quoted(service.role)};{sure}"]


def _made(table: VersionTable, service: Service, own: list[str]) -> Iterator[str]:
    """A table of its own, made anew: what somebody has put into the old one would run with the service's rights."""
    made = quoted(service.schema_, VERSION_TABLE)
    revisions = own or table.revisions or ()
    longest = max((32, *map(len, revisions)))
    yield f"CREATE TABLE {made} (version_num varchar({longest}) PRIMARY KEY);"
    if revisions:
        yield f"INSERT INTO {made} VALUES {', '.join(f'({literal(each)})' for each in revisions)};"
    yield f"ALTER TABLE {made} {statement('OWNER TO {}', service.role)}"
    if table.revisions is None:
        yield f"-- {made} is empty: before {service.name} migrates again, `alembic stamp` its revision"


def _deleted(seen: Seen, table: VersionTable, own: list[str]) -> list[str]:
    """Rows are deleted by who owns the table: a trigger on it would run with the rights of anybody else."""
    delete = f"DELETE FROM {table.identity} WHERE version_num IN ({', '.join(map(literal, own))});"
    if table.trusted:
        return [*table.disarming, delete]
    owner = next((each.name for each in seen.stack.services if each.role == table.owner), None)
    return [f"-- as {table.owner}{f' (bin/engarde psql {owner})' if owner else ''}: {delete}"]
