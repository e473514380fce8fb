"""Where the URL comes from: the environment, a variable that somebody sets, past a pooler; and it is never printed."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from engarde.output.findings import Finding, Remedy
from tests.unit.alembic_projects import ASYNC, BOTH, INI, LOGGING, SYNC, Made, changed, line, made

both = pytest.mark.parametrize("env", BOTH.values(), ids=BOTH)

SET = 'config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"].replace("%", "%%"))\n'
SECRET = "hunter2"
ADDRESS = f"postgresql://someone:{SECRET}@db.example.com/railway"
EITHER = "a URL for psycopg2 before SQLAlchemy 2.1, for psycopg from 2.1 on; no project file pins the version"
RAILWAY: dict[str, Any] = {"railway": {"project": "p", "environment": "e"}}
POOLER: dict[str, Any] = {
    "server": {"host": "h", "database": "d"},
    "serviceAddress": {"host": "pooler", "port": 6432},
    "unpooledAddress": {"host": "direct"},
}


def of(text: str, env: str = SYNC) -> str:
    """The env.py with other lines in the place of the one that sets the URL."""
    start = env.index("config.set_main_option")
    return env[:start] + text + env[env.index("\n", start) + 1 :]


def one(project: Made, env: str) -> Finding:
    """The only finding, which prints no secret."""
    (finding,) = project.found(env)
    assert SECRET not in repr(finding)
    return finding


@pytest.mark.parametrize(
    "text",
    [
        SET,
        'config.set_main_option("sqlalchemy.url", os.getenv("DATABASE_URL", "").replace("%", "%%"))\n',
        'URL = os.environ.get("DATABASE_URL")\nconfig.set_main_option("sqlalchemy.url", URL.replace("%", "%%"))\n',
        'config.set_section_option("alembic", "sqlalchemy.url", os.environ["DATABASE_URL"].replace("%", "%%"))\n',
        'config.set_main_option("sqlalchemy.url", f"{os.environ[\'DATABASE_URL\']}".replace("%", "%%"))\n',
    ],
)
def test_urls_that_are_right(tmp_path: Path, text: str) -> None:
    assert made(tmp_path).kinds(of(text)) == []


SETTINGS = "import os\n\n\nclass Settings:\n    database_url = os.environ['DATABASE_URL']\n\n\nsettings = Settings()\n"


def of_settings(text: str) -> str:
    """The env.py with these lines, which take the URL from a class of the application."""
    return of(f"from app.settings import settings\n{text}")


@pytest.mark.parametrize(
    "text",
    [
        "def url():\n    return os.environ['DATABASE_URL'].replace('%', '%%')\n\n\n"
        'config.set_main_option("sqlalchemy.url", url())\n',
        'config.set_main_option("sqlalchemy.url", settings.database_url.replace("%", "%%"))\n',
        'url = settings.database_url\nconfig.set_main_option("sqlalchemy.url", "%%".join(url.split("%")))\n',
    ],
)
def test_urls_that_are_computed_and_right(tmp_path: Path, text: str) -> None:
    project = made(tmp_path)
    project.write("app/settings.py", SETTINGS)
    env = of_settings(text)
    assert project.kinds(env) == [f"not judged migrations/env.py:{line(env, 'set_main_option')}"]
    assert project.computed(env) == ()


@pytest.mark.parametrize(
    "text",
    [
        'config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"])\n',
        'config.set_main_option("sqlalchemy.url", os.getenv("DATABASE_URL"))\n',
        'url = os.environ["DATABASE_URL"]\nconfig.set_main_option("sqlalchemy.url", url)\n',
        'config.set_section_option(config.config_ini_section, "sqlalchemy.url", os.environ["DATABASE_URL"])\n',
    ],
)
def test_a_percent_that_is_not_doubled(tmp_path: Path, text: str) -> None:
    env = of(text)
    not_doubled(one(made(tmp_path), env), env)


@pytest.mark.parametrize(
    "text",
    [
        'config.set_main_option("sqlalchemy.url", str(settings.database_url))\n',
        'config.set_main_option("sqlalchemy.url", settings.database_url.replace("+asyncpg", ""))\n',
    ],
)
def test_a_percent_that_is_not_doubled_of_a_url_that_is_computed(tmp_path: Path, text: str) -> None:
    project = made(tmp_path)
    project.write("app/settings.py", SETTINGS)
    env = of_settings(text)
    (finding,) = project.computed(env)
    not_doubled(finding, env)


def not_doubled(finding: Finding, env: str) -> None:
    assert (finding.check, finding.subject) == ("percent", f"migrations/env.py:{line(env, 'sqlalchemy.url')}")
    doubled = 'config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))'
    assert finding.remedy == Remedy("code", doubled)


def test_no_percent_is_doubled_where_nothing_reads_it_twice(tmp_path: Path) -> None:
    section = "section = config.get_section(config.config_ini_section, {})\n"
    env = of(f"{section}section['sqlalchemy.url'] = os.environ['DATABASE_URL']\n")
    env = changed(env, "config.get_section(config.config_ini_section, {}),", "section,")
    assert made(tmp_path).kinds(env) == []


@both
@pytest.mark.parametrize("ini", ["", "sqlalchemy.url = driver://user:pass@localhost/dbname\n"])
def test_a_url_of_alembic_ini(tmp_path: Path, env: str, ini: str) -> None:
    env = of("", env)
    project = made(tmp_path)
    project.write("alembic.ini", INI + ini + LOGGING)
    finding = one(project, env)
    engine = line(env, "engine_from_config(")
    assert (finding.check, finding.subject) == ("url", f"migrations/env.py:{engine}")
    assert finding.actual == "sqlalchemy.url of alembic.ini"
    assert finding.expected == "a URL from the environment, in DATABASE_URL"
    assert finding.remedy == Remedy("code", SET.rstrip())


def test_a_url_of_pyproject(tmp_path: Path) -> None:
    project = made(tmp_path)
    (tmp_path / "alembic.ini").unlink()
    project.write("pyproject.toml", '[tool.alembic]\nscript_location = "migrations"\nprepend_sys_path = ["."]\n')
    assert one(project, of("")).actual == "sqlalchemy.url of pyproject.toml"


def test_an_address_in_alembic_ini(tmp_path: Path) -> None:
    project = made(tmp_path)
    ini = f"{INI}sqlalchemy.url = {ADDRESS}\n{LOGGING}"
    project.write("alembic.ini", ini)
    finding = one(project, SYNC)
    assert (finding.check, finding.subject) == ("url", f"alembic.ini:{line(ini, 'sqlalchemy.url')}")
    assert finding.actual == "sqlalchemy.url = postgresql://someone:***@db.example.com/railway"


@pytest.mark.parametrize(
    "text",
    [
        f'config.set_main_option("sqlalchemy.url", "{ADDRESS}")\n',
        f'config.set_main_option("sqlalchemy.url", os.getenv("DATABASE_URL", "{ADDRESS}").replace("%", "%%"))\n',
        f"URL = f\"postgresql+psycopg2://someone:{SECRET}@{{os.environ['HOST']}}/railway\"\n{SET}",
        f'address = URL.create("postgresql", password="{SECRET}")\n{SET}',
        f'URL = "postgresql://someone:{SECRET}@{SECRET}@db/railway"\n{SET}',
    ],
)
def test_an_address_or_a_password_in_the_code(tmp_path: Path, text: str) -> None:
    env = of(text)
    finding = one(made(tmp_path), env)
    assert (finding.check, finding.subject) == ("url", f"migrations/env.py:{line(env, SECRET)}")


def test_parts_of_the_environment_are_the_services_own_affair(tmp_path: Path) -> None:
    text = (
        "URL = f\"postgresql://{os.environ['PGUSER']}:{os.environ['PGPASSWORD']}@{os.environ['PGHOST']}/railway\"\n"
        'config.set_main_option("sqlalchemy.url", URL.replace("%", "%%"))\n'
    )
    assert made(tmp_path).kinds(of(text)) == []


@both
def test_a_variable_that_nobody_sets(tmp_path: Path, env: str) -> None:
    env = env.replace("DATABASE_URL", "MIGRATION_URL")
    finding = one(made(tmp_path), env)
    assert (finding.check, finding.subject) == ("variable", f"migrations/env.py:{line(env, 'MIGRATION_URL')}")
    assert finding.actual == "MIGRATION_URL, which neither the stack file nor `migrate` sets"
    migrated = {"migrations": {"path": "x", "variable": "MIGRATION_URL"}}
    assert made(tmp_path, migrated).kinds(env) == []
    assert made(tmp_path, {"railway": {"variables": {"MIGRATION_URL": {}}}}, **RAILWAY).kinds(env) == []


def test_a_variable_that_nobody_sets_of_a_url_with_another_driver(tmp_path: Path) -> None:
    env = of('url = make_url(os.environ["OTHER"]).set(drivername="postgresql+psycopg")\nengine = create_engine(url)\n')
    assert one(made(tmp_path), env).actual == "OTHER, which neither the stack file nor `migrate` sets"


def test_the_variable_that_migrate_sets(tmp_path: Path) -> None:
    service: dict[str, Any] = {"migrations": {"path": "../x", "variable": "MIGRATION_URL"}}
    finding = one(made(tmp_path, service), SYNC)
    assert (finding.check, finding.actual) == ("variable", "DATABASE_URL")
    assert finding.expected == "MIGRATION_URL, in which `bin/engarde migrate` passes the URL"
    assert finding.remedy.kind == "edit"
    assert "variable: DATABASE_URL" in finding.remedy.text
    either = SYNC.replace('os.environ["DATABASE_URL"]', '(os.getenv("MIGRATION_URL") or os.environ["DATABASE_URL"])')
    assert made(tmp_path, service).computed(either) == ()


DIRECT: dict[str, Any] = {"DATABASE_URL": {}, "DIRECT_URL": {"unpooled": True}}


@both
def test_a_variable_that_leads_to_the_pooler(tmp_path: Path, env: str) -> None:
    project = made(tmp_path, {"railway": {"variables": DIRECT}}, **POOLER, **RAILWAY)
    finding = one(project, env)
    assert (finding.check, finding.subject) == ("pooler", f"migrations/env.py:{line(env, 'DATABASE_URL')}")
    assert finding.actual == "DATABASE_URL, whose URL leads to the pooler"
    assert finding.remedy == Remedy("code", 'os.environ["DIRECT_URL"]')
    assert project.kinds(env.replace("DATABASE_URL", "DIRECT_URL")) == []


def test_no_variable_leads_past_the_pooler(tmp_path: Path) -> None:
    """The edit keeps the variables that there are, and with it the stack file is right."""
    service: dict[str, Any] = {"railway": {"variables": {"DATABASE_URL": {"urlFormat": "plain"}}}}
    finding = one(made(tmp_path, service, **POOLER, **RAILWAY), SYNC)
    assert (finding.check, finding.remedy.kind) == ("pooler", "edit")
    edited = YAML(typ="safe").load(finding.remedy.text)["engarde:services"]["madansara"]
    assert edited["railway"]["variables"].keys() == {"DATABASE_URL", "DIRECT_DATABASE_URL"}
    env = SYNC.replace("DATABASE_URL", "DIRECT_DATABASE_URL")
    assert made(tmp_path, edited, **POOLER, **RAILWAY).kinds(env) == []


@pytest.mark.parametrize("service", [{}, {"migrations": {"path": "../madansara"}}])
def test_no_variable_leads_past_the_pooler_and_nothing_is_delivered(tmp_path: Path, service: dict[str, Any]) -> None:
    finding = one(made(tmp_path, service, **POOLER), SYNC)
    assert (finding.check, finding.remedy.kind) == ("pooler", "edit")
    edited = YAML(typ="safe").load(finding.remedy.text)["engarde:services"]["madansara"]
    assert edited["migrations"]["path"] == (service["migrations"]["path"] if service else str(tmp_path))
    env = SYNC.replace("DATABASE_URL", "DIRECT_DATABASE_URL")
    assert made(tmp_path, {**service, **edited}, **POOLER).kinds(env) == []


@pytest.mark.parametrize("pooled", [True, False], ids=["there", "at the shared server alone"])
def test_the_pooler_of_the_server_that_it_is_on_counts(tmp_path: Path, pooled: bool) -> None:
    ways = {name: address for name, address in POOLER.items() if name != "server"}
    there = {"host": "there", "database": "railway", **(ways if pooled else {})}
    sections = {"databases": {"cs": there}, "adminPasswords": {"cs": {"secure": "v1:AAAA"}}, **({} if pooled else ways)}
    found = made(tmp_path, {"database": "cs"}, **sections).found(SYNC)
    assert [finding.check for finding in found] == (["pooler"] if pooled else [])


@pytest.mark.parametrize(
    ("text", "actual"),
    [
        ("url = settings.url\nengine = create_engine(url)\n", "the URL is computed"),
        ("", "env.py does not show where its URL comes from"),
    ],
)
@pytest.mark.parametrize("sections", [POOLER, {}], ids=["behind a pooler", "without one"])
def test_a_url_of_nobody_knows_where(tmp_path: Path, sections: dict[str, Any], text: str, actual: str) -> None:
    env = of(text)
    start, end = env.index("    connectable = engine"), env.index("    with connectable")
    env = env[:start] + "    from app.db import engine as connectable\n" + env[end:]
    found = made(tmp_path, **sections).found(env)
    assert [(each.check, each.actual) for each in found] == [("not judged", f"cannot be judged: {actual}")]


def test_behind_a_pooler_a_url_that_is_computed(tmp_path: Path) -> None:
    migrations = {"path": "../madansara", "variable": "DIRECT_URL"}
    project = made(tmp_path, {"railway": {"variables": DIRECT}, "migrations": migrations}, **POOLER, **RAILWAY)
    project.write("app/settings.py", SETTINGS)
    text = 'config.set_main_option("sqlalchemy.url", settings.database_url.replace("%", "%%"))\n'
    assert {each.check for each in project.computed(of_settings(text))} == {"pooler", "variable"}
    project.write("app/settings.py", SETTINGS.replace("DATABASE_URL", "DIRECT_URL"))
    assert project.computed(of_settings(text)) == ()


@pytest.mark.parametrize(
    ("form", "text", "found"),
    [
        ("plain", 'os.environ["DATABASE_URL"]', []),
        ("sqlalchemy+psycopg", 'os.environ["DATABASE_URL"]', []),
        ("sqlalchemy+asyncpg", 'os.environ["DATABASE_URL"]', ["a URL for asyncpg"]),
        ("sqlalchemy+asyncpg", 'os.environ["DATABASE_URL"].replace("+asyncpg", "")', []),
        ("sqlalchemy+asyncpg", 'os.environ["DATABASE_URL"].replace("postgresql+asyncpg", "postgresql+psycopg")', []),
        ("sqlalchemy+asyncpg", 'str(make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+psycopg"))', []),
        (
            "plain",
            'os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")',
            ["a URL for asyncpg"],
        ),
    ],
)
def test_the_driver_of_a_synchronous_engine(tmp_path: Path, form: str, text: str, found: list[str]) -> None:
    env = of(f'config.set_main_option("sqlalchemy.url", {text}.replace("%", "%%"))\n')
    assert [each.actual for each in made(tmp_path, {"urlFormat": form}).found(env)] == found


@pytest.mark.parametrize(
    ("form", "text", "found"),
    [
        ("sqlalchemy+asyncpg", 're.sub(r"\\+asyncpg", "", os.environ["DATABASE_URL"])', []),
        ("plain", 're.sub("^postgresql:", "postgresql+asyncpg:", os.environ["DATABASE_URL"])', ["a URL for asyncpg"]),
        ("sqlalchemy+asyncpg", 'os.environ["DATABASE_URL"].lower()', ["a URL for asyncpg"]),
        ("plain", 'os.environ["DATABASE_URL"].lower()', []),
    ],
)
def test_the_driver_of_a_url_that_is_computed(tmp_path: Path, form: str, text: str, found: list[str]) -> None:
    env = of(f'import re\n\nconfig.set_main_option("sqlalchemy.url", {text}.replace("%", "%%"))\n')
    assert [each.actual for each in made(tmp_path, {"urlFormat": form}).computed(env)] == found


@pytest.mark.parametrize(
    ("form", "text", "found"),
    [
        ("plain", 'os.environ["DATABASE_URL"]', [EITHER]),
        ("sqlalchemy+pg8000", 'os.environ["DATABASE_URL"]', ["a URL for pg8000"]),
        ("sqlalchemy+asyncpg", 'os.environ["DATABASE_URL"]', []),
        ("plain", 'os.environ["DATABASE_URL"].replace("postgresql", "postgresql+asyncpg", 1)', []),
        ("plain", "f\"postgresql+asyncpg://{os.environ['DATABASE_URL']}\"", []),
    ],
)
def test_the_driver_of_an_asynchronous_engine(tmp_path: Path, form: str, text: str, found: list[str]) -> None:
    env = of(f'config.set_main_option("sqlalchemy.url", {text}.replace("%", "%%"))\n', ASYNC)
    assert [each.actual for each in made(tmp_path, {"urlFormat": form}).found(env)] == found


@pytest.mark.parametrize(
    ("file", "text", "found"),
    [
        ("requirements.txt", "alembic==1.20.1\nSQLAlchemy[asyncio]==2.1.9\n", []),
        ("requirements.txt", "sqlalchemy==2.0.58\n", ["a URL for psycopg2"]),
        ("uv.lock", '[[package]]\nname = "sqlalchemy"\nversion = "2.1.9"\n', []),
        ("pyproject.toml", '[project]\ndependencies = [\n    "sqlalchemy>=2.1",\n]\n', []),
        ("requirements.txt", "sqlalchemy>=2.0\n", [EITHER]),
        ("requirements.txt", "sqlalchemy-utils==3.1\n", [EITHER]),
    ],
)
def test_which_driver_is_meant_without_one_is_a_matter_of_the_version(
    tmp_path: Path, file: str, text: str, found: list[str]
) -> None:
    env = of('config.set_main_option("sqlalchemy.url", os.environ["DATABASE_URL"].replace("%", "%%"))\n', ASYNC)
    project = made(tmp_path)
    (project.folder / file).write_text(text)
    assert [each.actual for each in project.found(env) if each.check == "driver"] == found


@pytest.mark.parametrize(
    ("env", "form"), [(SYNC, "sqlalchemy+asyncpg"), (ASYNC, "sqlalchemy+pg8000"), (ASYNC, "plain")]
)
def test_the_driver_that_is_said_to_be_put_in_its_place(tmp_path: Path, env: str, form: str) -> None:
    read = 'os.environ["DATABASE_URL"]'
    env = of(f'config.set_main_option("sqlalchemy.url", {read}.replace("%", "%%"))\n', env)
    project = made(tmp_path, {"urlFormat": form})
    finding = one(project, env)
    assert finding.check == "driver"
    assert project.kinds(changed(env, read, re.sub(r"\burl\b", lambda _: read, finding.remedy.text))) == []
