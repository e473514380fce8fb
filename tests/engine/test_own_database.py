"""Services with a database of their own, on the same server and on another one: made, apart, moved there and back."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from devtools.server import HOST, Server
from tests.conftest import Projects
from tests.engine.admins import Admin
from tests.engine.apart import OWN, SERVICES, THERE, another, declare, make_database, rows
from tests.engine.database import NAME, Database, Session
from tests.engine.denied import denied
from tests.engine.in_process import tool_here
from tests.engine.program import STACK_FILE, Project, conninfo
from tests.engine.rotating import remember, rotate
from tests.engine.verifying import told, verified
from tests.parts import sampled

pytestmark = pytest.mark.xdist_group("own-database")

SHUT_OUT = r"permission denied for database|not permitted to log in"


@dataclass(frozen=True, slots=True)
class Apart:
    """A stack with a database on each of two servers beside the shared one."""

    project: Project
    there: Database

    def at(self, database: str) -> Database:
        """The server of a database of the stack."""
        return self.there if database == THERE else self.project.database

    def entering(self, role: str, database: str) -> Session:
        """A session of one of the stack's roles, in whatever database, with the password that the state knows."""
        name = NAME if database == THERE else database
        return self.at(database).session(role, self.project.outputs()["passwords"][role], name)

    def by_hand(self, database: str, statements: str) -> None:
        """Runs statements of the superuser's."""
        name = NAME if database == THERE else database
        with self.at(database).session(database=name) as session:
            session.execute(statements.encode())

    def is_left(self, database: str, service: str) -> None:
        """What the service had there is as it was, and nobody gets at it."""
        name = NAME if database == THERE else database
        assert rows(self.at(database), name, f"SELECT word FROM {service}.things") == [("kept",)]
        with pytest.raises(psycopg.OperationalError, match=SHUT_OUT):
            self.entering(f"{service}_user", database)
        if url := self.project.outputs()["analytics_urls"].get(database):
            with psycopg.connect(conninfo(url), autocommit=True) as session:
                denied(session, f"SELECT * FROM {service}.things")


@pytest.fixture(scope="module")
def apart(projects: Projects, admin: Admin, template: Server) -> Iterator[Apart]:
    with projects() as project, another(template, admin) as there:
        make_database(project, OWN)
        declare(project, there, SERVICES)
        project.succeeds(project.up())
        for service in SERVICES:
            with project.connect(service) as session:
                session.execute("CREATE TABLE things (id serial PRIMARY KEY, word text)")
                session.execute("INSERT INTO things (word) VALUES ('kept')")
                session.execute("CREATE FUNCTION tells() RETURNS integer LANGUAGE sql AS 'SELECT 1'")
        yield Apart(project, there)


def test_a_second_run_changes_nothing(apart: Apart) -> None:
    assert apart.project.succeeds(apart.project.up("--refresh")).ops == {}


def test_each_service_works_in_its_own_schema_and_nowhere_else(apart: Apart) -> None:
    where = {"madansara": NAME, "sankore": NAME, "onside": OWN, "langflow": NAME}
    for service, database in where.items():
        with apart.project.connect(service) as session:
            found = session.execute("SELECT current_database(), current_schema(), word FROM things").fetchone()
            assert found == (database, service, "kept")
            session.execute("CREATE TEMPORARY TABLE passing (word text)")
            denied(session, "CREATE TABLE public.mine ()")
            denied(session, "CREATE SCHEMA mine")


@pytest.mark.parametrize(
    ("role", "database"),
    [
        ("madansara_user", OWN),
        ("sankore_user", OWN),
        ("onside_user", NAME),
    ],
)
def test_a_service_may_not_even_connect_elsewhere(apart: Apart, role: str, database: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        apart.entering(role, database)


def test_another_server_knows_only_its_own_roles(apart: Apart) -> None:
    found = rows(apart.there, NAME, "SELECT rolname FROM pg_roles WHERE rolname ~ '_(user|readonly)$' ORDER BY 1")
    assert found == [("analytics_readonly",), ("langflow_user",)]
    assert rows(apart.project.database, NAME, "SELECT 1 FROM pg_roles WHERE rolname = 'langflow_user'") == []


def test_analytics_reads_in_every_database_and_writes_in_none(apart: Apart) -> None:
    urls = apart.project.outputs()["analytics_urls"]
    assert urls.keys() == {NAME, OWN, THERE}
    assert urls[NAME] == apart.project.outputs()["analytics_url"]
    for database, service in ((NAME, "sankore"), (OWN, "onside"), (THERE, "langflow")):
        with psycopg.connect(conninfo(urls[database]), autocommit=True) as session:
            assert session.execute(f"SELECT word FROM {service}.things".encode()).fetchall() == [("kept",)]
            denied(session, f"INSERT INTO {service}.things (word) VALUES ('x')")
            denied(session, f"SELECT {service}.tells()")
            denied(session, "CREATE TABLE public.mine ()")


def test_public_is_shut_out(apart: Apart) -> None:
    for database in (OWN, THERE):
        name = NAME if database == THERE else database
        acl = "SELECT count(*) FROM pg_database, aclexplode(datacl) WHERE datname = current_database() AND grantee = 0"
        assert rows(apart.at(database), name, acl) == [(0,)]


ROLES = "SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1"


def test_roles_of_every_database_get_other_names_and_come_back(apart: Apart) -> None:
    project = apart.project
    before = [rows(each, NAME, ROLES) for each in (project.database, apart.there)]
    there = {"role": "reader", "formerly": "analytics_readonly"}
    other = {each: {**(of or {}), "role": f"{each}_new", "formerly": f"{each}_user"} for each, of in SERVICES.items()}
    declare(project, apart.there, other, analytics=there)
    project.succeeds(project.up())
    for service in SERVICES:
        with project.connect(service) as session:
            assert session.execute("SELECT current_user::text, word FROM things").fetchone() == (
                f"{service}_new",
                "kept",
            )
    back = {each: {**(of or {}), "formerly": f"{each}_new"} for each, of in SERVICES.items()}
    declare(project, apart.there, back, analytics={"formerly": "reader"})
    project.succeeds(project.up())
    declare(project, apart.there, SERVICES)
    assert project.succeeds(project.preview("--refresh")).ops == {}
    assert [rows(each, NAME, ROLES) for each in (project.database, apart.there)] == before


def test_a_database_that_is_not_there_is_one_clear_error(apart: Apart) -> None:
    declare(apart.project, apart.there, {**SERVICES, "sankore": {"database": "nowhere", "leaves": [f"{NAME}.sankore"]}})
    run = apart.project.preview()
    declare(apart.project, apart.there, SERVICES)
    assert run.exit != 0
    assert "database nowhere (of sankore) does not exist" in run.output
    assert 'CREATE DATABASE "nowhere"' in run.output
    assert "Traceback" not in run.output


def test_a_server_under_another_address_is_asked_for_its_rows(apart: Apart) -> None:
    project = apart.project
    declare(project, apart.there, SERVICES)
    text = (project.folder / STACK_FILE).read_text()
    document = json.loads(text)
    document["config"]["engarde:databases"][THERE] |= {"host": "localhost", "port": project.database.server.port}
    (project.folder / STACK_FILE).write_text(json.dumps(document))
    run = project.preview()
    (project.folder / STACK_FILE).write_text(text)
    assert run.exit != 0
    assert "schema langflow has rows in 1 table" in run.output
    assert f"engarde:databases.{THERE}:\n      leaves: ['{HOST}:{apart.there.server.port}/{NAME}']" in run.output


def test_verify_finds_nothing(apart: Apart) -> None:
    report = verified(apart.project)
    assert not report.findings, told(report)
    assert {row.database for row in report.matrix} == {NAME, OWN, THERE}
    # Each service once, analytics in all three.
    assert report.logins == 7


DAMAGES = (
    (OWN, 'GRANT CONNECT ON DATABASE "its own" TO PUBLIC', 'PUBLIC on database "its own"'),
    (OWN, 'GRANT CONNECT ON DATABASE "its own" TO madansara_user', 'madansara_user on database "its own"'),
    (OWN, "GRANT CREATE ON SCHEMA public TO PUBLIC", "PUBLIC on schema public"),
    (OWN, "REVOKE SELECT ON onside.things FROM analytics_readonly", "analytics_readonly on table onside.things"),
    (OWN, "GRANT SELECT ON onside.things TO sankore_user", "sankore_user on table onside.things"),
    (OWN, "CREATE SCHEMA stray AUTHORIZATION sankore_user", "schema stray"),
    (OWN, 'ALTER ROLE analytics_readonly IN DATABASE "its own" SET work_mem = 64', "work_mem of analytics_readonly"),
    (NAME, "GRANT CONNECT ON DATABASE railway TO onside_user", "onside_user on database railway"),
    (NAME, "GRANT madansara_user TO onside_user", "onside_user in madansara_user"),
    (THERE, "ALTER ROLE langflow_user CONNECTION LIMIT 99", "langflow_user"),
    (THERE, "ALTER ROLE analytics_readonly CREATEDB", "analytics_readonly"),
    (THERE, "GRANT CONNECT ON DATABASE railway TO PUBLIC", "PUBLIC on database railway"),
)


def test_verify_names_the_database_of_each_damage_and_what_heals_it(apart: Apart) -> None:
    for database, damage, _ in DAMAGES:
        apart.by_hand(database, damage)
    report = verified(apart.project)
    found = {(each.database, each.subject) for each in report.findings}
    assert found >= {(database, subject) for database, _, subject in DAMAGES}, told(report)
    for finding in report.findings:
        if finding.remedy.kind == "sql":
            apart.by_hand(finding.database, finding.remedy.text)
    apart.by_hand(OWN, "DROP SCHEMA stray")
    again = verified(apart.project)
    assert not again.findings, told(again)


def test_the_tool_leads_to_the_right_database(apart: Apart) -> None:
    project, outputs = apart.project, apart.project.outputs()
    assert tool_here(project, "url", "langflow").stdout.strip() == outputs["database_urls"]["langflow"]
    assert tool_here(project, "url", "analytics", "--database", OWN).stdout.strip() == outputs["analytics_urls"][OWN]
    with psycopg.connect(conninfo(tool_here(project, "url", "admin", "--database", THERE).stdout.strip())) as session:
        assert (session.info.port, session.info.dbname) == (apart.there.server.port, NAME)


def test_explain_and_doctor_look_where_the_service_is(apart: Apart) -> None:
    project = apart.project
    explained = tool_here(project, "explain", "onside", "onside.things")
    assert explained.returncode == 0, explained.stdout + explained.stderr
    there = tool_here(project, "explain", "analytics", "langflow.things", "--database", THERE)
    assert there.returncode == 0, there.stdout + there.stderr
    done = tool_here(project, "doctor")
    assert (done.returncode, done.stdout) == (0, "nothing is wrong with stack local\n"), done.stdout + done.stderr
    apart.by_hand(OWN, "ALTER TABLE onside.things OWNER TO CURRENT_USER")
    said = tool_here(project, "doctor", "onside_user: permission denied for table things", "--output", "json")
    assert "OWNER TO" in said.stdout, said.stdout + said.stderr
    found = json.loads(tool_here(project, "doctor", "--output", "json").stdout)["findings"]
    assert [(each["database"], each["subject"]) for each in found] == [(OWN, "table onside.things")]
    if project.database.admin.superuser:
        fixed = tool_here(project, "doctor", "--fix")
        assert fixed.returncode == 0, fixed.stdout + fixed.stderr
    else:
        apart.by_hand(OWN, "ALTER TABLE onside.things OWNER TO onside_user")
    moved = tool_here(project, "doctor", 'onside_user: FATAL: permission denied for database "railway"')
    assert "the database of onside_user is its own, not railway" in moved.stdout, moved.stdout + moved.stderr


@pytest.mark.parametrize("by_way_of", sampled([(THERE,), (OWN, THERE)], (THERE,)), ids=" and ".join)
def test_a_service_moves_and_comes_back_and_no_row_is_lost(apart: Apart, by_way_of: tuple[str, ...]) -> None:
    project = apart.project
    password = project.outputs()["passwords"]["sankore_user"]
    for old, new in pairwise([NAME, *by_way_of, NAME]):
        entry: dict[str, Any] = {"database": new} if new != NAME else {"adopt": True}
        entry["leaves"] = [f"{old}.sankore"]
        declare(project, apart.there, {**SERVICES, "sankore": entry})
        project.succeeds(project.up())
        assert project.outputs()["passwords"]["sankore_user"] == password
        with project.connect("sankore") as session:
            if new == NAME:
                assert session.execute("SELECT word FROM things").fetchall() == [("kept",)]
            else:
                assert session.execute("SELECT to_regclass('things')").fetchone() == (None,), "`up` moves no row"
                session.execute("CREATE TABLE things (word text)")
                session.execute("INSERT INTO things VALUES ('kept')")
        apart.is_left(old, "sankore")
        report = verified(project)
        assert not report.findings, told(report)
        let_go = project.succeeds(project.up())
        assert set(let_go.ops.values()) <= {"delete"}, let_go.ops
        apart.is_left(old, "sankore")
    declare(project, apart.there, SERVICES)
    assert project.succeeds(project.up("--refresh")).ops == {}
    # What was left is the operator's to drop.
    for database in by_way_of:
        apart.by_hand(database, "DROP SCHEMA sankore CASCADE")
    apart.by_hand(THERE, "DROP OWNED BY sankore_user; DROP ROLE sankore_user")


def test_to_retire_one_takes_its_role_out_of_its_database_first(apart: Apart) -> None:
    project, left = apart.project, {name: SERVICES[name] for name in SERVICES if name != "onside"}
    declare(project, apart.there, {**left, "onside": {"database": OWN, "protect": False}})
    project.succeeds(project.up())
    with project.connect("onside") as session:
        session.execute("DROP SCHEMA onside CASCADE")
    declare(project, apart.there, left)
    refused = project.up()
    assert (refused.exit != 0, refused.ops) == (True, {})
    assert f'in {OWN}: DROP OWNED BY "onside_user";' in refused.output
    with project.database.session(project.database.admin.user, database=OWN) as admin:
        admin.execute('DROP OWNED BY "onside_user"')
    project.succeeds(project.up())
    assert rows(project.database, NAME, "SELECT 1 FROM pg_roles WHERE rolname = 'onside_user'") == []
    project.succeeds(project.up())
    assert project.succeeds(project.up("--refresh")).ops == {}


def test_rotations_are_proved_where_each_role_is(apart: Apart) -> None:
    project = apart.project
    remember(project)
    role = "analytics_readonly"
    before = project.outputs()["passwords"][role]
    rotated = rotate(project, "analytics")
    assert rotated.returncode == 0, rotated.stderr
    assert project.outputs()["passwords"][role] != before
    for database in (NAME, THERE):
        apart.entering(role, database).close()
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            apart.at(database).session(role, before, NAME)
    apart.by_hand(THERE, f"ALTER ROLE langflow_user PASSWORD '{before}'")
    reapplied = rotate(project, "--reapply", "analytics", "langflow")
    assert reapplied.returncode == 0, reapplied.stderr
    report = verified(project)
    assert not report.findings, told(report)
    declare(
        project, apart.there, {**SERVICES, "langflow": {"database": THERE, "rotation": 2}}, analytics={"rotation": 2}
    )
