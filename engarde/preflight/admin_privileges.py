"""The privileges that an admin without SUPERUSER needs for a stack, and the SQL that grants missing ones."""

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

# Not on ALL TABLES: an admin that may also act as the owner would never revoke what it grants as itself.
_GRANTABLE: dict[str, LiteralString] = {
    "table": "GRANT SELECT ON TABLE {}.{} TO {} WITH GRANT OPTION",
    "referenced table": "GRANT SELECT, REFERENCES ON TABLE {}.{} TO {} WITH GRANT OPTION",
    "sequence": "GRANT SELECT ON SEQUENCE {}.{} TO {} WITH GRANT OPTION",
}


@dataclass(frozen=True, slots=True)
class Admin:
    """The admin's role."""

    name: str
    superuser: bool
    createrole: bool
    major: int
    """of the server"""


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the server, and what the admin may do with it."""

    name: str
    superuser: bool
    manageable: bool
    """the admin may change it"""
    reachable: bool
    """the admin may act as it"""


@dataclass(frozen=True, slots=True)
class Owned:
    """An object and its owner."""

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
    """The admin, and the roles and objects of the server that the stack works on."""

    admin: Admin
    roles: tuple[Role, ...]
    owned: tuple[Owned, ...]
    extensions: frozenset[str]
    """those that exist or that the admin may create"""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """existing extension that a superuser can move and the admin cannot -> its schema"""


@dataclass(frozen=True, slots=True, order=True)
class Missing:
    """A privilege that the admin lacks."""

    sql: str
    """one statement, for a superuser to run in the stack's database"""
    needed: str
    """what for; begins with `to`"""

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
    """The schemas in which, or on which, the stack grants something."""
    of_services = {schema for service in stack.services for schema in (service.schema_, *beyond(service))}
    of_roles = {schema for role in stack.outside_roles for schema in role.schemas}
    read = {read.schema_ for _, read in readings(stack)}
    return frozenset({PUBLIC, *of_services, *stack.analytics_schemas, *of_roles, *read})


def missing(stack: DatabaseStack, found: AdminSnapshot) -> list[Missing]:
    """Every privilege that the admin lacks, each once; none for a superuser."""
    if found.admin.superuser:
        return []
    by_name = {role.name: role for role in found.roles}
    lacking = [*_over_roles(stack, found.admin, by_name)]
    if not found.admin.createrole:
        lacking.append(Missing(statement("ALTER ROLE {} CREATEROLE", found.admin.name), "to create roles"))
    for owned in found.owned:
        lacking += _over_owned(stack, found.admin, by_name[owned.owner], owned)
    lacking += _over_creators(stack, found.admin, by_name)
    for extension in stack.extensions:
        if extension.name not in found.extensions:
            sql = statement("CREATE EXTENSION IF NOT EXISTS {} SCHEMA {}", extension.name, extension.schema_)
            lacking.append(Missing(sql, "to have an extension that only a superuser may create"))
        elif extension.schema_ != found.fixed.get(extension.name, extension.schema_):
            sql = moving(extension.name, extension.schema_)
            lacking.append(Missing(sql, "to move an extension that only a superuser may move"))
    return sorted({right.sql: right for right in lacking}.values())


def moving(extension: str, schema: str) -> str:
    return statement("ALTER EXTENSION {} SET SCHEMA {}", extension, schema)


def _over_roles(stack: DatabaseStack, admin: Admin, roles: dict[str, Role]) -> Iterator[Missing]:
    for name in (login.role for login in stack.logins):
        role = roles.get(name)
        if role and role.superuser:
            yield Missing(statement("ALTER ROLE {} NOSUPERUSER", name), "to manage a role that is a superuser")
        elif role and not role.manageable:
            sql = statement("GRANT {} TO {} WITH ADMIN OPTION", name, admin.name)
            yield Missing(sql, "to manage a role that another role created")


def _over_owned(stack: DatabaseStack, admin: Admin, owner: Role, owned: Owned) -> Iterator[Missing]:
    # The stack lets the admin act as the services.
    if owner.reachable or owner.name in {login.role for login in stack.logins}:
        return
    if owned.kind == "database":
        sql = statement("ALTER DATABASE {} OWNER TO {}", owned.schema, admin.name)
        yield Missing(sql, "to create schemas and to control who may connect")
    elif not owner.superuser:
        sql = statement("GRANT {} TO {}", owner.name, admin.name)
        yield Missing(sql, f"to act as the owner of objects in {owned.schema}")
    elif owned.kind == "schema":
        sql = statement("ALTER SCHEMA {} OWNER TO {}", owned.schema, admin.name)
        yield Missing(sql, "to control who may use it and create in it")
    elif owned.kind == "function":
        if not owned.grantable:
            # The identity is SQL already.
            sql = printable(f"GRANT EXECUTE ON ROUTINE {owned.name} TO {quoted(admin.name)} WITH GRANT OPTION;")
            yield Missing(sql, "to let others call a superuser's function")
    elif not owned.referable and _is_read(stack, owned, referring=True):
        sql = statement(_GRANTABLE["referenced table"], owned.schema, owned.name or "", admin.name)
        yield Missing(sql, "to let others read a superuser's table and point foreign keys at it")
    elif not owned.grantable and (owned.schema in stack.analytics_schemas or _is_read(stack, owned)):
        sql = statement(_GRANTABLE[owned.kind], owned.schema, owned.name or "", admin.name)
        yield Missing(sql, f"to let others read a superuser's {owned.kind}")


def _is_read(stack: DatabaseStack, owned: Owned, *, referring: bool = False) -> bool:
    """Whether a read of it is declared; with `referring`, one with references."""
    reads = (read for _, read in readings(stack) if read.references or not referring)
    return any((owned.schema, owned.name) == (read.schema_, read.table) for read in reads)


def _over_creators(stack: DatabaseStack, admin: Admin, roles: dict[str, Role]) -> Iterator[Missing]:
    for schema in stack.existing_schemas:
        for creator in schema.creators if schema.name in stack.analytics_schemas else ():
            role = roles.get(creator)
            if role and not role.reachable:
                why = f"to let others read what it creates in {schema.name} later"
                if role.superuser:
                    why += "; it gives a superuser's power: better list another role that creates tables under creators"
                yield Missing(statement("GRANT {} TO {}", creator, admin.name), why)


_GIVEN_PATH = re.compile(r"search[_-]path=((?:\\.|[^\s\\])*)")

WantedExtension = tuple[str, str, str | None]
"""Name, schema and version of an extension; without a version, the existing one or the default."""


def refuse_shadows(stack: DatabaseStack, asked: Session) -> None:
    """Checks the search_path before the provider logs in as the admin.

    :raises Refused: another role decides what runs as the admin.
    """
    # The search_path of the provider's sessions: from PGOPTIONS, else the server's for the admin.
    given = _GIVEN_PATH.findall(given_environment().get("PGOPTIONS", ""))
    told = re.sub(r"\\(.)", r"\1", given[-1]) if given else asked.tuples("default_path")[0][0]
    path = [stack.server.user if schema == "$user" else schema for schema in split_path(told)]
    schemas = [schema for schema in path if schema not in (SYSTEM, "pg_temp")]
    ahead = path[: path.index(SYSTEM)] if SYSTEM in path else []
    if shadows := asked.query("shadows", Shadow, admin=stack.server.user, schemas=schemas, ahead=ahead):
        raise Refused(
            f"in database {stack.server.database}, functions, operators or tables of other roles have names from"
            f" pg_catalog and are in the search_path of {stack.server.user}: plain `pulumi` would run them with the"
            " admin's privileges. Nothing was changed. Run `bin/pulumi`, whose sessions only search pg_catalog, or"
            f" remove these objects first:\n{_shadow_lines(shadows)}"
        )
    wanted = [(extension.name, extension.schema_, extension.version) for extension in stack.extensions]
    refuse_for_extensions(stack, wanted, asked)


def refuse_for_extensions(stack: DatabaseStack, extensions: Sequence[WantedExtension], asked: Session) -> None:
    """Checks the schemas before the admin creates these extensions there: their scripts search them.

    :raises Refused: another role decides what runs as the admin.
    """
    schemas = asked.values(
        "extension_paths",
        names=[name for name, _, _ in extensions],
        schemas=[schema for _, schema, _ in extensions],
        versions=[version for _, _, version in extensions],
    )
    if shadows := asked.query("shadows", Shadow, admin=stack.server.user, schemas=schemas, ahead=[]):
        raise Refused(
            f"in database {stack.server.database}, functions, operators or tables of other roles have names from"
            " pg_catalog and are in the schema of an extension that is to be created or updated: CREATE EXTENSION would"
            " run them with the admin's privileges. Nothing was changed in this database. Remove these objects first:"
            f"\n{_shadow_lines(shadows)}"
        )


def _shadow_lines(shadows: Iterable[Shadow]) -> str:
    return indented(f"{shadow.remedy};  -- owner: {shadow.owner}" for shadow in shadows)
