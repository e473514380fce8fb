"""Objects that are another's in a service's schema, and a service's that lie outside of it."""

from __future__ import annotations

from collections.abc import Iterator

from engarde.catalog.rows import RUN_AS_OWNER, Owned
from engarde.findings import Finding, Remedy
from engarde.health.seen import Seen
from engarde.model import Service
from engarde.names import VERSION_TABLE
from engarde.quoting import script, statement


def check(seen: Seen) -> Iterator[Finding]:
    """Each object whose owner and schema do not belong together; what is Alembic's is told by its own check."""
    at_home = {service.schema_: service for service in seen.stack.services}
    by_role = {service.role: service for service in seen.stack.services}
    for each in seen.catalog.strangers:
        if each.name == VERSION_TABLE and each.owner in by_role:
            continue
        if each.schema in at_home:
            yield _foreign(seen, each, at_home[each.schema])
        elif each.schema and each.owner in by_role and not seen.stack.lets_make(each.schema, each.owner):
            yield _displaced(seen, each, by_role[each.owner])


def _foreign(seen: Seen, owned: Owned, service: Service) -> Finding:
    given = script(owned.given_to(service.role, seen.catalog.trusted(seen.stack.server.user)))
    may = seen.acts_as(owned.owner) and seen.acts_as(service.role)
    # Who is declared may live by what it owns, wherever it is.
    declared = {login.role for login in seen.stack.logins} | {role.name for role in seen.stack.outside_roles}
    safe = may and owned.kind not in RUN_AS_OWNER and owned.owner not in declared
    return Finding(
        "owner",
        f"{owned.kind} {owned.identity}",
        service.role,
        owned.owner,
        Remedy("sql", given, by_superuser=not may, safe=safe),
        frozenset({owned.owner, service.role, owned.schema}),
    )


def _displaced(seen: Seen, owned: Owned, service: Service) -> Finding:
    heal = f"ALTER {owned.kind.upper()} {owned.identity} {statement('SET SCHEMA {}', service.schema_)}"
    return Finding(
        "place",
        f"{owned.kind} {owned.identity}",
        f"in schema {service.schema_}, for it is {service.role}'s",
        f"in schema {owned.schema}",
        Remedy("sql", heal, by_superuser=not seen.acts_as(service.role)),
        frozenset({service.role, service.schema_, owned.schema}),
    )
