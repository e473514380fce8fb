"""Causes of `permission denied for schema`."""

from __future__ import annotations

from engarde.doctor import paths, queries, remedies
from engarde.doctor.declarations import declaring, enters, named, owns
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, confirmed, ruled_out, unknown
from engarde.findings import Remedy
from engarde.model import Service
from engarde.names import PUBLIC
from engarde.quoting import statement


def denied(facts: Facts) -> list[str]:
    """The schemas that the error may be about: the one it names, or else every declared one."""
    stack = facts.stack
    declared = [*stack.schemas]
    if facts.named.kind != "schema":
        return declared
    # What is declared takes no server to know.
    known = facts.known_as(declared) or facts.known_as(facts.catalog.schemas)
    return [known] if known else []


def _another_owns_it(facts: Facts) -> Answer:
    for schema in denied(facts):
        service = facts.service_of(schema)
        if service not in facts.suspects:
            continue
        owner = facts.catalog.schemas[schema].owner if schema in facts.catalog.schemas else None
        if service and owner not in (service.role, None):
            sql = statement("ALTER SCHEMA {} OWNER TO {}", schema, service.role)
            return confirmed(
                f"schema {schema} is {owner}'s, not {service.role}'s",
                remedies.sql(facts, sql, ours=_ours(facts, owner)),
            )
    return ruled_out("the services' schemas are their roles' own")


def _ours(facts: Facts, owner: str | None) -> bool:
    return owner == facts.stack.server.user or owner in {login.role for login in facts.stack.logins}


def _owner_lost_it(facts: Facts) -> Answer:
    for schema in denied(facts):
        service = facts.service_of(schema)
        if service not in facts.suspects:
            continue
        lost = {each.right for each in facts.catalog.lost if each.kind == "schema" and each.schema == schema}
        if service and lost:
            sql = statement("GRANT ALL ON SCHEMA {} TO {}", schema, service.role)
            return confirmed(
                f"{service.role} has lost {', '.join(sorted(lost))} on its own schema", remedies.sql(facts, sql)
            )
    return ruled_out("owners have all rights on their schemas")


def _never_declared(facts: Facts) -> Answer:
    if facts.named.kind != "schema":
        return unknown("the text does not say on what")
    for schema in denied(facts):
        lacking = [
            login
            for login in facts.suspects
            if not owns(login, schema)
            and not enters(facts.stack, login, schema)
            and not facts.may_use(login.role, schema)
        ]
        if lacking:
            table = queries.table_in(facts.heard.lines, schema)
            because = f"the stack file lets {named(lacking)} read nothing in {schema}"
            return confirmed(because, declaring(facts, lacking, schema, table))
        return ruled_out(f"it may enter {schema}, or the stack file says that it may")
    return unknown(f"no schema of this name is in {facts.stack.server.database}")


def _not_granted(facts: Facts) -> Answer:
    for schema in denied(facts):
        for login in facts.suspects:
            declared = enters(facts.stack, login, schema) and not owns(login, schema)
            if declared and not facts.may_use(login.role, schema):
                return confirmed(f"{login.role} has no USAGE on {schema}, which the stack file gives it")
    return ruled_out("every declared USAGE is there")


def _path_leads_elsewhere(facts: Facts) -> Answer:
    if facts.named.kind == "schema" and any(queries.table_in(facts.heard.lines, schema) for schema in denied(facts)):
        return ruled_out("the statement names the schema itself")
    for login in facts.suspects:
        if found := paths.overridden(facts, login):
            return confirmed(*found)
    return ruled_out("every search_path is as declared")


def _creates_elsewhere(facts: Facts) -> Answer:
    said = queries.verb(facts.heard.lines)
    written = queries.tables(facts.heard.lines)
    if said == "CREATE" and written and not any(schema for schema, _ in written):
        return ruled_out("the statement names no schema")
    for schema in denied(facts) if facts.named.kind == "schema" else []:
        outsiders = [login for login in facts.suspects if not owns(login, schema)]
        making = said == "CREATE" or (said is None and schema == PUBLIC)
        if making and outsiders and not any(facts.may_create(login.role, schema) for login in outsiders):
            return confirmed(f"only its owner makes anything in {schema}", _without_schema(facts))
    return ruled_out("the statement makes nothing in another's schema")


def _without_schema(facts: Facts) -> Remedy:
    own = [login.schema_ for login in facts.suspects if isinstance(login, Service)]
    schema = own[0] if len(own) == 1 else "its own schema"
    return remedies.code(
        f"name no schema in CREATE, or {schema}: without one it is made in the service's own",
        f'Alembic: context.configure(version_table_schema="{own[0] if len(own) == 1 else "SCHEMA"}")',
    )


def _declare(facts: Facts) -> Remedy:
    schema = facts.known_as([service.schema_ for service in facts.stack.services]) or "SCHEMA"
    return declaring(facts, list(facts.suspects), schema, queries.table_in(facts.heard.lines, schema))


OWNER = Cause("the service's own schema belongs to somebody else", _another_owns_it, remedies.up)
OWNER_LOST = Cause("the schema's owner has given up its own rights", _owner_lost_it, remedies.up)
SEARCH_PATH = Cause("the role's search_path leads to another schema", _path_leads_elsewhere, remedies.up)
NOT_DECLARED = Cause("no read in this schema is declared", _never_declared, _declare)
NOT_GRANTED = Cause("it is declared, and was not granted or taken away since", _not_granted, remedies.up)
CREATES = Cause("the service makes something outside of its own schema", _creates_elsewhere, _without_schema)
