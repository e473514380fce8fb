"""Causes of too many connections."""

from collections import Counter

from engarde.checks import server
from engarde.checks.connection_budget import RESERVED, Budget, budget
from engarde.checks.observed import Observed
from engarde.declaration.model import Analytics, Service
from engarde.declaration.resource_names import login_name
from engarde.doctor import remedies
from engarde.doctor.facts import Client, Facts
from engarde.doctor.model import Answer, Cause, confirmed, ruled_out, unknown
from engarde.errors import Why
from engarde.output.findings import Remedy
from engarde.pulumi_cli.logins import login_of_admin
from engarde.server.session import session
from engarde.util.quoting import statement

HIGHEST = 100
"""Of a connection limit, in a stack file."""


def _leaks(facts: Facts) -> Answer:
    for login, sessions in _crowded(facts).items():
        if idle := [client for client in sessions if client.in_transaction]:
            longest = max(client.seconds for client in idle)
            many = f"{len(idle)} of {len(sessions)} sessions of {login.role}"
            return confirmed(f"{many} are idle in a transaction, the longest for {longest} s")
    return ruled_out("no role at its connection limit has a session that is idle in a transaction")


def _pool_too_large(facts: Facts) -> Answer:
    for login, sessions in _crowded(facts).items():
        idle = sum(client.state == "idle" for client in sessions)
        limit = facts.catalog.roles[login.role].connection_limit
        says = f"{login.role} has {len(sessions)} sessions, {idle} of them idle, and a connection limit of {limit}"
        if idle or login.connection_limit >= HIGHEST:
            return confirmed(says, _smaller(limit))
        more = str(min(HIGHEST, login.connection_limit * 2))
        return confirmed(says, remedies.of_login(login, "connectionLimit", more))
    return ruled_out("no role of the stack is at its connection limit now")


def _crowded(facts: Facts) -> dict[Service | Analytics, list[Client]]:
    """Those whose roles are at their limits, with their sessions."""
    # Asked even without a login in question: a cause that was not looked at is not ruled out.
    roles = facts.catalog.roles
    known = {login: roles[login.role] for login in facts.suspects if login.role in roles}
    sessions = {login: [client for client in facts.clients if client.role == login.role] for login in known}
    return {
        login: sessions[login] for login, role in known.items() if 0 <= role.connection_limit <= len(sessions[login])
    }


def _full(facts: Facts) -> Answer:
    if facts.refusal:
        full = facts.refusal.why in (Why.NO_SLOT, Why.NO_CLIENT)
        return confirmed("the admin cannot log in either", _raise(facts)) if full else unknown(facts.refusal.reason)
    available = _budget(facts).available
    by = Counter(client.role for client in facts.clients)
    taken = sum(by.values())
    most = ", ".join(f"{name} {count}" for name, count in by.most_common(3))
    if taken < available:
        return ruled_out(f"{taken} of {available} connections are in use now (most: {most or 'none'})")
    (name, count), *_ = by.most_common(1)
    login = next((login for login in facts.stack.server_stack.logins if login.role == name), None)
    remedy = _raise(facts) if login else _smaller(count)
    return confirmed(f"{taken} of {available} connections are in use; most: {most}", remedy)


def _promised_too_much(facts: Facts) -> Answer:
    found = _budget(facts)
    because = f"the connection limits add up to {found.promised}; the server has {found.available} for all roles"
    if found.suffices():
        return ruled_out(because)
    lower = max(1, found.largest.connection_limit - (found.promised - found.available))
    remedy = remedies.of_login(found.largest, "connectionLimit", str(lower))
    return confirmed(f"{because}; {login_name(found.largest)} has the highest limit", remedy)


def _budget(facts: Facts) -> Budget:
    return budget(facts.stack.server_stack, facts.observed.settings("max_connections", *RESERVED))


def _locks(facts: Facts) -> Answer:
    # Has to be the first question of a session, so it takes a session of its own.
    with session(login_of_admin(facts.stack)) as asked:
        held = server.lock_holders(Observed(facts.stack, lambda: asked))
    if not held:
        return ruled_out("no role holds more than half of the lock table now")
    return confirmed("; ".join(dict.fromkeys(map(str, held))), server.ending_locks(facts.stack, held))


def _smaller(limit: int) -> Remedy:
    instances = "of all instances together, including old ones during a deployment,"
    return remedies.code(f"make the pool smaller: SQLAlchemy's pool_size + max_overflow {instances} below {limit}")


def _smaller_pool(facts: Facts) -> Remedy:
    return _smaller(min((login.connection_limit for login in facts.suspects), default=HIGHEST))


def _raise(facts: Facts) -> Remedy:
    # The operator decides when to restart; the value is PostgreSQL's default doubled.
    text = statement("ALTER SYSTEM SET max_connections = 200") + "  -- then restart the server"
    return Remedy("sql", text, by_superuser=not facts.stack.server.superuser)


def _lower(facts: Facts) -> Remedy:
    largest = max(facts.stack.server_stack.logins, key=lambda login: login.connection_limit)
    return remedies.of_login(largest, "connectionLimit", str(max(1, largest.connection_limit // 2)))


LIMIT = Cause.of_check(
    "the role's connection limit was changed by hand",
    "connection limit",
    because="{subject} has a connection limit of {actual}; {expected} is declared",
    otherwise="every connection limit is as declared",
    when=lambda facts: bool(facts.suspects),
    so=lambda facts, finding: facts.is_suspected(finding) and finding.actual != "none",
)
LEAK = Cause(
    "the service leaves sessions in a transaction and never gives them back",
    _leaks,
    remedies.code("commit, roll back or close each session: `with engine.begin()`, `with Session() as session`"),
)
POOL = Cause("the service's pools open more connections than the role's limit allows", _pool_too_large, _smaller_pool)
FULL = Cause("all connections of the server are in use", _full, _smaller_pool)
PROMISED = Cause("the declared connection limits add up to more than the server has", _promised_too_much, _lower)
LOCKS = Cause(
    "the sessions of one role fill the lock table",
    _locks,
    remedies.code(
        "end the sessions that hold them; pg_locks has a row for each lock",
        "if the server accepts no login any more (a login needs a lock, too), restart it",
    ),
)
