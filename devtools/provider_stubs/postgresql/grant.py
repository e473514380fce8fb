"""`postgresql:index/grant:Grant`: what a role has on a database, a schema, tables, sequences, columns or routines."""

from psycopg.sql import SQL, Identifier

from devtools.provider_stubs.errors import Failure
from devtools.provider_stubs.postgresql.catalog import schema_owners
from devtools.provider_stubs.postgresql.connection import Server, Statement, Transaction
from devtools.provider_stubs.postgresql.grant_read import RELATION_KINDS, ROUTINE, identity, read
from devtools.provider_stubs.postgresql.locks import lock_database, lock_role
from devtools.provider_stubs.postgresql.membership import member_of
from devtools.provider_stubs.postgresql.privileges import keywords, refuse_foreign
from devtools.provider_stubs.resource import Kind, Property, ResourceType, flag
from devtools.provider_stubs.values import Properties

ALL_PRIVILEGES = SQL("ALL PRIVILEGES")


def create(server: Server, planned: Properties) -> Properties:
    return update(server, planned, planned)


def update(server: Server, prior: Properties, planned: Properties) -> Properties:
    """Takes away what is recorded and gives what is planned, at one stroke for everybody else."""
    _refuse_incomplete(planned)
    with server.transaction(planned.text("database")) as transaction:
        refuse_foreign(transaction, planned)
        with member_of(transaction, _locked(transaction, planned)):
            _revoke(transaction, planned, prior.hashed("privileges"))
            _grant(transaction, planned)
    return planned.with_(id=identity(planned))


def delete(server: Server, known: Properties) -> None:
    with server.transaction(known.text("database")) as transaction:
        owners = _locked(transaction, known)
        with member_of(transaction, owners):
            _revoke(transaction, known, known.hashed("privileges"))


def _refuse_incomplete(grant: Properties) -> None:
    """Fails where the object type does not go with what is named or left out."""
    object_type, objects, columns = grant.text("objectType"), grant.hashed("objects"), grant.hashed("columns")
    if object_type != "database" and not grant.text("schema"):
        raise Failure(f"a grant on a {object_type} needs the schema")
    if objects and object_type in ("database", "schema"):
        raise Failure(f"a grant on a {object_type} names no objects")
    if bool(columns) != (object_type == "column"):
        raise Failure("columns go with the object type column and no other")
    if columns and (len(objects), len(grant.hashed("privileges"))) != (1, 1):
        raise Failure("a grant on columns names one table and one privilege")


def _locked(transaction: Transaction, grant: Properties) -> list[str]:
    """Waits for the role and the database; returns whose privileges it takes to grant any."""
    object_type, database = grant.text("objectType"), grant.text("database")
    lock_role(transaction, grant.text("role"))
    if object_type == "database":
        lock_database(transaction, database)
        return []
    with_tables = object_type != "schema"
    return schema_owners(transaction, grant.text("schema"), database, with_tables=with_tables)


def _revoke(transaction: Transaction, grant: Properties, recorded: list[str]) -> None:
    """Takes privileges away: from named objects the recorded ones, so that grants on columns stay."""
    if grant.text("objectType") == "column":
        if not (recorded and grant.hashed("columns")):
            return
        privileges = _on_columns(recorded, grant)
    elif grant.hashed("objects") and recorded:
        privileges = keywords(recorded)
    else:
        privileges = ALL_PRIVILEGES
    statement = SQL("REVOKE {} ON {} FROM {}").format(privileges, _target(grant), Identifier(grant.text("role")))
    transaction.change(statement, "could not execute revoke query")


def _grant(transaction: Transaction, grant: Properties) -> None:
    wanted = grant.hashed("privileges")
    if not wanted:
        return
    privileges = _on_columns(wanted, grant) if grant.text("objectType") == "column" else keywords(wanted)
    statement = SQL("GRANT {} ON {} TO {}").format(privileges, _target(grant), Identifier(grant.text("role")))
    if grant.flag("withGrantOption"):
        statement += SQL(" WITH GRANT OPTION")
    transaction.change(statement)


def _on_columns(privileges: list[str], grant: Properties) -> Statement:
    columns = SQL(",").join(map(Identifier, grant.hashed("columns")))
    return SQL("{} ({})").format(keywords(privileges), columns)


def _target(grant: Properties) -> Statement:
    """What a statement's ON says."""
    schema, object_type = grant.text("schema"), grant.text("objectType")
    match object_type:
        case "database":
            return SQL("DATABASE {}").format(Identifier(grant.text("database")))
        case "schema":
            return SQL("SCHEMA {}").format(Identifier(schema))
    word = SQL({"column": "TABLE"}.get(object_type, object_type.upper()))
    if objects := grant.hashed("objects"):
        return SQL("{} {}").format(word, SQL(",").join(_named(schema, each) for each in objects))
    return SQL("ALL {}S IN SCHEMA {}").format(word, Identifier(schema))


def _named(schema: str, name: str) -> Statement:
    """An object of the schema; what follows a parenthesis are a routine's types, which are SQL already."""
    name, *arguments = name.split("(")
    return Identifier(schema, name) + SQL("(" + arguments[0] if arguments else "")


TYPE = ResourceType(
    name="postgresql:index/grant:Grant",
    properties=(
        Property("role", required=True, replaces=True),
        Property("database", required=True, replaces=True),
        Property("schema", replaces=True),
        Property(
            "objectType",
            required=True,
            replaces=True,
            allowed=("database", "schema", *RELATION_KINDS, "column", ROUTINE),
        ),
        Property("objects", Kind.SET, replaces=True),
        Property("columns", Kind.SET, replaces=True),
        Property("privileges", Kind.SET, required=True),
        flag("withGrantOption", replaces=True),
    ),
    create=create,
    read=read,
    update=update,
    delete=delete,
    delete_before_replace=True,
)
