"""Which privileges of a grant the server still has."""

from devtools.provider_stubs.postgresql.catalog import role_id
from devtools.provider_stubs.postgresql.connection import Parameter, Server, Transaction
from devtools.provider_stubs.postgresql.presence import present
from devtools.provider_stubs.postgresql.privileges import corrected
from devtools.provider_stubs.values import Properties

RELATION_KINDS = {"table": "r", "sequence": "S"}
ROUTINE = "routine"

ON_DATABASE = """
    SELECT privilege_type FROM pg_database CROSS JOIN aclexplode(datacl) WHERE datname = %s AND grantee = %s"""
ON_SCHEMA = """
    SELECT privilege_type FROM pg_namespace CROSS JOIN aclexplode(nspacl) WHERE nspname = %s AND grantee = %s"""
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


def identity(grant: Properties) -> str:
    """A grant's id; objects and columns stand in it in the order of their hashes."""
    object_type = grant.text("objectType")
    schema = [] if object_type == "database" else [grant.text("schema")]
    named = [*grant.hashed("objects"), *grant.hashed("columns")]
    return "_".join([grant.text("role"), grant.text("database"), *schema, object_type, *named])


def read(server: Server, known: Properties) -> Properties | None:
    if not present(server, known):
        return None
    grant = known.with_(id=identity(known))
    with server.transaction(grant.text("database")) as transaction:
        role = role_id(transaction, grant.text("role"))
        match grant.text("objectType"):
            case "database":
                return _on_one(transaction, grant, ON_DATABASE, grant.text("database"), role)
            case "schema":
                return _on_one(transaction, grant, ON_SCHEMA, grant.text("schema"), role)
            case "column":
                return _on_columns(transaction, grant, role)
            case "routine":
                # By their bare names: one that is named with its types is never among them, so its drift is not seen.
                return _on_objects(grant, transaction, ON_ROUTINES, role, grant.text("schema"))
            case _:
                kind = RELATION_KINDS[grant.text("objectType")]
                return _on_objects(grant, transaction, ON_RELATIONS, role, grant.text("schema"), kind)


def _on_one(transaction: Transaction, grant: Properties, query: str, name: str, role: int) -> Properties:
    return corrected(transaction, grant, [privilege for (privilege,) in transaction.rows(query, name, role)])


def _on_objects(grant: Properties, transaction: Transaction, query: str, *of: Parameter) -> Properties:
    """The first relation or routine with other privileges than recorded speaks for all of them."""
    named = grant.hashed("objects")
    for name, privileges in transaction.rows(query, *of):
        found = corrected(transaction, grant, privileges)
        if found is not grant and (not named or name in named):
            return found
    return grant


def _on_columns(transaction: Transaction, grant: Properties, role: int) -> Properties:
    """Of the recorded columns those that still have the privilege."""
    [table], [privilege] = grant.hashed("objects"), grant.hashed("privileges")
    rows = transaction.rows(ON_COLUMNS, grant.text("schema"), table, privilege, role)
    granted = {column for (column,) in rows}
    columns = grant.hashed("columns")
    return grant if granted.issuperset(columns) else grant.with_(columns=sorted(granted.intersection(columns)))
