"""Runs the checks of a whole stack: what is wrong now, or would fail in the next run, each with a remedy."""

from collections.abc import Sequence
from dataclasses import replace

from engarde.checks import registry, server
from engarde.checks.observed import Observed, Recorded, no_session
from engarde.declaration.databases import databases, display_name
from engarde.declaration.model import DatabaseStack, Stack
from engarde.errors import LoginRefused, NoRoomForLocks
from engarde.output.findings import Finding
from engarde.pulumi_cli.logins import login_of_admin
from engarde.server.session import session
from engarde.server.version_tables import Histories, ReadHistories


def examine(stack: Stack, histories: ReadHistories = Histories) -> list[Finding]:
    """Every finding of every check but those of `verify`; changes nothing.

    :param histories: reads the services' migration scripts.

    :raises Unreachable: Pulumi or the server could not be asked.
    """
    recorded = Recorded(stack.name)
    of_stack = databases(stack)
    observed = Observed(of_stack[0], no_session, recorded)
    found: list[Finding] = []
    for check in registry.checks(*registry.EXAMINED, scope="stack"):
        found += check.findings(of_stack[0], observed)
        # The stack cannot be read until these are gone.
        if any(finding.check == "killed run" for finding in found):
            return found
    return [*found, *_of_databases(of_stack, recorded, histories)]


def _of_databases(of_stack: Sequence[DatabaseStack], recorded: Recorded, histories: ReadHistories) -> list[Finding]:
    if len(of_stack) == 1:
        return _examined(of_stack[0], recorded, histories)
    found: list[tuple[DatabaseStack, Finding]] = []
    for database in of_stack:
        so_far = [finding for _, finding in found]
        try:
            examined = _examined(database, recorded, histories)
        except NoRoomForLocks:
            # The checks of the server find the role that holds the locks.
            if not any(finding.check == server.LOCK_TABLE for finding in so_far):
                raise
            continue
        for finding in examined:
            # A finding of the whole stack or server may be there from another database already.
            if finding not in so_far or (finding.remedy.kind == "sql" and finding.check != "server"):
                found.append((database, finding))
    return [replace(finding, database=display_name(database)) for database, finding in found]


def _examined(database: DatabaseStack, recorded: Recorded, histories: ReadHistories) -> list[Finding]:
    found: list[Finding] = []
    try:
        with session(login_of_admin(database)) as asked:
            if unsupported := server.unsupported(asked.major):
                return [unsupported]
            observed = Observed(database, lambda: asked, recorded, histories)
            for check in registry.checks(*registry.EXAMINED):
                found += check.findings(database, observed) if check.scope != "stack" else ()
    except NoRoomForLocks:
        # The other checks need these sessions to end first.
        if crowded := [finding for finding in found if finding.check == server.LOCK_TABLE]:
            return crowded
        raise
    except LoginRefused as refusal:
        if without_tls := server.without_tls(database, refusal):
            return [without_tls]
        raise
    return found
