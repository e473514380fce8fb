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
            because = f"{len(idle)} of its sessions are idle in a transaction, one for {longest} s"
            return confirmed(f"{login.role}: {because}")
    return ruled_out("no session of a role at its limit is idle in a transaction")


def _pool_too_large(facts: Facts) -> Answer:
    for login, sessions in _crowded(facts).items():
        idle = sum(client.state == "idle" for client in sessions)
        limit = facts.catalog.roles[login.role].connection_limit
        says = f"{login.role} has {len(sessions)} sessions, {idle} of them idle, and a limit of {limit}"
        if idle or login.connection_limit >= HIGHEST:
            return confirmed(says, _smaller(limit))
        more = str(min(HIGHEST, login.connection_limit * 2))
        return confirmed(says, remedies.of_login(login, "connectionLimit", more))
    return ruled_out("no role of the stack is at its limit now")


def _crowded(facts: Facts) -> dict[Service | Analytics, list[Client]]:
    """Those whose roles are at their limits, with their sessions."""
    # Asked even where nobody is under suspicion: what was not looked at is not ruled out.
    roles = facts.catalog.roles
    known = {login: roles[login.role] for login in facts.suspects if login.role in roles}
    sessions = {login: [client for client in facts.clients if client.role == login.role] for login in known}
    return {
        login: sessions[login] for login, role in known.items() if 0 <= role.connection_limit <= len(sessions[login])
    }


def _full(facts: Facts) -> Answer:
    if facts.refusal:
        full = facts.refusal.why in (Why.NO_SLOT, Why.NO_CLIENT)
        return confirmed("the admin is not let in either", _raise(facts)) if full else unknown(facts.refusal.reason)
    available = _budget(facts).available
    by = Counter(client.role for client in facts.clients)
    taken = sum(by.values())
    most = ", ".join(f"{name} {count}" for name, count in by.most_common(3))
    if taken < available:
        return ruled_out(f"{taken} of {available} connections are in use now (most: {most or 'nobody'})")
    (name, count), *_ = by.most_common(1)
    login = next((login for login in facts.stack.server_stack.logins if login.role == name), None)
    remedy = _raise(facts) if login else _smaller(count)
    return confirmed(f"{taken} of {available} connections are in use; most: {most}", remedy)


def _promised_too_much(facts: Facts) -> Answer:
    found = _budget(facts)
    because = f"the limits add up to {found.promised}, and {found.available} are there for all"
    if found.suffices():
        return ruled_out(because)
    lower = max(1, found.largest.connection_limit - (found.promised - found.available))
    remedy = remedies.of_login(found.largest, "connectionLimit", str(lower))
    return confirmed(f"{because}; {login_name(found.largest)} has most", remedy)


def _budget(facts: Facts) -> Budget:
    return budget(facts.stack.server_stack, facts.observed.settings("max_connections", *RESERVED))


def _locks(facts: Facts) -> Answer:
    # A session of its own, for it is the first question of one.
    with session(login_of_admin(facts.stack)) as asked:
        held = server.lock_holders(Observed(facts.stack, lambda: asked))
    if not held:
        return ruled_out("no role holds over half of the lock table now")
    return confirmed("; ".join(dict.fromkeys(map(str, held))), server.ending_locks(facts.stack, held))


def _smaller(limit: int) -> Remedy:
    instances = f"below {limit}, all instances together and the old ones during a deployment included"
    return remedies.code(f"make the pool smaller: SQLAlchemy's pool_size + max_overflow {instances}")


def _smaller_pool(facts: Facts) -> Remedy:
    return _smaller(min((login.connection_limit for login in facts.suspects), default=HIGHEST))


def _raise(facts: Facts) -> Remedy:
    # A restart, which is the operator's to time; the value is PostgreSQL's default doubled.
    text = statement("ALTER SYSTEM SET max_connections = 200") + "  -- then restart the server"
    return Remedy("sql", text, by_superuser=not facts.stack.server.superuser)


def _lower(facts: Facts) -> Remedy:
    largest = max(facts.stack.server_stack.logins, key=lambda login: login.connection_limit)
    return remedies.of_login(largest, "connectionLimit", str(max(1, largest.connection_limit // 2)))


LIMIT = Cause.of_check(
    "the role's limit was changed by hand",
    "connection limit",
    because="{subject} has a limit of {actual}, not {expected} as declared",
    otherwise="every limit is as declared",
    when=lambda facts: bool(facts.suspects),
    so=lambda facts, finding: facts.is_suspected(finding) and finding.actual != "none",
)
LEAK = Cause(
    "sessions stay in a transaction and are never given back",
    _leaks,
    remedies.code("commit, roll back or close each session: `with engine.begin()`, `with Session() as session`"),
)
POOL = Cause("the service's pools want more than the role's limit", _pool_too_large, _smaller_pool)
FULL = Cause("the server has no connection left", _full, _smaller_pool)
PROMISED = Cause("the limits together are more than the server has", _promised_too_much, _lower)
LOCKS = Cause(
    "sessions hold so many locks that the server has no room for more",
    _locks,
    remedies.code(
        "end the sessions that hold them; pg_locks has a row for each lock",
        "if the server lets nobody in any more (a login takes a lock, too), restart it",
    ),
)
