"""Memberships against the declaration, and everybody who gets at a service's schema without being declared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypedDict

from engarde.checks.admin_capabilities import Hands, hands
from engarde.declaration.model import DatabaseStack
from engarde.declaration.privileges import On, expected
from engarde.output.findings import Finding, Verb
from engarde.server.catalog import Catalog
from engarde.server.catalog.rows import Membership, Role
from engarde.util.quoting import quoted


class _Needs(TypedDict):
    """What ending a membership takes."""

    of: tuple[str, ...]
    superusers: bool


POWERFUL = (
    "pg_read_all_data",
    "pg_write_all_data",
    "pg_maintain",
    "pg_read_server_files",
    "pg_write_server_files",
    "pg_execute_server_program",
)
"""Roles of PostgreSQL's own whose members get at every schema, or at the files below them."""


def findings(stack: DatabaseStack, catalog: Catalog) -> Iterator[Finding]:
    """Memberships that are missing or that nobody declared, and roles that reach a service's schema."""
    admin = hands(stack, catalog)
    yield from _missing(stack, catalog, admin)
    if stack.server_wide:
        yield from _undeclared(stack, catalog, admin)
    yield from (_reaching(stack, way, admin) for way in reaching(stack, catalog) if not _outside(stack, way.role))


def warnings(stack: DatabaseStack, catalog: Catalog) -> Iterator[str]:
    """Declared roles outside the stack that reach a service's schema."""
    for way in reaching(stack, catalog):
        if _outside(stack, way.role):
            yield f"{way.role}, an outside role of the stack, reaches the services' schemas: {way.why}"


def _outside(stack: DatabaseStack, name: str) -> bool:
    return name in {role.name for role in stack.outside_roles}


def _missing(stack: DatabaseStack, catalog: Catalog, admin: Hands) -> Iterator[Finding]:
    managed = {(each.role, each.member) for each in catalog.memberships if each.admin}
    usable = {(each.role, each.member) for each in catalog.memberships if each.inherit and each.may_set}
    for row in sorted(expected(stack), key=lambda row: row.role or ""):
        if row.on is On.ROLE and row.role in catalog.roles and (row.role, row.grantee) not in usable:
            manages = catalog.major < 16 or (row.role, row.grantee) in managed
            option = "" if manages else " WITH ADMIN OPTION"
            yield Finding(
                "membership",
                f"{row.grantee} in {row.role}",
                "a member",
                "none that may act as it",
                admin.sql(
                    Verb.OPEN,
                    f"GRANT {quoted(row.role)} TO {quoted(row.grantee)}{option}",
                    superusers=not manages,
                    safe=True,
                ),
                frozenset({row.role, row.grantee}),
            )


def _undeclared(stack: DatabaseStack, catalog: Catalog, admin: Hands) -> Iterator[Finding]:
    ours = set(stack.roles)
    for each in catalog.memberships:
        # The admin manages these roles and the first superuser needs no membership: neither gains anything by one.
        if {each.role, each.member} & ours and not _is_admins(stack, catalog, each.member):
            yield Finding(
                "membership",
                f"{each.member} in {each.role}",
                "no member",
                f"a member{_options(each)}",
                admin.sql(Verb.DEMOTE, revoke(each, catalog.major), **_needs(each, catalog)),
                frozenset({each.role, each.member}),
            )


def _is_admins(stack: DatabaseStack, catalog: Catalog, name: str) -> bool:
    return name == stack.server.user or catalog.roles[name].bootstrap


def _options(each: Membership) -> str:
    options = {"inherits": each.inherit, "may set role": each.may_set, "may grant it on": each.admin}
    return "".join(f", {name}" for name, given in options.items() if given)


def revoke(each: Membership, major: int) -> str:
    """The statement that ends a membership: from PostgreSQL 16 on it is its grantor's to take away."""
    by = f" GRANTED BY {quoted(each.grantor)}" if major >= 16 else ""
    return f"REVOKE {quoted(each.role)} FROM {quoted(each.member)}{by} CASCADE"


@dataclass(frozen=True, slots=True)
class Way:
    """How a role that nobody declared gets at the services' schemas."""

    role: str
    why: str
    statement: str
    """what ends it"""
    of: tuple[str, ...] = ()
    """the roles whose rights that takes"""
    superusers: bool = False
    """that is superusers' alone"""


def reaching(stack: DatabaseStack, catalog: Catalog) -> Iterator[Way]:
    """One way of every role that nobody declared and that gets at a service's schema."""
    declared = {stack.server.user, *stack.roles}
    for role in catalog.roles.values():
        if role.name in declared or role.bootstrap or role.predefined:
            continue
        way = (_by_attribute(role, catalog) if stack.server_wide else None) or _by_membership(stack, role, catalog)
        if way:
            yield way


def _by_attribute(role: Role, catalog: Catalog) -> Way | None:
    alter = f"ALTER ROLE {quoted(role.name)}"
    if role.superuser:
        return Way(role.name, "it is a superuser", f"{alter} NOSUPERUSER", superusers=True)
    if role.replication:
        why = "REPLICATION lets it copy the whole server"
        return Way(role.name, why, f"{alter} NOREPLICATION", superusers=True)
    if role.createrole and catalog.major < 16:
        why = "CREATEROLE lets it make itself a member of any role before PostgreSQL 16"
        return Way(role.name, why, f"{alter} NOCREATEROLE")
    return None


def _by_membership(stack: DatabaseStack, role: Role, catalog: Catalog) -> Way | None:
    """The shortest chain to a role that gets at a service's schema, and the last link of it."""
    ends = _ends(stack, catalog)
    chains: list[tuple[Membership, ...]] = [(each,) for each in catalog.memberships if each.member == role.name]
    seen = {role.name}
    while chains:
        following = []
        for chain in chains:
            last = chain[-1]
            if last.role in ends:
                names = " -> ".join([role.name, *(link.role for link in chain)])
                statement = revoke(last, catalog.major)
                return Way(role.name, f"as a member: {names}", statement, **_needs(last, catalog))
            if last.role not in seen:
                seen.add(last.role)
                following += [(*chain, each) for each in catalog.memberships if each.member == last.role]
        chains = following
    return None


def _needs(each: Membership, catalog: Catalog) -> _Needs:
    of = (each.grantor,) if catalog.major >= 16 else ()
    return {"of": of, "superusers": catalog.roles[each.role].superuser}


def _ends(stack: DatabaseStack, catalog: Catalog) -> set[str]:
    services = {service.schema_ for service in stack.services}
    granted = {entry.grantee for entry in catalog.entries if entry.schema in services}
    ours = {login.role for login in stack.logins} - stack.guests
    if not stack.server_wide:
        return ours | (granted - stack.guests)
    superusers = {role.name for role in catalog.roles.values() if role.superuser}
    # Nor does the admin's own way end there: what makes others admins is to be cut, not what makes it one.
    return ours | granted | superusers | set(POWERFUL) | {stack.server.user}


def _reaching(stack: DatabaseStack, way: Way, admin: Hands) -> Finding:
    return Finding(
        "reach",
        f"{way.role} on the schemas of services",
        "no way to them: it is not declared",
        way.why,
        admin.sql(Verb.DEMOTE, way.statement, of=way.of, superusers=way.superusers),
        frozenset({way.role, *(service.schema_ for service in stack.services)}),
    )
