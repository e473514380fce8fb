"""What the stack file says of a role and an object, beside what the role has."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from engarde.declaration.model import DatabaseStack, Service
from engarde.declaration.names import PUBLIC, spelled
from engarde.declaration.privileges import REFERENCES, On, Privilege, creators, expected
from engarde.explain.access_paths import Held, Way
from engarde.explain.facts import EXECUTE, SELECT, Thing
from engarde.util.quoting import statement

_OWNERS: dict[str, LiteralString] = {
    "table": "ALTER TABLE {}.{} OWNER TO {}",
    "partitioned table": "ALTER TABLE {}.{} OWNER TO {}",
    "foreign table": "ALTER FOREIGN TABLE {}.{} OWNER TO {}",
    "view": "ALTER VIEW {}.{} OWNER TO {}",
    "materialized view": "ALTER MATERIALIZED VIEW {}.{} OWNER TO {}",
    "sequence": "ALTER SEQUENCE {}.{} OWNER TO {}",
}


@dataclass(frozen=True, slots=True)
class Declaration:
    """That the stack file gives a right."""

    columns: tuple[str, ...]
    """the only ones that it is on"""
    by: str
    """what in the stack file"""


def judged(stack: DatabaseStack, role: str) -> bool:
    """Whether the stack says all that a role may do: its own roles and PUBLIC, not the admin and roles outside."""
    return role == PUBLIC or role in stack.roles


def declarations(stack: DatabaseStack, role: str, thing: Thing, right: str) -> tuple[Declaration, ...]:
    """Everything in the stack file that gives a role this right on an object, as its own or as everybody's."""
    owned = _by_owning(stack, role, thing)
    granted = tuple(
        Declaration(row.columns, "everybody's" if row.grantee == PUBLIC else _BY[row.on])
        for row in sorted(expected(stack), key=repr)
        if row.grantee in (role, PUBLIC) and right in row.rights and _is_on(row, thing)
    )
    return (*([Declaration((), owned)] if owned else []), *granted)


def _by_owning(stack: DatabaseStack, role: str, thing: Thing) -> str | None:
    schema = thing.name if thing.group == "schema" else thing.schema
    if any(service.role == role and service.schema_ == schema for service in stack.services):
        return "its own schema"
    if thing.schema is not None and thing.owner == role and role in creators(stack, thing.schema):
        return "it makes tables in this schema"
    return None


_BY = {
    On.DATABASE: "its way in",
    On.SCHEMA: "for its reads",
    On.TABLE: "its reads",
    On.COLUMNS: "its reads",
    On.FUNCTION: "its calls",
    On.TABLES: "it reads the whole schema",
    On.SEQUENCES: "it reads the whole schema",
}


def _is_on(row: Privilege, thing: Thing) -> bool:
    if thing.group == "database":
        return row.on == On.DATABASE and row.database == thing.name
    if thing.group == "schema":
        return row.on == On.SCHEMA and row.schema == thing.name
    if row.schema != thing.schema:
        return False
    if thing.group == "function":
        return row.on == On.FUNCTION and row.function == f"{thing.name}({thing.types})"
    if thing.kind == "sequence":
        return row.on == On.SEQUENCES
    return row.on == On.TABLES or (row.on in (On.TABLE, On.COLUMNS) and row.table == thing.name)


def covered(stack: DatabaseStack, role: str, thing: Thing, right: str, ways: Sequence[Way]) -> str | None:
    """What in the stack file allows for a right that a role has in these ways; None when nothing does."""
    declared = declarations(stack, role, thing, right)
    whole = [declaration for declaration in declared if not declaration.columns]
    if whole:
        return f"declared: {whole[0].by}"
    if any(_is_built_in(way) for way in ways) and not _takes_away_what_is_built_in(stack, thing):
        return "built in, and the stack leaves it"
    on_columns = {column for declaration in declared for column in declaration.columns}
    having = [way.source.columns for way in ways]
    if having and all(columns and on_columns.issuperset(columns) for columns in having):
        return f"declared: {declared[0].by}"
    return None


def enough(stack: DatabaseStack, role: str, thing: Thing, right: str, held: Held) -> bool:
    """Whether a role has at once what is declared of a right."""
    declared = declarations(stack, role, thing, right)
    return held.whole or all(
        declaration.columns and held.columns.issuperset(declaration.columns) for declaration in declared
    )


def _is_built_in(way: Way) -> bool:
    return way.at_once and way.source.holder == PUBLIC and way.source.grantor is None


def _takes_away_what_is_built_in(stack: DatabaseStack, thing: Thing) -> bool:
    if thing.group == "function":
        return not thing.provided and any(service.schema_ == thing.schema for service in stack.services)
    return any(row.grantee == PUBLIC and _is_on(row, thing) for row in expected(stack))


def not_granted_yet(stack: DatabaseStack, role: str, thing: Thing, right: str, *, trusted: bool) -> str | None:
    """What gives a role a declared right that it does not have; None when it is not declared.

    :param trusted: whether the thing is the admin's or a superuser's.
    """
    if _by_owning(stack, role, thing) and thing.group != "schema":
        if thing.owner == role:
            return "its own; it took the right from itself, and may grant it to itself again"
        # What another wrote would run with its new owner's rights.
        given = trusted or thing.kind in ("table", "partitioned table", "sequence")
        heal = _owned_by(thing, role) if given else f"bin/engarde doctor --stack {stack.name}"
        return f"in its own schema, but {thing.owner}'s: {heal}"
    if not declarations(stack, role, thing, right):
        return None
    return f"declared, not granted yet: bin/pulumi up --refresh --stack {stack.name}"


def _owned_by(thing: Thing, role: str) -> str:
    if thing.group == "function":
        # Its arguments stand in the identity, which is SQL already.
        return f"ALTER ROUTINE {thing.identity} {statement('OWNER TO {}', role)}"
    return statement(_OWNERS[thing.kind], thing.schema or "", thing.name, role)


def how_to_declare(stack: DatabaseStack, role: str, thing: Thing, right: str) -> str | None:
    """The line of the stack file that would give a role a right; None when there is no such line or no such need."""
    file = f"Pulumi.{stack.name}.yaml"
    service = next((service for service in stack.services if service.role == role), None)
    if service:
        return _for_service(stack, service, thing, right, file)
    if stack.analytics and role == stack.analytics.role:
        return _for_analytics(stack, thing, right, file)
    if thing.group == "database" and thing.name == stack.server.database and role not in (PUBLIC, stack.server.user):
        return f"to declare it: engarde:outsideRoles.{role}.database in {file}, with {right} in its list"
    if role in {outsider.name for outsider in stack.outside_roles} and _is_read(thing, right):
        return f"to declare it: engarde:outsideRoles.{role}.reads: [{_item(thing, right)}] in {file}, then {_up(stack)}"
    existing = {existing.name for existing in stack.existing_schemas}
    if (
        thing.group == "schema"
        and thing.name in existing
        and role in {outsider.name for outsider in stack.outside_roles}
    ):
        return f"to declare it: engarde:outsideRoles.{role}.schemas.{thing.name} in {file}, with {right} in its list"
    return None


def _for_service(stack: DatabaseStack, service: Service, thing: Thing, right: str, file: str) -> str | None:
    if right == EXECUTE and thing.group == "function" and not thing.provided:
        key, item = "executes", _json(f"{spelled(thing.schema or '', thing.name)}({thing.types})")
    elif _is_read(thing, right):
        key, item = "reads", _item(thing, right)
    else:
        return None
    line = f"to declare it: engarde:services.{service.name}.{key}: [{item}] in {file}, then {_up(stack)}"
    return line if thing.schema in stack.schemas else f"{line}; and its schema under engarde:existingSchemas"


def _is_read(thing: Thing, right: str) -> bool:
    return right in (SELECT, REFERENCES) and thing.group == "relation" and thing.kind != "sequence"


def _item(thing: Thing, right: str) -> str:
    """What a list of reads has to hold for it, as YAML."""
    name = _json(spelled(thing.schema or "", thing.name))
    return name if right == SELECT else f"{{table: {name}, references: true}}"


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _for_analytics(stack: DatabaseStack, thing: Thing, right: str, file: str) -> str | None:
    if right != SELECT or thing.group != "relation":
        return None
    where = "engarde:analytics.schemas" if thing.schema in stack.schemas else "engarde:existingSchemas"
    return f"to declare it: {thing.schema} under {where} in {file}, then {_up(stack)}"


def _up(stack: DatabaseStack) -> str:
    return f"bin/pulumi up --stack {stack.name}"


def limit(stack: DatabaseStack, role: str, thing: Thing) -> str | None:
    """What no line of the stack file can give a role of the stack on an object; None where that is not so."""
    if stack.analytics and role == stack.analytics.role:
        return "analytics only reads: no line of the stack file gives it more than SELECT"
    if any(service.role == role for service in stack.services) and not _by_owning(stack, role, thing):
        return "outside its own schema the stack file gives a service SELECT, REFERENCES and EXECUTE at most"
    return None
