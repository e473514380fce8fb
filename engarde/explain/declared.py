"""What the stack file declares for a role and an object, compared with the role's privileges."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import PUBLIC, spelled
from engarde.declaration.privileges import EXECUTE, REFERENCES, SELECT, On, Privilege, creators, expected
from engarde.declaration.stack_names import file_name
from engarde.explain.access_paths import Held, Way
from engarde.explain.facts import Thing
from engarde.util.quoting import printable, quoted


@dataclass(frozen=True, slots=True)
class Declaration:
    """A privilege that the stack file declares."""

    columns: tuple[str, ...]
    """if it is on these columns only"""
    by: str
    """the part of the stack file that declares it"""


def judged(stack: DatabaseStack, role: str) -> bool:
    """Whether the stack declares everything that a role may do: true of its own roles and PUBLIC only."""
    return role == PUBLIC or role in stack.roles


def declarations(stack: DatabaseStack, role: str, thing: Thing, right: str) -> tuple[Declaration, ...]:
    """The declarations that give a role this privilege on an object, to itself or to PUBLIC."""
    owned = _by_owning(stack, role, thing)
    granted = tuple(
        Declaration(row.columns, "for PUBLIC" if row.grantee == PUBLIC else _BY[row.on])
        for row in sorted(expected(stack), key=repr)
        if row.grantee in (role, PUBLIC) and right in row.rights and _is_on(row, thing)
    )
    return (*([Declaration((), owned)] if owned else []), *granted)


def _by_owning(stack: DatabaseStack, role: str, thing: Thing) -> str | None:
    schema = thing.name if thing.group == "schema" else thing.schema
    if any(service.role == role and service.schema_ == schema for service in stack.services):
        return "its own schema"
    if thing.schema is not None and thing.owner == role and role in creators(stack, thing.schema):
        return "it creates tables in this schema"
    return None


_BY = {
    On.DATABASE: "its access to the database",
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
    """The declaration that allows a privilege which a role has in these ways; None if nothing does."""
    declared = declarations(stack, role, thing, right)
    whole = [declaration for declaration in declared if not declaration.columns]
    if whole:
        return f"declared: {whole[0].by}"
    built_in = any(way.at_once and way.source.holder == PUBLIC and way.source.grantor is None for way in ways)
    if built_in and not _takes_away_what_is_built_in(stack, thing):
        return "built in; the stack does not change it"
    on_columns = {column for declaration in declared for column in declaration.columns}
    having = [way.source.columns for way in ways]
    if having and all(columns and on_columns.issuperset(columns) for columns in having):
        return f"declared: {declared[0].by}"
    return None


def enough(stack: DatabaseStack, role: str, thing: Thing, right: str, held: Held) -> bool:
    """Whether a role has the declared part of a privilege at once."""
    declared = declarations(stack, role, thing, right)
    return held.whole or all(
        declaration.columns and held.columns.issuperset(declaration.columns) for declaration in declared
    )


def _takes_away_what_is_built_in(stack: DatabaseStack, thing: Thing) -> bool:
    if thing.group == "function":
        return not thing.provided and any(service.schema_ == thing.schema for service in stack.services)
    return any(row.grantee == PUBLIC and _is_on(row, thing) for row in expected(stack))


def not_granted_yet(stack: DatabaseStack, role: str, thing: Thing, right: str, *, trusted: bool) -> str | None:
    """How a role gets a declared privilege that it lacks; None if the privilege is not declared.

    :param trusted: whether the object belongs to the admin or a superuser.
    """
    if _by_owning(stack, role, thing) and thing.group != "schema":
        if thing.owner == role:
            return "its own object: it revoked the privilege from itself, and may grant it to itself again"
        # Code of another role would run with the privileges of its new owner.
        given = trusted or thing.kind in ("table", "partitioned table", "sequence")
        heal = _owned_by(thing, role) if given else f"bin/engarde doctor --stack {stack.name}"
        return f"in its own schema, but owned by {thing.owner}: `{heal}`"
    if not declarations(stack, role, thing, right):
        return None
    return f"declared, not granted yet: `bin/pulumi up --refresh --stack {stack.name}`"


def _owned_by(thing: Thing, role: str) -> str:
    # The identity of a function has its arguments, and is SQL already.
    kind, name = "ROUTINE", thing.identity
    if thing.group != "function":
        kind, name = thing.kind.removeprefix("partitioned ").upper(), quoted(thing.schema or "", thing.name)
    return printable(f"ALTER {kind} {name} OWNER TO {quoted(role)};")


def how_to_declare(stack: DatabaseStack, role: str, thing: Thing, right: str) -> str | None:
    """The line of the stack file that would declare a privilege; None if no line can."""
    if (declared := _declaring(stack, role, thing, right)) is None:
        return None
    key, more = declared
    return f"to declare it: {key} in {file_name(stack.name)}, {more}"


def _declaring(stack: DatabaseStack, role: str, thing: Thing, right: str) -> tuple[str, str] | None:
    """The key for the stack file, and what else to do."""
    up, listed = f"then `bin/pulumi up --stack {stack.name}`", f"with {right} in its list"
    declares_schema = thing.schema in stack.schemas
    is_read = right in (SELECT, REFERENCES) and thing.group == "relation" and thing.kind != "sequence"
    name = spelled(thing.schema or "", thing.name)
    read = _json(name) if right == SELECT else f"{{table: {_json(name)}, references: true}}"
    if service := next((service for service in stack.services if service.role == role), None):
        if right == EXECUTE and thing.group == "function" and not thing.provided:
            key = f"executes: [{_json(f'{name}({thing.types})')}]"
        elif is_read:
            key = f"reads: [{read}]"
        else:
            return None
        also = "" if declares_schema else "; and its schema under engarde:existingSchemas"
        return f"`engarde:services.{service.name}.{key}`", f"{up}{also}"
    if stack.analytics and role == stack.analytics.role:
        if right != SELECT or thing.group != "relation":
            return None
        where = "engarde:analytics.schemas" if declares_schema else "engarde:existingSchemas"
        return f"{thing.schema} under {where}", up
    if thing.group == "database" and thing.name == stack.server.database and role not in (PUBLIC, stack.server.user):
        return f"`engarde:outsideRoles.{role}.database`", listed
    if role not in {outsider.name for outsider in stack.outside_roles}:
        return None
    if is_read:
        return f"`engarde:outsideRoles.{role}.reads: [{read}]`", up
    if thing.group == "schema" and thing.name in {existing.name for existing in stack.existing_schemas}:
        return f"`engarde:outsideRoles.{role}.schemas.{thing.name}`", listed
    return None


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def limit(stack: DatabaseStack, role: str, thing: Thing) -> str | None:
    """The limit of what the stack file can give a role of the stack on an object; None if there is none."""
    if stack.analytics and role == stack.analytics.role:
        return "analytics only reads: no line of the stack file gives it more than SELECT"
    if any(service.role == role for service in stack.services) and not _by_owning(stack, role, thing):
        return "outside its own schema, the stack file can give a service only SELECT, REFERENCES and EXECUTE"
    return None
