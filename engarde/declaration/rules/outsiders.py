"""Rules over the roles that are shut out on purpose: each is one that a run could shut out."""

from __future__ import annotations

from collections.abc import Iterator

from engarde.declaration.address import Elsewhere, Server
from engarde.declaration.model import Analytics, OutsideRole, Service
from engarde.declaration.validation import Fault, join


def rules(
    shut_out: tuple[str, ...],
    server: Server | None,
    databases: tuple[Elsewhere, ...],
    services: tuple[Service, ...],
    analytics: Analytics | None,
    outside: tuple[OutsideRole, ...],
) -> Iterator[Fault]:
    """Every fault of them, told by places and never by values."""
    made = {*(each.role for each in services), *((analytics.role,) if analytics else ())}
    admins = {each.user for each in (*((server,) if server else ()), *databases)}
    kept = {each.name for each in outside}
    for place, role in enumerate(shut_out):
        path = join("engarde:shutOut", place)
        if role in made:
            yield Fault(path, "the stack makes this role itself; only roles outside of it stand here")
        elif role in admins:
            yield Fault(path, "an admin's role, which is never shut out")
        elif role in kept:
            yield Fault(path, "also one of engarde:outsideRoles, which keep their access; leave it out of one of them")
