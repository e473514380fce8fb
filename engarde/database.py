"""The server, asked by the queries of `sql/`: the only SQL of the program and the tool."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg.rows import class_row
from psycopg.sql import SQL, Identifier

from engarde.access import Access
from engarde.errors import Unreachable

CONNECT_TIMEOUT = 15
"""Before an address that does not answer is given up [seconds]."""

_ROOMS = Path(__file__).with_name("sql")

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Session:
    """One login at one database, for reading."""

    _connection: psycopg.Connection[Any]

    def rows(self, room: str, kind: type[Row], **parameters: object) -> list[Row]:
        """What the query `sql/<room>.sql` finds, each row made by its columns' names."""
        with self._connection.cursor(row_factory=class_row(kind)) as cursor:
            return cursor.execute(_query(room), parameters).fetchall()

    def tables(self, schemas: list[str]) -> frozenset[tuple[str, str]]:
        """Schema and name of everything in these schemas that one may select from."""
        return frozenset(self._connection.execute(_query("tables"), {"schemas": schemas}))

    def held(self, schemas: list[str]) -> dict[str, int]:
        """Those of the schemas that hold anything, and how many objects."""
        return dict(self._connection.execute(_query("held"), {"schemas": schemas}).fetchall())

    def extensions(self) -> frozenset[str]:
        """The extensions that this role can have without a superuser."""
        return frozenset(name for (name,) in self._connection.execute(_query("extensions")))


def _query(room: str) -> SQL:
    return SQL((_ROOMS / f"{room}.sql").read_text(encoding="utf-8"))


@contextmanager
def session(access: Access) -> Iterator[Session]:
    """A read-only session that ends with the block.

    :raises Unreachable: no answer, no entrance, or the session was lost.
    """
    where = f"{access.address.host}:{access.address.port}"
    try:
        with psycopg.connect(
            host=access.address.host,
            port=access.address.port,
            dbname=access.database,
            user=access.role,
            password=access.password,
            sslmode=access.address.sslmode or "prefer",
            connect_timeout=CONNECT_TIMEOUT,
            application_name="engarde",
        ) as connection:
            connection.read_only = True
            yield Session(connection)
    except psycopg.OperationalError as error:
        raise Unreachable(f"cannot ask {where}, so nothing was changed there: {' '.join(str(error).split())}") from None


def statement(template: LiteralString, *names: str) -> str:
    """A statement for a person to run, with these identifiers quoted where they need it."""
    return SQL(template).format(*map(Identifier, names)).as_string(None) + ";"
