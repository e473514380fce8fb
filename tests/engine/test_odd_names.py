"""Names as odd as PostgreSQL takes them, in every place that has one."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.engine.admins import BACKEND
from tests.engine.apart import make_database
from tests.engine.conftest import Projects
from tests.engine.denied import denied
from tests.engine.program import THE_ADMIN, Project
from tests.engine.random_stacks import sql

pytestmark = pytest.mark.xdist_group("odd-names")

DATABASE = 'The "Rail-way" of O\'Brien \\ 100 €'
LONGEST = "ü" * 31 + "x"
assert len(LONGEST.encode()) == 63

READER = "analytics.read-only 'ü'"
LEGACY, OUTSIDER = 'le.ga-cy "old" \\', 'Out-side "r"'
TABLE, COLUMN, HIDDEN = 'Ta-ble."x" \\ %s', "select", 'Se"cret'
SERVICES: dict[str, dict[str, Any]] = {
    "Dash-ed.and dotted": {"urlFormat": "options"},
    "O'Brien $1": {"urlFormat": "jdbc"},
    "select": {"urlFormat": "options"},
    "on": {"schema": "true", "role": "null"},
    "100% 數據 ::x": {"urlFormat": "options"},
    'quo"te \\': {"schema": LONGEST, "role": f"{LONGEST[:-1]}y", "urlFormat": "options"},
    "a": {"schema": "x", "reads": ['"x-connect".t']},
    "a-usage-x": {"schema": "x-connect"},
    "1": {"schema": "$user ", "role": 'Ro"le-\\'},
}
READING = "select"
OTHERS = tuple(name for name in SERVICES if name not in (READING, "a"))


def schema_of(service: str) -> str:
    return str(SERVICES[service].get("schema", service))


def services(**of_some: dict[str, Any]) -> dict[str, Any]:
    reads = [
        {"table": sql(LEGACY, TABLE), "columns": [COLUMN]},
        *(sql(schema_of(name), TABLE) for name in OTHERS),
    ]
    return {
        name: {**entry, **({"reads": reads} if name == READING else {}), **of_some.get(name, {})}
        for name, entry in SERVICES.items()
    }


def declare(project: Project, **of_some: dict[str, Any]) -> None:
    project.declare(
        server={"database": DATABASE},
        services=services(**of_some),
        existingSchemas={"public": {"creators": [THE_ADMIN, OUTSIDER]}, LEGACY: None},
        analytics={"role": READER},
        outsideRoles={OUTSIDER: {"schemas": {LEGACY: ["USAGE"]}}, BACKEND: None},
    )


def as_admin(project: Project, *statements: str) -> None:
    with project.database.session(project.database.admin.user, database=DATABASE) as session:
        for statement in statements:
            session.execute(statement.encode())


def make_table(session: psycopg.Connection[Any], *place: str) -> None:
    session.execute(f"CREATE TABLE {sql(*place)} ({sql(COLUMN)} serial, {sql(HIDDEN)} text)".encode())


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    with projects() as project:
        admin = project.database.admin.user
        make_database(project, DATABASE)
        with project.database.session() as session:
            session.execute(f"CREATE ROLE {sql(OUTSIDER)} LOGIN".encode())
            session.execute(f"GRANT {sql(OUTSIDER)} TO {sql(admin)}".encode())
        with project.database.session(project.database.admin.user, database=DATABASE) as session:
            session.execute(f"CREATE SCHEMA {sql(LEGACY)}".encode())
            make_table(session, LEGACY, TABLE)
        declare(project)
        project.succeeds(project.up())
        for service in SERVICES:
            with project.connect(service) as session:
                make_table(session, TABLE)
        with project.connect("a-usage-x") as session:
            session.execute("CREATE TABLE t (id int)")
        granted = project.succeeds(project.up())
        assert set(granted.ops.values()) == {"create"}
        assert len(granted.ops) == len(OTHERS) + 1
        yield project


def test_again_nothing_has_to_change(project: Project) -> None:
    project.succeeds(project.preview("--diff", "--expect-no-changes"))
    assert project.succeeds(project.up("--refresh")).ops == {}


@pytest.mark.parametrize("service", SERVICES)
def test_each_url_logs_in_and_finds_its_schema(project: Project, service: str) -> None:
    with project.connect(service) as session:
        found = session.execute("SELECT current_schemas(false), current_database(), current_user").fetchone()
        assert found == ([schema_of(service), "public"], DATABASE, SERVICES[service].get("role", f"{service}_user"))
        session.execute(f"INSERT INTO {sql(TABLE)} DEFAULT VALUES".encode())
        for other in SERVICES:
            if other != service and service != READING:
                denied(session, f"SELECT * FROM {sql(schema_of(other), TABLE)}")
            if other != service:
                denied(session, f"CREATE TABLE {sql(schema_of(other), 'mine')} (id int)")


def test_declared_reads_and_nothing_beside_them(project: Project) -> None:
    with project.connect(READING) as session:
        session.execute(f"SELECT {sql(COLUMN)} FROM {sql(LEGACY, TABLE)}".encode())
        denied(session, f"SELECT {sql(HIDDEN)} FROM {sql(LEGACY, TABLE)}")
        for other in OTHERS:
            session.execute(f"SELECT * FROM {sql(schema_of(other), TABLE)}".encode())
            denied(session, f"DELETE FROM {sql(schema_of(other), TABLE)}")
    with project.connect("a") as session:
        session.execute('SELECT * FROM "x-connect".t')


def test_analytics_reads_new_tables_and_writes_none(project: Project) -> None:
    with project.connect("analytics") as reader:
        assert reader.info.user == READER
        for service in SERVICES:
            new = f"new - {service[:20]}"
            with project.connect(service) as session:
                make_table(session, new)
            reader.execute(f"SELECT * FROM {sql(schema_of(service), new)}".encode())
            denied(reader, f"INSERT INTO {sql(schema_of(service), new)} DEFAULT VALUES")
        reader.execute(f"SELECT * FROM {sql(LEGACY, TABLE)}".encode())


def test_one_password_rotates_and_destroy_leaves_nothing_of_the_stack(project: Project) -> None:
    before = project.outputs()["passwords"]
    declare(project, on={"rotation": 2})
    assert project.succeeds(project.up()).ops.keys() == {"on-password", "on-role"}
    after = project.outputs()["passwords"]
    assert {role for role in after if after[role] != before[role]} == {"null"}
    for service in SERVICES:
        with project.connect(service) as session:
            session.execute(f"DROP SCHEMA {sql(schema_of(service))} CASCADE".encode())
    project.succeeds(project.destroy())
    with project.database.session(database=DATABASE) as session:
        roles = session.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY (%s)", [list(after)]).fetchall()
        schemas = session.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname = ANY (%s)", [[schema_of(name) for name in SERVICES]]
        ).fetchall()
        assert (roles, schemas) == ([], [])
        kept = "SELECT has_schema_privilege(%s, %s, 'USAGE'), has_database_privilege(%s, %s, 'CONNECT')"
        assert session.execute(kept, [OUTSIDER, LEGACY, OUTSIDER, DATABASE]).fetchone() == (True, True)
