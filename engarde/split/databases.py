"""The two databases of a move: creates and removes what is new, and compares what stays in the old one with its copy.

The service is shut out meanwhile. A role that may read what the service may read does the comparison, never the admin:
reading may run functions of the service, and these could act as the admin.
"""

from dataclasses import replace
from hashlib import sha256

from engarde.backup.inspect import inspect
from engarde.backup.inventory import Inventory, Owned, contents
from engarde.backup.proof import make_login
from engarde.backup.restore import clear
from engarde.checks.journals import MoveJournal
from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import MAINTENANCE
from engarde.errors import Unfinished, Unreachable
from engarde.preflight.admin_privileges import refuse_for_extensions
from engarde.pulumi_cli.logins import login_of_admin
from engarde.rotate.lockout import acting, changing, login_status
from engarde.server.catalog import Existing
from engarde.server.credentials import Access
from engarde.server.functions import refuse_event_triggers
from engarde.server.session import Session, session
from engarde.split.inspect import Contents, create, server
from engarde.split.move import Move
from engarde.util.quoting import quoted, statement
from engarde.util.terminal import Say, visible

SHOWN = 5
"""How many differences or findings a message lists."""


def prepare(move: Move, begun: MoveJournal, found: Contents) -> None:
    """Creates the database, the role, the schema and the extensions that do not exist yet.

    :raises Refused: the admin may not create one of them.
    """
    if begun.made_database:
        with session(_beside(move), read_only=False) as asked:
            if server(asked, move.new, move.service.role).encoding is None:
                # CREATE DATABASE does not run in a transaction.
                asked.execute_alone(create(found, move.new.server.database))
    if move.other_server:
        # It gets a password once the service is shut out; `up` sets limits and settings.
        name = move.service.role
        with changing(move.new) as asked:
            there = asked.query("existing", Existing, roles=[name], schemas=[])
            asked.execute_or_refuse(f"{'ALTER' if there else 'CREATE'} ROLE {quoted(name)} LOGIN")
            if not move.new.server.superuser:
                asked.execute_or_refuse(f"GRANT {quoted(name)} TO {quoted(move.new.server.user)}")
    role, schema = quoted(move.service.role), quoted(found.schema)
    with changing(move.new) as asked:
        refuse_event_triggers(asked, move.new.server.user)
        if begun.made_database:
            _close(asked, move)
        with acting(asked, move.service.role):
            # Before there are functions: default privileges apply only to functions that are created later.
            asked.execute_or_refuse("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")
            asked.execute_or_refuse("SET LOCAL ROLE NONE")
            asked.execute_or_refuse(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {role}")
        wanted = [(extension.name, extension.schema, None) for extension in found.extensions]
        refuse_for_extensions(move.new, wanted, asked)
        for extension in found.extensions:
            name, where = quoted(extension.name), quoted(extension.schema)
            asked.execute_or_refuse(f"CREATE EXTENSION IF NOT EXISTS {name} SCHEMA {where} CASCADE")


def _beside(move: Move) -> Access:
    """The admin's login to a database that always exists on the server of the new one."""
    return replace(login_of_admin(move.new), database=MAINTENANCE) if move.new.elsewhere else login_of_admin(move.old)


def _close(asked: Session, move: Move) -> None:
    asked.execute_or_refuse(f"REVOKE CONNECT, TEMPORARY ON DATABASE {quoted(move.new.server.database)} FROM PUBLIC")


def remove(move: Move, begun: MoveJournal) -> tuple[str, ...]:
    """Removes what was created for a move that is undone; returns a sentence for each thing that stays.

    :raises Refused: the admin may not remove it.
    """
    role, schema, database = move.service.role, move.service.schema_, quoted(move.new.server.database)
    if begun.made_database:
        with session(_beside(move)) as asked:
            if server(asked, move.new, role).encoding is None:
                return ()
    if login_status(move.new, role) is None:
        return _stays(move, begun)
    with changing(move.new) as asked:
        refuse_event_triggers(asked, move.new.server.user)
        asked.execute_file("backup_pinned")
        with acting(asked, role):
            asked.execute_file("backup_unlink")
            if begun.made_schema:
                asked.execute_or_refuse(f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE")
                asked.execute_or_refuse("ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC")
            else:
                clear(asked, asked.query("backup_contents", Owned, schema=schema))
        asked.execute_or_refuse(f"REVOKE CONNECT, TEMPORARY ON DATABASE {database} FROM {quoted(role)}")
        if begun.made_database:
            # A kill may have come before the database was closed.
            _close(asked, move)
        if begun.made_role:
            asked.execute_or_refuse(f"DROP ROLE {quoted(role)}")
    return _stays(move, begun)


def _stays(move: Move, begun: MoveJournal) -> tuple[str, ...]:
    if not begun.made_database:
        return ()
    name = move.new.server.database
    drop = statement("DROP DATABASE {}", name)
    return (f"database {name} was created for the move and stays. If nobody uses it, drop it: {drop}",)


def differences(database: DatabaseStack, role: str, wanted: Inventory, say: Say) -> list[str]:
    """How the role's objects and rows in the database differ from an inventory, as printable lines.

    :raises Unfinished: the role that was created for the comparison may be left.
    """
    dismiss(database, role)
    try:
        login = make_login(login_of_admin(database), _name(database, role), role, "CONNECT")
        with session(login, "copy") as asked:
            asked.execute(f"SET LOCAL ROLE {quoted(role)}")
            return [visible(str(difference)) for difference in contents(wanted, inspect(asked, wanted.schema, say))]
    finally:
        try:
            dismiss(database, role)
        except Unreachable as lost:
            raise Unfinished(
                f"{lost}\nRole {_name(database, role)}, which was created for the comparison, may still exist. Run the"
                " command again: it drops the role"
            ) from None


def dismiss(database: DatabaseStack, role: str) -> None:
    """Drops the role of a comparison, also of one that was killed."""
    name = _name(database, role)
    with session(login_of_admin(database), read_only=False) as asked:
        if asked.query("existing", Existing, roles=[name], schemas=[]):
            asked.execute_or_refuse(
                f"REVOKE CONNECT ON DATABASE {quoted(database.server.database)} FROM {quoted(name)}"
            )
            asked.execute_or_refuse(f"DROP ROLE {quoted(name)}")
            asked.commit()


def _name(database: DatabaseStack, role: str) -> str:
    # Each run uses the same name, so that the next one finds the role.
    return f"engarde_split_{sha256(f'{database.name} {role}'.encode()).hexdigest()[:12]}"
