"""Roles as `doctor` looks them over: settings above what the stack sets, and logins that it says nothing of."""

from collections.abc import Iterator

from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.declaration.parameters import milliseconds
from engarde.declaration.stack_file import lines
from engarde.output.findings import Finding, Remedy
from engarde.preflight.revocations import outsiders
from engarde.util.quoting import statement

SEARCH_PATH = "search_path"


@check(
    Question(
        "setting",
        "a `search_path` or a timeout that stands above what the stack sets on a role",
        "sql",
        "`RESET`, where it is set",
        safe=True,
    ),
    group="roles",
    stage=Stage.ROLES,
)
def of_settings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Each role's search_path or timeout that is another one in the stack's database."""
    settings = {
        (setting.role, setting.database, setting.name.lower()): setting.value for setting in observed.catalog.settings
    }
    for login in stack.logins:
        for name, declared in _declared(login).items():
            yield from _of_role(observed, login, name, declared, settings)


def _declared(login: Service | Analytics) -> dict[str, int | None]:
    """What the stack sets: timeouts in milliseconds, and for a service a search_path."""
    timeouts: dict[str, int | None] = {
        "statement_timeout": login.statement_timeout,
        "idle_in_transaction_session_timeout": login.idle_in_transaction_session_timeout,
    }
    return ({SEARCH_PATH: None} if isinstance(login, Service) else {}) | timeouts


def _of_role(
    observed: Observed,
    login: Service | Analytics,
    name: str,
    declared: int | None,
    settings: dict[tuple[str | None, str | None, str], str],
) -> Iterator[Finding]:
    database = observed.stack.server.database
    own = settings.get((login.role, None, name))
    here = settings.get((login.role, database, name))
    # The engine does not set a timeout of 0, so that the database's or everybody's takes its place.
    inherited = settings.get((None, database, name), settings.get((None, None, name)))
    if here is not None:
        heal = statement("ALTER ROLE {} IN DATABASE {} RESET {}", login.role, database, name)
        # Where the role's own is lost, this one may be all that a service lives by.
        safe = own is not None or declared == 0
        yield _setting(observed, login, name, f"{here} in database {database}", heal, safe)
    elif own is None and declared == 0 and inherited and milliseconds(inherited) != 0:
        heal = statement("ALTER ROLE {} SET {} = 0", login.role, name)
        yield _setting(observed, login, name, f"{inherited}, as for others in the database", heal, True)


def _setting(observed: Observed, login: Service | Analytics, name: str, actual: str, heal: str, safe: bool) -> Finding:
    may = observed.manages(login.role)
    return Finding(
        "setting",
        f"{name} of {login.role}",
        "what the stack declares for the role",
        actual,
        Remedy("sql", heal, by_superuser=not may, safe=safe and may),
        frozenset({login.role}),
    )


@check(
    Question(
        "outside role",
        "login roles that get in because everybody may, and of which the stack file says nothing",
        "edit",
        "declare it, or shut it out",
    ),
    group="roles",
    needs=("catalogs", "sessions"),
    stage=Stage.ROLES,
)
def of_undeclared(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Each role that has to do with the database, and that the stack file says nothing of."""
    # Only the shared database lets in roles from outside of the stack.
    if stack.label:
        return
    said = {*(role.name for role in stack.outside_roles), *stack.shut_out}
    for outsider in outsiders(stack, observed.session):
        if outsider.name in said or outsider.by or not outsider.involved:
            continue
        keeps = lines("outsideRoles", {outsider.name: outsider.kept})
        out = lines("shutOut", sorted({*stack.shut_out, outsider.name}))
        yield Finding(
            "outside role",
            outsider.name,
            "declared, for PUBLIC loses CONNECT with the next run"
            if outsider.everybody
            else "declared, or shut out by a word",
            f"{'connects as everybody may' if outsider.everybody else 'shut out, without a word'}: {outsider.what}",
            Remedy("edit", f"{keeps}\n# or, where it is to stay out: {out}"),
            frozenset({outsider.name}),
        )
