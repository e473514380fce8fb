"""A server of the user's in place of the embedded one: ENGARDE_POSTGRES_URL, for `make up` alone."""

import os

import psycopg
from psycopg.conninfo import conninfo_to_dict

from devtools.local import database, state
from devtools.local.admin import Admin, remembered
from engarde.errors import Refused
from engarde.util.terminal import tell

VARIABLE = "ENGARDE_POSTGRES_URL"
UNDERSTOOD = {"host", "port", "user", "password", "dbname", "sslmode"}


def chosen() -> Admin | None:
    """The server that the environment names or that an earlier run was given; None for the embedded one.

    :raises Refused: when the state holds resources on another server.
    :raises Unreachable: when it does not answer.
    """
    url, before = os.environ.pop(VARIABLE, ""), remembered()
    if not url:
        if not before or before.embedded:
            return None
        tell(f"Using your server {before}, as {VARIABLE} said before; `make clean` forgets it")
        return before
    given = parse(url)
    if before and not before.same_server(given) and state.holds_resources():
        raise Refused(
            f"{VARIABLE} names {given}, but the resources of stack local are on {before}: unset it or,"
            " to move, run `bin/pulumi destroy --stack local` and `make clean` first"
        )
    tell(f"Using your server {given}")
    return database.with_rights(given)


def parse(url: str) -> Admin:
    """The parts of the URL.

    :raises Refused: when they are no address and login of a PostgreSQL server; names no value of it.
    """
    try:
        parts = conninfo_to_dict(url) if url.startswith(("postgresql://", "postgres://")) else {}
    except psycopg.ProgrammingError:
        parts = {}
    missing = sorted({"host", "user", "password", "dbname"} - parts.keys())
    beyond = sorted(parts.keys() - UNDERSTOOD)
    port, host = str(parts.get("port", 5432)), str(parts.get("host"))
    one_host = "," not in host and not host.startswith("/")
    if missing or beyond or not one_host or not port.isdigit():
        details = [f"lacks {', '.join(missing)}"] if missing and parts else []
        details += [f"has {', '.join(beyond)}, which cannot be used here"] if beyond else []
        details += [] if one_host else ["does not name one host to reach by TCP"]
        raise Refused(
            f"{VARIABLE} must be of the form postgresql://USER:PASSWORD@HOST:PORT/DATABASE[?sslmode=MODE]"
            + "".join(f"; it {detail}" for detail in details)
        )
    return Admin(
        embedded=False,
        host=str(parts["host"]),
        port=int(port),
        user=str(parts["user"]),
        password=str(parts["password"]),
        database=str(parts["dbname"]),
        sslmode=str(parts["sslmode"]) if "sslmode" in parts else None,
    )
