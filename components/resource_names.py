"""Names of the resources that rows of the privilege table become: no two rows meet in one, whatever they name."""

from collections.abc import Callable, Iterable, Mapping

from components.engine import Recorded
from engarde.declaration.model import DatabaseStack, OutsideRole
from engarde.declaration.privileges import REFERENCES, On, Privilege
from engarde.pulumi_cli.resource_names import CONNECT, in_database, on_server, quoted

_WORDS = {
    On.SCHEMA: "usage",
    On.TABLES: "tables",
    On.SEQUENCES: "sequences",
    On.FUTURE_TABLES: "future-tables",
    On.FUTURE_SEQUENCES: "future-sequences",
}

PUBLICS = "database-public"
"""The owner of what PUBLIC keeps."""


def outsiders(role: OutsideRole) -> str:
    """The owner of what a role outside of the stack keeps."""
    return f"outside-{role.name}"


Writing = Callable[[str], str]


def name_of(owner: str, row: Privilege, database: DatabaseStack) -> str:
    """The name of the owner's resource for the row."""
    if row.on is On.ROLE:
        return on_server(f"{owner}-admin", database)
    return in_database(_name(owner, row, database, quoted, row.creator), database)


def _name(owner: str, row: Privilege, stack: DatabaseStack, write: Writing, creator: str | None) -> str:
    if row.on is On.DATABASE:
        return f"{owner}-{CONNECT}" + ("" if row.database == stack.server.database else f"-{row.database}")
    if row.on is On.FUTURE_FUNCTIONS:
        return f"{owner}-no-public-execute"
    if row.on in (On.TABLE, On.COLUMNS, On.FUNCTION):
        return _name_of_read(owner, row, write)
    # Each creator's own, however many there are: one that comes or goes leaves the others' names alone.
    return f"{owner}-{_WORDS[row.on]}-{write(row.schema or '')}" + (f"-{write(creator)}" if creator else "")


def name_of_read(owner: str, row: Privilege, database: DatabaseStack) -> str:
    """The name of the owner's resource that grants a declared read or call."""
    return in_database(_name_of_read(owner, row, quoted), database)


def _name_of_read(owner: str, row: Privilege, write: Writing) -> str:
    if row.on is On.FUNCTION:
        return f"{owner}-executes-{write(row.schema or '')}.{write(row.function or '')}"
    # Of columns, each right is a grant of its own.
    does = "references" if row.rights == (REFERENCES,) else "reads"
    return f"{owner}-{does}-{write(row.schema or '')}.{write(row.table or '')}"


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
    names = {in_database(_name(owner, row, database, *way), database) for way in given} - {
        name_of(owner, row, database)
    }
    held = {"role": grantee, "schema": row.schema, "owner": creator}
    return sorted(
        found.name
        for found in recorded
        if found.name in names and all(found.outputs.get(key) == name for key, name in held.items())
    )
