"""Which privileges an object type has, and what a resource that grants some of them compares."""

from collections.abc import Collection

from psycopg.sql import SQL, Composed

from devtools.provider_stubs.postgresql.connection import Transaction
from devtools.provider_stubs.values import Failure, Properties

OF_TYPE = {
    "database": ("CREATE", "CONNECT", "TEMPORARY"),
    "schema": ("CREATE", "USAGE"),
    "table": ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"),
    "column": ("SELECT", "INSERT", "UPDATE", "REFERENCES"),
    "sequence": ("USAGE", "SELECT", "UPDATE"),
    "function": ("EXECUTE",),
    "routine": ("EXECUTE",),
    "type": ("USAGE",),
}
ALL = "ALL"
MAINTAIN = "MAINTAIN"
KEYWORDS = {ALL, MAINTAIN, *(privilege for privileges in OF_TYPE.values() for privilege in privileges)}


def privileges_of(transaction: Transaction, object_type: str) -> set[str]:
    """All privileges that objects of a type have on this server."""
    newer = {MAINTAIN} if object_type == "table" and transaction.major >= 17 else set()
    return {*OF_TYPE[object_type], *newer}


def refuse_foreign(transaction: Transaction, wanted: Properties) -> None:
    """Fails where a wanted privilege is none of the object type's."""
    object_type = wanted.text("objectType")
    for privilege in wanted.hashed("privileges"):
        if privilege not in privileges_of(transaction, object_type) | {ALL}:
            raise Failure(f"{privilege} is not an allowed privilege for object type {object_type}")


def corrected(transaction: Transaction, wanted: Properties, found: Collection[str]) -> Properties:
    """What was wanted or, where what is found is something else, what is found."""
    names = set(wanted.hashed("privileges"))
    if set(found) == names or (ALL in names and set(found) == privileges_of(transaction, wanted.text("objectType"))):
        return wanted
    return wanted.with_(privileges=sorted(set(found)))


def keywords(privileges: Collection[str]) -> Composed:
    """Privileges as a statement lists them."""
    if unknown := set(privileges) - KEYWORDS:
        raise Failure(f"{', '.join(sorted(unknown))}: no such privilege")
    return SQL(",").join(map(SQL, privileges))
