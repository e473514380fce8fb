"""Whether what a privilege resource speaks of is there; a schema's name says nothing outside its database."""

from devtools.provider_stubs.postgresql.catalog import PRESENT_DATABASE, PRESENT_ROLE, PRESENT_SCHEMA, PUBLIC, exists
from devtools.provider_stubs.postgresql.connection import Server
from devtools.provider_stubs.values import Properties


def present(server: Server, known: Properties) -> bool:
    """Whether the database, the role and the schema that are named exist."""
    database, role, schema = known.text("database"), known.text("role"), known.text("schema")
    with server.transaction() as transaction:
        if not exists(transaction, PRESENT_DATABASE, database):
            return False
    with server.transaction(database) as transaction:
        if role != PUBLIC and not exists(transaction, PRESENT_ROLE, role):
            return False
        return not schema or exists(transaction, PRESENT_SCHEMA, schema)
