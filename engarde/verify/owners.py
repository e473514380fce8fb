"""Whose things are, against the declaration: a service owns its schema and all that is in it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

from engarde.catalog import Catalog
from engarde.catalog.rows import Owned
from engarde.database import quoted
from engarde.findings import Finding, Remedy
from engarde.model import Stack
from engarde.verify.hands import Hands, hands
from engarde.verify.names import up


def findings(stack: Stack, catalog: Catalog) -> Iterator[Finding]:
    """What is missing, another's, or a service's where it should own nothing."""
    admin = hands(stack, catalog)
    yield from _schemas(stack, catalog, admin)
    yield from _databases(stack, catalog, admin)
    # What an extension keeps of a service's in a schema of its own is where it belongs.
    provided = {schema.name for schema in catalog.schemas.values() if schema.provided}
    yield from (_stranger(stack, each, admin) for each in catalog.strangers if each.schema not in provided)


def _schemas(stack: Stack, catalog: Catalog, admin: Hands) -> Iterator[Finding]:
    for service in stack.services:
        found = catalog.schemas.get(service.schema_)
        about = frozenset({service.role, service.schema_})
        subject = f"schema {service.schema_}"
        if found is None:
            yield Finding("schema", subject, "a schema of the database", "does not exist", up(stack), about)
        elif found.owner != service.role and service.role in catalog.roles:
            yield _owner(subject, service.role, found.owner, f"ALTER SCHEMA {found.identity}", about, admin)
    declared = {service.schema_ for service in stack.services}
    roles = {login.role for login in stack.logins}
    for name, found in catalog.schemas.items():
        if name not in declared and found.owner in roles:
            about = frozenset({name, found.owner})
            yield _owner(
                f"schema {name}", stack.server.user, found.owner, f"ALTER SCHEMA {found.identity}", about, admin
            )
    for existing in stack.existing_schemas:
        if existing.name not in catalog.schemas:
            heal = Remedy("sql", f"CREATE SCHEMA {quoted(existing.name)};")
            about = frozenset({existing.name})
            yield Finding("schema", f"schema {existing.name}", "exists already", "does not exist", heal, about)


def _databases(stack: Stack, catalog: Catalog, admin: Hands) -> Iterator[Finding]:
    roles = {login.role for login in stack.logins}
    trusted = {stack.server.user, *(role.name for role in stack.outside_roles)}
    for found in catalog.databases.values():
        owner = catalog.roles[found.owner]
        stranger = found.name == stack.server.database and owner.name not in trusted and not owner.superuser
        if found.owner in roles or stranger:
            alter, about = f"ALTER DATABASE {found.identity}", frozenset({found.owner})
            yield _owner(f"database {found.name}", stack.server.user, found.owner, alter, about, admin)


def _stranger(stack: Stack, owned: Owned, admin: Hands) -> Finding:
    alter = f"ALTER {owned.kind.upper()} {owned.identity}"
    about = frozenset({owned.schema, owned.owner})
    owner = next((service.role for service in stack.services if service.schema_ == owned.schema), None)
    if owner is None:
        # It may as well be the service's own, and in the wrong schema; which of both only people know.
        owner = next((e.creators[0] for e in stack.existing_schemas if e.name == owned.schema), stack.server.user)
    return _owner(f"{owned.kind} {owned.identity}", owner, owned.owner, alter, about | {owner}, admin)


def _owner(subject: str, expected: str, actual: str, alter: str, about: frozenset[str], admin: Hands) -> Finding:
    heal = admin.sql(f"{alter} OWNER TO {quoted(expected)}", of=(actual, expected))
    return Finding("owner", subject, f"owned by {expected}", f"owned by {actual}", heal, about)
