"""`postgresql:index/schema:Schema` and `postgresql:index/extension:Extension`: what a database holds, by its name."""

from typing import Any

from psycopg.sql import SQL, Identifier

from devtools.provider_stubs.postgresql.catalog import (
    SCHEMA_OWNER,
    database_of,
    database_owner,
    exists,
    has_database,
    member_of,
)
from devtools.provider_stubs.postgresql.connection import Server, Transaction
from devtools.provider_stubs.resource import Kind, Property, ResourceType, flag
from devtools.provider_stubs.values import Failure, Properties

INSTALLED = """
    SELECT nspname, extversion FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
    WHERE extname = %s"""


def create_schema(server: Server, planned: Properties) -> Properties:
    database, name, owner = database_of(server, planned), planned.text("name"), planned.text("owner")
    with server.transaction(database) as transaction:
        owners = [database_owner(transaction, database), owner]
        with member_of(transaction, filter(None, dict.fromkeys(owners))):
            if not exists(transaction, SCHEMA_OWNER, name):
                statement = SQL("CREATE SCHEMA IF NOT EXISTS {}" if planned.flag("ifNotExists") else "CREATE SCHEMA {}")
                authorization = SQL(" AUTHORIZATION {}").format(Identifier(owner)) if owner else SQL("")
                change = statement.format(Identifier(name)) + authorization
                transaction.change(change, f"error creating schema {name}")
            elif owner:
                _set_owner(transaction, name, owner)
    return planned.with_(id=f"{database}.{name}")


def read_schema(server: Server, known: Properties) -> Properties | None:
    if not (found := _found(server, known, SCHEMA_OWNER)):
        return None
    place, (owner,) = found
    return place.with_(owner=owner, policies=[])


def update_schema(server: Server, prior: Properties, planned: Properties) -> Properties:
    database, name, owner = database_of(server, planned), planned.text("name"), planned.text("owner")
    with server.transaction(database) as transaction:
        if name != prior.text("name"):
            rename = SQL("ALTER SCHEMA {} RENAME TO {}").format(Identifier(prior.text("name")), Identifier(name))
            transaction.change(rename, "error updating schema NAME")
        if owner != prior.text("owner"):
            _set_owner(transaction, name, owner)
    return planned.with_(id=f"{database}.{name}")


def delete_schema(server: Server, known: Properties) -> None:
    name = known.text("name")
    with server.transaction(database_of(server, known)) as transaction:
        if not exists(transaction, SCHEMA_OWNER, name):
            return
        with member_of(transaction, [known.text("owner")]):
            drop = SQL("DROP SCHEMA {} CASCADE" if known.flag("dropCascade") else "DROP SCHEMA {} RESTRICT")
            transaction.change(drop.format(Identifier(name)), "error deleting schema")


def _set_owner(transaction: Transaction, name: str, owner: str) -> None:
    statement = SQL("ALTER SCHEMA {} OWNER TO {}").format(Identifier(name), Identifier(owner))
    transaction.change(statement, "error updating schema OWNER")


SCHEMA = ResourceType(
    name="postgresql:index/schema:Schema",
    properties=(
        Property("name", required=True),
        Property("database", computed=True, replaces=True),
        Property("owner", computed=True),
        Property("ifNotExists", Kind.FLAG, default=True),
        flag("dropCascade"),
        Property("policies", Kind.LIST, computed=True, given=False),
    ),
    create=create_schema,
    read=read_schema,
    update=update_schema,
    delete=delete_schema,
    importable=True,
    delete_before_replace=True,
)


def create_extension(server: Server, planned: Properties) -> Properties:
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


def read_extension(server: Server, known: Properties) -> Properties | None:
    if not (found := _found(server, known, INSTALLED)):
        return None
    place, (schema, version) = found
    return place.with_(schema=schema, version=version)


def update_extension(server: Server, prior: Properties, planned: Properties) -> Properties:
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


def delete_extension(server: Server, known: Properties) -> None:
    drop = SQL("DROP EXTENSION {} CASCADE" if known.flag("dropCascade") else "DROP EXTENSION {} RESTRICT")
    with server.transaction(database_of(server, known)) as transaction:
        transaction.change(drop.format(Identifier(known.text("name"))))


def _found(server: Server, known: Properties, query: str) -> tuple[Properties, tuple[Any, ...]] | None:
    """The properties with the place, which an import takes from the id alone, and the row in the catalog, if any."""
    database, name = database_of(server, known), known.text("name")
    if not name:
        parts = known.text("id").split(".")
        if len(parts) != 2:
            raise Failure(f"{known.text('id')} is not an id of this type; write the database, a dot and the name")
        database, name = parts
    if not has_database(server, database):
        return None
    with server.transaction(database) as transaction:
        rows = transaction.rows(query, name)
    return (known.with_(id=f"{database}.{name}", name=name, database=database), rows[0]) if rows else None


EXTENSION = ResourceType(
    name="postgresql:index/extension:Extension",
    properties=(
        Property("name", required=True, replaces=True),
        Property("database", computed=True, replaces=True),
        Property("schema", computed=True),
        Property("version", computed=True),
        flag("dropCascade"),
        flag("createCascade"),
    ),
    create=create_extension,
    read=read_extension,
    update=update_extension,
    delete=delete_extension,
    importable=True,
    delete_before_replace=True,
)
