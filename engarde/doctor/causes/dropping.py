"""Causes of schemas and roles that cannot be dropped."""

from engarde.declaration.loader import password_words
from engarde.doctor import remedies
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, confirmed, ruled_out
from engarde.doctor.rows import HeldByRole, InSchema
from engarde.output.findings import Remedy
from engarde.util.quoting import statement, word
from engarde.util.terminal import first_few

SHOWN = 3


def _holds_data(facts: Facts) -> Answer:
    if facts.named.kind == "role":
        return ruled_out("it is about a role")
    schema = facts.known_as(facts.catalog.schemas)
    if schema is None:
        return ruled_out("no such schema is there now")
    held = facts.session.query("in_schema", InSchema, schemas=[schema])
    if not held:
        return ruled_out(f"schema {schema} is empty")
    shown = first_few([holding.object for holding in held], SHOWN)
    return confirmed(f"schema {schema} holds {shown}", _retire(facts, schema))


def _role_holds(facts: Facts) -> Answer:
    name = facts.known_as(facts.catalog.roles)
    if facts.named.kind != "role" or name is None:
        return ruled_out("it is about no role that is there now")
    held = facts.session.query("held_by_role", HeldByRole, role=name)
    if not held:
        return ruled_out(f"nothing depends on {name}")
    here = facts.stack.server.database
    parts = [
        f"{holding.amount} {'owned' if holding.owned else 'rights'} in {holding.database or 'the server'}"
        for holding in held
    ]
    service = next((service for service in facts.stack.services if service.role == name), None)
    if service:
        return confirmed(f"{name}: {', '.join(parts)}; it is a service of the stack", _retire(facts, service.schema_))
    others = sorted({holding.database for holding in held if holding.database} - {here})
    where = f"; then the same in {', '.join(others)}" if others else ""
    # Given away first, so that DROP OWNED takes rights and no data.
    sql = (
        statement("REASSIGN OWNED BY {} TO {}", name, facts.stack.server.user)
        + "\n"
        + statement("DROP OWNED BY {}", name)
    )
    return confirmed(f"{name}: {', '.join(parts)}{where}", remedies.sql(facts, sql))


def _retire(facts: Facts, schema: str) -> Remedy:
    """A copy, and only where that succeeded the drop: as the README retires a service."""
    server, service = facts.stack.server, facts.service_of(schema)
    password = password_words(facts.stack.label if facts.stack.elsewhere else None)
    pattern = word('"' + schema.replace('"', '""') + '"')
    who = word(service.name) if service else "admin"
    drop = word(statement("DROP SCHEMA {} CASCADE", schema))
    copy = word(f"{schema}.sql")
    at = f"-h {server.host} -p {server.port} -U {word(server.user)}"
    return remedies.command(
        f'export PGPASSWORD="$(bin/pulumi config get {password} --stack {facts.stack.name})"',
        f"pg_dump {at} -n {pattern} -f {copy} {word(server.database)} \\",
        f"  && bin/engarde psql {who} --stack {facts.stack.name} -c {drop}",
    )


def _retire_named(facts: Facts) -> Remedy:
    return _retire(facts, facts.known_as([service.schema_ for service in facts.stack.services]) or "SCHEMA")


DATA = Cause("the schema holds data", _holds_data, _retire_named)
ROLE = Cause("the role owns something, or has rights somewhere", _role_holds, _retire_named)
