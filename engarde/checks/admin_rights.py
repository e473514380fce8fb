"""The admin: a superuser as declared, or enough of one."""

from collections.abc import Iterator
from dataclasses import replace

from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.declaration.stack_file_edits import lines
from engarde.output.findings import Finding, Remedy
from engarde.preflight import admin_privileges
from engarde.preflight.admin_privileges import AdminSnapshot, Owned


@check(
    Question(
        "admin",
        "a superuser as declared, or every right that the stack needs of another admin",
        "sql",
        "as a superuser, what gives it",
    ),
    group="admin",
    needs=("catalogs", "the admin's session"),
    stage=Stage.ADMIN,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Each right that the admin lacks, with the statement that gives it."""
    admin = observed.rights.admin
    concerned = frozenset({admin.name})
    if stack.server.superuser and not admin.superuser:
        remedy = Remedy("edit", lines("server", {"superuser": False}))
        yield Finding("admin", admin.name, "a superuser, as declared", "no superuser", remedy, concerned)
    for missing in admin_privileges.missing(stack, _beside_other_checks(stack, observed)):
        remedy = Remedy("sql", missing.sql, by_superuser=True)
        yield Finding("admin", admin.name, f"enough rights: {missing.needed}", "lacks one", remedy, concerned)


def _beside_other_checks(stack: DatabaseStack, observed: Observed) -> AdminSnapshot:
    """What was found, without what another check tells: extensions nobody can make, what a service should own."""
    found, declared = observed.rights, {extension.name for extension in stack.extensions}
    absent = declared - observed.offered(*declared).keys()
    there = {role.name for role in found.roles}
    owners = {service.schema_: service.role for service in stack.services if service.role in there}
    owned = tuple(_healed(owned, owners) for owned in found.owned)
    return replace(found, extensions=found.extensions | absent, owned=owned)


def _healed(owned: Owned, owners: dict[str, str]) -> Owned:
    if owned.kind not in ("table", "sequence"):
        return owned
    return replace(owned, owner=owners.get(owned.schema, owned.owner))
