"""What a migration needs of the engine is asked before any service's code runs."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

from engarde.declaration.loader import parse
from engarde.errors import Unreachable
from engarde.migrate import run
from engarde.migrate.projects import Project, projects
from engarde.pulumi_cli.state import Outputs
from engarde.server.catalog import VersionTable

SERVER = {"host": "db.example", "database": "railway"}
STACK = parse(
    "local",
    {
        "server": SERVER,
        "services": {
            "a": {"migrations": {"path": "a"}},
            "b": {"migrations": {"path": "b"}, "database": "bs"},
        },
        "databases": {"bs": {"host": "other.example", "database": "railway"}},
        "adminPasswords": {"bs": {"secure": "v1:AAAA"}},
    },
    {"adminPassword"},
)
THEIRS = VersionTable("b", "b.alembic_version", "b_user", [], trusted=False, disarming=[])
READ = {"b_user": [replace(THEIRS, revisions=())]}
OUTPUTS = Outputs({}, None, {"a_user": "pw-a", "b_user": "pw-b"})


def made() -> list[Project]:
    with (
        patch("engarde.migrate.projects.outputs", return_value=OUTPUTS),
        patch("engarde.pulumi_cli.logins.admin_password", side_effect=lambda _, database: f"pw-of-{database}"),
    ):
        return projects(STACK, ())


def test_the_engine_is_asked_before_any_program_is_started() -> None:
    found = made()
    assert [(each.database.admin.address.host, each.database.admin.password) for each in found] == [
        ("db.example", "pw-of-None"),
        ("other.example", "pw-of-bs"),
    ]
    assert "pw-" not in repr(found)
    asked = AssertionError("asked beside a service's code")
    with (
        patch("engarde.pulumi_cli.process.subprocess.Popen", side_effect=asked),
        patch("engarde.migrate.projects.revisions", return_value=()),
        patch("engarde.migrate.projects.session"),
        patch("engarde.server.version_tables.listed", return_value=[THEIRS]),
        patch("engarde.server.version_tables.ask_logins", return_value=READ) as logins,
        patch.object(run, "revisions", return_value=()),
        patch.object(run, "_run", return_value=None),
        patch.object(run, "_short", return_value=None),
    ):
        assert [service.state for service in run.upgrade(found, 2, lambda line: None).services] == ["up to date"] * 2
        assert [list(run.sql(each)) for each in found] == [[], []]
    assert logins.call_count == 2, "once for each database"


def test_no_program_is_started_unwatched() -> None:
    with (
        patch.object(run, "starting_point", return_value=()),
        patch.object(run, "watched", side_effect=Unreachable("nobody watches")),
        patch("engarde.alembic.programs.subprocess.Popen", side_effect=AssertionError("started")),
    ):
        [done] = run.upgrade(made()[:1], 1, lambda line: None).services
    assert (done.state, done.said) == ("failed", "nobody watches")
