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
    if service.name in seen.histories and table.revisions:
        # Its scripts say for certain what rights and owners only make likely.
        return bool(_own_revisions(seen, service, table))
    if table.owner == service.role:
        return True
    migrates = any(each.stored and each.schema == service.schema_ for each in seen.catalog.relations)
    return migrates and service.role in table.writers and not _has_own(seen, service)


def _own_revisions(seen: Seen, service: Service, table: VersionTable) -> list[str]:
    """The revisions that its migration scripts have."""
    history = seen.histories.get(service.name)
    return [each for each in table.revisions or () if history and history.knows(each)]


def _has_own(seen: Seen, service: Service) -> bool:
    return any(each.schema == service.schema_ for each in seen.version_tables)


def _finding(seen: Seen, table: VersionTable, users: list[Service]) -> Finding:
    home = [service for service in seen.stack.services if service.schema_ == table.schema]
    everybody = [each.name for each in (*home, *users)]
    shared = len(everybody) > 1
    used = f"shared by {', '.join(everybody)}" if shared else f"of {everybody[0]}"
    expected = " and ".join(quoted(each.schema_, VERSION_TABLE) for each in users)
    proofs = [_proof(seen, each, own) for each in users if (own := _own_revisions(seen, each, table))]
    mine = not shared and len(proofs) == 1 and len(table.revisions or ()) == len(_own_revisions(seen, users[0], table))
    if mine and not _has_own(seen, users[0]):
        remedy = _moved(seen, table, users[0])
    else:
        remedy = Remedy("sql", _parted(seen, table, users, shared), by_superuser=not seen.acts_as(table.owner))
    return Finding(
        "version table",
        table.identity,
        f"a table for each service in its schema: {expected}",
        f"{used}, owned by {table.owner}; revisions: {_held(table)}" + "".join(f"; {each}" for each in proofs),
        remedy,
        frozenset({table.schema, *(name for each in users for name in (each.role, each.schema_))}),
    )


def _held(table: VersionTable) -> str:
    return "cannot be read now" if table.revisions is None else ", ".join(table.revisions) or "none"


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
    """A copy for each that does not own it, and the table itself for its owner."""
    steps = []
    for service in sorted(users, key=lambda each: each.role == table.owner):
        copy = quoted(service.schema_, VERSION_TABLE)
        own = ", ".join(literal(each) for each in _own_revisions(seen, service, table))
        which = f" WHERE version_num IN ({own})" if own else ""
        if _has_own(seen, service):
            gone = f"DELETE FROM {table.identity}{which}" if shared and own else f"DROP TABLE {table.identity}"
            steps.append(f"{gone}; -- only once it is sure that {service.name} goes by its own")
        elif service.role != table.owner:
            steps += [
                f"CREATE TABLE {copy} (LIKE {table.identity} INCLUDING ALL);",
                f"INSERT INTO {copy} SELECT * FROM {table.identity}{which};",
                f"ALTER TABLE {copy} {statement('OWNER TO {}', service.role)}",
                *([f"DELETE FROM {table.identity}{which};"] if own else []),
            ]
        else:
            steps.append(f"ALTER TABLE {table.identity} {statement('SET SCHEMA {}', service.schema_)}")
    if shared and len(table.revisions or ()) > 1 and not all(_own_revisions(seen, each, table) for each in users):
        steps.append("-- then delete from each the revisions that are another's")
    return "\n".join(steps)
