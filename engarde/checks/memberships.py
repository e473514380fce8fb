"""Memberships against the declaration, and everybody who gets at a service's schema without being declared."""

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
"""Roles of PostgreSQL's own whose members get at every schema, or at the files below them."""


@check(
    Question("membership", "of, and in, a role of the stack", "sql", "`GRANT` or `REVOKE`", safe=True),
    Question(
        "reach",
        "a role that nobody declared and that gets at a service's schema: by membership through any number of roles, as"
        " a superuser, by REPLICATION, by CREATEROLE before PostgreSQL 16, by `pg_read_all_data` and its like",
        "sql",
        "the membership or the attribute is taken away",
    ),
    group="isolation",
    scope="server",
    stage=Stage.ROLES,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding | Notice]:
    outside = {role.name for role in stack.outside_roles}
    for path in reaching(stack, observed.catalog):
        if path.role in outside:
            yield Notice(f"{path.role}, an outside role of the stack, reaches the services' schemas: {path.why}")
    catalog = observed.then
    admin = admin_capabilities(stack, catalog)
    yield from _missing(stack, catalog, admin)
    if stack.server_wide:
        yield from _undeclared(stack, catalog, admin)
    for path in reaching(stack, catalog):
        if path.role not in outside:
            subject, expected = f"{path.role} on the schemas of services", "no way to them: it is not declared"
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
            yield Finding("membership", subject, "a member", "none that may act as it", heal, concerned)


def _undeclared(stack: DatabaseStack, catalog: Catalog, admin: AdminCapabilities) -> Iterator[Finding]:
    ours = set(stack.roles)
    for link in catalog.memberships:
        concerned = frozenset({link.role, link.member})
        # The admin manages these roles and the first superuser needs no membership: neither gains anything by one.
        privileged = link.member == stack.server.user or catalog.roles[link.member].bootstrap
        if privileged or concerned.isdisjoint(ours):
            continue
        options = {"inherits": link.inherit, "may set role": link.may_set, "may grant it on": link.admin}
        actual = ", ".join(["a member", *(name for name, given in options.items() if given)])
        revoke, of, superusers = _revoke(link, catalog)
        heal = admin.sql(Verb.DEMOTE, revoke, of=of, superusers=superusers)
        yield Finding("membership", f"{link.member} in {link.role}", "no member", actual, heal, concerned)


def _revoke(membership: Membership, catalog: Catalog) -> tuple[str, tuple[str, ...], bool]:
    """The statement that ends a membership, whose rights it takes, and whether it takes those of a superuser."""
    statement = f"REVOKE {quoted(membership.role)} FROM {quoted(membership.member)}"
    superusers = catalog.roles[membership.role].superuser
    # From PostgreSQL 16 on it is its grantor's to take away.
    if catalog.major < 16:
        return f"{statement} CASCADE", (), superusers
    return f"{statement} GRANTED BY {quoted(membership.grantor)} CASCADE", (membership.grantor,), superusers


@dataclass(frozen=True, slots=True)
class AccessPath:
    """How a role that nobody declared gets at the services' schemas."""

    role: str
    why: str
    statement: str
    """what ends it"""
    of: tuple[str, ...] = ()
    """the roles whose rights that takes"""
    superusers: bool = False
    """that is superusers' alone"""


def reaching(stack: DatabaseStack, catalog: Catalog) -> Iterator[AccessPath]:
    """One way of every role that nobody declared and that gets at a service's schema."""
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
    # Nor does the admin's own way end there: what makes others admins is to be cut, not what makes it one.
    return ours | granted | superusers | set(POWERFUL) | {stack.server.user}
