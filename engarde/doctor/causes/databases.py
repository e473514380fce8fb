"""Causes of `permission denied for database`, and of a database that does not exist."""

from engarde.declaration import stack_file
from engarde.declaration.model import Analytics
from engarde.declaration.privileges import CONNECT, TEMPORARY
from engarde.doctor import remedies
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, confirmed, ruled_out, unknown
from engarde.errors import Why
from engarde.output.findings import Finding, Remedy


def _not_of_the_stack(facts: Facts) -> Answer:
    said = facts.role
    if said is None:
        return unknown("the text names no role")
    if said in facts.declared_roles or facts.is_admin:
        return ruled_out(f"{said} is declared")
    if said in facts.entrants:
        return ruled_out(f"{said} may connect to {facts.stack.server.database}")
    if said in facts.stack.shut_out:
        left = sorted({*facts.stack.shut_out} - {said})
        outside = _outside(said)
        both = Remedy("edit", f"{outside.text}\n{stack_file.lines('shutOut', left)}")
        return confirmed(f"engarde:shutOut lists {said}, so it may not connect", both)
    return confirmed(f"{said} is not in the stack file, so it may not connect", _outside(said))


def _outside(name: str) -> Remedy:
    return remedies.edit("engarde:outsideRoles", name, "database", value=(CONNECT, TEMPORARY))


def _moved(facts: Facts) -> Answer:
    """Only a stack with several databases can have this cause."""
    said, here = facts.named.object or facts.named.database, facts.stack.server.database
    if said is None or not (facts.stack.label or facts.stack.siblings):
        return ruled_out(f"every service of the stack uses {here}")
    if (login := facts.login) is None:
        return unknown("the text names no role of the stack")
    if said == here:
        return ruled_out(f"{said} is the database of {login.role}")
    return confirmed(f"the database of {login.role} is {here}, not {said}")


def _is_analytics(facts: Facts) -> bool:
    return len(facts.suspects) == 1 and isinstance(facts.suspects[0], Analytics)


def _reader_makes_tables(facts: Facts) -> Answer:
    if _is_analytics(facts):
        return confirmed("analytics only reads; it may not create temporary tables either")
    return ruled_out("the role is not analytics")


def _reader_writes(facts: Facts) -> Answer:
    if _is_analytics(facts):
        return confirmed("analytics only reads: its transactions are read-only, and it has no privilege to write")
    return unknown("the stack makes no service read-only: its own code or driver does, or the server is a standby")


def _makes_schemas(facts: Facts) -> Answer:
    if facts.named.detail == "login":
        return ruled_out("the server refused a login, not a CREATE SCHEMA")
    return confirmed("a service may not create schemas, not even with IF NOT EXISTS: the stack creates them")


def _misspelt(facts: Facts) -> Answer:
    known = facts.catalog.databases
    said = facts.named.object or ""
    if said == facts.stack.server.database:
        return ruled_out("this is the stack's database" + ("" if said in known else ", which does not exist"))
    if alike := [name for name in known if name.lower() == said.lower() and name != said]:
        return confirmed(f"the database is called {alike[0]}; names in URLs are case-sensitive")
    return confirmed(f"the stack's database is {facts.stack.server.database}, not {said or 'this one'}")


def _not_made(facts: Facts) -> Answer:
    name = facts.stack.server.database
    if facts.refusal and facts.refusal.why is Why.NO_DATABASE:
        return confirmed(f"the server has no database {name}")
    if facts.refusal is not None:
        return unknown(f"the admin cannot log in: {facts.refusal.reason}")
    return ruled_out(f"database {name} exists")


def _make(facts: Facts) -> Remedy:
    server = facts.stack.server
    return remedies.command(f"createdb -h {server.host} -p {server.port} -U {server.user} '{server.database}'")


def _lost(right: str, otherwise: str) -> Cause:
    """The cause that a role lacks a declared privilege on the database."""

    def lacks(facts: Facts, finding: Finding) -> bool:
        who, _, what = finding.subject.partition(" on ")
        declared = facts.declared_roles
        concerned = {facts.role} if facts.role in declared else declared
        missed = what.startswith("database ") and right in finding.expected.split(", ")
        return missed and who in concerned and (who, right) not in facts.database_rights

    return Cause.of_check(
        f"the role lost {right} on the database",
        "grant",
        because=f"{{who}} lacks {right} on {{what}}, which is declared",
        otherwise=otherwise,
        so=lacks,
    )


STRANGER = Cause(
    "the stack file does not allow the role to connect",
    _not_of_the_stack,
    lambda facts: _outside(facts.role or "ROLE"),
)
MOVED = Cause("the role belongs to another database", _moved, remedies.new_url)
CONNECT_LOST = _lost(CONNECT, "every role of the stack file may connect")
TEMPORARY_LOST = _lost(TEMPORARY, "every service may create temporary tables")
READER = Cause(
    "analytics creates a temporary table",
    _reader_makes_tables,
    remedies.code("use WITH or a subquery instead of a temporary table"),
)
READER_WRITES = Cause(
    "analytics writes", _reader_writes, remedies.code("let the service that owns the table write to it")
)
SCHEMAS = Cause(
    "the service creates a schema",
    _makes_schemas,
    remedies.code(
        "remove CREATE SCHEMA (and CREATE DATABASE) from the service and its migrations: `pulumi up` creates the schema"
    ),
)
NOT_MADE = Cause("the stack's database does not exist", _not_made, _make)
MISSPELT = Cause("the URL names another database", _misspelt, remedies.new_url)
