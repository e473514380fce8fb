"""Memberships, compared with the declaration, and undeclared roles that can reach a service's schema."""

from collections.abc import Iterator
from dataclasses import dataclass

from engarde.checks.admin_capabilities import AdminCapabilities, admin_capabilities
from engarde.checks.closure import closure
from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.declaration.privileges import On, expected
from engarde.output.findings import Finding, Notice, Verb
from engarde.server.catalog import Catalog, Membership, Role
from engarde.util.quoting import quoted

POWERFUL = (
    "pg_read_all_data",
    "pg_write_all_data",
    "pg_maintain",
    "pg_read_server_files",
    "pg_write_server_files",
    "pg_execute_server_program",
)
"""PostgreSQL's own roles whose members can reach every schema, or the files of the server."""


@check(
    Question(
        "membership",
        "a membership of a role of the stack, or in one, that is not as declared",
        "sql",
        "`GRANT` or `REVOKE`",
        safe=True,
    ),
    Question(
        "reach",
        "an undeclared role that can reach a service's schema: through any number of memberships, as a superuser, with"
        " REPLICATION, with CREATEROLE before PostgreSQL 16, or through `pg_read_all_data` and similar roles",
        "sql",
        "`REVOKE` of the membership, or `ALTER ROLE` to remove the attribute",
    ),
    group="isolation",
    scope="server",
    stage=Stage.ROLES,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding | Notice]:
    outside = {role.name for role in stack.outside_roles}
    for path in reaching(stack, observed.catalog):
        if path.role in outside:
            yield Notice(f"outside role {path.role} can reach the services' schemas: {path.why}")
    catalog = observed.then
    admin = admin_capabilities(stack, catalog)
    yield from _missing(stack, catalog, admin)
    if stack.server_wide:
        yield from _undeclared(stack, catalog, admin)
    for path in reaching(stack, catalog):
        if path.role not in outside:
            subject, expected = f"{path.role} on the schemas of services", "no access, because it is not declared"
            heal = admin.sql(Verb.DEMOTE, path.statement, of=path.of, superusers=path.superusers)
            concerned = frozenset({path.role, *(service.schema_ for service in stack.services)})
            yield Finding("reach", subject, expected, path.why, heal, concerned)


def _missing(stack: DatabaseStack, catalog: Catalog, admin: AdminCapabilities) -> Iterator[Finding]:
    managed = {(link.role, link.member) for link in catalog.memberships if link.admin}
    usable = {(link.role, link.member) for link in catalog.memberships if link.inherit and link.may_set}
    for row in sorted(expected(stack), key=lambda row: row.role or ""):
        if row.on is On.ROLE and row.role in catalog.roles and (row.role, row.grantee) not in usable:
            manages = catalog.major < 16 or (row.role, row.grantee) in managed
            option = "" if manages else " WITH ADMIN OPTION"
            grant = f"GRANT {quoted(row.role)} TO {quoted(row.grantee)}{option}"
            heal = admin.sql(Verb.OPEN, grant, superusers=not manages, safe=True)
            subject, concerned = f"{row.grantee} in {row.role}", frozenset({row.role, row.grantee})
            yield Finding("membership", subject, "a member that may act as it", "not such a member", heal, concerned)


def _undeclared(stack: DatabaseStack, catalog: Catalog, admin: AdminCapabilities) -> Iterator[Finding]:
    ours = set(stack.roles)
    for link in catalog.memberships:
        concerned = frozenset({link.role, link.member})
        # The admin manages these roles, and the first superuser needs no membership: neither gains anything.
        privileged = link.member == stack.server.user or catalog.roles[link.member].bootstrap
        if privileged or concerned.isdisjoint(ours):
            continue
        options = {"inherits": link.inherit, "may set role": link.may_set, "has the admin option": link.admin}
        actual = ", ".join(["a member", *(name for name, given in options.items() if given)])
        revoke, of, superusers = _revoke(link, catalog)
        heal = admin.sql(Verb.DEMOTE, revoke, of=of, superusers=superusers)
        yield Finding("membership", f"{link.member} in {link.role}", "not a member", actual, heal, concerned)


def _revoke(membership: Membership, catalog: Catalog) -> tuple[str, tuple[str, ...], bool]:
    """The statement that ends a membership, the roles whose privileges it needs, and whether it needs a superuser."""
    statement = f"REVOKE {quoted(membership.role)} FROM {quoted(membership.member)}"
    superusers = catalog.roles[membership.role].superuser
    # From PostgreSQL 16 on, its grantor revokes it.
    if catalog.major < 16:
        return f"{statement} CASCADE", (), superusers
    return f"{statement} GRANTED BY {quoted(membership.grantor)} CASCADE", (membership.grantor,), superusers


@dataclass(frozen=True, slots=True)
class AccessPath:
    """How an undeclared role reaches the services' schemas."""

    role: str
    why: str
    statement: str
    """what ends it"""
    of: tuple[str, ...] = ()
    """the roles whose privileges the statement needs"""
    superusers: bool = False
    """the statement needs a superuser"""


def reaching(stack: DatabaseStack, catalog: Catalog) -> Iterator[AccessPath]:
    """One path of each undeclared role that can reach a service's schema."""
    declared = {stack.server.user, *stack.roles}
    members, ends = closure(stack, catalog), _ends(stack, catalog)
    memberships = {(link.member, link.role): link for link in reversed(catalog.memberships)}
    for role in catalog.roles.values():
        if role.name in declared or role.bootstrap or role.predefined:
            continue
        if stack.server_wide and (path := _by_attribute(role, catalog.major)):
            yield path
        elif chain := members.shortest(role.name, ends):
            last = memberships[chain[-1].member, chain[-1].role]
            names = " -> ".join([role.name, *(step.role for step in chain)])
            yield AccessPath(role.name, f"as a member: {names}", *_revoke(last, catalog))


def _by_attribute(role: Role, major: int) -> AccessPath | None:
    alter = f"ALTER ROLE {quoted(role.name)}"
    if role.superuser:
        return AccessPath(role.name, "it is a superuser", f"{alter} NOSUPERUSER", superusers=True)
    if role.replication:
        why = "REPLICATION lets it copy the whole server"
        return AccessPath(role.name, why, f"{alter} NOREPLICATION", superusers=True)
    if role.createrole and major < 16:
        why = "CREATEROLE lets it make itself a member of any role before PostgreSQL 16"
        return AccessPath(role.name, why, f"{alter} NOCREATEROLE")
    return None


def _ends(stack: DatabaseStack, catalog: Catalog) -> set[str]:
    services = {service.schema_ for service in stack.services}
    granted = {entry.grantee for entry in catalog.entries if entry.schema in services}
    ours = {login.role for login in stack.logins} - stack.guests
    if not stack.server_wide:
        return ours | (granted - stack.guests)
    superusers = {role.name for role in catalog.roles.values() if role.superuser}
    # The admin counts as an end: the remedy must cut others' way to the admin, not the admin's own privileges.
    return ours | granted | superusers | set(POWERFUL) | {stack.server.user}
