"""`postgresql:index/grant:Grant`: what a role has on a database, a schema, tables, sequences, columns or routines."""

from psycopg.sql import SQL, Identifier

from devtools.provider_stubs.postgresql.catalog import (
    corrected,
    keywords,
    lock_database,
    lock_role,
    member_of,
    present,
    refuse_foreign,
    role_id,
    schema_owners,
)
from devtools.provider_stubs.postgresql.connection import Server, Statement, Transaction
from devtools.provider_stubs.resource import Kind, Property, ResourceType, flag
from devtools.provider_stubs.values import Failure, Properties

ALL_PRIVILEGES = SQL("ALL PRIVILEGES")
RELATION_KINDS = {"table": "r", "sequence": "S"}
OBJECT_TYPES = ("database", "schema", *RELATION_KINDS, "column", "routine")

ON_ONE = {
    "database": "SELECT privilege_type FROM pg_database, aclexplode(datacl) WHERE datname = %s AND grantee = %s",
    "schema": "SELECT privilege_type FROM pg_namespace, aclexplode(nspacl) WHERE nspname = %s AND grantee = %s",
}
ON_RELATIONS = """
    SELECT relname, array(SELECT privilege_type FROM aclexplode(relacl) WHERE grantee = %s)
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = %s AND relkind = %s ORDER BY relname"""
ON_ROUTINES = """
    SELECT proname, array(SELECT DISTINCT privilege_type FROM pg_proc of_the_name CROSS JOIN aclexplode(proacl)
                          WHERE grantee = %s AND of_the_name.proname = p.proname
                            AND of_the_name.pronamespace = p.pronamespace)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
    WHERE nspname = %s GROUP BY proname, pronamespace ORDER BY proname"""
ON_COLUMNS = """
    SELECT attname FROM pg_attribute
    JOIN pg_class ON pg_class.oid = attrelid
    JOIN pg_namespace ON pg_namespace.oid = relnamespace
    CROSS JOIN aclexplode(attacl)
    WHERE nspname = %s AND relname = %s AND relkind = 'r' AND privilege_type = %s AND grantee = %s"""


def update(server: Server, prior: Properties, planned: Properties) -> Properties:
    """Revokes what is recorded and grants what is planned, in one transaction."""
    _refuse_incomplete(planned)
    with server.transaction(planned.text("database")) as transaction:
        refuse_foreign(transaction, planned)
        with member_of(transaction, _locked(transaction, planned)):
            _revoke(transaction, planned, prior.hashed("privileges"))
            _grant(transaction, planned)
    return planned.with_(id=_identity(planned))


def read(server: Server, known: Properties) -> Properties | None:
    if not present(server, known):
        return None
    grant = known.with_(id=_identity(known))
    with server.transaction(grant.text("database")) as transaction:
        role = role_id(transaction, grant.text("role"))
        match grant.text("objectType"):
            case "database" | "schema" as one:
                rows = transaction.rows(ON_ONE[one], grant.text(one), role)
                return corrected(transaction, grant, [privilege for (privilege,) in rows])
            case "column":
                return _of_columns(transaction, grant, role)
            case "routine":
                # By their bare names: one that is named with its types is never among them, so its drift is not seen.
                rows = transaction.rows(ON_ROUTINES, role, grant.text("schema"))
            case kind:
                rows = transaction.rows(ON_RELATIONS, role, grant.text("schema"), RELATION_KINDS[kind])
        # The first relation or routine with other privileges than recorded speaks for all of them.
        named = grant.hashed("objects")
        for name, privileges in rows:
            found = corrected(transaction, grant, privileges)
            if found is not grant and (not named or name in named):
                return found
        return grant


def delete(server: Server, known: Properties) -> None:
    with (
        server.transaction(known.text("database")) as transaction,
        member_of(transaction, _locked(transaction, known)),
    ):
        _revoke(transaction, known, known.hashed("privileges"))


def _identity(grant: Properties) -> str:
    """A grant's id, with objects and columns in the order of their hashes."""
    object_type = grant.text("objectType")
    schema = [] if object_type == "database" else [grant.text("schema")]
    named = [*grant.hashed("objects"), *grant.hashed("columns")]
    return "_".join([grant.text("role"), grant.text("database"), *schema, object_type, *named])


def _of_columns(transaction: Transaction, grant: Properties, role: int) -> Properties:
    """The recorded columns that still have the privilege."""
    [table], [privilege] = grant.hashed("objects"), grant.hashed("privileges")
    rows = transaction.rows(ON_COLUMNS, grant.text("schema"), table, privilege, role)
    granted = {column for (column,) in rows}
    columns = grant.hashed("columns")
    return grant if granted.issuperset(columns) else grant.with_(columns=sorted(granted.intersection(columns)))


def _refuse_incomplete(grant: Properties) -> None:
    """Fails if the object type does not fit the other properties."""
    object_type, objects, columns = grant.text("objectType"), grant.hashed("objects"), grant.hashed("columns")
    if object_type != "database" and not grant.text("schema"):
        raise Failure(f"a grant on a {object_type} needs the schema")
    if objects and object_type in ("database", "schema"):
        raise Failure(f"a grant on a {object_type} names no objects")
    if bool(columns) != (object_type == "column"):
        raise Failure("only grants with the object type column have columns")
    if columns and (len(objects), len(grant.hashed("privileges"))) != (1, 1):
        raise Failure("a grant on columns names one table and one privilege")


def _locked(transaction: Transaction, grant: Properties) -> list[str]:
    """Waits for the role and the database; returns the roles whose privileges are needed."""
    object_type, database = grant.text("objectType"), grant.text("database")
    lock_role(transaction, grant.text("role"))
    if object_type == "database":
        lock_database(transaction, database)
        return []
    return schema_owners(transaction, grant.text("schema"), database, with_tables=object_type != "schema")


def _revoke(transaction: Transaction, grant: Properties, recorded: list[str]) -> None:
    """Revokes privileges; from named objects only the recorded ones, so that grants on columns stay."""
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
    """The ON clause of a statement."""
    schema, object_type = grant.text("schema"), grant.text("objectType")
    match object_type:
        case "database":
            return SQL("DATABASE {}").format(Identifier(grant.text("database")))
        case "schema":
            return SQL("SCHEMA {}").format(Identifier(schema))
    word = SQL({"column": "TABLE"}.get(object_type, object_type.upper()))
    named = []
    for entry in grant.hashed("objects"):
        # What follows a parenthesis are a routine's types, which are SQL already.
        name, *types = entry.split("(")
        named.append(Identifier(schema, name) + SQL("(" + types[0] if types else ""))
    if named:
        return SQL("{} {}").format(word, SQL(",").join(named))
    return SQL("ALL {}S IN SCHEMA {}").format(word, Identifier(schema))


TYPE = ResourceType(
    name="postgresql:index/grant:Grant",
    properties=(
        Property("role", required=True, replaces=True),
        Property("database", required=True, replaces=True),
        Property("schema", replaces=True),
        Property("objectType", required=True, replaces=True, allowed=OBJECT_TYPES),
        Property("objects", Kind.SET, replaces=True),
        Property("columns", Kind.SET, replaces=True),
        Property("privileges", Kind.SET, required=True),
        flag("withGrantOption", replaces=True),
    ),
    create=lambda server, planned: update(server, planned, planned),
    read=read,
    update=update,
    delete=delete,
    delete_before_replace=True,
)
