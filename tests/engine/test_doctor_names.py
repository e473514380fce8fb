"""Names that lead to nothing: the error of a real driver, its cause confirmed, the printed fix done, the error gone."""

from collections.abc import Iterator

import psycopg
import pytest

from engarde.doctor.causes import databases, missing_relations, schemas
from tests.engine.conftest import Projects
from tests.engine.database import NAME
from tests.engine.diagnosing import diagnosed, heal, marks, said, told
from tests.engine.ills import Ill, ask, confirmed_first, named_and_healed, only_named
from tests.engine.program import STACK_FILE, Project, conninfo

pytestmark = pytest.mark.xdist_group("doctor-names")

SERVICES = {"madansara": None, "sankore": None, "onside": None, "field-notes": {"schema": "Field Notes"}}
ILLS = {
    "the role's own search_path is gone": Ill(
        missing_relations.SEARCH_PATH, "sankore", "SELECT * FROM things", ("ALTER ROLE sankore_user RESET search_path",)
    ),
    "a search_path of the role in this database": Ill(
        missing_relations.SEARCH_PATH,
        "sankore",
        "SELECT * FROM things",
        ("ALTER ROLE sankore_user IN DATABASE railway SET search_path = public",),
        # Without a word of whose it was: only sankore and others with such a table come into question.
        wrap="{text}",
    ),
    "the search_path leads to public": Ill(
        schemas.SEARCH_PATH,
        "madansara",
        "CREATE TABLE more (id int)",
        ("ALTER ROLE madansara_user SET search_path = public",),
    ),
    "the search_path leads nowhere": Ill(
        schemas.SEARCH_PATH,
        "madansara",
        "CREATE TABLE still_more (id int)",
        ('ALTER ROLE madansara_user IN DATABASE railway SET search_path = "no such"',),
    ),
    "the service's schema is another's": Ill(
        schemas.OWNER, "sankore", "SELECT * FROM things", ("ALTER SCHEMA sankore OWNER TO postgres",)
    ),
    "the schema was dropped": Ill(
        missing_relations.GONE,
        "field-notes",
        'CREATE TABLE "Field Notes".things (id int)',
        ('DROP SCHEMA "Field Notes"',),
    ),
}


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    with projects(services=SERVICES, existingSchemas={"public": None}, analytics={}) as project:
        project.succeeds(project.up())
        ask(project, "sankore", 'CREATE TABLE things (id int); CREATE TABLE "Widgets" (id int)')
        yield project


@pytest.mark.parametrize("name", ILLS)
def test_it_is_named_and_what_is_printed_heals_it(project: Project, name: str) -> None:
    named_and_healed(project, ILLS[name])


def test_it_is_in_another_schema(project: Project) -> None:
    ask(project, "sankore", "CREATE TABLE articles (id int)")
    text = said(lambda: ask(project, "onside", "SELECT * FROM articles"))
    code, found = diagnosed(project, f"onside: {text}")
    confirmed_first(code, found, missing_relations.ELSEWHERE)
    heal(project, found["remedy"])
    found = only_named(project, f"onside: {text}", missing_relations.ELSEWHERE, "code")
    assert found["remedy"]["text"] == "write sankore.articles"
    ask(project, "onside", "SELECT * FROM sankore.articles")


def test_names_with_capitals(project: Project) -> None:
    text = said(lambda: ask(project, "sankore", "SELECT * FROM Widgets"))
    found = only_named(project, f"sankore: {text}", missing_relations.OTHER_CASE, "code")
    assert found["remedy"]["text"] == 'write "Widgets", with its quotes'
    ask(project, "sankore", 'SELECT * FROM "Widgets"')
    text = said(lambda: ask(project, "sankore", 'CREATE TABLE "field notes".x (id int)'))
    only_named(project, f"sankore: {text}", missing_relations.SCHEMA_CASE, "code")


def test_the_admin_looks_for_a_services_table(project: Project) -> None:
    text = said(lambda: project.database.run("SELECT * FROM things"))
    found = only_named(
        project, f"{text}\n(Background on this error) user=postgres", missing_relations.OTHER_ROLE, "command"
    )
    assert "things" in found["line"]


def test_another_database(project: Project) -> None:
    url = conninfo(project.outputs()["database_urls"]["sankore"])
    text = said(lambda: psycopg.connect(url, dbname=NAME.capitalize()))
    code, found = diagnosed(project, f"sankore_user: {text}")
    confirmed_first(code, found, databases.MISSPELT)
    printed = heal(project, found["remedy"])
    psycopg.connect(conninfo(printed.strip())).close()


def test_a_safe_fix_is_made_where_that_is_asked_for(project: Project) -> None:
    project.database.run("ALTER ROLE onside_user IN DATABASE railway SET search_path = public")
    text = said(lambda: ask(project, "onside", "CREATE TABLE of_a_text (id int)"))
    done = project.tool("doctor", "--stack", "local", "--fix", "-", given=f"onside: {text}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert 'ALTER ROLE "onside_user" IN DATABASE "railway" RESET search_path;' in done.stderr
    ask(project, "onside", "CREATE TABLE of_a_text (id int)")
    # What only a person may do is printed, and left.
    text = said(lambda: ask(project, "onside", "SELECT * FROM sankore.other"))
    before = (project.folder / STACK_FILE).read_text()
    done = project.tool("doctor", "--stack", "local", "--fix", f"onside: {text}")
    assert (done.returncode, done.stderr) == (1, "")
    assert (project.folder / STACK_FILE).read_text() == before
    assert said(lambda: ask(project, "onside", "SELECT * FROM sankore.other")) == text


def test_a_text_that_is_none(project: Project) -> None:
    done = project.tool("doctor", "--stack", "local", "all", "is", "well")
    assert (done.returncode, done.stdout) == (2, "")
    assert "bin/engarde doctor --stack local" in done.stderr
    assert marks(diagnosed(project, "3F000")[1])
    assert told(diagnosed(project, "42P01")[1])
