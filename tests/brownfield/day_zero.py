"""Day zero, made on a server: the objects, roles and grants of `day_zero/*.sql`, passwords, TLS and entrance rules."""

import hashlib
import secrets
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from psycopg import sql

from devtools.server import HOST, Server
from engarde.server.credentials import scram_verifier
from tests.brownfield.services import ADMIN, NAMED
from tests.drivers import certificate
from tests.engine import database as databases
from tests.engine.admins import PASSWORD, SUPERUSER, Admin
from tests.engine.database import NAME, Database

FOLDER = Path(__file__).with_name("day_zero")
OF_THE_SUPERUSER = "<a superuser>"
SCRIPTS = (
    ("server", OF_THE_SUPERUSER),
    ("backend", ADMIN),
    ("guide", ADMIN),
    ("by_the_admin", ADMIN),
    ("backend_worker", "backend_worker"),
    ("sankore_user", "sankore_user"),
    ("langflow_user", "langflow_user"),
    ("workers_user", "workers_user"),
    ("leftovers", OF_THE_SUPERUSER),
)
"""What is run, and as whom, in this order. PostgreSQL 13 has all that they need, so that nothing is left out on any."""

MD5 = "legacy_etl"
"""The role whose password is still kept as md5."""

ROLES = (
    *("madansara_user", "sankore_user", "onside_user", "langflow_user", "analytics_readonly"),
    *("backend_worker", "workers_user", "metabase", MD5, "support_admin", "old_contractor", "nightly"),
)
"""All that log in, but for the admin."""


@dataclass(frozen=True, slots=True)
class DayZero:
    """The database on a running server, and what its clients know."""

    database: Database
    passwords: Mapping[str, str] = field(repr=False)
    """by role; the admin's is that of all tests, the others are as `openssl rand -base64 32` makes them"""

    def url(self, name: str) -> str:
        """What a client had as its URL when day zero began."""
        client = NAMED[name]
        role = self.database.admin.user if client.role == ADMIN else client.role
        login = f"{role}:{quote(self.passwords[role], safe='')}"
        url = f"postgresql://{login}@{HOST}:{self.database.server.port}/{NAME}"
        return url + (f"?options=-c%20search_path%3D{quote(client.path, safe='')}" if client.path else "")


@dataclass(frozen=True, slots=True)
class Template:
    """Day zero on a stopped server, to be copied for each test."""

    server: Server
    admin: Admin
    passwords: Mapping[str, str] = field(repr=False)


@contextmanager
def template(admin: Admin = SUPERUSER) -> Iterator[Template]:
    """Made by the admin, and by a superuser where the admin is none and may not."""
    made = {role: b64encode(secrets.token_bytes(32)).decode() for role in ROLES}
    passwords = {**made, SUPERUSER.user: PASSWORD, admin.user: PASSWORD}
    with databases.template(admin, prepare=lambda database: _make(database, passwords)) as server:
        yield Template(server, admin, passwords)


@contextmanager
def copied(template: Template) -> Iterator[DayZero]:
    """A running copy of a template."""
    with databases.copied(template.server, template.admin) as database:
        yield DayZero(database, template.passwords)


def _make(database: Database, passwords: Mapping[str, str]) -> None:
    certificate.switch_on(database)
    (database.server.data / "pg_hba.conf").write_bytes((FOLDER / "pg_hba.conf").read_bytes())
    database.run("SELECT pg_reload_conf()")
    for script, by in SCRIPTS:
        role = {ADMIN: database.admin.user, OF_THE_SUPERUSER: SUPERUSER.user}.get(by, by)
        with database.session(role, passwords[role]) as session:
            session.execute((FOLDER / f"{script}.sql").read_bytes())
        for (new,) in database.rows("SELECT rolname FROM pg_authid WHERE rolcanlogin AND rolpassword IS NULL"):
            stored = sql.Literal(_stored(new, passwords[new])).as_string(None)
            database.run(f"ALTER ROLE {new} PASSWORD {stored}")


def _stored(role: str, password: str) -> str:
    """What the server keeps of a password, so that it is sent none."""
    if role == MD5:
        return "md5" + hashlib.md5((password + role).encode()).hexdigest()
    return scram_verifier(password, secrets.token_bytes(16))
