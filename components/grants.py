"""Rows of the privilege table as resources: no two have the same name, and no two in flight change one access list."""

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
"""How many earlier resources on an access list each one waits for.

One would be enough to create them. But Pulumi orders deletions only by direct dependencies among the deleted resources:
if the resource between two others stays, nothing orders those two.
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
        # On columns, each privilege is a grant of its own.
        does = "references" if row.rights == (REFERENCES,) else "reads"
        return f"{owner}-{does}-{schema}.{write(row.table or '')}"
    # With the creator's name: the names do not change when another creator is added or removed.
    return f"{owner}-{_WORDS[row.on]}-{schema}" + (f"-{write(creator)}" if creator else "")


def former_names(
    owner: str, row: Privilege, database: DatabaseStack, recorded: Iterable[Recorded], roles: Mapping[str, str]
) -> list[str]:
    """Names from earlier versions (without quotes, or with another creator or none) that the row has in the state.

    Only those: Pulumi refuses an alias that is also the name of another resource. `roles` maps renamed roles to their
    old names.
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
    """The last resources on each schema and creator, so that the next one there waits for them.

    Two sessions that change one access list fail with `tuple concurrently updated`, also if they grant to different
    roles; the provider locks only the role that it grants to, and the database for grants on the database.
    """

    def __init__(self, stack: DatabaseStack) -> None:
        self._stack = stack
        self._last: dict[tuple[str, str], list[pulumi.Resource]] = {}

    def before(self, row: Privilege) -> list[pulumi.Resource]:
        """The resources that must be done before the row's."""
        last = (resource for key in self._keys(row) for resource in self._last.get(key, ()))
        return list({id(resource): resource for resource in last}.values())

    def take(self, row: Privilege, resource: pulumi.Resource) -> None:
        """Makes the row's resource the last one on everything that it changes."""
        self._follow(self._keys(row), resource)

    def begin(self, schema: str, resource: pulumi.Resource) -> None:
        """Makes everything on the schema and its creators wait for this resource, which creates the schema."""
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
    """The resource that grants exactly the row's privileges, or membership in the role `of`."""
    if of is not None:
        # From PostgreSQL 16 on, a role's creator already has ADMIN OPTION, which the provider may read instead.
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
