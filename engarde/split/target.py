"""The new database with all that the rows need, and without it again."""

from dataclasses import replace

from engarde.backup.inventory import Owned
from engarde.backup.restore import clear
from engarde.checks.journals import MoveJournal
from engarde.declaration.names import MAINTENANCE
from engarde.preflight.admin_privileges import WantedExtension, refuse_for_extensions
from engarde.pulumi_cli.logins import login_of_admin
from engarde.rotate.lockout import acting, changing, login_status
from engarde.server.catalog import Existing
from engarde.server.credentials import Access
from engarde.server.functions import refuse_event_triggers
from engarde.server.session import Session, session
from engarde.split.inspect import Contents, server
from engarde.split.move import Move
from engarde.split.preconditions import create
from engarde.util.quoting import quoted, statement


def prepare(move: Move, begun: MoveJournal, found: Contents) -> None:
    """Makes the database, the role, the schema and the extensions, as far as they are not there.

    :raises Refused: the admin may not.
    """
    if begun.made_database:
        with session(_beside(move), read_only=False) as asked:
            if server(asked, move.new, move.service.role).encoding is None:
                # No transaction makes a database.
                asked.execute_alone(create(found, move.new.server.database))
    if move.other_server:
        # Without a password until the service is shut out; limits and settings come with `up`.
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
            # Before there are functions: what they are born with stays.
            asked.execute_or_refuse("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")
            asked.execute_or_refuse("SET LOCAL ROLE NONE")
            asked.execute_or_refuse(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {role}")
        wanted = [WantedExtension(extension.name, extension.schema) for extension in found.extensions]
        refuse_for_extensions(move.new, wanted, asked)
        for extension in found.extensions:
            name, where = quoted(extension.name), quoted(extension.schema)
            asked.execute_or_refuse(f"CREATE EXTENSION IF NOT EXISTS {name} SCHEMA {where} CASCADE")


def _beside(move: Move) -> Access:
    """The admin's login to a database of the new one's server that is there in any case."""
    return replace(login_of_admin(move.new), database=MAINTENANCE) if move.new.elsewhere else login_of_admin(move.old)


def _close(asked: Session, move: Move) -> None:
    asked.execute_or_refuse(f"REVOKE CONNECT, TEMPORARY ON DATABASE {quoted(move.new.server.database)} FROM PUBLIC")


def remove(move: Move, begun: MoveJournal) -> tuple[str, ...]:
    """Takes back what was made for a move that is given up; what of it stays, a sentence each.

    :raises Refused: the admin may not.
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
            # A kill may have come before it was.
            _close(asked, move)
        if begun.made_role:
            asked.execute_or_refuse(f"DROP ROLE {quoted(role)}")
    return _stays(move, begun)


def _stays(move: Move, begun: MoveJournal) -> tuple[str, ...]:
    if not begun.made_database:
        return ()
    name = move.new.server.database
    return (
        f"database {name}, which was made for this, stays; where nobody uses it: {statement('DROP DATABASE {}', name)}",
    )
