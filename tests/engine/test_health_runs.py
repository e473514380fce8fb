"""What runs leave behind or have yet to do: named, and healed by the commands that are printed."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.engine.admins import BACKEND, BACKEND_PASSWORD, only_superuser
from tests.engine.conftest import Projects
from tests.engine.doctor import Found, examined_by_tool, heal, told
from tests.engine.forgotten import forget, leave
from tests.engine.program import STATE, Project

SERVICES: dict[str, Any] = {"sankore": None, "field-notes": {"role": 'Ro"le-x'}}
LEGACY = 'Le"gacy-1'
MINUTES = 120.0


def healed(project: Project) -> list[set[tuple[str, str]]]:
    """What is found, remedy after remedy, until nothing is."""
    seen = []
    while found := examined_by_tool(project):
        seen.append(told(found))
        assert len(seen) < 10, seen
        heal(project, found[0])
    return seen


def of(found: list[Found], check: str) -> dict[str, Found]:
    return {each["subject"]: each for each in found if each["check"] == check}


def test_before_the_first_run_who_depends_on_public_is_told(projects: Projects) -> None:
    stack: dict[str, Any] = {"existingSchemas": {"public": None}, "analytics": {"schemas": ["sankore"]}, "shutOut": []}
    with projects(services=SERVICES, **stack) as project:
        project.database.run(
            'CREATE ROLE "Le""gacy-1" LOGIN',
            "CREATE ROLE with_its_own LOGIN",
            f"CREATE ROLE of_a_group LOGIN PASSWORD '{BACKEND_PASSWORD}' IN ROLE pg_monitor",
            f"CREATE ROLE idle LOGIN PASSWORD '{BACKEND_PASSWORD}'",
            "GRANT CONNECT ON DATABASE railway TO with_its_own, pg_monitor",
            "CREATE SCHEMA elsewhere",
            "CREATE TABLE elsewhere.t (id int)",
            'ALTER TABLE elsewhere.t OWNER TO "Le""gacy-1"',
            "CREATE TABLE elsewhere.u (id int)",
            "ALTER TABLE elsewhere.u OWNER TO with_its_own",
            'GRANT CREATE ON DATABASE railway TO "Le""gacy-1"',
        )
        with (
            project.database.session(BACKEND, BACKEND_PASSWORD),
            project.database.session("of_a_group", BACKEND_PASSWORD),
        ):
            found = examined_by_tool(project)
            assert told(found) == {("stack", "local"), ("outside role", BACKEND), ("outside role", LEGACY)}
            roles = of(found, "outside role")
            assert "1 session" in roles[BACKEND]["actual"]
            assert roles[BACKEND]["remedy"]["kind"] == "edit"
            for role in roles.values():
                heal(project, role)
            assert told(examined_by_tool(project)) == {("stack", "local")}
            heal(project, of(found, "stack")["local"])
            assert examined_by_tool(project) == []
        kept = "SELECT has_database_privilege(%s, 'railway', 'CREATE')"
        assert project.database.value(kept, LEGACY)
        with project.database.session(BACKEND, BACKEND_PASSWORD) as session:
            session.execute("CREATE TABLE public.goes_on (id int)")
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            project.database.session("idle", BACKEND_PASSWORD)


def test_a_service_that_was_added_is_still_to_be_made(projects: Projects) -> None:
    with projects(services={"sankore": None}) as project:
        project.succeeds(project.up())
        project.declare(services=SERVICES, analytics={})
        assert told(examined_by_tool(project)) == {("stack", "field-notes"), ("stack", "analytics")}
        assert len(healed(project)) == 1


def lock_of(project: Project) -> Path:
    [lock] = (project.folder / STATE / ".pulumi/locks").rglob("*.json")
    return lock


@only_superuser
def test_a_killed_run_is_taken_up_again(projects: Projects) -> None:
    with projects(services=SERVICES, analytics={}) as project:
        run = subprocess.Popen(
            [project.engine.binary, "up", "--yes", "--skip-preview", "--stack", "local", "--non-interactive"],
            cwd=project.folder,
            env=project._environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        made = "SELECT count(*) FROM pg_roles WHERE rolname = 'sankore_user'"
        try:
            while run.poll() is None and not project.database.value(made):
                time.sleep(0.002)
            # While it runs, its lock is nobody's to take away.
            os.utime(lock_of(project), times=(time.time() - MINUTES, time.time() - MINUTES))
            os.killpg(run.pid, signal.SIGSTOP)
            assert ("lock", "stack local") not in told(examined_by_tool(project))
        finally:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
        found = examined_by_tool(project)
        [lock] = of(found, "lock").values()
        assert f"by process {run.pid}, which has ended" in lock["actual"]
        heal(project, lock)
        assert ("lock", "stack local") not in told(examined_by_tool(project))
        healed(project)
        assert project.succeeds(project.up()).ops == {}
        for service in SERVICES:
            with project.connect(service) as session:
                session.execute("CREATE TABLE things (id int)")


def test_roles_that_the_state_does_not_know_are_adopted(projects: Projects) -> None:
    with projects(services=SERVICES, analytics={}) as project:
        project.succeeds(project.up())
        role = forget(project.state_file, "field-notes")
        leave(project.state_file, "creating", {key: role[key] for key in ("urn", "type", "inputs", "parent", "custom")})
        forget(project.state_file, "analytics")
        found = examined_by_tool(project)
        roles = {("unknown role", 'Ro"le-x'), ("unknown role", "analytics_readonly")}
        assert told(found) == {*roles, ("killed run", "field-notes-role")}
        assert 'engarde:services["field-notes"].adopt' in of(found, "unknown role")['Ro"le-x']["remedy"]["text"]
        # Either can be adopted only with the other: the run refuses until both are.
        for each in of(found, "unknown role").values():
            each["remedy"]["text"] = each["remedy"]["text"].splitlines()[0]
            heal(project, each)
        healed(project)
        assert project.succeeds(project.up("--refresh")).ops == {}
        with project.connect("field-notes") as session:
            session.execute("CREATE TABLE things (id int)")


def test_a_grant_that_no_run_can_let_go_of(projects: Projects) -> None:
    reading = {"madansara": {"reads": ["sankore.goes"]}, "sankore": None}
    with projects(services=reading) as project:
        project.succeeds(project.up())
        with project.connect("sankore") as session:
            session.execute("CREATE TABLE goes (id int)")
        project.succeeds(project.up())
        with project.connect("sankore") as session:
            session.execute("DROP TABLE goes")
        forget(project.state_file, "madansara", "madansara-reads-sankore.goes")
        project.declare(services={"sankore": None})
        stuck = project.up()
        assert stuck.exit != 0
        assert "42P01" in stuck.output or "does not exist" in stuck.output
        [found] = examined_by_tool(project)
        assert (found["check"], found["subject"]) == ("vanished table", "sankore.goes")
        assert found["remedy"]["text"].startswith("bin/pulumi state delete 'urn:pulumi:local::engarde::")
        heal(project, found)
        assert examined_by_tool(project) == []
        project.succeeds(project.up())


def test_a_role_that_is_named_and_is_not_there(projects: Projects) -> None:
    with projects(services=SERVICES, outsideRoles={"Gone-1": None}) as project:
        assert told(examined_by_tool(project)) == {("stack", "local"), ("outside role", "Gone-1")}
