"""How the tool finds the stack that Pulumi would take, and `bin/engarde run`: a command as a service."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from engarde.alembic.programs import INHERITED
from tests.engine.admins import only_superuser
from tests.engine.conftest import Projects
from tests.engine.migrated import declared, write
from tests.engine.program import LIMIT, STACK_FILE, Project

pytestmark = [pytest.mark.xdist_group("command line"), only_superuser]

MIGRATIONS = "their/madansara"
QUALIFIED = "organization/engarde/local"


@pytest.fixture(scope="module")
def stack(projects: Projects) -> Iterator[Project]:
    services = {"madansara": declared(sys.executable, MIGRATIONS, environment=["OF_ITS_OWN"]), "langflow": None}
    with projects(services=services) as project:
        project.succeeds(project.up())
        write(project.folder / MIGRATIONS, 'op.execute("CREATE TABLE things (id int)")')
        (project.folder / MIGRATIONS / "script.py.mako").write_text(
            "revision = ${repr(up_revision)}\ndown_revision = ${repr(down_revision)}\n\n\n"
            "def upgrade():\n    pass\n\n\ndef downgrade():\n    pass\n"
        )
        yield project


def test_a_stack_is_named_as_pulumi_names_it(stack: Project) -> None:
    for name in ("local", "organization/local", QUALIFIED):
        done = stack.tool("verify", "--no-logins", "-s", name)
        assert (done.returncode, "stack local is as declared" in done.stdout) == (0, True), done.stderr
    psql = stack.tool("psql", "madansara", "-s", QUALIFIED, "-tAcselect 1")
    assert (psql.returncode, psql.stdout) == (0, "1\n"), psql.stderr
    elsewhere = stack.tool("verify", PULUMI_STACK="nope")
    assert (elsewhere.returncode, elsewhere.stderr) == (
        2,
        f"engarde: {stack.folder} has no file Pulumi.nope.yaml; it has Pulumi.local.yaml\n",
    )
    refused = stack.tool("verify", "--stack", "../x")
    assert (refused.returncode, refused.stderr.count("\n"), "'../x' is no stack name" in refused.stderr) == (2, 1, True)


def test_the_stack_that_is_selected_is_taken(stack: Project) -> None:
    file = stack.folder / "Pulumi.other.yaml"
    file.write_text((stack.folder / STACK_FILE).read_text())
    words = [stack.engine.binary, "stack", "init", "other", "--non-interactive"]
    try:
        subprocess.run(
            words, cwd=stack.folder, env=stack._environment(), check=True, capture_output=True, timeout=LIMIT
        )
        done = stack.tool("url", "madansara")
        assert (done.returncode, "stack other has no outputs yet" in done.stderr) == (3, True), done.stderr
        assert stack.tool("url", "madansara", PULUMI_STACK="local").returncode == 0
    finally:
        stack.pulumi("stack", "unselect")
        file.unlink()


def test_environments_of_a_backend_that_has_none_are_refused(stack: Project) -> None:
    file = stack.folder / STACK_FILE
    before = file.read_text()
    file.write_text(json.dumps({**json.loads(before), "environment": ["engarde/prod"]}))
    try:
        done = stack.tool("verify")
    finally:
        file.write_text(before)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(
        "engarde: Pulumi could not open the environments of Pulumi.local.yaml (`environment:`)."
    )
    assert "does not support environments" in done.stderr


def run(stack: Project, service: str, *command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return stack.tool("run", service, "--", *command, **environment)


def test_a_command_gets_the_url_and_nothing_else_that_is_secret(stack: Project) -> None:
    secrets = {"AWS_SECRET_ACCESS_KEY": "s3cret", "PGPASSWORD": "s3cret", "OF_ITS_OWN": "yes", "LC_TIME": "C"}
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    for service, variable in (("madansara", {"OF_ITS_OWN"}), ("langflow", set())):
        found = json.loads(run(stack, service, sys.executable, "-c", code, **secrets).stdout)
        assert "DATABASE_URL" in found
        assert found.keys() - {*INHERITED, "DATABASE_URL", "LC_CTYPE", "LC_TIME"} == variable
        assert "s3cret" not in json.dumps(found)
    assert found["DATABASE_URL"] == stack.outputs()["database_urls"]["langflow"]


def test_alembic_makes_a_revision_and_goes_back(stack: Project) -> None:
    alembic = (sys.executable, "-m", "alembic", "-c", f"{MIGRATIONS}/alembic.ini")
    for words in (("upgrade", "head"), ("revision", "-m", "more"), ("upgrade", "head"), ("downgrade", "-1")):
        done = run(stack, "madansara", *alembic, *words)
        assert done.returncode == 0, done.stderr
    with stack.connect("madansara") as session:
        assert session.execute("SELECT version_num FROM madansara.alembic_version").fetchall() == [("r1",)]
    assert len([*(stack.folder / MIGRATIONS / "versions").glob("*.py")]) == 2


def test_signals_and_the_end_are_those_of_the_command(stack: Project) -> None:
    assert run(stack, "madansara", "sh", "-c", "exit 7").returncode == 7
    assert stack.tool("run", "madansara", "--", "cat", given="typed").stdout == "typed"
    words = stack.tool_command("run", "madansara", "--", "sh", "-c", "echo $$; exec sleep 60")
    with subprocess.Popen(
        words, cwd=stack.folder, env=stack._environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert int(process.stdout.readline()) == process.pid
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT) == -signal.SIGINT
    with subprocess.Popen(
        stack.tool_command("run", "madansara", "--", "yes"),
        cwd=stack.folder,
        env=stack._environment(),
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        os.read(process.stdout.fileno(), 1)
        process.stdout.close()
        assert process.wait(LIMIT) == -signal.SIGPIPE


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("madansara",), "put the command after `--`: run SERVICE -- COMMAND..."),
        (("madansara", "--"), "Missing argument '-- COMMAND...'"),
        (("madansara", "alembic", "downgrade", "-1"), "put the command after `--`"),
        (("madansara", "--", "no-such-program"), "engarde: cannot run no-such-program: No such file or directory"),
        (("madansar", "--", "true"), "engarde: stack local has no service madansar; it has madansara, langflow"),
    ],
)
def test_what_is_no_command_is_refused(stack: Project, words: tuple[str, ...], says: str) -> None:
    done = stack.tool("run", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
