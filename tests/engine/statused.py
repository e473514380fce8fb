"""Status of a test's stack, as JSON has it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console

from engarde.declaration.databases import restrict_to
from engarde.declaration.model import DatabaseStack
from engarde.pulumi_cli.logins import login_to
from engarde.pulumi_cli.stacks import read
from engarde.server.credentials import Access, scram_verifier
from engarde.status.show import Status, status
from engarde.status.subjects import chosen
from tests.engine.admins import PASSWORD
from tests.engine.database import Session
from tests.engine.program import STACK, THE_ADMIN, Project

Seen = dict[str, Any]

MONITOR = 'Mon"itor'
OUTSIDER = "backend"

STACK_WITH_ALL: dict[str, Any] = {
    "services": {
        "madansara": {"reads": ["sankore.things"], "connectionLimit": 5},
        "sankore": None,
        "Odd-1": {"schema": "Odd 'S'", "role": 'Ro"le'},
    },
    "existingSchemas": {"public": {"service": "production-backend", "creators": [THE_ADMIN, OUTSIDER]}},
    "outsideRoles": {OUTSIDER: {"schemas": {"public": ["USAGE", "CREATE"]}}, MONITOR: {"database": ["CONNECT"]}},
    "analytics": {},
}
"""Beside the services a role of the backend's, and analytics."""

TABLE = 'Th"ings %s'
CONTENT = (
    """CREATE TABLE things (id serial PRIMARY KEY, word text, long text)""",
    """INSERT INTO things (word, long)
       SELECT 'word ' || n, (SELECT string_agg(md5((n * 1000 + m)::text), '') FROM generate_series(1, 200) m)
       FROM generate_series(1, 300) n""",
    """CREATE TABLE "Th""ings %s" (id int, "select" text)""",
    """CREATE TABLE parts (id int PRIMARY KEY, word text) PARTITION BY RANGE (id)""",
    """CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (100)""",
    """CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (100) TO (200)""",
    """INSERT INTO parts SELECT n, 'x' FROM generate_series(1, 150) n""",
    """CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM things""",
    """CREATE UNLOGGED TABLE fleeting (id int)""",
    """CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)""",
    """INSERT INTO alembic_version VALUES ('0a1b2c')""",
    """ANALYZE""",
)


def seen(project: Project, who: str | None = None, service: str | None = None, queries: bool = True) -> Seen:
    """What status says in JSON, asked as this role or as the admin."""
    return dict(json.loads(str(_looked(project, who, service, queries).form("json"))))


def scraped(project: Project, who: str | None = None) -> str:
    """What status says to Prometheus."""
    return str(_looked(project, who, None, True).form("prometheus"))


def shown(project: Project) -> str:
    """What status shows a person."""
    with StringIO() as text:
        Console(file=text, width=300).print(_looked(project, None, None, True).text(), markup=False)
        return text.getvalue()


def _looked(project: Project, who: str | None, service: str | None, queries: bool) -> Status:
    stack = restrict_to(read(project.folder, STACK), None)
    of = chosen(stack, service)
    role = who or stack.server.user
    login = Access(stack.server, stack.server.database, role, PASSWORD)
    logins = None if who else (lambda: service_logins(project, stack))
    return status(stack, login, of, queries, logins)


def service_logins(project: Project, stack: DatabaseStack) -> dict[str, Access]:
    """The services' own logins, by role."""
    known = project.outputs()["passwords"]
    return {
        service.role: login_to(stack, service, known[service.role])
        for service in stack.services
        if service.role in known
    }


def of(seen: Seen, service: str) -> Seen:
    """One service's part."""
    return next(each for each in seen["services"] if each["service"] == service)


@contextmanager
def transaction(session: Session, *statements: str) -> Iterator[Session]:
    """A transaction left open for as long as the block lasts."""
    session.execute("BEGIN")
    for statement in statements:
        session.execute(statement.encode())
    try:
        yield session
    finally:
        session.execute("ROLLBACK")


def watcher_verifier() -> str:
    """In place of a password, so that none is in the server's log."""
    return scram_verifier(PASSWORD, b"of who only watches")


def watcher() -> str:
    """The statement of a superuser that makes a role which may watch, and nothing else."""
    return f"""CREATE ROLE "Mon""itor" LOGIN PASSWORD '{watcher_verifier()}' IN ROLE pg_monitor"""


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Each sample that the official parser finds."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
