"""What can be wrong with a stack that is up, each with what the doctor says of it."""

from dataclasses import dataclass
from typing import Any

from tests.engine.admins import BACKEND
from tests.engine.program import THE_ADMIN

STACK: dict[str, Any] = {
    "services": {
        "madansara": {"reads": ["sankore.goes"]},
        "sankore": {"statementTimeout": 9000},
        "field-notes": {"schema": "Field-Notes", "role": 'Ro"le-x'},
    },
    "existingSchemas": {"public": {"creators": [THE_ADMIN, BACKEND]}},
    "analytics": {"schemas": ["madansara", "sankore"]},
    "extensions": {"hstore": None},
    "outsideRoles": {BACKEND: {"schemas": {"public": ["USAGE", "CREATE"]}}},
}

VERSIONS = "alembic_version (version_num varchar(32) PRIMARY KEY)"
RELOAD = "SELECT pg_reload_conf()"


@dataclass(frozen=True, slots=True)
class Ailment:
    """Statements of a superuser's after which these things are found: check and subject."""

    by_hand: tuple[str, ...]
    found: frozenset[tuple[str, str]]
    safe: bool = False
    """with a superuser as admin"""
    for_others: bool = False
    """safe with any admin"""


def ailment(check: str, subject: str, *by_hand: str, safe: bool = False, for_others: bool = False) -> Ailment:
    return Ailment(by_hand, frozenset({(check, subject)}), safe, for_others)


def owner(kind: str, identity: str, statement: str, *, safe: bool = True) -> Ailment:
    return ailment("owner", f"{kind} {identity}", statement, safe=safe)


AT_ONCE = {
    "table of another's": owner("table", "sankore.t", "CREATE TABLE sankore.t (id serial)"),
    "odd table of another's": owner(
        "table", '"Field-Notes"."T ""x"" % 1"', 'CREATE TABLE "Field-Notes"."T ""x"" % 1" (id int)'
    ),
    "partitioned table of another's": owner(
        "table", "sankore.p", "CREATE TABLE sankore.p (id int) PARTITION BY LIST (id)"
    ),
    "sequence of another's": owner("sequence", "sankore.s", "CREATE SEQUENCE sankore.s"),
    # Others may keep values of it, and whoever owns it chooses what casts and checks run there.
    "type of another's": owner("type", "sankore.e", "CREATE TYPE sankore.e AS ENUM ('a')", safe=False),
    "domain of another's": owner("domain", "sankore.d", "CREATE DOMAIN sankore.d AS int", safe=False),
    "view of another's": owner("view", "sankore.v", "CREATE VIEW sankore.v AS SELECT 1", safe=False),
    "function of another's": owner(
        "routine",
        "sankore.f(a integer)",
        "CREATE FUNCTION sankore.f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        safe=False,
    ),
    "table of a declared role's": Ailment(
        ("CREATE TABLE sankore.b (id int)", f"ALTER TABLE sankore.b OWNER TO {BACKEND}"),
        frozenset({("owner", "table sankore.b")}),
    ),
    "table of another service's": Ailment(
        ("CREATE TABLE sankore.m (id int)", "ALTER TABLE sankore.m OWNER TO madansara_user"),
        frozenset({("owner", "table sankore.m")}),
    ),
    "table of the admin's": Ailment(
        ("CREATE TABLE sankore.a (id int)", "ALTER TABLE sankore.a OWNER TO {admin}"),
        frozenset({("owner", "table sankore.a")}),
        safe=True,
        for_others=True,
    ),
    "table in public": ailment(
        "place",
        'table public."Lost-1"',
        'CREATE TABLE public."Lost-1" (id serial)',
        'ALTER TABLE public."Lost-1" OWNER TO "Ro""le-x"',
    ),
    "search_path in the database": ailment(
        "setting",
        'search_path of Ro"le-x',
        'ALTER ROLE "Ro""le-x" IN DATABASE railway SET search_path = public',
        safe=True,
        for_others=True,
    ),
    "timeout in the database": ailment(
        "setting",
        "statement_timeout of sankore_user",
        "ALTER ROLE sankore_user IN DATABASE railway SET statement_timeout = '1h'",
        safe=True,
        for_others=True,
    ),
    "large objects of everybody": ailment(
        "server", "lo_compat_privileges", "ALTER SYSTEM SET lo_compat_privileges = on", RELOAD
    ),
    "weak passwords": ailment("server", "password_encryption", "ALTER SYSTEM SET password_encryption = md5", RELOAD),
    "extension": ailment("extension", "hstore", "DROP EXTENSION hstore"),
    "vanished table": ailment("vanished table", "sankore.goes", "DROP TABLE sankore.goes"),
}

ALONE = {
    "version table in public": ailment(
        "version table",
        "public.alembic_version",
        f"CREATE TABLE public.{VERSIONS}",
        "INSERT INTO public.alembic_version VALUES ('0a1b')",
        'ALTER TABLE public.alembic_version OWNER TO "Ro""le-x"',
    ),
    "version table in another's schema": ailment(
        "version table",
        "sankore.alembic_version",
        f"CREATE TABLE sankore.{VERSIONS}",
        "ALTER TABLE sankore.alembic_version OWNER TO madansara_user",
    ),
    "version table that two use": ailment(
        "version table",
        "public.alembic_version",
        f"CREATE TABLE public.{VERSIONS}",
        "INSERT INTO public.alembic_version VALUES ('0a1b'), ('2c3d')",
        f"ALTER TABLE public.alembic_version OWNER TO {BACKEND}",
        "GRANT ALL ON public.alembic_version TO sankore_user, madansara_user",
        "SET ROLE madansara_user",
        "CREATE TABLE madansara.things (id int)",
    ),
    "version table that its owner shares": ailment(
        "version table",
        "public.alembic_version",
        f"CREATE TABLE public.{VERSIONS}",
        "ALTER TABLE public.alembic_version OWNER TO sankore_user",
        "GRANT ALL ON public.alembic_version TO madansara_user",
        "SET ROLE madansara_user",
        "CREATE TABLE madansara.things (id int)",
    ),
    "version table left behind": ailment(
        "version table",
        "public.alembic_version",
        f"CREATE TABLE public.{VERSIONS}",
        "ALTER TABLE public.alembic_version OWNER TO sankore_user",
        f"CREATE TABLE sankore.{VERSIONS}",
        "ALTER TABLE sankore.alembic_version OWNER TO sankore_user",
    ),
    "timeout of the database": Ailment(
        ("ALTER DATABASE railway SET statement_timeout = '40s'",),
        frozenset({("setting", f"statement_timeout of {role}") for role in ("madansara_user", 'Ro"le-x')}),
        safe=True,
        for_others=True,
    ),
    "timeout of everybody": Ailment(
        ("ALTER ROLE ALL SET statement_timeout = '40s'",),
        frozenset({("setting", f"statement_timeout of {role}") for role in ("madansara_user", 'Ro"le-x')}),
        safe=True,
        for_others=True,
    ),
    "large objects of everybody in the database": ailment(
        "server", "lo_compat_privileges", "ALTER DATABASE railway SET lo_compat_privileges = on"
    ),
}

TIDY = (
    "DROP TABLE IF EXISTS public.alembic_version, madansara.alembic_version, sankore.alembic_version,"
    ' "Field-Notes".alembic_version, madansara.things',
    "ALTER DATABASE railway RESET ALL",
    "ALTER ROLE ALL RESET ALL",
    "ALTER ROLE madansara_user RESET statement_timeout",
    'ALTER ROLE "Ro""le-x" RESET statement_timeout',
)
"""What makes way for the next one that comes alone, whether or not the one before was healed."""
