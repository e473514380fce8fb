"""What the operator reads when the stack file, the address or the password is wrong."""

import re
import time
from collections.abc import Iterator

import pytest

from devtools.server import free_port
from tests.engine.conftest import Projects
from tests.engine.program import Project, Run

pytestmark = pytest.mark.xdist_group("faults")

WRONG = "NotTheAdminsPassword"
QUICK = 45.0
"""Even where another run has the processors (seconds); a plugin of its own would try for three minutes."""


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    with projects() as project:
        yield project
        assert project.database.rows("SELECT rolname FROM pg_roles WHERE rolname ~ '_user$|_readonly$'") == []


SUMMARY = ("error: update failed", "error: preview failed")


def one_message(run: Run) -> str:
    """What the engine printed as the one error of a run that failed."""
    assert run.exit != 0
    assert "Traceback" not in run.output
    diagnostics = re.split(r"^(?:Outputs|Resources):$", run.output.partition("\nDiagnostics:\n")[2], flags=re.M)[0]
    told = [f"error: {each.strip()}" for each in re.split(r"^ +error: ", diagnostics, flags=re.M)[1:]]
    [message] = [each for each in told if each not in SUMMARY]
    return message


@pytest.mark.parametrize("command", ["preview", "up"])
def test_every_fault_of_a_stack_file_is_in_one_message(project: Project, command: str) -> None:
    project.declare(
        server={"port": "5432", "connectionBudget": 3},
        serviceAddress={"host": "mysql://scheduler:secret-of-mysql@host/db"},
        services={
            "madansara": {"connectionLimit": 101, "colour": "blue", "reads": ["elsewhere.users"]},
            "sankore": {"schema": "shared"},
            "onside": {"schema": "shared"},
            "pg_own": None,
            "public": None,
            "a" * 60: None,
        },
        analytics={"schemas": ["nowhere"]},
        surprise={},
    )
    before = project.database.mark()
    run = project.preview() if command == "preview" else project.up()
    message = one_message(run)
    for place in (
        "engarde:server.port",
        "engarde:server.connectionBudget",
        "engarde:serviceAddress.host: is a MySQL address",
        "engarde:services.madansara.connectionLimit",
        "engarde:services.madansara.colour",
        "engarde:services.madansara.reads",
        "engarde:services.sankore.schema: engarde:services.onside declares the same schema",
        "engarde:services.pg_own",
        "engarde:services.public",
        f"engarde:services.{'a' * 60}",
        "engarde:analytics.schemas",
        "engarde:surprise",
    ):
        assert place in message
    assert "secret-of-mysql" not in run.output
    assert not run.ops
    assert project.database.changes(before) == []


@pytest.mark.parametrize("reads", [[], ["public.users"]])
def test_a_server_that_is_down_is_said_so_soon(project: Project, reads: list[str]) -> None:
    port = free_port()
    services = {"madansara": {"reads": reads}}
    project.declare(server={"port": port}, services=services, existingSchemas={"public": None}, analytics={})
    began = time.monotonic()
    message = one_message(project.up())
    assert time.monotonic() - began < QUICK
    assert f"127.0.0.1:{port}" in message
    assert "connection refused" in message.lower()


def test_a_wrong_password_is_said_and_not_shown(project: Project) -> None:
    project.declare(services={"madansara": {"reads": ["public.users"]}}, existingSchemas={"public": None})
    project.pulumi("config", "set", "--secret", "adminPassword", given=WRONG)
    run = project.up()
    message = one_message(run)
    assert f'password authentication failed for user "{project.database.admin.user}"' in message
    assert WRONG not in run.output
