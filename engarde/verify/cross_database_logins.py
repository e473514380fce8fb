"""Logging in where a role of the stack has nothing: each is to be refused for want of CONNECT."""

from collections.abc import Iterator

from engarde.checks.naming import about
from engarde.declaration.model import DatabaseStack
from engarde.errors import LoginRefused, Why
from engarde.output.findings import Finding, Remedy
from engarde.pulumi_cli.logins import login_to
from engarde.pulumi_cli.state import Outputs
from engarde.server.catalog import Catalog
from engarde.server.session import session
from engarde.util.quoting import statement
from engarde.verify.logins import Tried
from engarde.verify.probes import DENIED


def shut_out(stack: DatabaseStack, outputs: Outputs, catalog: Catalog) -> list[Tried]:
    """Every role of the stack that works in another database of this server, one after another."""
    return list(_tried(stack, outputs, catalog))


def _tried(stack: DatabaseStack, outputs: Outputs, catalog: Catalog) -> Iterator[Tried]:
    for login in stack.neighbours:
        password = outputs.passwords.get(login.role)
        if password is None or login.role not in catalog.roles:
            continue
        try:
            with session(login_to(stack, login, password)):
                said, why = "is let in", None
        except LoginRefused as refusal:
            said, why = refusal.said, refusal.why
        if why is Why.SHUT_OUT:
            yield Tried(probes=1)
        elif why is Why.PASSWORD:
            # Found where the role works, with what heals it.
            yield Tried()
        elif why and why.full:
            yield Tried(warnings=(f"nothing was tried as {login.role}, which finds no free connection now: {said}",))
        else:
            database = stack.server.database
            revoke = statement("REVOKE ALL ON DATABASE {} FROM {}", database, login.role)
            yield Tried(
                (
                    Finding(
                        "login",
                        f"{login.role} in database {database}, where it has nothing",
                        f"refused with {DENIED}",
                        said,
                        Remedy("sql", revoke),
                        about(login),
                    ),
                ),
                probes=1,
            )
