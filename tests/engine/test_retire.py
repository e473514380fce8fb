"""`bin/engarde retire`: a service leaves its stack, and nothing of it is lost that is not in a backup."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import pytest

from engarde.errors import Unfinished
from engarde.retire import run
from engarde.server.connect import MARK
from tests.engine import copies
from tests.engine.admins import only_superuser
from tests.engine.backups import tool
from tests.engine.conftest import Projects, Stacks
from tests.engine.program import STACK_FILE, Project

pytestmark = [pytest.mark.xdist_group("retire"), only_superuser]

SERVICES = {
    "madansara": {"protect": True, "railway": {"service": "api"}},
    "sankore": {"reads": ["onside.shared"]},
    "onside": None,
}
RAILWAY = {"project": "p", "environment": "production"}


def filled(project: Project) -> None:
    copies.brought_up(project)
    for name in ("madansara", "onside"):
        with project.connect(name) as session:
            session.execute("CREATE TABLE things (id serial PRIMARY KEY, word text)")
            session.execute("INSERT INTO things (word) VALUES ('one'), ('two')")


@pytest.fixture
def stack(stacks: Stacks) -> Iterator[Project]:
    with stacks(filled, services=SERVICES, analytics={}, railway=RAILWAY) as project:
        yield project


def gone(project: Project, name: str) -> None:
    """Neither the stack file, nor the state, nor the server knows it, and all is as declared."""
    assert f'"{name}"' not in (project.folder / STACK_FILE).read_text()
    assert name not in project.outputs()["database_urls"]
    with project.database.session() as session:
        [(left,)] = session.execute(
            "SELECT (SELECT count(*) FROM pg_roles WHERE rolname = %s)"
            " + (SELECT count(*) FROM pg_namespace WHERE nspname = %s)",
            [f"{name}_user", name],
        ).fetchall()
    assert left == 0
    assert project.tool("verify").returncode == 0


def test_a_protected_service_leaves_with_a_backup(stack: Project, tmp_path: Path) -> None:
    before = (stack.folder / STACK_FILE).read_bytes()
    planned = json.loads(tool(stack, "retire", "madansara", "--dry-run", "--output", "json").stdout)
    assert [step.split(" (")[0] for step in planned["steps"]] == [
        "unprotect its role and its schema",
        "back up schema madansara",
        "drop schema madansara",
        "remove madansara from Pulumi.local.yaml",
        "drop its role and its grants",
    ]
    # Nobody can be asked.
    assert "use --yes-drop-data" in tool(stack, "retire", "madansara", code=2).stderr
    assert (stack.folder / STACK_FILE).read_bytes() == before

    to = tmp_path / "kept"
    done = tool(stack, "retire", "madansara", "--yes-drop-data", "--to", str(to))
    assert f"its data is in {to}" in done.stdout.replace("\n", "")
    assert "remove its URL from these Railway services: api" in " ".join(done.stdout.split())
    assert json.loads((to / "manifest.json").read_text())["manifest"]["service"] == "madansara"
    gone(stack, "madansara")
    with stack.database.session() as session:
        session.execute("CREATE EXTENSION pg_stat_statements")
        query = "SELECT query FROM pg_stat_statements(true) WHERE query ~ '^(DROP SCHEMA|LOCK.*EXCLUSIVE)'"
        changes = [statement for (statement,) in session.execute(query).fetchall()]
    assert len(changes) == 2
    assert all(statement.endswith(MARK) for statement in changes)
    again = tool(stack, "retire", "madansara", "--yes-drop-data", code=2)
    assert "stack local has no service madansara; it has onside, sankore" in again.stderr


@pytest.mark.parametrize(("at", "times"), [("_drop", 0), ("remove_key", 1), ("up", 1)])
def test_it_goes_on_where_it_was_stopped(stack: Project, tmp_path: Path, at: str, times: int) -> None:
    calls = iter([getattr(run, at)] * times)

    def stopped(*words: object) -> None:
        if (call := next(calls, None)) is None:
            raise Unfinished("stopped")
        call(*words)

    with patch(f"engarde.retire.run.{at}", stopped):
        tool(stack, "retire", "madansara", "--yes-drop-data", "--to", str(tmp_path / "first"), code=4)
    assert (tmp_path / "first/manifest.json").exists()
    tool(stack, "retire", "madansara", "--yes-drop-data", "--to", str(tmp_path / "second"))
    # Its data is copied once more only where it is still there.
    assert (tmp_path / "second").exists() == (at == "_drop")
    gone(stack, "madansara")


def test_what_is_in_use_or_needed_stays(stack: Project, tmp_path: Path) -> None:
    needed = tool(stack, "retire", "onside", "--yes-drop-data", code=2).stderr
    assert "something else in the stack file needs onside. Pulumi.local.yaml was not changed" in needed
    with stack.connect("madansara"):
        used = tool(stack, "retire", "madansara", "--yes-drop-data", code=2).stderr
        assert "madansara_user has 1 open sessions. Nothing was dropped. Stop madansara first" in used
    with stack.database.session() as session:
        session.execute("CREATE VIEW public.of_things AS SELECT word FROM madansara.things")
        assert "public.of_things" in tool(stack, "retire", "madansara", "--yes-drop-data", code=2).stderr
        session.execute("DROP VIEW public.of_things")


def test_rows_that_came_after_the_backup_are_not_lost(stack: Project, tmp_path: Path) -> None:
    from engarde.backup.backup import backup

    def late(*words: object) -> object:
        made = backup(*words)  # type: ignore[arg-type]
        with stack.connect("madansara") as session:
            session.execute("INSERT INTO things (word) VALUES ('late')")
        return made

    with patch("engarde.retire.run.backup", late):
        refused = tool(stack, "retire", "madansara", "--yes-drop-data", "--to", str(tmp_path / "it"), code=4)
    assert "schema madansara has changed since the backup. Stop madansara first" in refused.stderr
    assert "The schema was not changed. Run the command again to resume" in refused.stderr
    assert "rows of table things" in refused.stderr
    with stack.connect("madansara") as session:
        assert session.execute("SELECT count(*) FROM things").fetchone() == (3,)


def test_a_service_that_connects_again_meanwhile_keeps_its_schema(stack: Project, tmp_path: Path) -> None:
    from engarde.backup.backup import backup

    with ExitStack() as later:

        def connected(*words: object) -> object:
            made = backup(*words)  # type: ignore[arg-type]
            later.enter_context(stack.connect("madansara"))
            return made

        with patch("engarde.retire.run.backup", connected):
            stopped = tool(stack, "retire", "madansara", "--yes-drop-data", "--to", str(tmp_path / "it"), code=4)
    assert "madansara_user has 1 open sessions. Nothing was dropped. Stop madansara first" in stopped.stderr
    assert "Run the command again to resume" in stopped.stderr


def test_a_service_of_a_database_of_its_own_leaves_and_goes_on_where_it_was_stopped(
    projects: Projects, tmp_path: Path
) -> None:
    with projects(services={"madansara": {"database": "own"}, "onside": None}, analytics={}) as project:
        with project.database.session() as session:
            session.execute("CREATE DATABASE own")
        filled(project)
        with patch("engarde.retire.run._take_privileges", side_effect=Unfinished("stopped")):
            tool(project, "retire", "madansara", "--yes-drop-data", "--to", str(tmp_path / "it"), code=4)
        assert '"madansara"' not in (project.folder / STACK_FILE).read_text()
        left = json.loads(tool(project, "retire", "madansara", "--dry-run", "--output", "json").stdout)
        assert left["steps"] == ["drop its role and its grants (`up`)"]
        tool(project, "retire", "madansara", "--yes-drop-data")
        gone(project, "madansara")


def test_a_service_that_was_taken_out_of_the_file_by_hand_leaves_with_a_backup(stack: Project, tmp_path: Path) -> None:
    services = {**SERVICES, "madansara": {"protect": True, "rotation": 2}}
    stack.declare(services=services, analytics={}, railway=RAILWAY)
    stack.succeeds(stack.up())
    document = json.loads((stack.folder / STACK_FILE).read_text())
    del document["config"]["engarde:services"]["madansara"]
    (stack.folder / STACK_FILE).write_text(json.dumps(document))
    refused = stack.preview()
    assert (refused.exit != 0, "bin/engarde retire madansara --stack local" in refused.output) == (True, True)
    tool(stack, "retire", "madansara", "--yes-drop-data", "--to", str(tmp_path / "it"))
    assert json.loads((tmp_path / "it/manifest.json").read_text())["manifest"]["service"] == "madansara"
    gone(stack, "madansara")


def test_without_a_backup_only_where_that_is_said(stack: Project) -> None:
    done = tool(stack, "retire", "madansara", "--yes-drop-data", "--yes-without-backup", "--output", "json")
    found = json.loads(done.stdout)
    assert (found["folder"], found["steps"][1].endswith(" without a backup")) == (None, True)
    assert not (stack.folder / "backups").exists()
    gone(stack, "madansara")
