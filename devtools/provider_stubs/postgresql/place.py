"""Where a resource that lives in one database is: the database, and its name there."""

from devtools.provider_stubs.errors import Failure
from devtools.provider_stubs.postgresql.connection import Server
from devtools.provider_stubs.values import Properties


def database_of(server: Server, properties: Properties) -> str:
    return properties.text("database") or server.database


def place_of(server: Server, known: Properties) -> tuple[str, str]:
    """The database and the name, taken from the id alone at an import."""
    if name := known.text("name"):
        return database_of(server, known), name
    parts = known.text("id").split(".")
    if len(parts) != 2:
        raise Failure(f"{known.text('id')} is no id of this type: that is the database, a dot and the name")
    return parts[0], parts[1]
