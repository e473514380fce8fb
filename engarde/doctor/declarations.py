"""What the stack file lets a login see outside of its own."""

from engarde.declaration.grants import Read
from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.declaration.names import PUBLIC, spelled
from engarde.declaration.privileges import beyond
from engarde.declaration.stack_file import referring
from engarde.doctor import failed_statement, remedies
from engarde.doctor.facts import Facts
from engarde.output.findings import Remedy
from engarde.pulumi_cli.resource_names import login_name

TABLE = "TABLE"
"""Stands for a table that the text does not name."""


def owns(login: Service | Analytics, schema: str) -> bool:
    """Whether the schema is the login's own."""
    return isinstance(login, Service) and login.schema_ == schema


def enters(stack: DatabaseStack, login: Service | Analytics, schema: str) -> bool:
    """Whether the stack lets the login into a schema that is not its own."""
    if schema == PUBLIC:
        return True
    if isinstance(login, Analytics):
        return schema in stack.analytics_schemas
    return schema in beyond(login)


def read_of(login: Service | Analytics, schema: str, table: str) -> Read | None:
    """The declared read of a table by a service."""
    reads = login.reads if isinstance(login, Service) else ()
    return next((read for read in reads if (read.schema_, read.table) == (schema, table)), None)


def sees(stack: DatabaseStack, login: Service | Analytics, schema: str, table: str) -> bool:
    """Whether the stack lets the login read something of the table."""
    if isinstance(login, Analytics):
        return schema in stack.analytics_schemas
    return read_of(login, schema, table) is not None


def declaring(facts: Facts, lacking: list[Service | Analytics], schema: str, table: str | None) -> Remedy:
    """The lines that let one of these logins read a table, or point at it the foreign key that was refused.

    Where there are several logins, the text has to tell which.
    """
    if len(lacking) == 1 and isinstance(lacking[0], Analytics):
        declared = remedies.edit("engarde:analytics", "schemas", value=(*facts.stack.analytics_schemas, schema))
    else:
        declared = _declaring(facts, lacking, schema, table)
    if schema in facts.stack.schemas:
        return declared
    existing = remedies.edit("engarde:existingSchemas", schema, value="{}")
    return Remedy("edit", f"{existing.text}\n{declared.text}")


def _declaring(facts: Facts, lacking: list[Service | Analytics], schema: str, table: str | None) -> Remedy:
    who = login_name(lacking[0]) if len(lacking) == 1 else remedies.SERVICE
    if failed_statement.makes_foreign_key(facts.error.lines):
        read = read_of(lacking[0], schema, table) if len(lacking) == 1 and table else None
        return Remedy("edit", referring(who, schema, table or TABLE, read))
    return remedies.edit("engarde:services", who, "reads", value=(spelled(schema, table or TABLE),))


def named(logins: list[Service | Analytics]) -> str:
    """The logins by their words, in a sentence."""
    return ", ".join(login_name(login) for login in logins)
