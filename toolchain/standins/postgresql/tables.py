"""`postgresql:index/getTables:getTables`: the tables of a database by schema, type and name."""

from collections.abc import Mapping

from toolchain.standins.package import Function
from toolchain.standins.postgresql.connection import Server
from toolchain.standins.resource import Kind, Property
from toolchain.standins.values import Plain, Properties

CONDITIONS = {
    "schemas": "table_schema = ANY (%s)",
    "tableTypes": "table_type = ANY (%s)",
    "likeAnyPatterns": "table_name LIKE ANY (%s)",
    "likeAllPatterns": "table_name LIKE ALL (%s)",
    "notLikeAllPatterns": "table_name NOT LIKE ALL (%s)",
}
"""A list among the arguments and the condition it stands for, unless it is empty."""

ARGUMENTS = (
    Property("database", required=True),
    *(Property(name, Kind.LIST) for name in CONDITIONS),
    Property("regexPattern"),
)


def tables(server: Server, wanted: Properties) -> Mapping[str, Plain]:
    conditions = [condition for name, condition in CONDITIONS.items() if wanted.listed(name)]
    lists = [wanted.listed(name) for name in CONDITIONS if wanted.listed(name)]
    parameters: list[str | list[str]] = [[_literal(text) for text in texts] for texts in lists]
    if pattern := wanted.text("regexPattern"):
        conditions.append("table_name ~ %s")
        parameters.append(_literal(pattern))
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    query = f"SELECT table_name, table_schema, table_type FROM information_schema.tables{where} ORDER BY 2, 1"
    with server.transaction(wanted.text("database")) as transaction:
        rows = transaction.rows(query, *parameters)
    found: list[Plain] = [dict(zip(("objectName", "schemaName", "tableType"), row, strict=True)) for row in rows]
    return {**{each.name: wanted.values.get(each.name) for each in ARGUMENTS}, "tables": found, "id": _id(wanted)}


def _literal(text: str) -> str:
    """The official plugin puts a text between quotes as it is, so that its callers have to double those inside."""
    return text.replace("''", "'")


def _id(wanted: Properties) -> str:
    """The arguments in the order and form in which the official plugin writes them."""
    parts = [wanted.text("database")]
    for name, condition in CONDITIONS.items():
        quoted = ",".join(f"'{each}'" for each in wanted.listed(name))
        parts.append(f"{'ALL' if ' ALL ' in condition else 'ANY'} (array[{quoted}])")
    return "_".join([*parts, wanted.text("regexPattern")])


FUNCTION = Function("postgresql:index/getTables:getTables", ARGUMENTS, tables)
