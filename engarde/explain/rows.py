"""Which rows of a table with row level security a role gets to see and to change."""

from dataclasses import dataclass

from engarde.declaration.names import PUBLIC
from engarde.explain.access_paths import identities
from engarde.explain.facts import Facts, Policy

COMMANDS = ("SELECT", "INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True)
class Rows:
    """What row level security leaves to a role of what its rights allow."""

    exempt: str | None
    """why no policy holds for it"""
    policies: tuple[Policy, ...]
    """those that are for it"""
    none: tuple[str, ...]
    """the commands that no policy lets through to any row"""
    exempt_after: tuple[str, ...]
    """whom it may act as so that no policy holds, and why"""


def rows(facts: Facts, role: str) -> Rows | None:
    """Which policies of the object hold for a role; None where there is no row level security."""
    if not facts.target.row_security:
        return None
    exempt = _exempt(facts, role)
    others = {other: _exempt(facts, other) for other in identities(facts, role)[1:]}
    named = facts.members.inherited(role) | {PUBLIC}
    policies = () if exempt else tuple(policy for policy in facts.policies if policy.role in named)
    permitted = {policy.command for policy in policies if policy.permissive}
    return Rows(
        exempt,
        policies,
        () if exempt or "ALL" in permitted else tuple(command for command in COMMANDS if command not in permitted),
        () if exempt else tuple(f"{other}, {why}" for other, why in others.items() if why),
    )


def _exempt(facts: Facts, role: str) -> str | None:
    known = facts.roles.get(role)
    if known and known.superuser:
        return "a superuser"
    if known and known.bypassrls:
        return "BYPASSRLS"
    if facts.target.owner in facts.members.inherited(role) and not facts.target.forced:
        return "it has the rights of the owner, and they are not forced"
    return None
