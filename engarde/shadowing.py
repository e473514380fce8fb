"""Functions and operators that the provider's sessions would run in place of PostgreSQL's own."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from engarde.database import Session
from engarde.errors import Refused
from engarde.model import Stack
from engarde.settings import split_path

_GIVEN_PATH = re.compile(r"search[_-]path=((?:\\.|[^\s\\])*)")
_OWN_NAME = "$user"
_SYSTEM = frozenset({"pg_catalog", "pg_temp"})


@dataclass(frozen=True, slots=True)
class Shadow:
    """A function or an operator with a name of pg_catalog's, by which somebody else is heard first."""

    kind: str
    schema: str
    identity: str
    owner: str

    @property
    def removal(self) -> str:
        """The statement that removes it."""
        return f"DROP {self.kind.upper()} {self.identity};"


@dataclass(frozen=True, slots=True)
class _Path:
    value: str


def refuse(stack: Stack, asked: Session) -> None:
    """Has to hold before the provider logs in as the admin.

    :raises Refused: somebody else chooses what runs as the admin.
    """
    schemas = [each for each in _provider_path(stack, asked) if each not in _SYSTEM]
    if shadows := asked.rows("shadowing", Shadow, schemas=schemas):
        lines = "\n".join(f"  {each.removal}  -- owner: {each.owner}" for each in shadows)
        raise Refused(
            f"in database {stack.server.database}, functions or operators of other roles have names of PostgreSQL's own"
            f" and are in the search_path of {stack.server.user}: a run of plain `pulumi` would execute them with the"
            f" admin's privileges. Nothing was changed. Run `bin/pulumi`, whose sessions search pg_catalog alone; or,"
            f" if nothing needs them any more, remove them first:\n{lines}"
        )


def _provider_path(stack: Stack, asked: Session) -> tuple[str, ...]:
    """What the provider's sessions search: as PGOPTIONS says, else as the server gives it to the admin."""
    given = _GIVEN_PATH.findall(os.environ.get("PGOPTIONS", ""))
    path = re.sub(r"\\(.)", r"\1", given[-1]) if given else asked.rows("default_path", _Path)[0].value
    return tuple(stack.server.user if each == _OWN_NAME else each for each in split_path(path))
