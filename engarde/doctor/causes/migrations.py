"""Causes of `Can't locate revision identified by`."""

from engarde.declaration.names import PUBLIC
from engarde.declaration.resource_names import login_name
from engarde.doctor import remedies
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, confirmed, ruled_out, unknown
from engarde.output.findings import Remedy


def _holding(facts: Facts) -> list[str]:
    wanted = facts.named.revision
    return [
        table.schema
        for table in facts.observed.version_tables
        if table.revisions is not None and (wanted is None or wanted in table.revisions)
    ]


def _in_public(facts: Facts) -> Answer:
    if PUBLIC not in _holding(facts):
        return ruled_out("public has no alembic_version with this revision")
    if (runner := facts.service) and runner.schema_ in _holding(facts):
        return ruled_out(f"{runner.schema_}.alembic_version, the service's own, has this revision")
    return confirmed(
        "the revision is in public.alembic_version, which a service uses if it has no alembic_version of its own"
    )


def _anothers(facts: Facts) -> Answer:
    runner = facts.service
    holding = [schema for schema in _holding(facts) if schema != PUBLIC]
    if runner and runner.schema_ in holding:
        return ruled_out(f"the revision is in {runner.schema_}.alembic_version, which is {runner.name}'s own")
    if runner and holding:
        return confirmed(f"the revision is in {holding[0]}.alembic_version, which belongs to another service")
    return ruled_out("no other service's alembic_version has this revision")


def _older_code(facts: Facts) -> Answer:
    runner = facts.service
    for schema in _holding(facts):
        service = facts.service_of(schema)
        if service and (runner is None or service == runner):
            because = f"{schema}.alembic_version has this revision, so newer code has applied it"
            return confirmed(because, _newer(service.name))
    return ruled_out("no service's own alembic_version has this revision now")


def _unreadable(facts: Facts) -> Answer:
    closed = [table for table in facts.observed.version_tables if table.unread]
    if closed:
        return unknown("; ".join(f"{table.identity} was not read: {table.unread}" for table in closed))
    return ruled_out("every alembic_version was read")


def _own_table(facts: Facts) -> Remedy:
    runner = facts.service
    schema = runner.schema_ if runner else "SCHEMA"
    return remedies.code(
        f'alembic/env.py: context.configure(..., version_table_schema="{schema}")',
        "with this, the service has its own alembic_version; do not change the other one, which belongs to others",
    )


def _newer(name: str) -> Remedy:
    return remedies.code(
        f"deploy {name} with this migration in its versions folder, or downgrade the database with the newer code"
    )


IN_PUBLIC = Cause("the service uses the alembic_version in public", _in_public, _own_table)
SHARED = Cause("the service uses another service's alembic_version", _anothers, _own_table)
OLDER = Cause(
    "the service's code is older than the database",
    _older_code,
    lambda facts: _newer(login_name(facts.suspects[0]) if len(facts.suspects) == 1 else "the service"),
)
UNREADABLE = Cause("the revision is in an alembic_version that could not be read", _unreadable, _own_table)
