"""The admin: a superuser as declared, or enough of one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from engarde import rights
from engarde.edits import lines
from engarde.findings import Finding, Remedy
from engarde.health.seen import Seen


def check(seen: Seen) -> Iterator[Finding]:
    """Each right that the admin lacks, with the statement that gives it."""
    admin, stack = seen.found.admin, seen.stack
    concerned = frozenset({admin.name})
    if stack.server.superuser and not admin.superuser:
        remedy = Remedy("edit", lines("server", {"superuser": False}))
        yield Finding("admin", admin.name, "a superuser, as declared", "no superuser", remedy, concerned)
    # An extension that nobody can make here is told by its own check.
    absent = {each.name for each in stack.extensions} - seen.offered.keys()
    for each in rights.missing(stack, replace(seen.found, extensions=seen.found.extensions | absent)):
        remedy = Remedy("sql", each.sql, by_superuser=True)
        yield Finding("admin", admin.name, f"enough rights: {each.needed}", "lacks one", remedy, concerned)
