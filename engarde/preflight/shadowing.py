"""Functions, operators and tables that the admin's sessions would run in place of PostgreSQL's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engarde.declaration.model import DatabaseStack
from engarde.declaration.parameters import split_path
from engarde.errors import Refused
from engarde.server.catalog.rows import Shadow
from engarde.server.libpq import given_environment
from engarde.server.session import Session

_GIVEN_PATH = re.compile(r"search[_-]path=((?:\\.|[^\s\\])*)")
_OWN_NAME = "$user"
_SYSTEM = "pg_catalog"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An extension that is to be in a database."""

    name: str
    schema: str
    version: str | None = None
    """none: whichever is there, or the server's default"""


def refuse(stack: DatabaseStack, asked: Session) -> None:
    """Has to hold before the provider logs in as the admin.

    :raises Refused: somebody else chooses what runs as the admin.
    """
    path = _provider_path(stack, asked)
    schemas = [each for each in path if each not in (_SYSTEM, "pg_temp")]
    ahead = path[: path.index(_SYSTEM)] if _SYSTEM in path else ()
    if shadows := asked.rows("shadows", Shadow, admin=stack.server.user, schemas=schemas, ahead=list(ahead)):
        raise Refused(
            f"in database {stack.server.database}, functions, operators or tables of other roles have names of"
            f" PostgreSQL's own and are in the search_path of {stack.server.user}: a run of plain `pulumi` would"
            " execute them with the admin's privileges. Nothing was changed. Run `bin/pulumi`, whose sessions search"
            f" pg_catalog alone; or take the names away first:\n{_lines(shadows)}"
        )
    refuse_for_extensions(stack, [Wanted(each.name, each.schema_, each.version) for each in stack.extensions], asked)


def refuse_for_extensions(stack: DatabaseStack, extensions: Sequence[Wanted], asked: Session) -> None:
    """Has to hold before the admin makes these in the stack's database: their scripts search the schemas they are in.

    :raises Refused: somebody else chooses what runs as the admin.
    """
    searched = asked.tuples(
        "extension_paths",
        names=[each.name for each in extensions],
        schemas=[each.schema for each in extensions],
        versions=[each.version for each in extensions],
    )
    schemas = [schema for (schema,) in searched]
    if shadows := asked.rows("shadows", Shadow, admin=stack.server.user, schemas=schemas, ahead=[]):
        raise Refused(
            f"in database {stack.server.database}, functions, operators or tables of other roles have names of"
            " PostgreSQL's own and are where an extension is to be made or updated: CREATE EXTENSION would run them"
            " with the admin's privileges. Nothing was changed in this database. Take the names away first:"
            f"\n{_lines(shadows)}"
        )


def _lines(shadows: Iterable[Shadow]) -> str:
    return "\n".join(f"  {each.remedy};  -- owner: {each.owner}" for each in shadows)


def _provider_path(stack: DatabaseStack, asked: Session) -> tuple[str, ...]:
    """What the provider's sessions search: as PGOPTIONS says, else as the server gives it to the admin."""
    given = _GIVEN_PATH.findall(given_environment().get("PGOPTIONS", ""))
    path = re.sub(r"\\(.)", r"\1", given[-1]) if given else asked.tuples("default_path")[0][0]
    return tuple(stack.server.user if each == _OWN_NAME else each for each in split_path(path))
