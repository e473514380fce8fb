"""Rows of the privilege table as resources: no two meet in one name, and no two in flight on one access list."""

from collections.abc import Callable, Iterable, Mapping

import pulumi
import pulumi_postgresql as postgresql

from components.engine import Recorded
from engarde.declaration.model import DatabaseStack, OutsideRole
from engarde.declaration.names import PUBLIC
from engarde.declaration.privileges import REFERENCES, On, Privilege, creators
from engarde.declaration.resource_names import CONNECT, in_database, on_server, quoted

OBJECT_TYPES = {
    On.DATABASE: "database",
    On.SCHEMA: "schema",
    On.TABLES: "table",
    On.SEQUENCES: "sequence",
    On.TABLE: "table",
    On.COLUMNS: "column",
    # Procedures and aggregates, too.
    On.FUNCTION: "routine",
    On.FUTURE_TABLES: "table",
    On.FUTURE_SEQUENCES: "sequence",
    On.FUTURE_FUNCTIONS: "function",
}
FUTURE = {On.FUTURE_TABLES, On.FUTURE_SEQUENCES, On.FUTURE_FUNCTIONS}

NEAR = 4
"""How many earlier resources on an access list each waits for.

One would do to make them. But the engine orders deletions by direct dependencies among what it deletes: when the one
between two stays, nothing keeps these two apart.
"""

PUBLICS = "database-public"
"""The owner of what PUBLIC keeps."""

_WORDS = {
    On.SCHEMA: "usage",
    On.TABLES: "tables",
    On.SEQUENCES: "sequences",
    On.FUTURE_TABLES: "future-tables",
    On.FUTURE_SEQUENCES: "future-sequences",
}


def outsiders(role: OutsideRole) -> str:
    """The owner of what a role outside of the stack keeps."""
    return f"outside-{role.name}"


def name_of(owner: str, row: Privilege, database: DatabaseStack) -> str:
    """The name of the owner's resource for the row."""
    if row.on is On.ROLE:
        return on_server(f"{owner}-admin", database)
    return in_database(_name(owner, row, database, quoted, row.creator), database)


def _name(owner: str, row: Privilege, stack: DatabaseStack, write: Callable[[str], str], creator: str | None) -> str:
    schema = write(row.schema or "")
    if row.on is On.DATABASE:
        return f"{owner}-{CONNECT}" + ("" if row.database == stack.server.database else f"-{row.database}")
    if row.on is On.FUTURE_FUNCTIONS:
        return f"{owner}-no-public-execute"
    if row.on is On.FUNCTION:
        return f"{owner}-executes-{schema}.{write(row.function or '')}"
    if row.on in (On.TABLE, On.COLUMNS):
        # Of columns, each right is a grant of its own.
        does = "references" if row.rights == (REFERENCES,) else "reads"
        return f"{owner}-{does}-{schema}.{write(row.table or '')}"
    # Each creator's own, however many there are: one that comes or goes leaves the others' names alone.
    return f"{owner}-{_WORDS[row.on]}-{schema}" + (f"-{write(creator)}" if creator else "")


def former_names(
    owner: str, row: Privilege, database: DatabaseStack, recorded: Iterable[Recorded], roles: Mapping[str, str]
) -> list[str]:
    """Names of earlier versions, without quotes or with another creator or none, under which the state holds the row.

    Only then: the engine refuses an alias that is also the name of another resource. `roles` are those that have other
    names now, with the old ones.
    """
    if row.on is On.ROLE:
        return []
    grantee, creator = roles.get(row.grantee, row.grantee), roles.get(row.creator or "", row.creator)
    given = {(write, maker) for write in (quoted, str) for maker in (row.creator, creator, None)}
    names = {in_database(_name(owner, row, database, *way), database) for way in given}
    names.discard(name_of(owner, row, database))
    held = {"role": grantee, "schema": row.schema, "owner": creator}
    return sorted(
        found.name
        for found in recorded
        if found.name in names and all(found.outputs.get(key) == name for key, name in held.items())
    )


class AclSerializer:
    """Who was last at each schema and creator, so that the next resource there waits for it.

    Two sessions that change one access list fail with `tuple concurrently updated`, whichever roles they grant
    to; the plugin locks only the role it grants to, and the database for grants on that.
    """

    def __init__(self, stack: DatabaseStack) -> None:
        self._stack = stack
        self._last: dict[tuple[str, str], list[pulumi.Resource]] = {}

    def before(self, row: Privilege) -> list[pulumi.Resource]:
        """The resources that have to be done before the row's."""
        last = (resource for key in self._keys(row) for resource in self._last.get(key, ()))
        return list({id(resource): resource for resource in last}.values())

    def take(self, row: Privilege, resource: pulumi.Resource) -> None:
        """The row's resource is the last one at all that it touches."""
        self._follow(self._keys(row), resource)

    def begin(self, schema: str, resource: pulumi.Resource) -> None:
        """Nothing touches the schema or its creators before this resource, which makes it, is done."""
        self._follow(self._touched(schema), resource)

    def _follow(self, keys: list[tuple[str, str]], resource: pulumi.Resource) -> None:
        for key in keys:
            self._last[key] = [*self._last.get(key, ()), resource][-NEAR:]

    def _touched(self, schema: str) -> list[tuple[str, str]]:
        return [("schema", schema), *(("role", creator) for creator in creators(self._stack, schema))]

    def _keys(self, row: Privilege) -> list[tuple[str, str]]:
        own = [("role", row.creator)] if row.creator else []
        return own + (self._touched(row.schema) if row.schema else [])


def grant(
    name: str,
    row: Privilege,
    opts: pulumi.ResourceOptions,
    *,
    grantee: pulumi.Input[str],
    of: pulumi.Input[str] | None = None,
) -> pulumi.Resource:
    """The resource that gives the grantee exactly the row's rights, or membership in the role `of`."""
    if of is not None:
        # From PostgreSQL 16 on the maker of a role has its ADMIN option already, and the plugin may read that instead.
        opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(ignore_changes=["withAdminOption"]))
        return postgresql.GrantRole(name, role=grantee, grant_role=of, opts=opts)
    if row.on in FUTURE:
        return postgresql.DefaultPrivileges(
            name,
            role=grantee,
            database=row.database,
            schema=row.schema,
            owner=row.creator or PUBLIC,
            object_type=OBJECT_TYPES[row.on],
            privileges=list(row.rights),
            opts=opts,
        )
    return postgresql.Grant(
        name,
        role=grantee,
        database=row.database,
        schema=row.schema,
        object_type=OBJECT_TYPES[row.on],
        objects=[named] if (named := row.table or row.function) else None,
        columns=list(row.columns) or None,
        privileges=list(row.rights),
        opts=opts,
    )
