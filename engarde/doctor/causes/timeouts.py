"""Causes of statements and sessions that the server ends."""

from engarde.declaration.parameters import kilobytes
from engarde.declaration.resource_names import login_name
from engarde.doctor import remedies
from engarde.doctor.facts import Client, Facts
from engarde.doctor.model import Answer, Cause, bring_back, confirmed, ruled_out, unknown
from engarde.output.findings import Remedy
from engarde.server.catalog import Setting, in_force
from engarde.server.role_settings import TEMPORARY_FILES
from engarde.util.quoting import statement

RECENT = 900
"""A restart that may have cut a session that is reported now [seconds]."""

STATEMENT, IDLE = "statement_timeout", "idle_in_transaction_session_timeout"


def _changed(facts: Facts, name: str) -> Answer:
    changed = {finding.subject for finding in facts.found("setting")}
    for login in facts.suspects:
        declared = login.statement_timeout if name == STATEMENT else login.idle_in_transaction_session_timeout
        found = in_force(facts.catalog.settings, name, login.role)
        # The server accepts the declared time in another unit; the provider does not.
        if found and (f"{name} of {login.role}" in changed or not found.value.isdigit()):
            because = f"{login.role} starts with {name} {found.value}; declared: {declared} ms"
            return confirmed(because, _declared_again(facts, found, declared))
    return ruled_out("the timeout is as declared")


def _declared_again(facts: Facts, found: Setting, declared: int) -> Remedy:
    """As SQL: the provider does not read a value with a unit, and `up` fails there."""
    if not found.role:
        return bring_back(facts)
    if found.database:
        return remedies.reset_in_database(facts, found)
    return remedies.sql(facts, statement(f"ALTER ROLE {{}} SET {found.name} = {declared}", found.role), safe=True)


def _declared(facts: Facts) -> Answer:
    limited = [login for login in facts.suspects if login.statement_timeout]
    if not limited:
        return ruled_out("no service in question has a statementTimeout")
    shown = ", ".join(f"{login_name(login)} {login.statement_timeout} ms" for login in limited)
    higher = str(limited[0].statement_timeout * 2)
    return confirmed(f"declared statementTimeout: {shown}", remedies.of_login(limited[0], "statementTimeout", higher))


def _too_large(facts: Facts) -> Answer:
    """Compares the limit in the text with the current one; the checks without a text find one that was set by hand."""
    limits = {login: in_force(facts.catalog.settings, TEMPORARY_FILES, login.role) for login in facts.suspects}
    least = float(facts.named.detail or "inf")
    limited = {login: found for login, found in limits.items() if found and 0 <= kilobytes(found.value) <= least}
    if not limited:
        return ruled_out("no role in question has this limit now")
    (login, found), *others = limited.items()
    shown = ", ".join(f"{login_name(limited_login)} {limit.value}" for limited_login, limit in limited.items())
    declared = facts.stack.server.superuser and kilobytes(found.value) == login.temp_file_limit * 1024
    # Only the role that ran the statement is to have more.
    if others or not declared:
        return confirmed(f"temp_file_limit: {shown}")
    more = remedies.of_login(login, "tempFileLimit", str(2 * login.temp_file_limit))
    return confirmed(f"temp_file_limit: {shown}", more)


def _locked(facts: Facts) -> Answer:
    """A statement that waits for a lock counts against its timeout."""
    held = facts.session.query("holders", Client, schemas=[*facts.stack.schemas])
    if not held:
        return ruled_out("no session holds a lock in the stack's schemas now")
    who = held[0]
    sql = f"SELECT pg_terminate_backend({who.pid});"
    return confirmed(f"a session holds locks: {who}", remedies.sql(facts, sql) if who.in_transaction else None)


def _left_open(facts: Facts) -> Answer:
    roles = {login.role for login in facts.suspects}
    if idle := [client for client in facts.clients if client.in_transaction and client.role in roles]:
        return confirmed(f"idle in a transaction now: {max(idle, key=lambda client: client.seconds)}")
    return ruled_out("no session of the services is idle in a transaction now")


def _restarted(facts: Facts) -> Answer:
    (seconds,) = facts.session.values("uptime")
    if seconds < RECENT:
        return confirmed(f"the server was started {seconds} s ago")
    return ruled_out(f"the server was started {seconds // 3600} h {seconds // 60 % 60} min ago")


_PING = remedies.code("test connections before use: create_engine(..., pool_pre_ping=True, pool_recycle=300)")

STATEMENT_CHANGED = Cause(
    "the role's statement_timeout was changed by hand", lambda facts: _changed(facts, STATEMENT), bring_back
)
IDLE_CHANGED = Cause("the role's idle timeout was changed by hand", lambda facts: _changed(facts, IDLE), bring_back)
LOCKED = Cause(
    "another session holds the lock",
    _locked,
    remedies.code("try again: the lock is released when its transaction ends"),
)
TOO_SLOW = Cause(
    "the statement takes longer than the declared statementTimeout",
    _declared,
    remedies.code(
        "make the statement faster (EXPLAIN ANALYZE), or raise statementTimeout; it applies to migrations, too"
    ),
)
TOO_LARGE = Cause(
    "the statement needs more temporary files than its role's temp_file_limit allows",
    _too_large,
    remedies.code("sort or hash less in one statement (add an index, select less), or raise the role's tempFileLimit"),
)
LEFT_OPEN = Cause(
    "the service leaves transactions open",
    _left_open,
    remedies.code("end the transaction before slow work outside the database: commit first, then call the API"),
)
RESTARTED = Cause("the server was restarted", _restarted, _PING)
CUT = Cause("a proxy has closed an idle connection", unknown("proxies close idle connections without a message"), _PING)
