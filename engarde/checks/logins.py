"""What the state knows against what is in force: stored verifiers, exported URLs, and what logging in shows."""

from collections.abc import Iterable, Iterator

from engarde.checks.naming import about, up
from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.declaration.resource_names import login_name
from engarde.output.findings import Finding, Remedy
from engarde.pulumi_cli.state import Outputs
from engarde.server.credentials import scram_matches, url
from engarde.util.quoting import word


@check(
    Question(
        "password",
        "where the admin is a superuser: the stored verifier against the state's password; for every admin: that it"
        " logs in",
        "command",
        "`bin/pulumi up --refresh`, or `bin/engarde rotate --reapply` where the admin is no superuser",
    ),
    Question("exported URL", "outputs that the stack file would write otherwise by now", "command", "`bin/pulumi up`"),
    group="isolation",
    needs=("catalogs", "state", "the admin's session"),
    stage=Stage.STATE,
)
def of_state(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """What is in force against what the last run has left in the state."""
    outputs = observed.recorded.outputs
    yield from _exports(stack, outputs)
    # Nobody else is shown what is stored.
    known = {verifier.role: verifier.stored for verifier in observed.verifiers} if observed.admin.superuser else {}
    for login in stack.logins:
        password = outputs.passwords.get(login.role) if login.role not in stack.guests else None
        if password and login.role in known and not scram_matches(password, known[login.role] or ""):
            actual = "another one" if known[login.role] else "none"
            yield changed(stack, login, f"stored verifier of {login.role}", actual)


def changed(stack: DatabaseStack, login: Service | Analytics, subject: str, actual: str) -> Finding:
    """A password in force that the state does not know."""
    return Finding("password", subject, "of the state's password", actual, password_remedy(stack, login), about(login))


def password_remedy(stack: DatabaseStack, login: Service | Analytics) -> Remedy:
    """What puts a password of the state's in force again."""
    if stack.server.superuser:
        return up(stack)
    # Such an admin cannot see that it was changed, and an `up` of his would not change it back.
    return Remedy("command", f"bin/engarde rotate --reapply {word(login_name(login))} --stack {stack.name}")


def _exports(stack: DatabaseStack, outputs: Outputs) -> Iterator[Finding]:
    """Outputs that are not what the stack file declares now: a run is due."""
    exported = {service.role: outputs.database_urls.get(service.name) for service in stack.services}
    if stack.analytics:
        here = outputs.analytics_urls.get(stack.label) if stack.label else outputs.analytics_url
        exported[stack.analytics.role] = here
    for login in stack.logins:
        password = outputs.passwords.get(login.role)
        schema = login.schema_ if isinstance(login, Service) else None
        address, database = stack.service_address, stack.server.database
        due = url(login.url_format, address, database, login.role, password, schema) if password else None
        if exported[login.role] is None or exported[login.role] != due:
            expected = f"in form {login.url_format}, at {address.host}:{address.port}"
            actual = "another one" if exported[login.role] else "none yet"
            yield Finding("exported URL", login.role, expected, actual, up(stack, refresh=False), about(login))


@check(
    Question(
        "login",
        "whether a role gets in with the state's password where it works, and nowhere else on the server",
        "command",
        "`bin/pulumi up --refresh`, or a `REVOKE`",
    ),
    Question("session", "whether it is itself there, with its `search_path` and timeouts", "sql", "`ALTER ROLE`"),
    Question(
        "behaviour",
        "what it may and may not do, tried ([how](verify.md#what-is-tried))",
        "command",
        "`bin/engarde explain` says why it can",
    ),
    Question(
        "connection limit",
        "with `--probe-limits`: whether the server stops a role there",
        "sql",
        "`ALTER ROLE`",
    ),
    group="logins",
    needs=("catalogs", "state", "services' logins"),
    stage=Stage.LOGINS,
)
def of_probes(stack: DatabaseStack, observed: Observed) -> Iterable[Finding]:
    """What came of logging in and trying (`engarde.verify.logins`); nothing where nobody has."""
    return observed.tried
