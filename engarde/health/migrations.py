"""Alembic's version tables: each service has its own, in its schema."""

from __future__ import annotations

from collections.abc import Iterator

from engarde.catalog.further import VersionTable
from engarde.database import quoted, statement
from engarde.findings import Finding, Remedy
from engarde.health.seen import Seen
from engarde.model import Service

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
    if table.owner == service.role:
        return True
    migrates = any(each.stored and each.schema == service.schema_ for each in seen.catalog.relations)
    return migrates and service.role in table.writers and not _has_own(seen, service)


def _has_own(seen: Seen, service: Service) -> bool:
    return any(each.schema == service.schema_ for each in seen.version_tables)


def _finding(seen: Seen, table: VersionTable, users: list[Service]) -> Finding:
    home = [service for service in seen.stack.services if service.schema_ == table.schema]
    everybody = [each.name for each in (*home, *users)]
    shared = len(everybody) > 1
    held = "cannot be read now" if table.revisions is None else ", ".join(table.revisions) or "none"
    used = f"shared by {', '.join(everybody)}" if shared else f"of {everybody[0]}"
    expected = " and ".join(quoted(each.schema_, VERSION_TABLE) for each in users)
    return Finding(
        "version table",
        table.identity,
        f"a table for each service in its schema: {expected}",
        f"{used}, owned by {table.owner}; revisions: {held}",
        Remedy("sql", _heal(seen, table, users, shared), by_superuser=not seen.acts_as(table.owner)),
        frozenset({table.schema, *(name for each in users for name in (each.role, each.schema_))}),
    )


def _heal(seen: Seen, table: VersionTable, users: list[Service], shared: bool) -> str:
    """A copy for each that does not own it, and the table itself for its owner."""
    steps = []
    for service in sorted(users, key=lambda each: each.role == table.owner):
        copy = quoted(service.schema_, VERSION_TABLE)
        if service.role != table.owner:
            steps += [
                f"CREATE TABLE {copy} (LIKE {table.identity} INCLUDING ALL);",
                f"INSERT INTO {copy} SELECT * FROM {table.identity};",
                f"ALTER TABLE {copy} {statement('OWNER TO {}', service.role)}",
            ]
        elif _has_own(seen, service):
            steps.append(f"DROP TABLE {table.identity}; -- only once it is sure that {service.name} goes by its own")
        else:
            steps.append(f"ALTER TABLE {table.identity} {statement('SET SCHEMA {}', service.schema_)}")
    if shared and len(table.revisions or ()) > 1:
        steps.append("-- then delete from each the revisions that are another's")
    return "\n".join(steps)
