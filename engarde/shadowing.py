"""Functions, operators and tables that the provider's sessions would run in place of PostgreSQL's own."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engarde.access import given_environment
from engarde.catalog.further import Shadow
from engarde.database import Session
from engarde.errors import Refused
from engarde.model import Stack
from engarde.settings import split_path

_GIVEN_PATH = re.compile(r"search[_-]path=((?:\\.|[^\s\\])*)")
_OWN_NAME = "$user"
_SYSTEM = "pg_catalog"


@dataclass(frozen=True, slots=True)
class _Path:
    value: str


def refuse(stack: Stack, asked: Session) -> None:
    """Has to hold before the provider logs in as the admin.

    :raises Refused: somebody else chooses what runs as the admin.
    """
    path = _provider_path(stack, asked)
    schemas = [each for each in path if each not in (_SYSTEM, "pg_temp")]
    ahead = path[: path.index(_SYSTEM)] if _SYSTEM in path else ()
    if shadows := asked.rows("shadows", Shadow, admin=stack.server.user, schemas=schemas, ahead=list(ahead)):
        lines = "\n".join(f"  {each.remedy};  -- owner: {each.owner}" for each in shadows)
        raise Refused(
            f"in database {stack.server.database}, functions, operators or tables of other roles have names of"
            f" PostgreSQL's own and are in the search_path of {stack.server.user}: a run of plain `pulumi` would"
            " execute them with the admin's privileges. Nothing was changed. Run `bin/pulumi`, whose sessions search"
            f" pg_catalog alone; or take the names away first:\n{lines}"
        )


def _provider_path(stack: Stack, asked: Session) -> tuple[str, ...]:
    """What the provider's sessions search: as PGOPTIONS says, else as the server gives it to the admin."""
    given = _GIVEN_PATH.findall(given_environment().get("PGOPTIONS", ""))
    path = re.sub(r"\\(.)", r"\1", given[-1]) if given else asked.rows("default_path", _Path)[0].value
    return tuple(stack.server.user if each == _OWN_NAME else each for each in split_path(path))
