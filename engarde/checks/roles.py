"""Roles, as `doctor` checks them: settings that override the stack's, and logins that the stack file does not name."""

from collections.abc import Iterator

from engarde.checks.attributes import TIMEOUTS
from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack, Service
from engarde.declaration.parameters import milliseconds
from engarde.declaration.stack_file import lines
from engarde.output.findings import Finding, Remedy
from engarde.preflight.revocations import outsiders
from engarde.util.quoting import statement

SEARCH_PATH = "search_path"


@check(
    Question(
        "setting",
        "a `search_path` or a timeout that overrides what the stack sets on a role",
        "sql",
        "`RESET` or `SET`",
        safe=True,
    ),
    group="roles",
    stage=Stage.ROLES,
)
def of_settings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    settings = {(found.role, found.database, found.name.lower()): found.value for found in observed.catalog.settings}
    database = stack.server.database
    for login in stack.logins:
        for name in (SEARCH_PATH, *TIMEOUTS) if isinstance(login, Service) else TIMEOUTS:
            own, here = settings.get((login.role, None, name)), settings.get((login.role, database, name))
            # Pulumi does not set a timeout of 0, so the setting of the database or of all roles applies.
            unset = name in TIMEOUTS and getattr(login, name) == 0
            inherited = settings.get((None, database, name), settings.get((None, None, name)))
            if here is not None:
                actual = f"{here} in database {database}"
                heal = statement("ALTER ROLE {} IN DATABASE {} RESET {}", login.role, database, name)
                # If the role's own setting is lost, the service may depend on this one.
                safe = own is not None or unset
            elif own is None and unset and inherited and milliseconds(inherited) != 0:
                actual = f"{inherited}, as for other roles in the database"
                heal, safe = statement("ALTER ROLE {} SET {} = 0", login.role, name), True
            else:
                continue
            may = observed.manages(login.role)
            remedy = Remedy("sql", heal, by_superuser=not may, safe=safe and may)
            subject, expected = f"{name} of {login.role}", "what the stack declares for the role"
            yield Finding("setting", subject, expected, actual, remedy, frozenset({login.role}))


@check(
    Question(
        "outside role",
        "a login role that has something in the database, or a session there, and that the stack file does not name",
        "edit",
        "add it to `outsideRoles` or to `shutOut`",
    ),
    group="roles",
    needs=("catalogs", "sessions"),
    stage=Stage.ROLES,
)
def of_undeclared(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    # Outside roles may only connect to the shared database.
    if stack.label:
        return
    said = {*(role.name for role in stack.outside_roles), *stack.shut_out}
    for outsider in outsiders(stack, observed.session):
        if outsider.name in said or outsider.by or not outsider.involved:
            continue
        if outsider.everybody:
            expected = "in outsideRoles or shutOut, because the next run takes CONNECT from PUBLIC"
            actual = "connects only through PUBLIC"
        else:
            expected, actual = "in outsideRoles or shutOut", "shut out, and in neither of them"
        keeps = lines("outsideRoles", {outsider.name: outsider.kept})
        out = lines("shutOut", sorted({*stack.shut_out, outsider.name}))
        heal, concerned = Remedy("edit", f"{keeps}\n# or, to shut it out: {out}"), frozenset({outsider.name})
        yield Finding("outside role", outsider.name, expected, f"{actual}: {outsider.what}", heal, concerned)
