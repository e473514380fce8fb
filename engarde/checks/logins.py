"""Logins: stored verifiers and exported URLs, compared with the state, and what logging in shows."""

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
        "a password that is not the one in the state; found by logging in and, if the admin is a superuser, by the"
        " stored verifier",
        "command",
        "`bin/pulumi up --refresh`, or `bin/engarde rotate --reapply` if the admin is not a superuser",
    ),
    Question("exported URL", "an output URL that differs from the declaration", "command", "`bin/pulumi up`"),
    group="isolation",
    needs=("catalogs", "state", "the admin's session"),
    stage=Stage.STATE,
)
def of_state(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """The server's passwords, and the outputs of the last run."""
    outputs = observed.recorded.outputs
    yield from _exports(stack, outputs)
    # Only superusers may read stored verifiers.
    known = {verifier.role: verifier.stored for verifier in observed.verifiers} if observed.admin.superuser else {}
    for login in stack.logins:
        password = outputs.passwords.get(login.role) if login.role not in stack.guests else None
        if password and login.role in known and not scram_matches(password, known[login.role] or ""):
            actual = "of another password" if known[login.role] else "no password is stored"
            yield changed(stack, login, f"stored verifier of {login.role}", actual)


def changed(stack: DatabaseStack, login: Service | Analytics, subject: str, actual: str) -> Finding:
    """The finding for a password on the server that the state does not know."""
    return Finding("password", subject, "of the state's password", actual, password_remedy(stack, login), about(login))


def password_remedy(stack: DatabaseStack, login: Service | Analytics) -> Remedy:
    """Sets the state's password again."""
    if stack.server.superuser:
        return up(stack)
    # Such an admin cannot see that the password was changed, so `up` would not change it back.
    return Remedy("command", f"bin/engarde rotate --reapply {word(login_name(login))} --stack {stack.name}")


def _exports(stack: DatabaseStack, outputs: Outputs) -> Iterator[Finding]:
    """Outputs that are not as the stack file declares them now."""
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
            expected = f"urlFormat {login.url_format}, at {address.host}:{address.port}"
            actual = "another URL" if exported[login.role] else "no URL yet"
            yield Finding("exported URL", login.role, expected, actual, up(stack, refresh=False), about(login))


@check(
    Question(
        "login",
        "a role that cannot log in to its own database with the state's password, or can log in to another one",
        "command",
        "`bin/pulumi up --refresh`, or a `REVOKE`",
    ),
    Question(
        "session",
        "a session that acts as another role, or has another `search_path` or other timeouts than declared",
        "sql",
        "`ALTER ROLE`",
    ),
    Question(
        "behaviour",
        "something that a role can do but may not, or may do but cannot; tried ([how](verify.md#what-is-tried))",
        "command",
        "`bin/engarde explain` says why it can",
    ),
    Question(
        "connection limit",
        "with `--probe-limits`: a role with more connections than its limit",
        "sql",
        "`ALTER ROLE`",
    ),
    group="logins",
    needs=("catalogs", "state", "services' logins"),
    stage=Stage.LOGINS,
)
def of_probes(stack: DatabaseStack, observed: Observed) -> Iterable[Finding]:
    """The results of logging in and trying (`engarde.verify.logins`); none if that was skipped."""
    return observed.tried
