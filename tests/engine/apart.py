"""A stack in three databases: the shared one, another one of its server, and one on another server."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import sql

from devtools.server import HOST, Server
from tests.engine import database as databases
from tests.engine.admins import BACKEND, PASSWORD, Admin
from tests.engine.database import NAME, Database, Session
from tests.engine.program import STACK_FILE, THE_ADMIN, Project

OWN, THERE = "its own", "there"
"""The name of the database on the shared server, and the key of the one on the other server."""

SHARED: dict[str, Any] = {"madansara": {"reads": ["public.users"]}, "sankore": None}
SERVICES: dict[str, Any] = {**SHARED, "onside": {"database": OWN}, "langflow": {"database": THERE}}
BESIDE: dict[str, Any] = {
    "server": {"protect": True},
    "existingSchemas": {"public": {"creators": [THE_ADMIN, BACKEND]}},
    "outsideRoles": {BACKEND: {"schemas": {"public": ["USAGE", "CREATE"]}}},
    "analytics": {},
}


@contextmanager
def another(template: Server, admin: Admin) -> Iterator[Database]:
    """Another server, with a database that is called as the shared one is."""
    with databases.copied(template, admin) as database:
        yield database


def declare(project: Project, there: Database, services: dict[str, Any], **sections: Any) -> None:
    """Makes these the services of the stack file, with the other server beside the project's own."""
    admin = there.admin
    server = {"host": HOST, "port": there.server.port, "database": NAME}
    known = {THERE: {**server, "user": admin.user, "superuser": admin.superuser}}
    project.declare(**{**BESIDE, **sections}, services=services, databases=known)
    document = json.loads((project.folder / STACK_FILE).read_text())
    # The admin has the same password on both.
    document["config"]["engarde:adminPasswords"] = {THERE: document["config"]["engarde:adminPassword"]}
    (project.folder / STACK_FILE).write_text(json.dumps(document))


def make_database(project: Project, name: str) -> None:
    """A database for the admin, as an operator makes it."""
    database, owner = sql.Identifier(name).as_string(None), sql.Identifier(project.database.admin.user).as_string(None)
    project.database.run(f"CREATE DATABASE {database} OWNER {owner}")
    if project.database.major < 15 and not project.database.admin.superuser:
        with project.database.session(database=name) as session:
            session.execute(f"ALTER SCHEMA public OWNER TO {owner}".encode())


def session(database: Database, role: str, password: str, name: str) -> Session:
    """A login to one of the databases of a server."""
    return database.session(role, password, name)


def rows(database: Database, name: str, query: str) -> list[tuple[Any, ...]]:
    """What a query of the superuser's finds in a database."""
    with database.session(password=PASSWORD, database=name) as found:
        return found.execute(query.encode()).fetchall()
