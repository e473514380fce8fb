"""`postgresql:index/schema:Schema`: a schema and its owner."""

from psycopg.sql import SQL, Identifier

from devtools.provider_stubs.postgresql.catalog import (
    PRESENT_SCHEMA,
    SCHEMA_OWNER,
    database_of,
    database_owner,
    exists,
    has_database,
    member_of,
    place_of,
)
from devtools.provider_stubs.postgresql.connection import Server, Transaction
from devtools.provider_stubs.resource import Kind, Property, ResourceType, flag
from devtools.provider_stubs.values import Properties


def create(server: Server, planned: Properties) -> Properties:
    database, name, owner = database_of(server, planned), planned.text("name"), planned.text("owner")
    with server.transaction(database) as transaction:
        owners = [database_owner(transaction, database), owner]
        with member_of(transaction, filter(None, dict.fromkeys(owners))):
            if not exists(transaction, PRESENT_SCHEMA, name):
                _make(transaction, planned)
            elif owner:
                _set_owner(transaction, name, owner)
    return planned.with_(id=f"{database}.{name}")


def read(server: Server, known: Properties) -> Properties | None:
    database, name = place_of(server, known)
    if not has_database(server, database):
        return None
    with server.transaction(database) as transaction:
        owner = transaction.value(SCHEMA_OWNER, name)
    if owner is None:
        return None
    return known.with_(id=f"{database}.{name}", name=name, database=database, owner=owner, policies=[])


def update(server: Server, prior: Properties, planned: Properties) -> Properties:
    database, name, owner = database_of(server, planned), planned.text("name"), planned.text("owner")
    with server.transaction(database) as transaction:
        if name != prior.text("name"):
            rename = SQL("ALTER SCHEMA {} RENAME TO {}").format(Identifier(prior.text("name")), Identifier(name))
            transaction.change(rename, "error updating schema NAME")
        if owner != prior.text("owner"):
            _set_owner(transaction, name, owner)
    return planned.with_(id=f"{database}.{name}")


def delete(server: Server, known: Properties) -> None:
    name = known.text("name")
    with server.transaction(database_of(server, known)) as transaction:
        if not exists(transaction, PRESENT_SCHEMA, name):
            return
        with member_of(transaction, [known.text("owner")]):
            drop = SQL("DROP SCHEMA {} CASCADE" if known.flag("dropCascade") else "DROP SCHEMA {} RESTRICT")
            transaction.change(drop.format(Identifier(name)), "error deleting schema")


def _make(transaction: Transaction, planned: Properties) -> None:
    name, owner = planned.text("name"), planned.text("owner")
    statement = SQL("CREATE SCHEMA IF NOT EXISTS {}" if planned.flag("ifNotExists") else "CREATE SCHEMA {}")
    authorization = SQL(" AUTHORIZATION {}").format(Identifier(owner)) if owner else SQL("")
    transaction.change(statement.format(Identifier(name)) + authorization, f"error creating schema {name}")


def _set_owner(transaction: Transaction, name: str, owner: str) -> None:
    statement = SQL("ALTER SCHEMA {} OWNER TO {}").format(Identifier(name), Identifier(owner))
    transaction.change(statement, "error updating schema OWNER")


TYPE = ResourceType(
    name="postgresql:index/schema:Schema",
    properties=(
        Property("name", required=True),
        Property("database", computed=True, replaces=True),
        Property("owner", computed=True),
        Property("ifNotExists", Kind.FLAG, default=True),
        flag("dropCascade"),
        Property("policies", Kind.LIST, computed=True, given=False),
    ),
    create=create,
    read=read,
    update=update,
    delete=delete,
    importable=True,
    delete_before_replace=True,
)
