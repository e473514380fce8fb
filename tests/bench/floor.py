"""The floor: the end state of the program as one psql script, and the script that undoes it."""

import secrets
import string
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import LiteralString

from psycopg.sql import SQL, Composable, Identifier, Literal

from engarde.declaration.address import Server
from engarde.declaration.databases import restrict_to
from engarde.declaration.model import Analytics, Service, Stack, Table
from engarde.declaration.names import PUBLIC
from engarde.declaration.privileges import On, Privilege, expected
from engarde.server.credentials import scram_salt, scram_verifier
from engarde.server.role_settings import declared

ON_ALL = {On.TABLES: SQL("TABLES"), On.SEQUENCES: SQL("SEQUENCES")}
FUTURE = {
    On.FUTURE_TABLES: SQL("TABLES"),
    On.FUTURE_SEQUENCES: SQL("SEQUENCES"),
    On.FUTURE_FUNCTIONS: SQL("FUNCTIONS"),
}
PASSWORD_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Floor:
    """Two scripts."""

    make: str = field(repr=False)
    drop: str
    things: int
    """roles, schemas and rows of the privilege table: what the program makes, but for the passwords"""


def floor(stack: Stack, tables: Collection[Table], verifiers: Mapping[str, str]) -> Floor:
    """The scripts of a stack; reads of tables that do not exist are left out, as the program does."""
    rows = granted(stack, tables)
    make = [
        *(each for login in stack.logins for each in _role(login, verifiers[login.role], stack.server)),
        *(_statement("CREATE SCHEMA {} AUTHORIZATION {}", s.schema_, s.role) for s in stack.services),
        *(each for row in rows for each in _privilege(row, stack)),
    ]
    drop = [
        *(_statement("DROP SCHEMA {}", service.schema_) for service in stack.services),
        # One after another: what one role was granted by another's default privileges goes with either.
        *(_statement("DROP OWNED BY {}", login.role) for login in stack.logins),
        *(_statement("DROP ROLE {}", login.role) for login in stack.logins),
    ]
    return Floor(_script(make), _script(drop), len(stack.logins) + len(stack.services) + len(rows))


def granted(stack: Stack, tables: Collection[Table]) -> list[Privilege]:
    """The rows of the privilege table that can be granted now, in the order of a stack file."""
    rows = (row for row in expected(restrict_to(stack, None)) if not row.table or (row.schema, row.table) in tables)
    return sorted(rows, key=lambda row: (list(On).index(row.on), row.schema or "", repr(row)))


def verifiers(stack: Stack) -> dict[str, str]:
    """A verifier of a password nobody knows, for each role."""
    return {login.role: _verifier(stack, login) for login in stack.logins}


def _verifier(stack: Stack, login: Service | Analytics) -> str:
    password = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(PASSWORD_LENGTH))
    return scram_verifier(password, scram_salt("engarde", stack.name, login.role, login.rotation))


def _role(login: Service | Analytics, verifier: str, server: Server) -> Iterator[Composable]:
    role = Identifier(login.role)
    yield SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT {} PASSWORD {} VALID UNTIL 'infinity'").format(
        role, Literal(login.connection_limit), Literal(verifier)
    )
    if isinstance(login, Service):
        path = _names([login.schema_, PUBLIC])
        yield SQL("ALTER ROLE {} SET search_path = {}").format(role, path)
    timeouts = {
        "statement_timeout": login.statement_timeout,
        "idle_in_transaction_session_timeout": login.idle_in_transaction_session_timeout,
    }
    for name, milliseconds in timeouts.items():
        if milliseconds:
            yield SQL("ALTER ROLE {} SET {} = {}").format(role, Identifier(name), Literal(milliseconds))
    for name, value in declared(login, server).items():
        yield SQL("ALTER ROLE {} SET {} = {}").format(role, Identifier(name), Literal(value))


def _privilege(row: Privilege, stack: Stack) -> Iterator[Composable]:
    """What makes a row true: taken away is only from who can have had something before."""
    for_later = _for_later(row) if row.on in FUTURE else SQL("")
    if row.grantee not in {login.role for login in stack.logins}:
        yield SQL("{}REVOKE ALL ON {} FROM {}").format(for_later, _target(row), _grantee(row))
    if row.rights:
        yield SQL("{}GRANT {} ON {} TO {}").format(for_later, _rights(row), _target(row), _grantee(row))


def _for_later(row: Privilege) -> Composable:
    within = SQL(" IN SCHEMA {}").format(Identifier(row.schema)) if row.schema else SQL("")
    return SQL("ALTER DEFAULT PRIVILEGES FOR ROLE {}{} ").format(Identifier(row.creator or ""), within)


def _target(row: Privilege) -> Composable:
    match row.on:
        case On.DATABASE:
            return SQL("DATABASE {}").format(Identifier(row.database))
        case On.SCHEMA:
            return SQL("SCHEMA {}").format(Identifier(row.schema or ""))
        case On.TABLE | On.COLUMNS:
            return SQL("TABLE {}").format(Identifier(row.schema or "", row.table or ""))
        case on if on in FUTURE:
            return FUTURE[on]
        case _:
            return SQL("ALL {} IN SCHEMA {}").format(ON_ALL[row.on], Identifier(row.schema or ""))


def _rights(row: Privilege) -> Composable:
    of = SQL(" ({})").format(_names(row.columns)) if row.columns else SQL("")
    return SQL(", ").join(SQL("{}{}").format(SQL(right), of) for right in row.rights)


def _grantee(row: Privilege) -> Composable:
    return SQL("PUBLIC") if row.grantee == PUBLIC else Identifier(row.grantee)


def _names(names: Collection[str]) -> Composable:
    return SQL(", ").join(map(Identifier, names))


def _statement(form: LiteralString, *names: str) -> Composable:
    return SQL(form).format(*map(Identifier, names))


def _script(statements: list[Composable]) -> str:
    return "".join(f"{statement.as_string(None)};\n" for statement in statements)
