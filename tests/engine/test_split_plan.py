"""`bin/engarde split plan`: what would move, and everything that prevents it."""

from collections.abc import Iterator

import pytest

from tests.engine import rich_schema
from tests.engine.conftest import Stacks
from tests.engine.database import NAME
from tests.engine.program import STACK_FILE, Project
from tests.engine.splitting import ROLE, SCHEMA, SERVICE, STACK, TARGET, made, needs_superuser, planned, split

pytestmark = pytest.mark.xdist_group("split")


@pytest.fixture(scope="module")
def project(stacks: Stacks) -> Iterator[Project]:
    with stacks(made, **STACK) as project:
        yield project


def test_what_would_move(project: Project) -> None:
    file = (project.folder / STACK_FILE).read_text()
    if needs_superuser(project):
        [obstacle] = planned(project, SERVICE, "--to", TARGET, code=1)["remedies"]
        assert "ALTER SCHEMA public OWNER TO" in obstacle["text"]
        return
    found = planned(project, SERVICE, "--to", TARGET)
    assert (found["fromDatabase"], found["toDatabase"], found["schema"]) == (NAME, TARGET, SCHEMA)
    assert {"Mixed Case", "by_day", "word"} <= set(found["tableNames"])
    assert found["rows"] > 500
    assert found["bytes"] > 100_000
    assert found["sequences"] >= 4
    assert found["largeObjects"] == 3
    assert {"function", "type", "view"} <= found["otherObjects"].keys()
    assert set(found["extensions"]) == set(rich_schema.EXTENSIONS)
    assert found["createDatabase"].startswith(f'CREATE DATABASE "{TARGET}" TEMPLATE template0')
    assert found["remedies"] == []
    assert any(f"database: {TARGET}" in each for each in found["edits"])
    assert sum(f"databases: [{NAME}, {TARGET}]" in each for each in found["edits"]) == 2
    shown = split(project, "run", SERVICE, "--to", TARGET, "--dry-run").stdout
    assert shown.endswith("no obstacles\n")
    refused = split(project, "run", SERVICE, "--to", TARGET, code=2).stderr
    assert f"rows are in {TARGET}" in refused
    assert "use --yes to go on without being asked" in refused
    assert (project.folder / STACK_FILE).read_text() == file
    assert project.database.value("SELECT count(*) FROM pg_database WHERE datname = %s", TARGET) == 0


def test_everything_that_prevents_a_move(project: Project) -> None:
    project.database.run(
        "CREATE TABLE public.shared (id int PRIMARY KEY)",
        f'ALTER TABLE "{SCHEMA}".files ADD COLUMN shared int REFERENCES public.shared',
        f'ALTER TABLE "{SCHEMA}".files ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY',
        f'CREATE VIEW public.looking AS SELECT word FROM "{SCHEMA}".word, "{SCHEMA}".files',
        "CREATE DATABASE taken ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
    )
    with project.database.session(database="taken") as session:
        session.execute("CREATE SCHEMA apart; CREATE EXTENSION citext SCHEMA apart")
        session.execute(f'CREATE SCHEMA "{SCHEMA}" AUTHORIZATION "{ROLE}"; CREATE TABLE "{SCHEMA}".old ()')
        number = project.database.value("SELECT min(oid)::bigint FROM pg_largeobject_metadata")
        session.execute("SELECT lo_create(%s::bigint::oid)", [number])
    services = {
        SERVICE: {**STACK["services"][SERVICE], "connectionLimit": 1, "reads": ["public.shared"]},
        "sankore": {"reads": [f'"{SCHEMA}".word']},
    }
    project.declare(**STACK | {"services": services, "existingSchemas": {"public": None}})
    obstacles = [remedy["text"] for remedy in planned(project, SERVICE, "--to", "taken", code=1)["remedies"]]
    assert obstacles == list(dict.fromkeys(obstacles))
    found = "\n".join(obstacles)
    for each in (
        f"{SERVICE} reads public.shared",
        "sankore reads",
        "a copy needs 2 connections",
        "view public.looking needs",
        "row security is forced on",
        "database taken has encoding LATIN1",
        "table public.shared, which database taken does not have",
        "has 1 objects",
        "large objects of postgres in database taken have the same numbers as the service's",
        "extension citext is in schema apart of database taken",
        "the stack file has changes that are not applied",
        "fix them first",
    ):
        assert each in found, found
    if not project.database.admin.superuser:
        assert "ALTER DATABASE taken OWNER TO" in found.replace('"', "")
    before = (project.folder / STACK_FILE).read_text()
    refused = split(project, "run", SERVICE, "--to", "taken", "--yes", code=2).stderr
    assert "cannot move yet. Nothing was changed." in refused
    assert (project.folder / STACK_FILE).read_text() == before
    project.connect(SERVICE).close()
