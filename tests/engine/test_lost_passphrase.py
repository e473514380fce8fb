"""The passphrase is lost: as docs/lost-state.md says, all is taken over again, and no row is."""

import json

import pytest

from tests.conftest import Projects
from tests.engine import program
from tests.engine.admins import PASSWORD, only_superuser
from tests.engine.program import STACK_FILE, Project


def does(project: Project, *words: str, given: str = "") -> None:
    done = project.pulumi(*words, given=given)
    assert done.returncode == 0, done.stdout


@pytest.mark.exhaustive
@only_superuser
def test_all_is_taken_over_again(projects: Projects, monkeypatch: pytest.MonkeyPatch) -> None:
    with projects(services={"sankore": None}, analytics={}) as project:
        project.succeeds(project.up())
        with project.connect("sankore") as session:
            session.execute("CREATE TABLE things (id int); INSERT INTO things VALUES (1)")
        monkeypatch.setattr(program, "PASSPHRASE", "of somebody who has lost the other one")
        refused = project.preview()
        assert "incorrect passphrase" in refused.output
        told = project.tool("doctor", "-", given=refused.output)
        assert "docs/lost-state.md" in told.stdout, told.stdout + told.stderr
        does(project, "stack", "rm", "--yes", "--force", "--preserve-config")
        document = json.loads((project.folder / STACK_FILE).read_text())
        del document["encryptionsalt"], document["config"]["engarde:adminPassword"]
        document["config"] |= {"engarde:services": {"sankore": {"adopt": True}}, "engarde:analytics": {"adopt": True}}
        (project.folder / STACK_FILE).write_text(json.dumps(document))
        does(project, "stack", "init", "--no-select")
        does(project, "config", "set", "--secret", "adminPassword", given=PASSWORD)
        assert "the password of sankore_user is replaced, because the role is taken over" in project.preview().output
        project.succeeds(project.up())
        with project.connect("sankore") as session:
            assert session.execute("SELECT id FROM things").fetchall() == [(1,)]
        verified = project.tool("verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
