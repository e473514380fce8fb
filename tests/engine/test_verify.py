"""Verify as operators and scripts run it: no false alarm, exit codes, one connection per role, nothing left behind."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Projects
from tests.engine.admins import BACKEND, only_superuser
from tests.engine.program import THE_ADMIN, Project
from tests.engine.verified_stack import proved
from tests.engine.verifying import told, verified

pytestmark = pytest.mark.xdist_group("verify")

LEFT = """
SELECT count(*) FROM pg_class WHERE relname LIKE 'engarde\\_probe\\_%'
UNION ALL SELECT count(*) FROM pg_roles WHERE rolname LIKE 'engarde\\_probe\\_%'
UNION ALL SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'engarde\\_probe\\_%'
"""


@pytest.fixture(scope="module")
def stack(projects: Projects) -> Iterator[Project]:
    with proved(projects) as project:
        yield project


def test_a_stack_as_declared_has_no_findings(stack: Project) -> None:
    done = stack.tool("verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "stack local is as declared (6 logins, " in done.stdout
    assert done.stderr == ""


def test_json_is_one_object(stack: Project) -> None:
    stack.database.run("GRANT SELECT ON madansara.things TO sankore_user")
    try:
        done = stack.tool("verify", "--output", "json", "--service", "sankore")
    finally:
        stack.database.run("REVOKE SELECT ON madansara.things FROM sankore_user")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["version"] == 1 and told["stack"] == "local" and told["asDeclared"] is False
    [grant] = [each for each in told["findings"] if each["check"] == "undeclared grant"]
    assert grant["subject"] == "sankore_user on table madansara.things"
    assert grant["expected"] == "nothing more than declared" and grant["actual"] == "SELECT"
    assert grant["remedy"]["kind"] == "sql" and "REVOKE SELECT" in grant["remedy"]["text"]
    [row] = [each for each in told["matrix"] if each["role"] == "sankore_user"]
    assert row["schemas"]["madansara"]["asDeclared"] is False
    assert row["schemas"]["sankore"] == {"access": "owns", "asDeclared": True}
    assert not any(password in done.stdout for password in stack.passwords)


def test_a_service_is_looked_at_by_itself(stack: Project) -> None:
    stack.database.run("GRANT SELECT ON madansara.things TO langflow_user")
    try:
        assert told(verified(stack, service="sankore")) == []
        assert told(verified(stack, service="langflow")) != []
        assert told(verified(stack, service="madansara")) != []
    finally:
        stack.database.run("REVOKE SELECT ON madansara.things FROM langflow_user")
    assert stack.tool("verify", "--service", "nobody").returncode == 2


def test_no_logins_asks_only_the_catalogs(stack: Project) -> None:
    mark = stack.database.mark()
    report = verified(stack, logins=False)
    assert (report.findings, report.logins, report.probes) == ((), 0, 0)
    assert "engarde.probes" not in stack.database.server.log.read_text(errors="replace")[mark:]


def test_it_changes_nothing_and_fills_no_log_with_errors(stack: Project) -> None:
    mark = stack.database.mark()
    before = sequences(stack)
    assert told(verified(stack)) == []
    assert stack.database.rows(LEFT) == [(0,)] * 3
    assert sequences(stack) == before
    assert "ERROR" not in stack.database.server.log.read_text(errors="replace")[mark:]


def sequences(stack: Project) -> list[tuple[object, ...]]:
    return stack.database.rows("SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2")


def test_one_login_per_role(stack: Project) -> None:
    stack.database.run("ALTER SYSTEM SET log_connections = on", "SELECT pg_reload_conf()")
    try:
        mark = stack.database.mark()
        verified(stack)
        log = stack.database.server.log.read_text(errors="replace")[mark:]
    finally:
        stack.database.run("ALTER SYSTEM RESET log_connections", "SELECT pg_reload_conf()")
    for role in ("madansara_user", "sankore_user", "onside_user", "field-notes_user", "analytics_readonly"):
        assert log.count(f"connection authorized: user={role} ") == 1


def test_a_role_at_its_limit_is_no_finding(projects: Projects) -> None:
    with projects(services={"busy": {"connectionLimit": 1}, "other": None}) as project:
        project.succeeds(project.up())
        with project.connect("busy"):
            report = verified(project)
        assert told(report) == []
        [warning] = report.warnings
        assert warning.startswith("nothing was tried as busy_user, which finds no free connection now: ")


def test_limits_are_only_tried_when_asked(projects: Projects) -> None:
    with projects(services={"a": {"connectionLimit": 2}, "b": None}, analytics={"connectionLimit": 1}) as project:
        project.succeeds(project.up())
        assert told(verified(project, limits=True)) == []
        # A superuser's sessions are not counted, and the limit in the catalogs is still the declared one.
        project.database.run("ALTER ROLE a_user SUPERUSER")
        found = [each.subject for each in verified(project, limits=True).findings if each.check == "connection limit"]
        assert found == ["sessions of a_user"]


@only_superuser
def test_trust_is_said(stack: Project) -> None:
    hba = stack.database.server.data / "pg_hba.conf"
    before = hba.read_text()
    hba.write_text("host all all 127.0.0.1/32 trust\n")
    stack.database.run("SELECT pg_reload_conf()")
    try:
        report = verified(stack)
    finally:
        hba.write_text(before)
        stack.database.run("SELECT pg_reload_conf()")
    assert told(report) == []
    assert "on trust" in report.warnings[0]


def test_a_wrong_exported_url_is_seen(stack: Project) -> None:
    known = stack.outputs()
    known["database_urls"]["onside"] += "?sslmode=disable"
    try:
        [finding] = verified(stack).findings
    finally:
        stack._outputs = {}
    assert (finding.check, finding.subject) == ("exported URL", "onside_user")


def test_a_lost_server_is_exit_3(projects: Projects) -> None:
    with projects(services={"a": None}) as project:
        project.succeeds(project.up())
        project.declare(services={"a": None}, server={"port": 1})
        done = project.tool("verify")
        assert (done.returncode, done.stdout) == (3, "")
        assert "cannot ask 127.0.0.1:1" in done.stderr


def test_a_stack_that_was_never_brought_up_is_exit_3(projects: Projects) -> None:
    with projects(services={"a": None}) as project:
        done = project.tool("verify")
        assert done.returncode == 3
        assert "bin/pulumi up --stack local" in done.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_whoever_ends_it_leaves_nothing(stack: Project, how: signal.Signals) -> None:
    with stack.database.session() as locking:
        # The probes of analytics wait for this lock, so that the run is in the middle of them.
        locking.autocommit = False
        locking.execute("LOCK TABLE onside.parts IN ACCESS EXCLUSIVE MODE")
        running = started(stack)
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'engarde' AND usename <> current_user"
        end = time.monotonic() + 20
        while not stack.database.value(waiting) and time.monotonic() < end:
            time.sleep(0.02)
        running.send_signal(how)
        said = running.communicate(timeout=60)[1]
        if how is signal.SIGINT:
            assert (running.returncode, said) == (130, "engarde: interrupted\n")
        locking.rollback()
    end = time.monotonic() + 10
    while stack.database.value(waiting) and time.monotonic() < end:
        time.sleep(0.05)
    assert stack.database.rows(LEFT) == [(0,)] * 3
    assert told(verified(stack)) == []


def started(stack: Project) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        stack.tool_command("verify"),
        cwd=stack.folder,
        env=stack._environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_an_admin_cut_off_in_the_middle_is_exit_3(stack: Project) -> None:
    with stack.database.session() as locking:
        locking.autocommit = False
        locking.execute("LOCK TABLE pg_catalog.pg_default_acl IN ACCESS EXCLUSIVE MODE")
        running = started(stack)
        asking = "SELECT pid FROM pg_stat_activity WHERE application_name = 'engarde' AND wait_event_type = 'Lock'"
        with stack.database.session() as cutting:
            end = time.monotonic() + 20
            while not (found := cutting.execute(asking.encode()).fetchall()) and time.monotonic() < end:
                time.sleep(0.02)
            cutting.execute("SELECT pg_terminate_backend(%s)", found[0])
        said = running.communicate(timeout=60)[1]
        locking.rollback()
    assert running.returncode == 3, said
    assert "Traceback" not in said
    assert stack.database.rows(LEFT) == [(0,)] * 3


ODD = {
    "Big": {"schema": "Mixed Case", "role": "Role With 'Quote'", "reads": ['public."Odd ""Table"""']},
    "a-b.c": None,
    "x" * 58: None,
    "é": {"schema": "señor", "reads": [{"table": '"Mixed Case"."T.T"', "columns": ["The Column"]}]},
    "on": {"role": 'dou"ble'},
}


def test_odd_names(projects: Projects) -> None:
    sections = {"services": ODD, "existingSchemas": {"public": {"creators": [THE_ADMIN, BACKEND]}}, "analytics": {}}
    with projects(**sections) as project:
        project.database.run_as(project.database.admin, 'CREATE TABLE public."Odd ""Table""" (id serial, "A b" int)')
        project.succeeds(project.up())
        with project.connect("Big") as session:
            session.execute('CREATE TABLE "T.T" ("The Column" int, other int, "Ser" serial)')
            session.execute('CREATE FUNCTION "F\'"("A" text) RETURNS int LANGUAGE sql AS \'SELECT 1\'')
        project.succeeds(project.up())
        assert told(verified(project)) == []
        project.database.run('GRANT UPDATE ("The Column") ON "Mixed Case"."T.T" TO "dou""ble"')
        [finding, *_] = [each for each in verified(project).findings if each.check == "undeclared grant"]
        assert finding.subject == 'dou"ble on table "Mixed Case"."T.T"'
        done = project.tool("verify")
        assert done.returncode == 1 and "Role With 'Quote'" in done.stdout


def test_nothing_declared(projects: Projects) -> None:
    with projects(existingSchemas={"public": {"creators": [THE_ADMIN, BACKEND]}}) as project:
        project.succeeds(project.up())
        assert told(verified(project)) == []
        assert project.tool("verify").returncode == 0


def test_extensions_of_every_kind_are_no_alarm(projects: Projects) -> None:
    sections = {
        "services": {"a": {"reads": ["public.users"]}, "b": None},
        "existingSchemas": {"public": {"creators": [THE_ADMIN, BACKEND]}},
        "analytics": {},
        "extensions": {"pgcrypto": None, "citext": None, "hstore": {"schema": "b"}},
    }
    with projects(**sections) as project:
        project.succeeds(project.up())
        # By a superuser, before and after grants on all tables: its views, tables and functions lie in `public`.
        project.database.run(
            "CREATE EXTENSION pg_stat_statements", "CREATE EXTENSION pg_trgm", "CREATE EXTENSION dblink"
        )
        with project.connect("a") as session:
            # A trusted one, which a service may have in its own schema: its objects are the first superuser's.
            project.database.run("GRANT CREATE ON DATABASE railway TO a_user")
            session.execute("CREATE EXTENSION btree_gin")
            project.database.run("REVOKE CREATE ON DATABASE railway FROM a_user")
        assert told(verified(project)) == []
        # Another admin is asked for rights on the superuser's views first.
        if project.database.admin.superuser:
            project.succeeds(project.up())
            assert told(verified(project)) == []
        project.database.run("GRANT INSERT ON public.pg_stat_statements TO a_user")
        assert "a_user on table public.pg_stat_statements" in [each.subject for each in verified(project).findings]


OF_ITS_OWN = (
    "CREATE TYPE spans AS RANGE (subtype = float8)",
    "CREATE TABLE aaa (id int GENERATED ALWAYS AS IDENTITY, twice int GENERATED ALWAYS AS (1 + 1) STORED)",
    "CREATE RULE keep AS ON DELETE TO aaa DO INSTEAD NOTHING",
    "CREATE RULE same AS ON UPDATE TO aaa DO INSTEAD NOTHING",
    "CREATE TABLE secret (id int)",
    "ALTER TABLE secret ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY mine ON secret USING (id = 1)",
    "CREATE TABLE parent (id int)",
    "CREATE TABLE child () INHERITS (parent)",
    "CREATE TEMPORARY TABLE passing (id int)",
    "GRANT SELECT ON passing TO PUBLIC",
)


def test_what_a_service_makes_of_its_own_is_no_alarm(projects: Projects) -> None:
    sections = {
        "services": {"a": {"statementTimeout": 9000}, "b": None},
        "existingSchemas": {"public": {"creators": [THE_ADMIN, BACKEND]}},
        "analytics": {},
    }
    with projects(**sections) as project:
        project.succeeds(project.up())
        with project.connect("a") as session:
            for statement in OF_ITS_OWN:
                session.execute(statement.encode())
            project.database.run(
                "ALTER ROLE a_user SET statement_timeout = '9e3'", "ALTER ROLE b_user SET search_path = B,public"
            )
            assert told(verified(project)) == []


def test_a_session_that_cannot_try_is_a_finding_and_no_traceback(projects: Projects) -> None:
    sections = {"services": {"a": {"idleInTransactionSessionTimeout": 1}, "b": None}}
    with projects(**sections) as project:
        project.succeeds(project.up())
        assert told(verified(project)) == []
        project.database.run("REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC")
        done = project.tool("verify")
        assert done.returncode in (1, 3), done.stderr
        assert "permission denied for language plpgsql" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_what_services_migrate_is_no_alarm(projects: Projects, tmp_path: Path) -> None:
    services = {"madansara": {"reads": ["public.users"]}, "sankore": {"urlFormat": "sqlalchemy+psycopg"}}
    sections = {
        "services": services,
        "existingSchemas": {"public": {"creators": [THE_ADMIN, BACKEND]}},
        "analytics": {},
    }
    with projects(**sections) as project:
        project.succeeds(project.up())
        for service in services:
            migrate(project, service, tmp_path / service)
        report = verified(project)
        assert told(report) == []
        [row] = [each for each in report.matrix if each.role == "analytics_readonly"]
        assert {cell.access for cell in row.cells} == {"reads"}


def migrate(project: Project, service: str, folder: Path) -> None:
    """A real Alembic project with what migrations make, upgraded, downgraded by one and upgraded again."""
    from alembic import command
    from alembic.config import Config

    from tests.engine.migrations import write

    write(folder)
    config = Config(folder / "alembic.ini")
    url = project.outputs()["database_urls"][service].split("://", 1)[1]
    config.attributes["url"] = f"postgresql+psycopg://{url}"
    command.upgrade(config, "head")
    command.downgrade(config, "-1")
    command.upgrade(config, "head")


def test_an_interrupt_before_anything_is_quiet(stack: Project) -> None:
    running = started(stack)
    time.sleep(0.05)
    os.kill(running.pid, signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode in (130, -signal.SIGINT)
