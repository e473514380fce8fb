"""Two stacks on two databases of one server."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from launcher.engine import Engine
from tests.engine import blank as blanks
from tests.engine.apart import make_database
from tests.engine.conftest import Projects
from tests.engine.denied import denied
from tests.engine.program import Project, Run
from tests.engine.test_faults import one_message
from tests.parts import sampled

SERVICES = ("madansara", "sankore")
STAGING = "Staging 2"
ROLES = "SELECT count(*) FROM pg_roles WHERE rolname = ANY (%s)"
Pairs = Callable[[], AbstractContextManager[tuple[Project, Project]]]


@pytest.fixture
def pairs(projects: Projects, blank: Path, engine: Engine, tmp_path: Path) -> Pairs:
    """Gives two stacks with the same services; each has a folder, a state and a database of its own."""

    @contextmanager
    def given() -> Iterator[tuple[Project, Project]]:
        with projects(services=dict.fromkeys(SERVICES), analytics={}) as first:
            make_database(first, STAGING)
            yield first, blanks.copied(blank, tmp_path / "second", engine, first.database)

    return given


def declare(second: Project, *, roles: bool, **of_server: Any) -> None:
    """The second stack, with names of its own for its roles or without."""
    named = {name: {"role": f"staging_{name}"} if roles else None for name in SERVICES}
    analytics = {"role": "staging_reader"} if roles else {}
    second.declare(server={"database": STAGING, **of_server}, services=named, analytics=analytics)


def up_at_once(*projects: Project) -> list[Run]:
    with ThreadPoolExecutor(len(projects)) as pool:
        return list(pool.map(lambda project: project.up(), projects))


def assert_apart(first: Project, second: Project) -> None:
    """Each login reaches its own database and is shut out of the other."""
    for project, other in ((first, STAGING), (second, "railway")):
        for role, password in project.outputs()["passwords"].items():
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                project.database.session(role, password, other)
        for service in SERVICES:
            with project.connect(service) as session:
                session.execute("CREATE TABLE IF NOT EXISTS things (id int)")
                [other_service] = set(SERVICES) - {service}
                denied(session, f"CREATE TABLE {other_service}.mine (id int)")
        with project.connect("analytics") as reader:
            for service in SERVICES:
                reader.execute(f"SELECT * FROM {service}.things".encode())


def test_side_by_side_and_at_the_same_moment(pairs: Pairs) -> None:
    with pairs() as (first, second):
        declare(second, roles=True)
        for run in up_at_once(first, second):
            first.succeeds(run)
        assert_apart(first, second)
        for project in (first, second):
            project.succeeds(project.preview("--expect-no-changes"))
            project.succeeds(project.refresh("--expect-no-changes"))

        with first.database.session(database=STAGING) as session:
            session.execute("DROP TABLE madansara.things, sankore.things")
        second.succeeds(second.destroy())
        assert first.database.value(ROLES, ["staging_madansara", "staging_sankore", "staging_reader"]) == 0
        first.succeeds(first.refresh("--expect-no-changes"))
        for service in (*SERVICES, "analytics"):
            with first.connect(service) as session:
                session.execute("SELECT 1")


@pytest.mark.parametrize("database", sampled([STAGING, "railway"], "railway"))
def test_roles_of_the_other_stack_are_refused_before_anything_is_touched(pairs: Pairs, database: str) -> None:
    with pairs() as (first, second):
        first.succeeds(first.up())
        declare(second, roles=False, database=database)
        before = first.database.mark()
        for run in (second.preview(), second.up()):
            assert run.ops == {}
            message = one_message(run)
            for role in ("madansara_user", "sankore_user", "analytics_readonly"):
                assert (
                    f"role {role} already exists but is not managed by this stack:"
                    " set `adopt: true` to take it over, or `role:` to use another name"
                ) in message
        assert first.database.changes(before) == []

        declare(second, roles=True)
        second.succeeds(second.up())
        first.succeeds(first.refresh("--expect-no-changes"))


def test_schemas_of_the_other_stack_are_refused_too(pairs: Pairs) -> None:
    with pairs() as (first, second):
        first.succeeds(first.up())
        declare(second, roles=True, database="railway")
        before = first.database.mark()
        run = second.up()
        assert run.exit != 0
        assert "schema madansara already exists but belongs to madansara_user: set `adopt: true`" in run.output
        assert first.database.changes(before) == []
