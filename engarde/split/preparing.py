"""The new database with all that the rows need, and without it again."""

from __future__ import annotations

from dataclasses import replace

from engarde.backup import large_objects
from engarde.backup.inventory import Owned
from engarde.backup.loading import clear
from engarde.backup.rows import Pinned
from engarde.preflight.admin_privileges import WantedExtension, refuse_for_extensions
from engarde.server.catalog.rows import Existing
from engarde.server.credentials import Access, login_of_admin
from engarde.server.functions import refuse_event_triggers
from engarde.server.session import Session, session
from engarde.split.contents import Contents
from engarde.split.doors import acting, door
from engarde.split.journal import Journal
from engarde.split.move import Move
from engarde.split.obstacles import create
from engarde.split.rows import Server
from engarde.split.target import MAINTENANCE
from engarde.util.quoting import quoted, statement


def prepare(move: Move, begun: Journal, found: Contents) -> None:
    """Makes the database, the role, the schema and the extensions, as far as they are not there.

    :raises Refused: the admin may not.
    """
    if begun.made_database:
        _make_database(move, found)
    if move.other_server:
        _make_role(move)
    role, schema = quoted(move.service.role), quoted(found.schema)
    with session(login_of_admin(move.new), read_only=False) as asked:
        refuse_event_triggers(asked, move.new.server.user)
        if begun.made_database:
            _close(asked, move)
        with acting(asked, move.service.role):
            # Before there are functions: what they are born with stays.
            asked.change("ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC")
            asked.change("SET LOCAL ROLE NONE")
            asked.change(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {role}")
        wanted = [WantedExtension(each.name, each.schema) for each in found.extensions]
        refuse_for_extensions(move.new, wanted, asked)
        for each in found.extensions:
            name, where = quoted(each.name), quoted(each.schema)
            asked.change(f"CREATE EXTENSION IF NOT EXISTS {name} SCHEMA {where} CASCADE")
        asked.commit()


def _make_database(move: Move, found: Contents) -> None:
    name = move.new.server.database
    with session(_beside(move), read_only=False) as asked:
        [server] = asked.rows("split_server", Server, database=name, role=move.service.role)
        if server.encoding is None:
            # No transaction makes a database.
            asked.change_alone(create(found, name))


def _beside(move: Move) -> Access:
    """The admin's login to a database of the new one's server that is there in any case."""
    return replace(login_of_admin(move.new), database=MAINTENANCE) if move.new.elsewhere else login_of_admin(move.old)


def _close(asked: Session, move: Move) -> None:
    asked.change(f"REVOKE CONNECT, TEMPORARY ON DATABASE {quoted(move.new.server.database)} FROM PUBLIC")


def _make_role(move: Move) -> None:
    """Without a password until the service is shut out; limits and settings come with `up`."""
    role, admin = move.service.role, quoted(move.new.server.user)
    with session(login_of_admin(move.new), read_only=False) as asked:
        there = asked.rows("existing", Existing, roles=[role], schemas=[])
        asked.change(f"{'ALTER' if there else 'CREATE'} ROLE {quoted(role)} LOGIN")
        if not move.new.server.superuser:
            asked.change(f"GRANT {quoted(role)} TO {admin}")
        asked.commit()


def remove(move: Move, begun: Journal) -> tuple[str, ...]:
    """Takes back what was made for a move that is given up; what of it stays, a sentence each.

    :raises Refused: the admin may not.
    """
    role, schema, database = move.service.role, move.service.schema_, quoted(move.new.server.database)
    if begun.made_database and not _exists(move):
        return ()
    if door(move.new, role) is None:
        return _stays(move, begun)
    with session(login_of_admin(move.new), read_only=False) as asked:
        refuse_event_triggers(asked, move.new.server.user)
        asked.rows("backup_pinned", Pinned)
        with acting(asked, role):
            large_objects.unlink(asked)
            if begun.made_schema:
                asked.change(f"DROP SCHEMA IF EXISTS {quoted(schema)} CASCADE")
                asked.change("ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC")
            else:
                clear(asked, asked.rows("backup_contents", Owned, schema=schema))
        asked.change(f"REVOKE CONNECT, TEMPORARY ON DATABASE {database} FROM {quoted(role)}")
        if begun.made_database:
            # A kill may have come before it was.
            _close(asked, move)
        if begun.made_role:
            asked.change(f"DROP ROLE {quoted(role)}")
        asked.commit()
    return _stays(move, begun)


def _exists(move: Move) -> bool:
    with session(_beside(move)) as asked:
        [server] = asked.rows("split_server", Server, database=move.new.server.database, role=move.service.role)
    return server.encoding is not None


def _stays(move: Move, begun: Journal) -> tuple[str, ...]:
    if not begun.made_database:
        return ()
    name = move.new.server.database
    return (
        f"database {name}, which was made for this, stays; where nobody uses it: {statement('DROP DATABASE {}', name)}",
    )
