"""The two kinds of role that a stack is brought up with."""

from dataclasses import dataclass

import pytest
from psycopg import sql

from devtools import server as servers
from engarde.server.credentials import scram_verifier

PASSWORD = "AdminsPasswordInTests"
BACKEND, BACKEND_PASSWORD = "backend", "BackendsPasswordInTests"
"""The production backend's role: it makes tables in `public`, and the stack knows it at most as an outside role."""


@dataclass(frozen=True, slots=True)
class Admin:
    """The role of `engarde:server.user`."""

    user: str
    superuser: bool


SUPERUSER = Admin(servers.ADMIN, superuser=True)
CREATEROLE = Admin("adm", superuser=False)
ADMINS = {"superuser": SUPERUSER, "createrole": CREATEROLE}
only_superuser = pytest.mark.parametrize("admin", ["superuser"], indirect=True)
"""Of a test of what no other admin can do, or where it makes no difference."""

only_createrole = pytest.mark.parametrize("admin", ["createrole"], indirect=True)
"""Of a test of what this admin does; `make test` runs it."""

both_admins = pytest.mark.parametrize("admin", ADMINS, indirect=True)
"""Of a test that `make test`, too, runs with both: by these few it sees at once what only the other one is denied."""

OWNED = ("users", "brands", "brand_users")
"""The backend's tables, of which the database's owner is the owner too where that is not the superuser."""


def making(admin: Admin) -> list[str]:
    """The statements by which a superuser makes the role, which gets what every run of it needs and nothing more."""
    if admin.superuser:
        return []
    name = sql.Identifier(admin.user).as_string(None)
    stored = sql.Literal(scram_verifier(PASSWORD, b"of an admin in tests")).as_string(None)
    return [
        f"CREATE ROLE {name} LOGIN CREATEROLE CREATEDB PASSWORD {stored}",
        f"ALTER DATABASE railway OWNER TO {name}",
    ]


def letting(admin: Admin, major: int) -> list[str]:
    """The statements that let it work where the backend has been at work before it, as the program asks for them."""
    if admin.superuser:
        return []
    name = sql.Identifier(admin.user).as_string(None)
    owned = [f"ALTER TABLE public.{table} OWNER TO {name}" for table in OWNED]
    # Up to 14 `public` is the superuser's.
    schema = [f"ALTER SCHEMA public OWNER TO {name}"] if major < 15 else []
    return [*owned, *schema, f"GRANT {BACKEND} TO {name}"]
