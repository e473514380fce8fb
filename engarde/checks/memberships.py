"""Memberships against the declaration, and everybody who gets at a service's schema without being declared."""

from collections.abc import Iterator
from dataclasses import dataclass

from engarde.checks.admin_capabilities import AdminCapabilities, admin_capabilities
from engarde.checks.closure import closure
from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.declaration.privileges import On, expected
from engarde.output.findings import Finding, Verb
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
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding | str]:
    """Memberships that are missing or that nobody declared, and roles that reach a service's schema."""
    for path in reaching(stack, observed.catalog):
        if _outside(stack, path.role):
            yield f"{path.role}, an outside role of the stack, reaches the services' schemas: {path.why}"
    catalog = observed.then
    admin = admin_capabilities(stack, catalog)
    yield from _missing(stack, catalog, admin)
    if stack.server_wide:
        yield from _undeclared(stack, catalog, admin)
    yield from (_reaching(stack, path, admin) for path in reaching(stack, catalog) if not _outside(stack, path.role))


def _outside(stack: DatabaseStack, name: str) -> bool:
    return name in {role.name for role in stack.outside_roles}


def _missing(stack: DatabaseStack, catalog: Catalog, admin: AdminCapabilities) -> Iterator[Finding]:
    managed = {(membership.role, membership.member) for membership in catalog.memberships if membership.admin}
    usable = {
        (membership.role, membership.member)
        for membership in catalog.memberships
        if membership.inherit and membership.may_set
    }
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


def _undeclared(stack: DatabaseStack, catalog: Catalog, admin: AdminCapabilities) -> Iterator[Finding]:
    ours = set(stack.roles)
    for membership in catalog.memberships:
        # The admin manages these roles and the first superuser needs no membership: neither gains anything by one.
        if {membership.role, membership.member} & ours and not _is_admins(stack, catalog, membership.member):
            of, superusers = _needs(membership, catalog)
            yield Finding(
                "membership",
                f"{membership.member} in {membership.role}",
                "no member",
                f"a member{_options(membership)}",
                admin.sql(Verb.DEMOTE, revoke(membership, catalog.major), of=of, superusers=superusers),
                frozenset({membership.role, membership.member}),
            )


def _is_admins(stack: DatabaseStack, catalog: Catalog, name: str) -> bool:
    return name == stack.server.user or catalog.roles[name].bootstrap


def _options(membership: Membership) -> str:
    options = {"inherits": membership.inherit, "may set role": membership.may_set, "may grant it on": membership.admin}
    return "".join(f", {name}" for name, given in options.items() if given)


def revoke(membership: Membership, major: int) -> str:
    """The statement that ends a membership: from PostgreSQL 16 on it is its grantor's to take away."""
    by = f" GRANTED BY {quoted(membership.grantor)}" if major >= 16 else ""
    return f"REVOKE {quoted(membership.role)} FROM {quoted(membership.member)}{by} CASCADE"


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
            yield AccessPath(role.name, f"as a member: {names}", revoke(last, catalog.major), *_needs(last, catalog))


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


def _needs(membership: Membership, catalog: Catalog) -> tuple[tuple[str, ...], bool]:
    """What ending a membership takes: whose rights, and whether those of a superuser."""
    return (membership.grantor,) if catalog.major >= 16 else (), catalog.roles[membership.role].superuser


def _ends(stack: DatabaseStack, catalog: Catalog) -> set[str]:
    services = {service.schema_ for service in stack.services}
    granted = {entry.grantee for entry in catalog.entries if entry.schema in services}
    ours = {login.role for login in stack.logins} - stack.guests
    if not stack.server_wide:
        return ours | (granted - stack.guests)
    superusers = {role.name for role in catalog.roles.values() if role.superuser}
    # Nor does the admin's own way end there: what makes others admins is to be cut, not what makes it one.
    return ours | granted | superusers | set(POWERFUL) | {stack.server.user}


def _reaching(stack: DatabaseStack, path: AccessPath, admin: AdminCapabilities) -> Finding:
    return Finding(
        "reach",
        f"{path.role} on the schemas of services",
        "no way to them: it is not declared",
        path.why,
        admin.sql(Verb.DEMOTE, path.statement, of=path.of, superusers=path.superusers),
        frozenset({path.role, *(service.schema_ for service in stack.services)}),
    )
