"""A higher rotation: a new password for one service, and nothing else."""

import psycopg
import pytest

from engarde.server.credentials import scram_salt, scram_verifier
from tests.engine.admins import PASSWORD, SUPERUSER, only_superuser
from tests.engine.conftest import Projects
from tests.engine.program import STACK
from tests.engine.test_faults import one_message

VERIFIERS = "SELECT rolname, rolpassword FROM pg_authid WHERE rolname !~ '^pg_' ORDER BY 1"


def test_rotation_changes_one_password_and_its_role(projects: Projects) -> None:
    services = {"madansara": None, "sankore": {"urlFormat": "jdbc"}}
    with projects(services=services, analytics={}) as project:
        project.succeeds(project.up())
        old, verifiers = project.outputs(), dict(project.database.rows(VERIFIERS))

        project.declare(services={**services, "madansara": {"rotation": 2}}, analytics={})
        before = project.database.mark()
        project.succeeds(project.preview("--diff"))
        assert project.database.changes(before) == []
        rotated = project.succeeds(project.up("--diff"))

        assert rotated.ops.keys() == {"madansara-password", "madansara-role"}
        assert rotated.ops["madansara-role"] == "update"
        assert rotated.steps["madansara-role"].diffs == ("password",)
        statements = project.database.changes(before)
        assert statements
        assert all(statement.startswith('ALTER ROLE "madansara_user" ') for statement in statements)
        new = project.outputs()
        password = new["passwords"]["madansara_user"]
        expected = scram_verifier(password, scram_salt("engarde", STACK, "madansara_user", 2))
        assert dict(project.database.rows(VERIFIERS)) == {**verifiers, "madansara_user": expected}
        assert changed(old["passwords"], new["passwords"]) == {"madansara_user"}
        assert changed(old["database_urls"], new["database_urls"]) == {"madansara"}
        assert old["analytics_url"] == new["analytics_url"]
        with project.connect("madansara"), project.connect("sankore"), project.connect("analytics"):
            pass
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            project.database.session("madansara_user", old["passwords"]["madansara_user"])
        project.succeeds(project.preview("--expect-no-changes"))


def changed(old: dict[str, str], new: dict[str, str]) -> set[str]:
    assert old.keys() == new.keys()
    return {name for name in old if old[name] != new[name]}


@only_superuser
def test_the_admins_password_was_reset(projects: Projects) -> None:
    """As a host does it from a page of its own: nobody but the admin has to know the new one."""
    new, admin = "ANewOneOfTheHosts", SUPERUSER.user
    with projects(services={"madansara": None}, analytics={}) as project:
        project.succeeds(project.up())
        old = project.outputs()
        project.database.run(f"ALTER ROLE {admin} PASSWORD '{scram_verifier(new, b'a salt of a test')}'")
        refused = project.tool("verify")
        assert refused.returncode == 3
        assert f'password authentication failed for user "{admin}"' in refused.stderr
        assert f'password authentication failed for user "{admin}"' in one_message(project.up())
        project.pulumi("config", "set", "--secret", "adminPassword", given=new)
        assert project.succeeds(project.up()).ops == {}
        assert project.outputs() == old
        assert project.tool("verify").returncode == 0
        with project.database.session(admin, new) as session:
            session.execute(f"ALTER ROLE {admin} PASSWORD '{scram_verifier(PASSWORD, b'a salt of a test')}'".encode())
