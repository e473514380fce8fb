"""What the program asks the server before it touches anything."""

from __future__ import annotations

from collections.abc import Collection

from engarde.access import Access
from engarde.database import Session, session
from engarde.errors import ConfigError, Refused
from engarde.model import Stack, Table
from engarde.names import PUBLIC
from engarde.rights import Admin, Found, Owned, Role, missing, schemas


def survey(stack: Stack, password: str, recorded: Collection[str]) -> frozenset[Table]:
    """What exists that services may read, once it is sure that the admin can do all that the stack asks for.

    `recorded` names the schemas of reads that an earlier run granted.

    :raises Unreachable: the server could not be asked.
    :raises ConfigError: the stack file calls the admin a superuser, and it is none.
    :raises Refused: the admin lacks a right; the message holds the SQL that gives it.
    """
    read = {PUBLIC, *recorded, *(read.schema_ for service in stack.services for read in service.reads)}
    server = stack.server
    with session(Access(server, server.database, server.user, password)) as asked:
        _check(stack, asked)
        return asked.tables(sorted(read))


def _check(stack: Stack, asked: Session) -> None:
    (admin,) = asked.rows("admin", Admin)
    if admin.superuser:
        return
    if stack.server.superuser:
        raise ConfigError(
            f"Pulumi.{stack.name}.yaml: engarde:server.superuser: {admin.name} is no superuser;"
            " set it to false, or name a superuser as engarde:server.user. Nothing was changed"
        )
    found = Found(
        admin,
        tuple(asked.rows("roles", Role)),
        tuple(asked.rows("owners", Owned, schemas=sorted(schemas(stack)))),
        asked.extensions(),
    )
    if lacking := missing(stack, found):
        lines = "\n".join(f"  {each}" for each in lacking)
        raise Refused(
            f"{admin.name} is no superuser and lacks rights that this stack needs; nothing was changed."
            f" A superuser gives them with, in database {stack.server.database}:\n{lines}"
        )
