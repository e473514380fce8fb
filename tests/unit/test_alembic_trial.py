"""What is written is tried first, with real Alembic in the service's interpreter and without a database."""

import json
import shutil
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engarde import cli
from tests.unit.alembic_projects import INI, NOT_RUN, SYNC, alembic, changed, made

LOOP = """\
import importlib
import pkgutil

import app

for module in pkgutil.iter_modules(app.__path__, "app."):
    importlib.import_module(module.name)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made(tmp_path / "madansara").write("migrations/env.py", SYNC)
    return tmp_path / "madansara"


def init(
    monkeypatch: pytest.MonkeyPatch, project: Path, *words: str, command: Sequence[str] = (), form: str = "plain"
) -> Result:
    """Calls the command for the project, in which nothing is changed unless it ends well."""
    folder = project.parent
    migrations = {"path": "madansara", "command": [*command] or alembic(), "environment": ["MODE"]}
    config = {
        "engarde:server": {"host": "db.example.com", "database": "railway"},
        "engarde:services": {"madansara": {"migrations": migrations, "urlFormat": form}},
        "engarde:adminPassword": {"secure": "v1:of-a-test"},
    }
    (folder / "Pulumi.local.yaml").write_text(json.dumps({"config": config}))
    monkeypatch.setattr("engarde.cli.alembic.FOLDER", folder)
    before = texts(project)
    done = CliRunner().invoke(cli.main, ["alembic", "init", "madansara", str(project), *words])
    assert texts(project) == before or (done.exit_code == 0 and "--yes" in words)
    return done


def texts(project: Path) -> dict[Path, str]:
    return {each: each.read_text() for each in project.rglob("*") if each.is_file() and each.suffix != ".pyc"}


def refused(done: Result) -> str:
    assert done.exit_code == 2, done.output
    assert "nothing was written" in done.stderr
    return done.stderr


def test_what_works_is_written(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    shown = init(monkeypatch, project, command=[sys.executable, "-m", "alembic"])
    assert (shown.exit_code, shown.stderr) == (1, "nothing was written; add --yes to write this\n")
    assert init(monkeypatch, project, "--yes").exit_code == 0
    assert init(monkeypatch, project).exit_code == 0


@pytest.mark.parametrize("words", [(), ("--yes",)], ids=["shown", "written"])
def test_what_fails_is_not_written(monkeypatch: pytest.MonkeyPatch, project: Path, words: tuple[str, ...]) -> None:
    env = changed(SYNC, "SCHEMA = ", "from app.gone import load\n\nload()\nSCHEMA = ")
    (project / "migrations/env.py").write_text(env)
    said = refused(init(monkeypatch, project, *words))
    assert "the new migrations/env.py, line 24: from app.gone import load: ModuleNotFoundError: " in said


def test_a_configuration_without_logging(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    (project / "alembic.ini").write_text(INI)
    lines = "if config.config_file_name is not None:\n    fileConfig(config.config_file_name)\n"
    (project / "migrations/env.py").write_text(changed(SYNC, lines, ""))
    assert init(monkeypatch, project).exit_code == 1


def test_the_line_in_a_module_of_the_service(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    (project / "app/more.py").write_text("import os\n\nMODE = os.environ['NO_SUCH']\n")
    (project / "migrations/env.py").write_text(changed(SYNC, "SCHEMA = ", "import app.more\n\nSCHEMA = "))
    assert "app/more.py, line 3: KeyError: 'NO_SUCH'" in refused(init(monkeypatch, project))


def test_a_driver_that_is_not_there(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    (project / "psycopg2.py").write_text("raise ImportError('not in this interpreter')")
    said = refused(init(monkeypatch, project, "--driver", "psycopg2"))
    assert "ImportError: not in this interpreter (--driver chooses another driver than postgresql+psycopg2)" in said
    assert init(monkeypatch, project, "--driver", "psycopg").exit_code == 1


def test_it_reaches_no_database(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"postgresql+psycopg://a:b@127.0.0.1:{server.getsockname()[1]}/d"
        connects = f"from sqlalchemy import create_engine\n\ncreate_engine({url!r}).connect()\n"
        (project / "app/more.py").write_text(connects)
        (project / "migrations/env.py").write_text(changed(SYNC, "SCHEMA = ", "import app.more\n\nSCHEMA = "))
        said = refused(init(monkeypatch, project))
        server.setblocking(False)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert "app/more.py, line 3: " in said and "it connects to a database before Alembic asks it to" in said


def test_an_old_one_that_would_connect_is_asked_all_the_same(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    lines = "if context.is_offline_mode():\n    run_migrations_offline()\nelse:\n    run_migrations_online()\n"
    (project / "migrations/env.py").write_text(changed(SYNC, lines, "run_migrations_online()\n"))
    assert init(monkeypatch, project).exit_code == 1


def test_what_the_code_sees(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "hunter2")
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    monkeypatch.setenv("DATABASE_URL", "postgresql://a:hunter2@db/d")
    monkeypatch.setenv("MODE", "migrations")
    seen = "import os\n\nraise RuntimeError(sorted(os.environ), os.environ['DATABASE_URL'], os.environ['MODE'])\n"
    (project / "app/more.py").write_text(seen)
    (project / "migrations/env.py").write_text(changed(SYNC, "SCHEMA = ", "import app.more\n\nSCHEMA = "))
    said = refused(init(monkeypatch, project, form="sqlalchemy+psycopg"))
    assert "PULUMI" not in said and "PGPASSWORD" not in said and "hunter2" not in said
    assert "postgresql+psycopg://madansara_user:***@no-database.invalid:5432/none', 'migrations'" in said


def test_metadata_that_would_have_fewer_tables(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    """Filled where no reading of env.py sees it: in a function that the logging calls."""
    table = "from sqlalchemy import Table\n\nfrom app.models import Base\n\nTable('orders', Base.metadata)\n"
    (project / "app/more.py").write_text(table)
    env = changed(SYNC, "def run_migrations_offline():\n", "def run_migrations_offline():\n    x = load_all()\n")
    env = changed(env, "SCHEMA = ", "from app import load_all\n\nSCHEMA = ")
    (project / "app/__init__.py").write_text("def load_all():\n    import app.more\n")
    (project / "migrations/env.py").write_text(env)
    said = refused(init(monkeypatch, project))
    assert "would lack orders, and autogenerate would drop them. Import the modules that fill" in said
    (project / "migrations/env.py").write_text(changed(SYNC, "SCHEMA = ", f"{LOOP}\nSCHEMA = "))
    assert init(monkeypatch, project).exit_code == 1


def test_a_filter_that_would_hide_every_table(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    env = SYNC.replace("include_name=include_name", "include_object=lambda each, *_: each.schema == SCHEMA")
    (project / "migrations/env.py").write_text(env)
    assert "hide all tables of the models from autogenerate" in refused(init(monkeypatch, project))


def test_an_import_of_a_star_that_takes_a_name(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    (project / "app/more.py").write_text("from datetime import time\nfrom sqlalchemy import text\n")
    (project / "migrations/env.py").write_text(changed(SYNC, "SCHEMA = ", "from app.more import *\n\nSCHEMA = "))
    assert "NameError: the new env.py uses the name time for something else" in refused(init(monkeypatch, project))
    (project / "app/more.py").write_text("import time\nfrom sqlalchemy import text\n")
    assert init(monkeypatch, project).exit_code == 1


def test_no_end(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    monkeypatch.setenv("ENGARDE_TIMEOUTS", "alembic=2")
    (project / "app/more.py").write_text(
        "import subprocess, sys, time\n\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(8)'], start_new_session=True)\n"
        "time.sleep(60)\n"
    )
    (project / "migrations/env.py").write_text(changed(SYNC, "SCHEMA = ", "import app.more\n\nSCHEMA = "))
    assert "the trial of the new env.py did not end within 2 seconds" in refused(init(monkeypatch, project))


@pytest.mark.parametrize(("command", "said"), NOT_RUN)
def test_an_interpreter_that_cannot_be_found(
    monkeypatch: pytest.MonkeyPatch, project: Path, command: list[str], said: str
) -> None:
    (project / "migrate.sh").write_text("#!/bin/sh\ntouch ran\n")
    (project / "migrate.sh").chmod(0o755)
    told = refused(init(monkeypatch, project, command=command))
    assert "the new env.py could not be tried with the service's own Alembic: " in told and said in told
    assert "State its command in the stack file (`migrations: {path: " in told and "--untried" in told
    done = init(monkeypatch, project, "--untried", "--yes", command=command)
    assert done.exit_code == 0 and not (project / "ran").exists()


def test_the_file_and_the_section_of_its_command(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    (project / "conf").mkdir()
    text = (project / "alembic.ini").read_text().replace("[alembic]", "[madansara]")
    (project / "conf/service.ini").write_text(text.replace("%(here)s/", "").replace("prepend_sys_path = .", ""))
    (project / "alembic.ini").unlink()
    shutil.move(project / "app", project / "lib/app")
    env = changed(SYNC, "from app.models", "import sys\n\nsys.path.append('lib')\nfrom app.models")
    (project / "migrations/env.py").write_text(env)
    command = [*alembic(), "-c", "conf/service.ini", "--name=madansara", "-x", "one=two"]
    done = init(monkeypatch, project, "--yes", command=command)
    assert done.exit_code == 0, done.stderr
    assert (project / "migrations/env.py.orig").exists()
