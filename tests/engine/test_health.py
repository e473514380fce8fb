"""Break, see, heal: each ailment is named, alone and with its subject, and its remedy taken at its word heals it."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.engine.ailments import ALONE, AT_ONCE, STACK, TIDY, Ailment
from tests.engine.conftest import SHARED, Projects
from tests.engine.doctor import Found, examined, heal, told
from tests.engine.program import Project

pytestmark = pytest.mark.xdist_group("health")


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    with projects(**STACK) as project:
        project.succeeds(project.up())
        project.database.run(
            "SET ROLE sankore_user", "CREATE TABLE sankore.goes (id int)", "CREATE TABLE sankore.own (id serial)"
        )
        project.succeeds(project.up())
        yield project


def test_a_stack_that_is_up_is_well_and_nothing_is_changed(project: Project) -> None:
    before = project.database.mark()
    done = project.tool("doctor")
    assert (done.returncode, done.stdout) == (0, "nothing is wrong with stack local\n"), done.stderr
    assert project.tool("doctor", "--fix").returncode == 0
    # What is read begins with its comment.
    assert [change for change in project.database.changes(before) if not change.startswith("-- ")] == []


@dataclass(frozen=True, slots=True)
class Healing:
    """What was found with everything broken at once, and after every remedy."""

    found: list[Found]
    left: list[Found]


@pytest.fixture(scope="module")
def healing(project: Project) -> Healing:
    for ailment in AT_ONCE.values():
        break_it(project, ailment)
    found = examined(project)
    for each in found:
        heal(project, each)
    return Healing(found, examined(project))


def break_it(project: Project, ailment: Ailment) -> None:
    project.database.run(*(each.replace("{admin}", project.database.admin.user) for each in ailment.by_hand))


def only_these_are_safe(project: Project, ailment: Ailment, found: list[Found]) -> None:
    may_fix = ailment.safe if project.database.admin.superuser else ailment.for_others
    assert {each["remedy"]["safe"] for each in found} == {may_fix}


@pytest.mark.parametrize("name", AT_ONCE)
def test_of_many_ailments_each_is_named_and_its_remedy_heals_it(project: Project, healing: Healing, name: str) -> None:
    ailment = AT_ONCE[name]
    assert ailment.found <= told(healing.found)
    only_these_are_safe(project, ailment, [each for each in healing.found if told([each]) <= ailment.found])
    assert not ailment.found & told(healing.left)


def test_nothing_else_is_said_and_the_engine_finds_nothing_to_undo(project: Project, healing: Healing) -> None:
    assert len(healing.found) == len(AT_ONCE)
    assert healing.left == []
    project.succeeds(project.up("--refresh"))
    assert project.succeeds(project.up("--refresh")).ops == {}


@pytest.mark.parametrize("name", ALONE)
def test_an_ailment_by_itself_is_named_and_its_remedy_heals_it(project: Project, healing: Healing, name: str) -> None:
    ailment = ALONE[name]
    break_it(project, ailment)
    try:
        found = examined(project)
        assert told(found) == ailment.found
        only_these_are_safe(project, ailment, found)
        for each in found:
            heal(project, each)
        assert examined(project) == []
        if ailment.safe:
            # What heals a setting is no drift to the engine.
            refreshed = project.succeeds(project.up("--refresh")).ops
            assert not [name for name in refreshed if name.endswith("-role")]
    finally:
        project.database.run(*TIDY)


def test_the_backends_own_version_table_is_none_of_ours(project: Project) -> None:
    project.database.run(
        "CREATE TABLE public.alembic_version (version_num varchar(32) PRIMARY KEY)",
        "ALTER TABLE public.alembic_version OWNER TO backend",
        "GRANT SELECT ON public.alembic_version TO PUBLIC",
        "SET ROLE sankore_user",
        "CREATE TABLE sankore.alembic_version (version_num varchar(32) PRIMARY KEY)",
    )
    assert examined(project) == []
    project.database.run("DROP TABLE public.alembic_version, sankore.alembic_version")


def test_a_version_table_that_somebody_has_locked_is_not_waited_for(project: Project) -> None:
    project.database.run(*ALONE["version table in public"].by_hand)
    with project.database.session() as session, session.transaction():
        session.execute("LOCK TABLE public.alembic_version")
        [found] = examined(project)
    assert "revisions: not read: it is locked now" in found["actual"]
    [found] = examined(project)
    assert "revisions: 0a1b" in found["actual"]
    project.database.run("DROP TABLE public.alembic_version")


def test_a_stack_much_like_productions_is_well(projects: Projects) -> None:
    with projects(**SHARED) as project:
        project.succeeds(project.up())
        for service in SHARED["services"]:
            with project.connect(service) as session:
                session.execute("CREATE TABLE things (id serial PRIMARY KEY, word text)")
                session.execute("CREATE VIEW seen AS SELECT * FROM things")
                session.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        assert examined(project) == []
