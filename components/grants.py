"""Turns rows of the privilege table into resources that never meet on one access list."""

import pulumi
import pulumi_postgresql as postgresql

from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import PUBLIC
from engarde.declaration.privileges import On, Privilege, creators

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
    *,
    grantee: pulumi.Input[str],
    of: pulumi.Input[str] | None = None,
    opts: pulumi.ResourceOptions,
) -> pulumi.Resource:
    """The resource that gives the grantee exactly the row's rights, or membership in the role `of`.

    Deleted before it is replaced: created first, its successor would lose what the old one's deletion revokes.
    """
    opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True))
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
