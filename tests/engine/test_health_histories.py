"""Version tables in the wrong place: services' own scripts prove whose they are, and what is sure is moved."""

import json
import sys
from collections.abc import Iterator

import psycopg
import pytest

from tests.engine.conftest import Projects
from tests.engine.doctor import examined, heal, told
from tests.engine.in_process import tool_here
from tests.engine.migrated import declared, write
from tests.engine.program import Project

pytestmark = pytest.mark.xdist_group("health-histories")

VERSIONS = "alembic_version (version_num varchar(32) PRIMARY KEY)"
IN_PUBLIC = {("version table", "public.alembic_version")}


@pytest.fixture(scope="module")
def stack(projects: Projects) -> Iterator[Project]:
    services = {name: declared(sys.executable, f"their/{name}") for name in ("madansara", "sankore")}
    with projects(services=services, existingSchemas={"public": None}) as project:
        for name in services:
            write(project.folder / "their" / name, "pass", prefix=name[0])
        project.succeeds(project.up())
        yield project


@pytest.fixture
def public(stack: Project) -> Iterator[Project]:
    """With a table in `public` that holds the first revision of madansara, which was run as the admin then."""
    made = (f"CREATE TABLE public.{VERSIONS}", "INSERT INTO public.alembic_version VALUES ('m1')")
    stack.database.run_as(stack.database.admin, *made)
    yield stack
    names = ("public", "madansara", "sankore")
    stack.database.run(*(f"DROP TABLE IF EXISTS {name}.alembic_version" for name in names))


def revisions(stack: Project) -> dict[str, list[str]]:
    found = json.loads(stack.tool("migrate", "status", "--output", "json").stdout)
    return {each["service"]: each["revisions"] for each in found["services"]}


def test_what_is_one_services_is_moved_to_it(public: Project) -> None:
    [found] = examined(public)
    assert told([found]) == IN_PUBLIC
    assert "of madansara" in found["actual"]
    assert "m1 is madansara's, by m1.py" in found["actual"]
    assert found["remedy"]["safe"]
    fixed = tool_here(public, "doctor", "--fix")
    assert fixed.returncode == 0, fixed.stdout + fixed.stderr
    assert revisions(public) == {"madansara": ["m1"], "sankore": []}
    assert tool_here(public, "verify").returncode == 0
    assert examined(public) == []


def test_what_two_share_is_parted_by_hand_only(public: Project) -> None:
    public.database.run("INSERT INTO public.alembic_version VALUES ('s1')")
    [found] = examined(public)
    assert "shared by madansara, sankore" in found["actual"]
    assert "m1 is madansara's, by m1.py; s1 is sankore's, by s1.py" in found["actual"]
    assert not found["remedy"]["safe"]
    tool_here(public, "doctor", "--fix")
    assert public.database.value("SELECT count(*) FROM public.alembic_version") == 2
    heal(public, found)
    assert revisions(public) == {"madansara": ["m1"], "sankore": ["s1"]}
    assert public.database.value("SELECT count(*) FROM public.alembic_version") == 0


def test_one_in_anothers_schema(stack: Project) -> None:
    stack.database.run(
        "SET ROLE sankore_user", f"CREATE TABLE sankore.{VERSIONS}", "INSERT INTO sankore.alembic_version VALUES ('m1')"
    )
    try:
        [found] = examined(stack)
        assert "m1 is madansara's" in found["actual"]
        assert not found["remedy"]["safe"]
    finally:
        stack.database.run("DROP TABLE sankore.alembic_version")


def test_the_backends_is_none_of_theirs(public: Project) -> None:
    public.database.run("UPDATE public.alembic_version SET version_num = 'of-the-backend'")
    assert examined(public) == []


TRAP = (
    "CREATE FUNCTION sankore.trap() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN RAISE 'trapped as %', current_user; END $$"
)
ARMED = {
    "a trigger": (
        TRAP,
        'CREATE TRIGGER "tr""ap" BEFORE DELETE ON public.alembic_version EXECUTE FUNCTION sankore.trap()',
    ),
    "a foreign key": (
        TRAP,
        "CREATE TABLE sankore.leads (to_it varchar REFERENCES public.alembic_version ON DELETE CASCADE)",
        "INSERT INTO sankore.leads VALUES ('m1')",
        "CREATE TRIGGER trap AFTER DELETE ON sankore.leads EXECUTE FUNCTION sankore.trap()",
    ),
}


@pytest.mark.parametrize("how", ARMED)
def test_what_another_service_has_put_on_the_admins_table_is_not_run(public: Project, how: str) -> None:
    public.database.run("GRANT ALL ON public.alembic_version TO sankore_user")
    with public.connect("sankore") as session:
        for each in ARMED[how]:
            session.execute(each.encode())
    try:
        [found] = examined(public)
        assert "of madansara" in found["actual"]
        assert not found["remedy"]["safe"]
        tool_here(public, "doctor", "--fix")
        assert public.database.value("SELECT to_regclass('madansara.alembic_version')") is None
        # Since PostgreSQL 18 what a foreign key deletes has its triggers run as the owner of the table.
        harmless = how == "a foreign key" and public.database.major >= 18
        with pytest.raises(psycopg.Error, match=f"trapped as {'sankore_user' if harmless else 'postgres'}"):
            public.database.run("DELETE FROM public.alembic_version")
        heal(public, found)
        assert revisions(public) == {"madansara": ["m1"], "sankore": []}
        assert public.database.value("SELECT count(*) FROM public.alembic_version") == 0
    finally:
        public.database.run("DROP TABLE IF EXISTS sankore.leads", "DROP FUNCTION sankore.trap() CASCADE")


def test_a_table_that_a_service_makes_first_is_not_written(public: Project) -> None:
    public.database.run("INSERT INTO public.alembic_version VALUES ('s1')")
    [found] = examined(public)
    with public.connect("sankore") as session:
        session.execute(TRAP.encode())
        session.execute(f"CREATE TABLE sankore.{VERSIONS}".encode())
        session.execute("CREATE TRIGGER trap BEFORE INSERT ON alembic_version EXECUTE FUNCTION sankore.trap()")
    try:
        psql = public.tool("psql", "admin", "--no-psqlrc", given=found["remedy"]["text"])
        assert 'relation "alembic_version" already exists' in psql.stderr
        assert "trapped" not in psql.stderr
        assert public.database.value("SELECT to_regclass('madansara.alembic_version')") is None
        assert public.database.value("SELECT count(*) FROM public.alembic_version") == 2
    finally:
        public.database.run("DROP FUNCTION sankore.trap() CASCADE")
