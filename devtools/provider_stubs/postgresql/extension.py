"""`postgresql:index/extension:Extension`: an extension of a database."""

from psycopg.sql import SQL, Identifier

from devtools.provider_stubs.postgresql.catalog import database_of, has_database, place_of
from devtools.provider_stubs.postgresql.connection import Server
from devtools.provider_stubs.resource import Property, ResourceType, flag
from devtools.provider_stubs.values import Properties

FOUND = """
    SELECT nspname, extversion FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
    WHERE extname = %s"""


def create(server: Server, planned: Properties) -> Properties:
    database, name = database_of(server, planned), planned.text("name")
    statement = SQL("CREATE EXTENSION IF NOT EXISTS {}").format(Identifier(name))
    if schema := planned.text("schema"):
        statement += SQL(" SCHEMA {}").format(Identifier(schema))
    if version := planned.text("version"):
        statement += SQL(" VERSION {}").format(Identifier(version))
    if planned.flag("createCascade"):
        statement += SQL(" CASCADE")
    with server.transaction(database) as transaction:
        transaction.change(statement)
    return planned.with_(id=f"{database}.{name}")


def read(server: Server, known: Properties) -> Properties | None:
    database, name = place_of(server, known)
    if not has_database(server, database):
        return None
    with server.transaction(database) as transaction:
        rows = transaction.rows(FOUND, name)
    if not rows:
        return None
    schema, version = rows[0]
    return known.with_(id=f"{database}.{name}", name=name, database=database, schema=schema, version=version)


def update(server: Server, prior: Properties, planned: Properties) -> Properties:
    extension = Identifier(planned.text("name"))
    schema, version = planned.text("schema"), planned.text("version")
    with server.transaction(database_of(server, planned)) as transaction:
        if schema != prior.text("schema"):
            statement = SQL("ALTER EXTENSION {} SET SCHEMA {}").format(extension, Identifier(schema))
            transaction.change(statement, "error updating extension SCHEMA")
        if version != prior.text("version"):
            statement = SQL("ALTER EXTENSION {} UPDATE TO {}").format(extension, Identifier(version))
            transaction.change(statement, "error updating extension version")
    return planned


def delete(server: Server, known: Properties) -> None:
    drop = SQL("DROP EXTENSION {} CASCADE" if known.flag("dropCascade") else "DROP EXTENSION {} RESTRICT")
    with server.transaction(database_of(server, known)) as transaction:
        transaction.change(drop.format(Identifier(known.text("name"))))


TYPE = ResourceType(
    name="postgresql:index/extension:Extension",
    properties=(
        Property("name", required=True, replaces=True),
        Property("database", computed=True, replaces=True),
        Property("schema", computed=True),
        Property("version", computed=True),
        flag("dropCascade"),
        flag("createCascade"),
    ),
    create=create,
    read=read,
    update=update,
    delete=delete,
    importable=True,
    delete_before_replace=True,
)
