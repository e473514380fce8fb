"""What an admin that is no superuser needs for a stack, and the SQL that gives what it lacks."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, LiteralString

from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import PUBLIC, SYSTEM
from engarde.declaration.parameters import split_path
from engarde.declaration.privileges import beyond, readings
from engarde.errors import Refused
from engarde.server import functions
from engarde.server.catalog import Shadow
from engarde.server.libpq import given_environment
from engarde.server.session import Session
from engarde.util.quoting import printable, quoted, statement
from engarde.util.terminal import indented

# Not on ALL TABLES: where the admin may act as the owner, too, what it grants as itself would never be revoked.
_GRANTABLE: dict[str, LiteralString] = {
    "table": "GRANT SELECT ON TABLE {}.{} TO {} WITH GRANT OPTION",
    "referenced table": "GRANT SELECT, REFERENCES ON TABLE {}.{} TO {} WITH GRANT OPTION",
    "sequence": "GRANT SELECT ON SEQUENCE {}.{} TO {} WITH GRANT OPTION",
}


@dataclass(frozen=True, slots=True)
class Admin:
    """The role that the stack is brought up with."""

    name: str
    superuser: bool
    createrole: bool
    major: int
    """of the server"""


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the server, as the admin stands to it."""

    name: str
    superuser: bool
    manageable: bool
    """the admin may change it"""
    reachable: bool
    """the admin may act as it"""


@dataclass(frozen=True, slots=True)
class Owned:
    """Something that exists, and whose it is."""

    kind: Literal["database", "schema", "table", "sequence", "function"]
    schema: str
    name: str | None
    owner: str
    grantable: bool
    """the admin may grant SELECT on it, or EXECUTE"""
    referable: bool = True
    """and REFERENCES"""


@dataclass(frozen=True, slots=True)
class AdminSnapshot:
    """What the server says about the admin and about what it has to work on."""

    admin: Admin
    roles: tuple[Role, ...]
    owned: tuple[Owned, ...]
    extensions: frozenset[str]
    """those that the admin can have"""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """one that is there and that the admin cannot move -> the schema that it is in"""


@dataclass(frozen=True, slots=True, order=True)
class Missing:
    """A right that the admin lacks."""

    sql: str
    """one statement, for a superuser to run in the stack's database"""
    needed: str
    """what for"""

    def __str__(self) -> str:
        return f"{self.sql}  -- {self.needed}"


def admin(asked: Session) -> Admin:
    return asked.query("admin", Admin)[0]


def ask(stack: DatabaseStack, asked: Session) -> AdminSnapshot:
    owned = asked.query("owners", Owned, schemas=sorted(schemas(stack)))
    owned += [
        Owned("function", function.schema, function.identity, function.owner, function.grantable)
        for function in functions.of_stack(asked, stack).values()
    ]
    extensions, fixed = frozenset(asked.values("extensions")), dict(asked.tuples("extensions_fixed"))
    return AdminSnapshot(admin(asked), tuple(asked.query("roles", Role)), tuple(owned), extensions, fixed)


def schemas(stack: DatabaseStack) -> frozenset[str]:
    """The schemas on which, or inside which, the stack grants something."""
    of_services = {schema for service in stack.services for schema in (service.schema_, *beyond(service))}
    of_roles = {schema for role in stack.outside_roles for schema in role.schemas}
    read = {read.schema_ for _, read in readings(stack)}
    return frozenset({PUBLIC, *of_services, *stack.analytics_schemas, *of_roles, *read})


def missing(stack: DatabaseStack, found: AdminSnapshot) -> list[Missing]:
    """Every right that the admin lacks, each once; none for a superuser."""
    if found.admin.superuser:
        return []
    by_name = {role.name: role for role in found.roles}
    lacking = [*_over_roles(stack, found.admin, by_name)]
    if not found.admin.createrole:
        lacking.append(Missing(statement("ALTER ROLE {} CREATEROLE", found.admin.name), "to make roles"))
    for owned in found.owned:
        lacking += _over_owned(stack, found.admin, by_name[owned.owner], owned)
    lacking += _over_creators(stack, found.admin, by_name)
    for extension in stack.extensions:
        if extension.name not in found.extensions:
            sql = statement("CREATE EXTENSION IF NOT EXISTS {} SCHEMA {}", extension.name, extension.schema_)
            lacking.append(Missing(sql, "an extension that takes a superuser"))
        elif extension.schema_ != found.fixed.get(extension.name, extension.schema_):
            lacking.append(Missing(moving(extension.name, extension.schema_), "an extension of a superuser's parts"))
    return sorted({right.sql: right for right in lacking}.values())


def moving(extension: str, schema: str) -> str:
    return statement("ALTER EXTENSION {} SET SCHEMA {}", extension, schema)


def _over_roles(stack: DatabaseStack, admin: Admin, roles: dict[str, Role]) -> Iterator[Missing]:
    for name in (login.role for login in stack.logins):
        role = roles.get(name)
        if role and role.superuser:
            yield Missing(statement("ALTER ROLE {} NOSUPERUSER", name), "a role of the stack that is a superuser")
        elif role and not role.manageable:
            sql = statement("GRANT {} TO {} WITH ADMIN OPTION", name, admin.name)
            yield Missing(sql, "a role of the stack that somebody else has made")


def _over_owned(stack: DatabaseStack, admin: Admin, owner: Role, owned: Owned) -> Iterator[Missing]:
    # The stack lets the admin act as the services.
    if owner.reachable or owner.name in {login.role for login in stack.logins}:
        return
    if owned.kind == "database":
        sql = statement("ALTER DATABASE {} OWNER TO {}", owned.schema, admin.name)
        yield Missing(sql, "to make schemas and to say who may connect")
    elif not owner.superuser:
        yield Missing(statement("GRANT {} TO {}", owner.name, admin.name), f"the owner of what is in {owned.schema}")
    elif owned.kind == "schema":
        sql = statement("ALTER SCHEMA {} OWNER TO {}", owned.schema, admin.name)
        yield Missing(sql, "to say who may use it and create in it")
    elif owned.kind == "function":
        if not owned.grantable:
            # The identity is SQL already.
            sql = printable(f"GRANT EXECUTE ON ROUTINE {owned.name} TO {quoted(admin.name)} WITH GRANT OPTION;")
            yield Missing(sql, "to let others call what a superuser owns")
    elif not owned.referable and _is_read(stack, owned, referring=True):
        sql = statement(_GRANTABLE["referenced table"], owned.schema, owned.name or "", admin.name)
        yield Missing(sql, "to let others read, and point foreign keys at, what a superuser owns")
    elif not owned.grantable and (owned.schema in stack.analytics_schemas or _is_read(stack, owned)):
        sql = statement(_GRANTABLE[owned.kind], owned.schema, owned.name or "", admin.name)
        yield Missing(sql, "to let others read what a superuser owns")


def _is_read(stack: DatabaseStack, owned: Owned, *, referring: bool = False) -> bool:
    """Whether it is declared to be read, or to be read and `referring`."""
    reads = (read for _, read in readings(stack) if read.references or not referring)
    return any((owned.schema, owned.name) == (read.schema_, read.table) for read in reads)


def _over_creators(stack: DatabaseStack, admin: Admin, roles: dict[str, Role]) -> Iterator[Missing]:
    for schema in stack.existing_schemas:
        for creator in schema.creators if schema.name in stack.analytics_schemas else ():
            role = roles.get(creator)
            if role and not role.reachable:
                why = f"for what it makes in {schema.name} later"
                if role.superuser:
                    why += "; this is a superuser's power: better name who else makes tables there, under creators"
                yield Missing(statement("GRANT {} TO {}", creator, admin.name), why)


_GIVEN_PATH = re.compile(r"search[_-]path=((?:\\.|[^\s\\])*)")

WantedExtension = tuple[str, str, str | None]
"""Name, schema and version of one that is to be in a database; without a version, what is there or the default."""


def refuse_shadows(stack: DatabaseStack, asked: Session) -> None:
    """Has to hold before the provider logs in as the admin.

    :raises Refused: somebody else chooses what runs as the admin.
    """
    # What the provider's sessions search: as PGOPTIONS says, else as the server gives it to the admin.
    given = _GIVEN_PATH.findall(given_environment().get("PGOPTIONS", ""))
    told = re.sub(r"\\(.)", r"\1", given[-1]) if given else asked.tuples("default_path")[0][0]
    path = [stack.server.user if schema == "$user" else schema for schema in split_path(told)]
    schemas = [schema for schema in path if schema not in (SYSTEM, "pg_temp")]
    ahead = path[: path.index(SYSTEM)] if SYSTEM in path else []
    if shadows := asked.query("shadows", Shadow, admin=stack.server.user, schemas=schemas, ahead=ahead):
        raise Refused(
            f"in database {stack.server.database}, functions, operators or tables of other roles have names of"
            f" PostgreSQL's own and are in the search_path of {stack.server.user}: a run of plain `pulumi` would"
            " execute them with the admin's privileges. Nothing was changed. Run `bin/pulumi`, whose sessions search"
            f" pg_catalog alone; or take the names away first:\n{_shadow_lines(shadows)}"
        )
    wanted = [(extension.name, extension.schema_, extension.version) for extension in stack.extensions]
    refuse_for_extensions(stack, wanted, asked)


def refuse_for_extensions(stack: DatabaseStack, extensions: Sequence[WantedExtension], asked: Session) -> None:
    """Has to hold before the admin makes these in the stack's database: their scripts search the schemas they are in.

    :raises Refused: somebody else chooses what runs as the admin.
    """
    schemas = asked.values(
        "extension_paths",
        names=[name for name, _, _ in extensions],
        schemas=[schema for _, schema, _ in extensions],
        versions=[version for _, _, version in extensions],
    )
    if shadows := asked.query("shadows", Shadow, admin=stack.server.user, schemas=schemas, ahead=[]):
        raise Refused(
            f"in database {stack.server.database}, functions, operators or tables of other roles have names of"
            " PostgreSQL's own and are where an extension is to be made or updated: CREATE EXTENSION would run them"
            " with the admin's privileges. Nothing was changed in this database. Take the names away first:"
            f"\n{_shadow_lines(shadows)}"
        )


def _shadow_lines(shadows: Iterable[Shadow]) -> str:
    return indented(f"{shadow.remedy};  -- owner: {shadow.owner}" for shadow in shadows)
