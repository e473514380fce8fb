"""What analytics reads, now and in future, and that it writes nothing."""

from collections.abc import Iterator

import pytest

from tests.engine.admins import BACKEND, BACKEND_PASSWORD, PASSWORD
from tests.engine.conftest import SHARED
from tests.engine.database import Session
from tests.engine.denied import denied
from tests.engine.program import THE_ADMIN, Project

pytestmark = pytest.mark.xdist_group("shared")

MADE_LATER = {
    "a_table": "CREATE TABLE a_table (id int)",
    "a_view": "CREATE VIEW a_view AS SELECT word FROM things",
    "a_materialized_view": "CREATE MATERIALIZED VIEW a_materialized_view AS SELECT word FROM things",
    "a_partitioned_table": "CREATE TABLE a_partitioned_table (id int) PARTITION BY RANGE (id)",
    "a_partition": "CREATE TABLE a_partition PARTITION OF a_partitioned_table FOR VALUES FROM (0) TO (9)",
    "a_sequence": "CREATE SEQUENCE a_sequence",
}
SCHEMAS = [(declared or {}).get("schema", name) for name, declared in SHARED["services"].items()]


@pytest.fixture
def analytics(shared: Project) -> Iterator[Session]:
    with shared.connect("analytics") as session:
        yield session


@pytest.mark.parametrize("service", SHARED["services"])
def test_analytics_reads_whatever_a_service_makes_at_once(shared: Project, analytics: Session, service: str) -> None:
    schema = (SHARED["services"][service] or {}).get("schema", service)
    with shared.connect(service) as owner:
        for name, statement in MADE_LATER.items():
            owner.execute(statement.encode())
            analytics.execute(f'SELECT * FROM "{schema}".{name}'.encode())
        owner.execute("DROP TABLE a_table, a_partitioned_table")
        owner.execute("DROP VIEW a_view")
        owner.execute("DROP MATERIALIZED VIEW a_materialized_view")
        owner.execute("DROP SEQUENCE a_sequence")


@pytest.mark.parametrize("creator", [THE_ADMIN, BACKEND])
def test_analytics_reads_what_is_in_public_and_what_its_creators_make(
    shared: Project, analytics: Session, creator: str
) -> None:
    analytics.execute("SELECT * FROM public.users u JOIN public.brand_users b ON b.user_id = u.id")
    analytics.execute("SELECT last_value FROM public.users_id_seq")
    logins = {BACKEND: (BACKEND, BACKEND_PASSWORD), THE_ADMIN: (shared.database.admin.user, PASSWORD)}
    with shared.database.session(*logins[creator]) as session:
        session.execute("CREATE TABLE public.later (id serial)")
        analytics.execute("SELECT * FROM public.later")
        analytics.execute("SELECT last_value FROM public.later_id_seq")
        session.execute("DROP TABLE public.later")


def test_analytics_joins_across_schemas(analytics: Session) -> None:
    analytics.execute(
        "SELECT * FROM madansara.things a JOIN sankore.things b USING (id) JOIN public.users u USING (id)"
    )


@pytest.mark.parametrize("table", [*(f'"{schema}".things' for schema in SCHEMAS), "public.users", "public.undeclared"])
def test_analytics_writes_nothing(analytics: Session, table: str) -> None:
    schema = table.partition(".")[0]
    merge = f"MERGE INTO {table} t USING (SELECT 1 AS one) s ON t.id = s.one WHEN MATCHED THEN DELETE"
    for statement in (
        *([merge] if analytics.info.server_version >= 150_000 else []),
        f"INSERT INTO {table} DEFAULT VALUES",
        f"UPDATE {table} SET id = DEFAULT",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
        f"SELECT * FROM {table} FOR UPDATE",
        f"ALTER TABLE {table} ADD COLUMN more text",
        f"CREATE INDEX ON {table} (id)",
        f"DROP TABLE {table}",
        f"COPY {table} FROM STDIN",
        f"CREATE TABLE {schema}.mine (id int)",
        f"CREATE VIEW {schema}.mine AS SELECT 1",
        f"CREATE FUNCTION {schema}.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        f"SELECT nextval('{table}_id_seq')" if '"' not in table else f"""SELECT nextval('{schema}."things_id_seq"')""",
    ):
        denied(analytics, statement)


def test_analytics_makes_nothing(analytics: Session) -> None:
    for statement in (
        "CREATE TEMP TABLE passing (id int)",
        "CREATE SCHEMA mine",
        "CREATE EXTENSION hstore",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "SET ROLE madansara_user",
        "SET ROLE postgres",
    ):
        denied(analytics, statement)


def test_analytics_writes_nothing_through_what_a_service_makes(shared: Project, analytics: Session) -> None:
    with shared.connect("madansara") as owner:
        owner.execute("CREATE TABLE written (id int)")
        body = "LANGUAGE sql SECURITY DEFINER AS 'INSERT INTO madansara.written VALUES (1) RETURNING id'"
        owner.execute(f"CREATE FUNCTION write() RETURNS int {body}".encode())
        owner.execute(f"CREATE PROCEDURE write_too() {body}".encode())
        owner.execute("CREATE VIEW writing AS SELECT write()")
        owner.execute("CREATE VIEW through AS SELECT * FROM written")
        for statement in (
            "SELECT madansara.write()",
            "CALL madansara.write_too()",
            "SELECT * FROM madansara.writing",
            "INSERT INTO madansara.through VALUES (1)",
        ):
            denied(analytics, statement)
        assert owner.execute("SELECT count(*) FROM written").fetchone() == (0,)
        owner.execute("DROP TABLE written CASCADE")
        owner.execute("DROP FUNCTION write CASCADE")
        owner.execute("DROP PROCEDURE write_too")


def test_another_service_runs_no_function_either(shared: Project) -> None:
    """Not even where it may use the schema: the function would write as its owner."""
    with shared.connect("sankore") as owner, shared.connect("madansara") as other:
        owner.execute("CREATE FUNCTION act() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'")
        owner.execute("GRANT USAGE ON SCHEMA sankore TO madansara_user")
        denied(other, "SELECT sankore.act()")
        owner.execute("REVOKE USAGE ON SCHEMA sankore FROM madansara_user")
        owner.execute("DROP FUNCTION act")


def test_timeouts_and_the_limit_hold(shared: Project, analytics: Session) -> None:
    assert analytics.execute("SHOW statement_timeout").fetchone() == ("5min",)
    assert analytics.execute("SHOW idle_in_transaction_session_timeout").fetchone() == ("1min",)
    assert shared.database.value("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'analytics_readonly'") == 3
