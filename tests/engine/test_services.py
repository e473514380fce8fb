"""What a service can do by its exported URL, and all that it is denied."""

import psycopg
import pytest

from engarde.server.credentials import scram_salt, scram_verifier
from tests.engine.admins import BACKEND, BACKEND_PASSWORD, only_superuser
from tests.engine.conftest import SHARED
from tests.engine.denied import denied
from tests.engine.program import STACK, Project

pytestmark = pytest.mark.xdist_group("shared")

SERVICES = {name: (declared or {}).get("schema", name) for name, declared in SHARED["services"].items()}

ATTRIBUTES = """
    SELECT rolcanlogin, rolinherit, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls,
           rolvaliduntil::text, rolconnlimit,
           -- An admin that is no superuser may act as it; nobody else may, and it as nobody.
           (SELECT count(*) FROM pg_auth_members
            WHERE oid IN (member, roleid) AND (member = oid OR member::regrole::text <> %s))
    FROM pg_roles WHERE rolname = %s
"""
SETTINGS = """
    SELECT coalesce(d.datname, ''), s.setconfig
    FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase
    WHERE r.rolname = %s
"""
ANYWHERE = (
    "CREATE SCHEMA mine",
    "CREATE DATABASE mine",
    "CREATE ROLE mine",
    "CREATE EXTENSION hstore",
    "SET ROLE postgres",
    "SET ROLE analytics_readonly",
    "ALTER ROLE CURRENT_USER CONNECTION LIMIT 100",
    "ALTER ROLE CURRENT_USER CREATEDB",
    "SELECT pg_read_file('PG_VERSION')",
    "COPY (SELECT 1) TO PROGRAM 'cat'",
    "SELECT rolpassword FROM pg_authid",
)


def on_table(table: str) -> tuple[str, ...]:
    """Everything one can do to somebody else's table of two columns, `id` first, and to its sequence."""
    return (
        f"SELECT * FROM {table}",
        f"SELECT count(*) FROM {table}",
        f"INSERT INTO {table} DEFAULT VALUES",
        f"UPDATE {table} SET id = DEFAULT",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
        f"ALTER TABLE {table} ADD COLUMN more text",
        f"CREATE INDEX ON {table} (id)",
        f"CREATE TABLE refers (id int REFERENCES {table})",
        f"DROP TABLE {table}",
    )


def in_schema(schema: str) -> tuple[str, ...]:
    """What needs CREATE on somebody else's schema, or to be its owner."""
    return (
        f"CREATE TABLE {schema}.mine (id int)",
        f"CREATE VIEW {schema}.mine AS SELECT 1",
        f"CREATE SEQUENCE {schema}.mine",
        f"CREATE TYPE {schema}.mine AS ENUM ('a')",
        f"CREATE FUNCTION {schema}.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        f"DROP SCHEMA {schema}",
    )


def on_sequence(sequence: str) -> tuple[str, ...]:
    return (
        f"SELECT nextval('{sequence}')",
        f"SELECT setval('{sequence}', 7)",
        f"SELECT last_value FROM {sequence}",
    )


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_works_in_its_own_schema(shared: Project, service: str) -> None:
    schema = SERVICES[service]
    with shared.connect(service) as session:
        path = session.execute("SELECT current_schemas(false)").fetchone()
        assert path == ([schema, "public"],)
        session.execute("CREATE TABLE works (id int PRIMARY KEY, refers int REFERENCES things)")
        session.execute("INSERT INTO things (word) VALUES ('a'), ('b')")
        session.execute("INSERT INTO works VALUES (1, 1)")
        session.execute("UPDATE works SET refers = 2")
        found = session.execute(
            f'SELECT w.id, t.word FROM "{schema}".works w JOIN things t ON t.id = w.refers'.encode()
        )
        assert found.fetchall() == [(1, "b")]
        session.execute("CREATE FUNCTION seven() RETURNS int LANGUAGE sql AS 'SELECT 7'")
        assert session.execute("SELECT seven()").fetchone() == (7,)
        session.execute("CREATE TEMP TABLE passing AS SELECT 1")
        session.execute("DROP TABLE works")
        session.execute("DROP FUNCTION seven")
        session.execute("TRUNCATE things RESTART IDENTITY")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_denied_everything_outside(shared: Project, service: str) -> None:
    with shared.connect(service) as session:
        for statement in ANYWHERE:
            denied(session, statement)
        for name, schema in SERVICES.items():
            if name != service:
                quoted = f'"{schema}"'
                for statement in (
                    *on_table(f"{quoted}.things"),
                    *in_schema(quoted),
                    *on_sequence(f"{quoted}.things_id_seq"),
                    f"SET ROLE {name}_user" if name != "field-notes" else 'SET ROLE "field-notes_user"',
                ):
                    denied(session, statement)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_denied_what_is_not_declared_in_public(shared: Project, service: str) -> None:
    with shared.connect(service) as session:
        read = {"SELECT * FROM public.users", "SELECT count(*) FROM public.users"} if service == "madansara" else set()
        for statement in (
            *in_schema("public"),
            *on_table("public.undeclared"),
            *on_table("public.users"),
            *on_table("public.brands"),
            *on_sequence("public.users_id_seq"),
        ):
            if statement in read:
                session.execute(statement.encode())
            elif not (service == "madansara" and statement == "SELECT count(*) FROM public.brands"):
                denied(session, statement)


def test_a_declared_read_of_columns_stops_at_them(shared: Project) -> None:
    with shared.connect("madansara") as session:
        session.execute("SELECT id FROM public.brands")
        denied(session, "SELECT name FROM public.brands")
        denied(session, "SELECT id FROM public.brands WHERE name = 'a'")


@only_superuser
@pytest.mark.parametrize("service", SERVICES)
def test_no_login_reaches_another_database(shared: Project, service: str) -> None:
    password = shared.outputs()["passwords"][f"{service}_user"]
    for other in ("postgres", "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            shared.database.session(f"{service}_user", password, other)


@pytest.mark.parametrize(("service", "limit"), [("madansara", 2), ("sankore", 10), ("field-notes", 10)])
def test_the_role_logs_in_and_nothing_else(shared: Project, service: str, limit: int) -> None:
    [found] = shared.database.rows(ATTRIBUTES, shared.database.admin.user, f"{service}_user")
    assert found == (True, True, False, False, False, False, False, "infinity", limit, 0)


def test_settings_hold_for_the_role_in_every_database(shared: Project) -> None:
    assert dict(shared.database.rows(SETTINGS, "madansara_user")) == {
        "": [
            "search_path=madansara, public",
            "statement_timeout=30000",
            "idle_in_transaction_session_timeout=5000",
            *(["temp_file_limit=10240MB"] if shared.database.admin.superuser else []),
        ]
    }
    with shared.connect("madansara") as session:
        assert session.execute("SHOW statement_timeout").fetchone() == ("30s",)
        assert session.execute("SHOW idle_in_transaction_session_timeout").fetchone() == ("5s",)


def test_the_connection_limit_is_enforced(shared: Project) -> None:
    too_many = pytest.raises(psycopg.OperationalError, match="too many connections for role")
    with shared.connect("madansara"), shared.connect("madansara"), too_many:
        shared.connect("madansara")


def test_the_server_holds_a_verifier_of_the_exported_password(shared: Project) -> None:
    for role, password in shared.outputs()["passwords"].items():
        stored = shared.database.value("SELECT rolpassword FROM pg_authid WHERE rolname = %s", role)
        assert stored == scram_verifier(password, scram_salt("engarde", STACK, role, 1))


def test_a_role_outside_of_the_stack_keeps_what_it_is_given_and_nobody_else_comes_in(shared: Project) -> None:
    with shared.database.session(BACKEND, BACKEND_PASSWORD) as session:
        session.execute("CREATE TABLE public.of_the_backend (id int)")
        session.execute("CREATE TEMP TABLE passing (id int)")
        session.execute("DROP TABLE public.of_the_backend")
        denied(session, "SELECT * FROM madansara.things")
    shared.database.run("CREATE ROLE stranger LOGIN PASSWORD 'stranger'")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        shared.database.session("stranger", "stranger")
    shared.database.run("DROP ROLE stranger")
