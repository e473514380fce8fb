"""`bin/engarde rotate --reapply`: the state's passwords in force again, after the server was given older ones."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.engine.admins import only_superuser
from tests.engine.conftest import Projects
from tests.engine.program import STACK_FILE, Project
from tests.engine.rotating import JOURNAL, counters, rotate, rotated, strangers

pytestmark = pytest.mark.xdist_group("rotate-again")

ODD = "O'Brien \"1"
RESTORED = "OfTheBackupThatWasRestored"
SERVICES = {"madansara": None, "sankore": None, ODD: {"schema": "quoted"}}


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    with projects(services=SERVICES, analytics={}) as project:
        project.succeeds(project.up())
        yield project


def restore(project: Project, *roles: str) -> None:
    for role in roles:
        name = role.replace('"', '""')
        project.database.run(f"ALTER ROLE \"{name}\" PASSWORD '{RESTORED}'")


def test_after_a_restore(project: Project) -> None:
    passwords, before = project.outputs()["passwords"], counters(project)
    restore(project, "madansara_user", f"{ODD}_user", "analytics_readonly")
    assert strangers(project) == {"madansara_user", f"{ODD}_user", "analytics_readonly"}
    file, mark = (project.folder / STACK_FILE).read_text(), project.database.mark()
    planned = rotate(project, "--reapply", "--all", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "madansara (madansara_user): the state's password would be set again" in planned.stdout
    assert project.database.changes(mark) == []

    report = rotated(project, "--reapply", "--all")
    assert [each["login"] for each in report["rotated"]] == [*sorted(SERVICES), "analytics"]
    assert report["reapplied"] and report["fileToCommit"] is None
    assert strangers(project) == set()
    assert all(change.startswith("ALTER ROLE") for change in project.database.changes(mark))
    assert project.outputs()["passwords"] == passwords
    assert (project.folder / STACK_FILE).read_text() == file
    assert counters(project) == before
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        project.database.session("madansara_user", RESTORED)
    project.succeeds(project.preview("--refresh", "--expect-no-changes"))


def test_one_of_two(project: Project) -> None:
    restore(project, "madansara_user", "sankore_user")
    rotated(project, "--reapply", "sankore")
    assert strangers(project) == {"madansara_user"}
    rotated(project, "--reapply", "madansara")
    assert strangers(project) == set()


def test_roles_that_a_restore_has_lost(project: Project) -> None:
    with project.database.session() as session:
        session.execute("BEGIN; ALTER ROLE sankore_user RENAME TO lost; COMMIT")
    try:
        done = rotate(project, "--reapply", "--all")
        assert done.returncode == 2
        assert "the server does not have these roles: sankore_user. Nothing was changed" in done.stderr
        assert "bin/pulumi up --refresh --stack local" in done.stderr
    finally:
        project.database.run("ALTER ROLE lost RENAME TO sankore_user")


def test_not_in_the_middle_of_a_rotation(project: Project) -> None:
    journal = project.folder / JOURNAL
    journal.write_text('{"begun": {"sankore": 2}, "asked": ["sankore"], "left": ["sankore"]}')
    done = rotate(project, "--reapply", "sankore")
    journal.unlink()
    assert done.returncode == 2
    assert "a rotation of sankore is not finished. Nothing was changed." in done.stderr
    assert "Run `bin/engarde rotate sankore --stack local` to finish it" in done.stderr


@only_superuser
def test_what_else_differs_is_not_changed_with_it(project: Project) -> None:
    """Any other admin sends verifiers, and changes nothing else."""
    restore(project, "sankore_user")
    project.database.run("ALTER ROLE sankore_user CONNECTION LIMIT 3")
    mark = project.database.mark()
    done = rotate(project, "--reapply", "sankore")
    assert done.returncode == 2
    assert "update sankore-role (connectionLimit, password), a Role" in done.stderr
    assert project.database.changes(mark) == []
    project.database.run("ALTER ROLE sankore_user CONNECTION LIMIT 10")
    rotated(project, "--reapply", "sankore")
