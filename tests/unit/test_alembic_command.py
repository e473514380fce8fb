"""`bin/engarde alembic check` as it is called: what it prints, how it ends, and that it prints no secret."""

import json
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result

from engarde.cli import main
from tests.unit.alembic_projects import ASYNC, INI, LOGGING, SYNC, Made, changed, line, made

SECRET = "hunter2"
STACK = """\
config:
  engarde:server: {host: h, database: d}
  engarde:adminPassword: {secure: v1:x}
  engarde:services:
    madansara: {urlFormat: plain}
    sankore: {}
"""

Call = Callable[..., Result]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    """Calls the command; nothing secret is printed, and nothing of the project is changed or run."""
    stacks = tmp_path / "stacks"
    stacks.mkdir()
    (stacks / "Pulumi.prod.yaml").write_text(STACK)

    def called(path: Path, *words: str, service: str = "madansara", stack: str = "prod") -> Result:
        before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
        arguments = ["alembic", "check", service, str(path), "--stack", stack, *words]
        with patch("engarde.cli.alembic.FOLDER", stacks):
            done = CliRunner().invoke(main, arguments)
        assert done.exception is None or isinstance(done.exception, SystemExit)
        assert SECRET not in done.output
        assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
        return done

    return called


@pytest.fixture
def project(tmp_path: Path) -> Made:
    return made(tmp_path / "madansara")


def put(project: Made, env: str) -> Path:
    project.write("migrations/env.py", env)
    return project.folder


WRONG = changed(SYNC, "version_table_schema=SCHEMA,", "", 1)


@pytest.mark.parametrize("env", [SYNC, ASYNC])
def test_nothing_is_wrong(call: Call, project: Made, env: str) -> None:
    done = call(put(project, env))
    assert (done.exit_code, done.stdout) == (0, "no findings in the Alembic project of madansara\n")
    done = call(put(project, env), "--output", "json")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {"version": 2, "service": "madansara", "notChecked": {}, "findings": []}


def test_findings_for_people(call: Call, project: Made) -> None:
    done = call(put(project, WRONG))
    assert done.exit_code == 1
    assert [each.strip() for each in done.stdout.splitlines() if each.strip(" ─")] == [
        f"version table: migrations/env.py:{line(WRONG, 'context.configure(', 1)}",
        'expected  version_table_schema="madansara" (online)',
        "actual  none: Alembic would use the version table in public",
        "Fix (change the service):",
        'version_table_schema="madansara",',
    ]
    assert done.stderr == ""


def test_findings_for_machines(call: Call, project: Made) -> None:
    done = call(put(project, WRONG), "--output", "json")
    assert done.exit_code == 1
    assert json.loads(done.stdout) == {
        "version": 2,
        "service": "madansara",
        "notChecked": {},
        "findings": [
            {
                "check": "version table",
                "subject": f"migrations/env.py:{line(WRONG, 'context.configure(', 1)}",
                "expected": 'version_table_schema="madansara" (online)',
                "actual": "none: Alembic would use the version table in public",
                "remedy": {
                    "kind": "code",
                    "text": 'version_table_schema="madansara",',
                    "bySuperuser": False,
                    "safe": False,
                    "first": None,
                },
                "concerns": ["madansara", "madansara_user"],
                "database": None,
            }
        ],
    }


def test_a_folder_given_from_where_the_operator_is(call: Call, project: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(put(project, WRONG).parent)
    assert call(Path("madansara")).stdout == call(project.folder).stdout


def refused(done: Result) -> str:
    """Why it is refused; nothing stands where results stand."""
    assert (done.exit_code, done.stdout) == (2, "")
    return done.stderr


def test_no_such_service(call: Call, project: Made) -> None:
    said = refused(call(put(project, SYNC), service="onside"))
    assert said == "engarde: stack prod has no service onside; it has madansara, sankore\n"


def test_no_such_stack(call: Call, project: Made) -> None:
    assert "Pulumi.dev.yaml" in refused(call(put(project, SYNC), stack="dev"))


def test_no_project(call: Call, project: Made, tmp_path: Path) -> None:
    assert "no such folder" in refused(call(tmp_path / "gone"))
    assert "no Alembic project: neither alembic.ini" in refused(call(tmp_path / "stacks"))
    assert refused(call(project.folder)).endswith("migrations/env.py: no such file\n")


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("migrations/env.py", f"{SYNC}\npassword = '{SECRET}\n", f":{SYNC.count(chr(10)) + 2}: not Python: "),
        ("migrations/env.py", f"'{SECRET}'\0", ":1: not Python: "),
        ("migrations/versions/b2.py", f"revision = '{SECRET}' (\n", ":1: not Python: "),
        ("alembic.ini", f"[alembic]\nscript_location = migrations\n{SECRET}\n", ":3: not an ini file"),
        ("pyproject.toml", f"[tool.alembic\n{SECRET}\n", ": not a TOML file"),
    ],
)
def test_a_file_that_does_not_parse(call: Call, project: Made, path: str, text: str, said: str) -> None:
    put(project, SYNC)
    project.write(path, text)
    assert f"engarde: {project.folder / path}{said}" in refused(call(project.folder))


@pytest.mark.parametrize("form", ["table", "json"])
def test_a_secret_is_never_printed(call: Call, project: Made, form: str) -> None:
    url = f"postgresql://someone:{SECRET}@db/railway"
    project.write("alembic.ini", f"{INI}sqlalchemy.url = {url}\n{LOGGING}")
    env = changed(SYNC, 'os.environ["DATABASE_URL"].replace("%", "%%")', f'"{url}"')
    env = changed(env, "SCHEMA = ", f"DEFAULT = os.getenv('DATABASE_URL', '{url}')\nSCHEMA = ")
    env = changed(env, "poolclass", f"connect_args={{'password': '{SECRET}'}}, poolclass")
    done = call(put(project, env), "--output", form)
    assert done.exit_code == 1
    assert done.stdout.count("postgresql://someone:***@db/railway") == 3


def test_nothing_of_it_is_run(call: Call, project: Made) -> None:
    project.write("app/models.py", "open('ran', 'w')\nBase = 1\n")
    project.write("migrations/versions/b2.py", "open('ran', 'w')\nrevision, down_revision = 'b2', 'a1'\n")
    done = call(put(project, f"open('ran', 'w')\nraise KeyboardInterrupt\n{WRONG}"))
    assert (done.exit_code, "version table: migrations/env.py" in done.stdout) == (1, True)
    assert not Path("ran").exists()
