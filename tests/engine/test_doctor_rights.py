"""What somebody may not do: the error of a real driver, its cause confirmed, the printed fix done, the error gone."""

import json
from collections.abc import Iterator

import psycopg
import pytest

from engarde.doctor.causes import admin, databases, functions, logins, relations, schemas
from tests.engine.admins import BACKEND, BACKEND_PASSWORD, only_createrole
from tests.engine.conftest import Projects
from tests.engine.diagnosing import diagnosed, heal, marks, said, told
from tests.engine.ills import Ill, ask, confirmed_first, named_and_healed, only_named
from tests.engine.program import THE_ADMIN, Project

pytestmark = pytest.mark.xdist_group("doctor-rights")

SERVICES = {
    "madansara": {"reads": ["public.users", {"table": "public.brands", "columns": ["id"]}]},
    "sankore": {"connectionLimit": 20},
    "onside": None,
    "field-notes": {"schema": "Field Notes"},
}
THINGS = "CREATE TABLE things (id int)"
ILLS = {
    "a read of another schema is not declared": Ill(schemas.NOT_DECLARED, "onside", "SELECT * FROM sankore.things"),
    "a read beside a declared one is not declared": Ill(
        relations.NOT_DECLARED,
        "onside",
        "SELECT * FROM public.brands",
        wrap='{"level": "error", "service": "{who}", "err": "permission denied for table brands", "pgcode": "42501"}',
    ),
    "a read of odd names is not declared": Ill(
        schemas.NOT_DECLARED, "onside", 'SELECT * FROM "Field Notes"."Big.Things"'
    ),
    "a declared read was taken away": Ill(
        relations.NOT_GRANTED,
        "madansara",
        "SELECT * FROM public.users",
        ("REVOKE SELECT ON public.users FROM madansara_user",),
        # No role is named: madansara is the one whose declared read is not there.
        wrap='Traceback (most recent call last):\n  File "app.py", line 3\n{text}',
        clears=False,
    ),
    "USAGE was taken away": Ill(
        schemas.NOT_GRANTED,
        "analytics",
        "SELECT * FROM sankore.things",
        ("REVOKE USAGE ON SCHEMA sankore FROM analytics_readonly",),
        wrap="ERROR:  permission denied for schema sankore at character 15\nSTATEMENT:  SELECT 1; -- {who}_readonly",
    ),
    "another column than the declared one": Ill(relations.OTHER_COLUMNS, "madansara", "SELECT name FROM public.brands"),
    "a table was given away": Ill(
        relations.OWNER, "sankore", "SELECT * FROM things", ("ALTER TABLE sankore.things OWNER TO postgres",)
    ),
    "a table with capitals was given away": Ill(
        relations.OWNER,
        "field-notes",
        'SELECT * FROM "Big.Things"',
        ('ALTER TABLE "Field Notes"."Big.Things" OWNER TO postgres',),
        wrap="asyncpg.exceptions.InsufficientPrivilegeError: permission denied for table Big.Things\nservice={who}",
    ),
    "a schema was given away": Ill(
        schemas.OWNER, "sankore", "SELECT * FROM sankore.things", ("ALTER SCHEMA sankore OWNER TO postgres",)
    ),
    "an owner gave up its own rights": Ill(
        relations.OWNER_LOST, "sankore", "SELECT * FROM things", ("REVOKE ALL ON sankore.things FROM sankore_user",)
    ),
    "the backend makes tables that analytics does not know of": Ill(
        relations.CREATORS,
        "analytics",
        "SELECT * FROM public.of_the_backend",
        (f"SET ROLE {BACKEND}; CREATE TABLE public.of_the_backend (id int); RESET ROLE",),
    ),
    "CONNECT was taken away": Ill(
        databases.CONNECT_LOST,
        "onside",
        "SELECT 1",
        ("REVOKE CONNECT ON DATABASE railway FROM onside_user",),
    ),
    "TEMPORARY was taken away": Ill(
        databases.TEMPORARY_LOST,
        "onside",
        "CREATE TEMPORARY TABLE t (id int)",
        ("REVOKE TEMPORARY ON DATABASE railway FROM onside_user",),
    ),
    "a function was given away": Ill(
        functions.OWNER,
        "onside",
        "SELECT f()",
        (
            "CREATE FUNCTION onside.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "REVOKE EXECUTE ON FUNCTION onside.f() FROM PUBLIC",
        ),
    ),
    "an extension is not declared": Ill(admin.EXTENSION, "sankore", "CREATE EXTENSION IF NOT EXISTS pg_trgm"),
    "a table of somebody else's cannot be altered": Ill(
        admin.STRANGER_OWNS,
        "onside",
        "ALTER TABLE things ADD COLUMN word text",
        ("ALTER TABLE onside.things OWNER TO postgres",),
        clears=False,
    ),
}


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    existing = {"public": {"creators": [THE_ADMIN]}}
    with projects(services=SERVICES, existingSchemas=existing, analytics={}) as project:
        project.succeeds(project.up())
        for service in SERVICES:
            ask(project, service, f'{THINGS}; CREATE TABLE "Big.Things" (id int)')
        yield project


@pytest.mark.parametrize("name", ILLS)
def test_it_is_named_and_what_is_printed_heals_it(project: Project, name: str) -> None:
    named_and_healed(project, ILLS[name])


def test_a_role_outside_of_the_stack_is_declared(project: Project) -> None:
    def login() -> None:
        project.database.session(BACKEND, BACKEND_PASSWORD).close()

    text = said(login)
    assert "permission denied for database" in text
    code, found = diagnosed(project, f"{text}\nDATABASE_URL=postgresql://{BACKEND}:{BACKEND_PASSWORD}@h/railway")
    confirmed_first(code, found, databases.STRANGER)
    assert BACKEND_PASSWORD not in told(found)
    heal(project, found["remedy"])
    login()
    assert diagnosed(project, f"{text}\nuser={BACKEND}")[0] == 0


def test_a_view_reads_as_its_owner(project: Project) -> None:
    damage = (
        "CREATE TABLE public.hidden (id int)",
        "CREATE VIEW sankore.of_hidden AS SELECT * FROM public.hidden",
        "ALTER VIEW sankore.of_hidden OWNER TO sankore_user",
        "GRANT SELECT ON public.hidden, sankore.of_hidden TO analytics_readonly",
    )
    named_and_healed(project, Ill(relations.VIEW, "analytics", "SELECT * FROM sankore.of_hidden", damage))
    project.database.run("DROP TABLE public.hidden CASCADE")


def test_what_a_stack_gives_nobody(project: Project) -> None:
    text = said(lambda: ask(project, "madansara", "CREATE TABLE public.mine (id int)"))
    only_named(project, f"madansara: {text}", schemas.CREATES, "code")
    written = "INSERT INTO public.users DEFAULT VALUES"
    text = said(lambda: ask(project, "madansara", written))
    only_named(project, f"{text}\n[SQL: {written}]\nmadansara_user", relations.WRITES, "code")
    written = "UPDATE sankore.things SET id = 1"
    text = said(lambda: ask(project, "onside", written))
    only_named(project, f"onside: {text} [SQL: {written}]", schemas.WRITES, "code")
    written = "SELECT id FROM public.users FOR UPDATE"
    text = said(lambda: ask(project, "madansara", written))
    only_named(project, f"madansara: {text}\nSTATEMENT: {written}", relations.WRITES, "code")
    text = said(lambda: ask(project, "analytics", "CREATE TABLE public.t (id int)"))
    only_named(project, f"analytics: {text}", databases.READER_WRITES, "code")
    text = said(lambda: ask(project, "analytics", "BEGIN READ WRITE; CREATE TEMPORARY TABLE t (id int)"))
    only_named(project, f"analytics: {text}", databases.READER, "code")
    text = said(lambda: ask(project, "madansara", "CREATE SCHEMA IF NOT EXISTS madansara"))
    only_named(project, text, databases.SCHEMAS, "code")


def test_an_extension_in_a_schema_of_its_own(project: Project) -> None:
    project.database.run("CREATE SCHEMA apart", "CREATE EXTENSION citext SCHEMA apart")
    text = said(lambda: ask(project, "sankore", "SELECT 'a'::apart.citext"))
    found = only_named(project, f"sankore: {text}", schemas.EXTENSION, "sql")
    heal(project, found["remedy"])
    ask(project, "sankore", "SELECT 'a'::citext")
    project.database.run("DROP EXTENSION citext", "DROP SCHEMA apart")


@pytest.mark.exhaustive
def test_a_declared_extension_goes_to_public(projects: Projects) -> None:
    declared = {"services": {"sankore": None}, "existingSchemas": {"apart": None}}
    with projects(**declared, extensions={"citext": {"schema": "apart"}}) as project:
        project.database.run_as(project.database.admin, "CREATE SCHEMA apart")
        project.succeeds(project.up())
        text = said(lambda: ask(project, "sankore", "SELECT 'a'::apart.citext"))
        found = only_named(project, f"sankore: {text}", schemas.EXTENSION, "edit")
        heal(project, found["remedy"])
        ask(project, "sankore", "SELECT 'a'::citext")


def test_a_function_that_does_it_is_named(project: Project) -> None:
    text = "permission denied for schema log\nCONTEXT:  PL/pgSQL function log.noted() line 1 at SQL statement"
    found = only_named(project, f"onside: {text}", functions.WITHIN, "code")
    assert "log.noted()" in found["remedy"]["text"]


def test_the_wrong_role_in_a_url(project: Project) -> None:
    text = "psql:x.sql:1: ERROR:  permission denied for schema sankore"
    found = only_named(project, f"postgres://backend:x@h/railway {text}", logins.WRONG_ROLE, "command")
    assert found["remedy"] == {
        "kind": "command",
        "text": "bin/engarde url sankore --stack local --from service",
        "bySuperuser": False,
        "safe": False,
        "first": None,
    }


def test_a_bare_code_looks_at_all_that_is_declared(project: Project) -> None:
    project.database.run("REVOKE SELECT ON public.users FROM madansara_user")
    code, found = diagnosed(project, "SQLSTATE: 42501")
    assert code == 1
    assert found["remedy"]["text"] == "bin/pulumi up --refresh --stack local", told(found)
    heal(project, found["remedy"])
    assert json.dumps("confirmed") not in json.dumps(diagnosed(project, "42501")[1])


@only_createrole
def test_an_admin_that_lacks_a_right(project: Project) -> None:
    me = project.database.admin
    project.database.run(f"ALTER ROLE {me.user} NOCREATEROLE")
    with pytest.raises(psycopg.Error) as caught:
        project.database.run_as(me, "CREATE ROLE another")
    code, found = diagnosed(project, str(caught.value))
    confirmed_first(code, found, admin.LACKING)
    assert found["remedy"]["bySuperuser"]
    heal(project, found["remedy"])
    project.database.run_as(me, "CREATE ROLE another", "DROP ROLE another")
    # Who asked, the text does not say.
    assert set(marks(diagnosed(project, str(caught.value))[1]).values()) == {"ruled out", "not checked"}
