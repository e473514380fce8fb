"""What roles start with that the plugin cannot give them: set, seen when it is changed by hand, taken back."""

from collections.abc import Mapping
from typing import Any

import psycopg
import pytest

from tests.engine.admins import BACKEND, only_superuser
from tests.engine.conftest import Projects
from tests.engine.denied import denied
from tests.engine.in_process import tool_here
from tests.engine.program import THE_ADMIN, Project

pytestmark = pytest.mark.xdist_group("role settings")

SETTINGS = """
    SELECT rolname, entry FROM pg_db_role_setting JOIN pg_roles r ON r.oid = setrole, unnest(setconfig) entry
    WHERE split_part(entry, '=', 1) IN ('temp_file_limit', 'default_transaction_read_only', 'work_mem', 'lock_timeout',
                                        'jit', 'log_min_duration_statement')
    ORDER BY 1, 2"""
STACK: Mapping[str, Any] = {
    "services": {"sankore": None, "onside": {"tempFileLimit": 0}},
    "existingSchemas": {"public": {"creators": [THE_ADMIN, BACKEND]}},
    "outsideRoles": {BACKEND: {"schemas": {"public": ["USAGE", "CREATE"]}}},
    "analytics": {"tempFileLimit": 2048},
}
GUARD = ("analytics_readonly", "default_transaction_read_only=on")
AS_DECLARED = [GUARD, ("analytics_readonly", "temp_file_limit=2048MB"), ("sankore_user", "temp_file_limit=10240MB")]


def verified(project: Project) -> None:
    looked = tool_here(project, "verify")
    assert looked.returncode == 0, looked.stdout + looked.stderr


@only_superuser
def test_they_are_set_and_repaired_and_taken_back(projects: Projects) -> None:
    with projects(**STACK) as project:
        project.succeeds(project.up())
        assert project.database.rows(SETTINGS) == AS_DECLARED
        verified(project)
        assert project.succeeds(project.preview("--refresh", "--expect-no-changes")).ops == {}

        project.database.run(
            "ALTER ROLE analytics_readonly RESET default_transaction_read_only",
            "ALTER ROLE sankore_user SET temp_file_limit = -1",
            "ALTER ROLE onside_user SET temp_file_limit = '7GB'",
        )
        looked = project.preview("--refresh", "--expect-no-changes")
        assert looked.exit != 0
        assert looked.ops == dict.fromkeys(("analytics", "sankore", "onside"), "update")
        found = tool_here(project, "verify", "--no-logins")
        assert found.returncode == 1
        for each in (
            """ALTER ROLE "analytics_readonly" SET default_transaction_read_only = 'on';""",
            """ALTER ROLE "sankore_user" SET temp_file_limit = '10240MB';""",
            """ALTER ROLE "onside_user" RESET "temp_file_limit";""",
        ):
            assert each in found.stdout
        assert project.succeeds(project.up()).ops == looked.ops
        assert project.database.rows(SETTINGS) == AS_DECLARED
        verified(project)
        assert project.succeeds(project.preview("--refresh", "--expect-no-changes")).ops == {}

        with project.connect("analytics") as session:
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                session.execute("INSERT INTO public.users DEFAULT VALUES")
            denied(session, "INSERT INTO public.users DEFAULT VALUES")

        more = {"settings": {"work_mem": "16MB", "log_min_duration_statement": 500}}
        services = {"sankore": more, "onside": {"tempFileLimit": 0}}
        project.declare(
            **{**STACK, "services": services, "analytics": {"tempFileLimit": 2048, "settings": {"jit": "off"}}}
        )
        # What a role had before is not the stack's, as long as it is not declared.
        project.database.run("ALTER ROLE onside_user SET work_mem = '8MB'")
        assert set(project.succeeds(project.up()).ops) == {"sankore", "analytics"}
        declared = [
            *AS_DECLARED,
            ("analytics_readonly", "jit=off"),
            ("onside_user", "work_mem=8MB"),
            ("sankore_user", "log_min_duration_statement=500"),
            ("sankore_user", "work_mem=16MB"),
        ]
        assert project.database.rows(SETTINGS) == sorted(declared)
        assert tool_here(project, "verify", "--no-logins").returncode == 1
        project.database.run("ALTER ROLE onside_user RESET work_mem")
        verified(project)
        assert project.succeeds(project.preview("--refresh", "--expect-no-changes")).ops == {}
        with project.connect("sankore") as session:
            assert session.execute("SHOW work_mem").fetchone() == ("16MB",)
        project.database.run("ALTER ROLE sankore_user SET work_mem = '1GB'")
        assert (
            """ALTER ROLE "sankore_user" SET work_mem = '16MB';""" in tool_here(project, "verify", "--no-logins").stdout
        )
        assert project.succeeds(project.up()).ops == {"sankore": "update"}
        verified(project)

        project.declare(**{**STACK, "services": {"sankore": {"tempFileLimit": 0}}, "analytics": {"tempFileLimit": 0}})
        done = project.succeeds(project.up()).ops
        assert (done["sankore"], done["analytics"]) == ("update", "update")
        assert project.database.rows(SETTINGS) == [GUARD]
        project.succeeds(project.destroy())
        assert project.database.value("SELECT count(*) FROM pg_db_role_setting") == 0


@pytest.mark.parametrize("admin", ["createrole"], indirect=True)
def test_an_admin_that_is_no_superuser_sets_what_it_may(projects: Projects) -> None:
    with projects(
        **{**STACK, "services": {"sankore": {"settings": {"lock_timeout": "5s"}}, "onside": None}}
    ) as project:
        project.succeeds(project.up())
        assert project.database.rows(SETTINGS) == [GUARD, ("sankore_user", "lock_timeout=5s")]
        verified(project)
        project.declare(**STACK)
        project.succeeds(project.up())
        assert project.database.rows(SETTINGS) == [GUARD]
        verified(project)
        assert project.succeeds(project.preview("--refresh", "--expect-no-changes")).ops == {}
        project.database.run(
            "ALTER ROLE sankore_user SET temp_file_limit = '10GB'", "ALTER ROLE analytics_readonly RESET ALL"
        )
        assert project.succeeds(project.up("--refresh")).ops["analytics"] == "update"
        assert project.database.rows(SETTINGS) == [GUARD, ("sankore_user", "temp_file_limit=10GB")]
        verified(project)
