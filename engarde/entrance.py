"""The way in to the server."""

from __future__ import annotations

from typing import Any

import psycopg

from engarde.access import Access
from engarde.errors import NoEntrance

CONNECT_TIMEOUT = 15
"""Before an address that does not answer is given up [seconds]."""


def connect(access: Access) -> psycopg.Connection[Any]:
    """A connection that commits each statement, unless a transaction is begun.

    :raises NoEntrance: no answer, or the role was not let in.
    """
    try:
        return psycopg.connect(
            host=access.address.host,
            port=access.address.port,
            dbname=access.database,
            user=access.role,
            password=access.password,
            sslmode=access.address.sslmode or "prefer",
            connect_timeout=CONNECT_TIMEOUT,
            application_name="engarde",
            client_encoding="UTF8",
            autocommit=True,
        )
    except psycopg.OperationalError as error:
        raise NoEntrance(access.where, " ".join(str(error).split())) from None
