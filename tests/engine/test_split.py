"""`bin/engarde split`: a service moves out, live, and back, and nothing of it is lost or there twice."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.admins import BACKEND, only_superuser
from tests.engine.apart import make_database
from tests.engine.backups import state
from tests.engine.conftest import Stacks
from tests.engine.database import NAME
from tests.engine.program import STACK_FILE, Project
from tests.engine.splitting import (
    SCHEMA,
    SERVICE,
    STACK,
    TARGET,
    Writer,
    is_in,
    live,
    made,
    needs_superuser,
    planned,
    split,
    tidied,
)

pytestmark = pytest.mark.xdist_group("split")


@pytest.fixture(scope="module")
def project(stacks: Stacks) -> Iterator[Project]:
    with stacks(made, **STACK) as project:
        if needs_superuser(project):
            make_database(project, TARGET)
        yield project


@only_superuser
def test_no_extension_is_made_where_others_choose_what_its_script_runs(project: Project) -> None:
    make_database(project, "trapped")
    with project.database.session(database="trapped") as session:
        session.execute("CREATE FUNCTION public.lower(int) RETURNS text LANGUAGE sql AS 'SELECT 1::text'")
        session.execute(f"ALTER FUNCTION public.lower(int) OWNER TO {BACKEND}".encode())
    refused = split(project, "run", SERVICE, "--to", "trapped", "--yes", code=4).stderr
    assert "in database trapped" in refused and "CREATE EXTENSION would run them" in refused
    assert "ALTER ROUTINE public.lower(integer) RENAME TO backend_lower;" in refused
    split(project, "back", SERVICE, "--yes")
    project.connect(SERVICE).close()


@only_superuser
def test_there_and_back_with_a_service_at_work(project: Project) -> None:
    before, places = state(project), [(project.database, NAME), (project.database, TARGET)]
    with Writer(project, *places) as writer:
        found = json.loads(split(project, "run", SERVICE, "--to", TARGET, "--yes", "--output", "json").stdout)
        writer.waits(20)
        assert (found["fromDatabase"], found["toDatabase"]) == (NAME, TARGET)
        assert (Path(found["folder"]) / "manifest.json").exists()
        assert f"was moved to {TARGET}" in split(project, "plan", SERVICE, "--to", "elsewhere", code=2).stderr
        assert "--yes-drop-old" in split(project, "finish", SERVICE, code=2).stderr
        split(project, "back", SERVICE, "--yes")
        writer.waits(20)
    assert writer.ways == [0, 1, 0]
    is_in(project, NAME, TARGET)
    with project.connect(SERVICE) as session:
        assert live(session) == writer.words
        tidied(session)
    assert state(project) == before
    declared = json.loads((project.folder / STACK_FILE).read_text())["config"]
    assert "database" not in declared["engarde:services"][SERVICE]
    found = planned(project, SERVICE, "--to", TARGET)
    assert (found["createDatabase"], found["remedies"]) == (None, [])


def test_for_good(project: Project) -> None:
    before, places = state(project), [(project.database, NAME), (project.database, TARGET)]
    with Writer(project, *places) as writer:
        split(project, "run", SERVICE, "--to", TARGET, "--yes")
        writer.waits(20)
    assert writer.ways == [0, 1]
    is_in(project, TARGET, NAME)
    with project.connect(SERVICE) as session:
        assert live(session) == writer.words
        tidied(session)
    assert state(project) == before
    left = "SELECT count(*) FROM pg_namespace WHERE nspname = %s"
    assert project.database.value(left, SCHEMA) == 1
    split(project, "finish", SERVICE, "--yes-drop-old")
    assert project.database.value(left, SCHEMA) == 0
    assert project.database.value("SELECT count(*) FROM pg_largeobject_metadata") == 0
    is_in(project, TARGET, NAME)
    assert state(project) == before
    assert "has finished the move. Nothing was changed." in split(project, "back", SERVICE, "--yes", code=2).stderr
