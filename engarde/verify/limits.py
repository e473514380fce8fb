"""Whether connection limits are in force: by using them up, which keeps the live service out meanwhile."""

from __future__ import annotations

from contextlib import ExitStack

from engarde.checks.naming import about
from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.errors import NoEntrance, Why
from engarde.output.findings import Finding, Remedy
from engarde.pulumi_cli.state import Outputs
from engarde.server.catalog import Catalog
from engarde.server.credentials import Access
from engarde.server.session import session
from engarde.util.quoting import quoted
from engarde.verify.logins import Tried


def limits(stack: DatabaseStack, outputs: Outputs, catalog: Catalog) -> Tried:
    """One role after another opens connections until the server refuses one, at its limit and not after it."""
    found: list[Finding] = []
    for login in stack.logins:
        if login.role not in stack.guests and login.role in catalog.roles and login.role in outputs.passwords:
            found += _limit(login, stack, outputs.passwords[login.role])
    return Tried(tuple(found))


def _limit(login: Service | Analytics, stack: DatabaseStack, password: str) -> list[Finding]:
    access = Access(stack.server, stack.server.database, login.role, password)
    with ExitStack() as opened:
        for _ in range(login.connection_limit + 1):
            try:
                opened.enter_context(session(access))
            except NoEntrance as refusal:
                if refusal.why is Why.ROLE_LIMIT:
                    return []
                raise
    return [
        Finding(
            "connection limit",
            f"sessions of {login.role}",
            f"no more than {login.connection_limit} at a time",
            f"{login.connection_limit + 1}",
            Remedy("sql", f"ALTER ROLE {quoted(login.role)} CONNECTION LIMIT {login.connection_limit};"),
            about(login),
        )
    ]
