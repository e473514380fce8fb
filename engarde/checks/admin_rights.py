"""The admin: a superuser as declared, or enough of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engarde.checks.observed import Seen
from engarde.declaration.stack_file_edits import lines
from engarde.output.findings import Finding, Remedy
from engarde.preflight import admin_privileges
from engarde.preflight.admin_privileges import AdminSnapshot, Owned


def check(seen: Seen) -> Iterator[Finding]:
    """Each right that the admin lacks, with the statement that gives it."""
    admin, stack = seen.found.admin, seen.stack
    concerned = frozenset({admin.name})
    if stack.server.superuser and not admin.superuser:
        remedy = Remedy("edit", lines("server", {"superuser": False}))
        yield Finding("admin", admin.name, "a superuser, as declared", "no superuser", remedy, concerned)
    for each in admin_privileges.missing(stack, _beside_other_checks(seen)):
        remedy = Remedy("sql", each.sql, by_superuser=True)
        yield Finding("admin", admin.name, f"enough rights: {each.needed}", "lacks one", remedy, concerned)


def _beside_other_checks(seen: Seen) -> AdminSnapshot:
    """What was found, without what another check tells: extensions nobody can make, what a service should own."""
    absent = {each.name for each in seen.stack.extensions} - seen.offered.keys()
    there = {role.name for role in seen.found.roles}
    owners = {each.schema_: each.role for each in seen.stack.services if each.role in there}
    owned = tuple(_healed(each, owners) for each in seen.found.owned)
    return replace(seen.found, extensions=seen.found.extensions | absent, owned=owned)


def _healed(owned: Owned, owners: dict[str, str]) -> Owned:
    if owned.kind not in ("table", "sequence"):
        return owned
    return replace(owned, owner=owners.get(owned.schema, owned.owner))
