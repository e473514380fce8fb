"""`bin/engarde explain` on a stack: what is declared, what is not, and what is declared but not there."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from devtools.server import free_port
from tests.engine.admins import BACKEND
from tests.engine.conftest import Projects
from tests.engine.denied import denied
from tests.engine.explained import Asked
from tests.engine.in_process import tool_here
from tests.engine.program import THE_ADMIN

pytestmark = pytest.mark.xdist_group("explain-stack")

LONG = "ü" * 31 + "x"
STACK: dict[str, Any] = {
    "services": {
        "madansara": {"reads": ["public.users", {"table": "public.brands", "columns": ["id"]}]},
        "sankore": None,
        "field-notes": {"schema": "Field. Notes", "role": LONG},
    },
    "existingSchemas": {"public": {"creators": [THE_ADMIN, BACKEND]}},
    "analytics": {},
    "outsideRoles": {BACKEND: {"schemas": {"public": ["USAGE", "CREATE"]}}},
}
OURS = ("madansara", "sankore", "field-notes", "analytics", "PUBLIC")
EVERYTHING = """
SELECT quote_ident(nspname) || '.' || quote_ident(relname)
FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE relkind IN ('r', 'v', 'S') AND (nspname !~ '^pg_' AND nspname <> 'information_schema'
      OR relname IN ('pg_class', 'pg_authid', 'pg_roles', 'tables'))
UNION ALL
SELECT CASE nspname WHEN 'public' THEN 'schema public' ELSE quote_ident(nspname) END
FROM pg_namespace WHERE nspname !~ '^pg_t'
UNION ALL
SELECT 'database ' || datname FROM pg_database
UNION ALL
SELECT quote_ident(nspname) || '.' || quote_ident(proname) || '(' || oidvectortypes(proargtypes) || ')'
FROM pg_proc JOIN pg_namespace n ON n.oid = pronamespace WHERE proname IN ('twice', 'hstore_to_json', 'pg_sleep')
"""


@pytest.fixture(scope="module")
def asked(projects: Projects) -> Iterator[Asked]:
    with projects(**STACK) as project:
        project.database.run("CREATE EXTENSION hstore")
        project.succeeds(project.up())
        for service in STACK["services"]:
            with project.connect(service) as session:
                session.execute('CREATE TABLE "T.t" (id serial PRIMARY KEY, "Word" text)')
                session.execute("CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT 2 * n'")
        yield Asked(project)


def test_nothing_is_undeclared_where_nobody_meddled(asked: Asked) -> None:
    objects = [name for (name,) in asked.project.database.rows(EVERYTHING)]
    assert len(objects) > 20
    for who in (*OURS, "admin", BACKEND):
        for what in objects:
            found = asked.explain(who, what)
            assert found.as_declared, (who, what, found)


def test_declared_rights_are_said_to_be(asked: Asked) -> None:
    def said(who: str, what: str, right: str) -> tuple[str, str]:
        line = asked.line(who, what, right)
        return line.state, line.declared

    assert said("madansara", "public.users", "SELECT") == ("yes", "declared: its reads")
    assert said("madansara", "public.brands", "SELECT") == ("columns", "declared: its reads")
    assert asked.line("madansara", "public.brands", "SELECT").columns == ("id",)
    assert said("madansara", 'madansara."T.t"', "TRUNCATE") == ("yes", "declared: its own schema")
    assert said("field-notes", '"Field. Notes"', "CREATE") == ("yes", "declared: its own schema")
    assert said(LONG, '"Field. Notes"."T.t_id_seq"', "owner") == ("yes", "declared: its own schema")
    assert said("analytics", '"Field. Notes"."T.t"', "SELECT") == ("yes", "declared: it reads the whole schema")
    assert said("analytics", 'sankore."T.t_id_seq"', "SELECT") == ("yes", "declared: it reads the whole schema")
    assert said("sankore", "railway", "TEMPORARY") == ("yes", "declared: its access to the database")
    assert said("sankore", "public.hstore_to_json", "EXECUTE") == ("yes", "built in; the stack does not change it")
    assert said("analytics", "sankore.twice(int)", "EXECUTE") == ("no", "")
    assert said("PUBLIC", "public", "USAGE") == ("yes", "declared: for PUBLIC")


def test_the_command_prints_for_people_and_for_machines(asked: Asked) -> None:
    done = asked.project.tool("explain", "madansara", 'sankore."T.t"')
    assert (done.returncode, done.stderr) == (0, "")
    assert 'madansara_user on table sankore."T.t", owned by sankore_user' in done.stdout
    assert re.search(r"USAGE on schema sankore +no +no grant to madansara_user", done.stdout)
    done = asked.project.tool("explain", "analytics", "--output", "json", 'sankore."T.t"')
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["version"], found["asDeclared"], found["role"]) == (2, True, "analytics_readonly")
    assert found["object"] == {"kind": "table", "name": 'sankore."T.t"', "owner": "sankore_user"}
    [select] = [each for each in found["privileges"] if each["privilege"] == "SELECT"]
    assert select["answer"] == "yes"
    assert [way["text"] for way in select["accessPaths"]] == ["analytics_readonly -> GRANT SELECT by sankore_user"]


UNDECLARED = {
    "a grant": (
        'GRANT SELECT ON sankore."T.t" TO madansara_user',
        'REVOKE SELECT ON sankore."T.t" FROM madansara_user',
    ),
    "a column": (
        'GRANT UPDATE ("Word") ON sankore."T.t" TO madansara_user',
        'REVOKE UPDATE ("Word") ON sankore."T.t" FROM madansara_user',
    ),
    "PUBLIC": ('GRANT SELECT ON sankore."T.t" TO PUBLIC', 'REVOKE SELECT ON sankore."T.t" FROM PUBLIC'),
    "a membership": ("GRANT sankore_user TO madansara_user", "REVOKE sankore_user FROM madansara_user"),
    "a superuser": ("ALTER ROLE madansara_user SUPERUSER", "ALTER ROLE madansara_user NOSUPERUSER"),
    "the schema": ("GRANT USAGE ON SCHEMA sankore TO PUBLIC", "REVOKE USAGE ON SCHEMA sankore FROM PUBLIC"),
    "a view": (
        'CREATE VIEW public.leak AS SELECT * FROM sankore."T.t"; GRANT SELECT ON public.leak TO PUBLIC',
        "DROP VIEW public.leak",
    ),
    "a definer": (
        "CREATE FUNCTION sankore.leak() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
        " GRANT EXECUTE ON FUNCTION sankore.leak() TO PUBLIC; GRANT USAGE ON SCHEMA sankore TO madansara_user",
        "DROP FUNCTION sankore.leak(); REVOKE USAGE ON SCHEMA sankore FROM madansara_user",
    ),
}


@pytest.mark.parametrize("name", UNDECLARED)
def test_what_nobody_declared_is_said_while_it_is_there(asked: Asked, name: str) -> None:
    give, take = UNDECLARED[name]
    asked.project.database.run(give)
    try:
        done = tool_here(asked.project, "explain", "madansara", 'sankore."T.t"')
        assert done.returncode == 1, done.stdout
        assert "not declared" in done.stdout
        for other in (BACKEND, "admin"):
            assert asked.explain(other, 'sankore."T.t"').as_declared
    finally:
        asked.project.database.run(take)
    done = tool_here(asked.project, "explain", "madansara", 'sankore."T.t"')
    assert done.returncode == 0, done.stdout
    assert "not declared" not in done.stdout


def test_a_view_is_more_than_the_declared_columns(asked: Asked) -> None:
    asked.project.database.run(
        "CREATE VIEW public.of_brands AS SELECT * FROM public.brands", "GRANT SELECT ON public.of_brands TO PUBLIC"
    )
    try:
        found = asked.explain("madansara", "public.brands")
        [passage] = found.passages
        assert (passage.through.thing.name, passage.undeclared, found.as_declared) == ("of_brands", True, False)
    finally:
        asked.project.database.run("DROP VIEW public.of_brands")
    assert asked.explain("madansara", "public.brands").as_declared


def test_what_is_declared_and_lost_is_given_back_as_it_says(asked: Asked) -> None:
    project = asked.project
    project.database.run("REVOKE SELECT ON public.users FROM madansara_user")
    line = asked.line("madansara", "public.users", "SELECT")
    assert (line.state, line.undeclared) == ("no", False)
    assert line.declared == "declared, not granted yet: `bin/pulumi up --refresh --stack local`"
    project.succeeds(project.up("--refresh"))
    assert asked.line("madansara", "public.users", "SELECT").state == "yes"


@pytest.mark.parametrize(
    "make",
    [
        'TABLE sankore."of another" (id int)',
        'VIEW sankore."of another" AS SELECT 1 AS id',
        'MATERIALIZED VIEW sankore."of another" AS SELECT 1 AS id',
        'SEQUENCE sankore."of another"',
        'TABLE sankore."of another" (id int) PARTITION BY LIST (id)',
        "FUNCTION sankore.\"of another\"(n int, OUT m int) LANGUAGE sql AS 'SELECT 1'",
        "PROCEDURE sankore.\"of another\"(n int) LANGUAGE sql AS 'SELECT 1'",
    ],
)
def test_anothers_in_a_services_schema_becomes_its_own_as_it_says(asked: Asked, make: str) -> None:
    database = asked.project.database
    database.run(f"CREATE {make}")
    line = asked.line("sankore", "sankore.of another", "owner")
    assert line.state == "no"
    told = line.declared.removeprefix("in its own schema, but owned by postgres: ").strip("`")
    assert told.startswith("ALTER ") and told.endswith('OWNER TO "sankore_user";')
    database.run(told)
    assert asked.line("sankore", "sankore.of another", "owner").state == "yes"
    with asked.project.connect("sankore") as session:
        kind = make.partition(" sankore")[0]
        session.execute(f'DROP {kind} sankore."of another"'.encode())


def test_what_is_not_declared_comes_with_the_line_that_declares_it(projects: Projects) -> None:
    with projects(services={"a": None, "b": {"schema": "B.b"}}, analytics={"schemas": ["a"]}) as project:
        asked = Asked(project)
        project.succeeds(project.up())
        with project.connect("b") as session:
            session.execute('CREATE TABLE "T.t" (id int)')
        what = '"B.b"."T.t"'
        told = asked.line("a", what, "SELECT").declared
        line = r"to declare it: `engarde:services\.a\.reads: (\[.*\])` in Pulumi.local.yaml"
        found = re.fullmatch(f"{line}, then `bin/pulumi up --stack local`", told)
        assert found, told
        under = "B.b under engarde:analytics.schemas in Pulumi.local.yaml"
        declared = asked.line("analytics", what, "SELECT").declared
        assert declared == f"to declare it: {under}, then `bin/pulumi up --stack local`"
        with project.connect("a") as session:
            denied(session, f"SELECT * FROM {what}")
        project.declare(services={"a": {"reads": json.loads(found[1])}, "b": {"schema": "B.b"}}, analytics={})
        assert asked.line("a", what, "SELECT").declared.startswith("declared, not granted yet")
        project.succeeds(project.up())
        assert asked.line("a", what, "SELECT").state == asked.line("analytics", what, "SELECT").state == "yes"
        with project.connect("a") as session:
            session.execute(f"SELECT * FROM {what}".encode())


def test_what_is_not_there_is_named_with_what_is_near(asked: Asked) -> None:
    def refused(*words: str) -> str:
        done = tool_here(asked.project, "explain", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert "Traceback" not in done.stderr
        return done.stderr

    assert "the server of stack local has no role madansaar; it has madansara" in refused("madansaar", "public.users")
    assert "it has public.users" in refused("madansara", "public.user")
    assert "it has public.users" in refused("madansara", "users")
    assert "it has public.users" in refused("madansara", "Public.Users")
    assert "it has sankore.twice(integer)" in refused("madansara", "sankore.twice(text)")
    assert "the server has no table" in refused("madansara", 'a."b')
    asked.project.database.run(
        "CREATE SCHEMA railway", "CREATE FUNCTION sankore.twice(t text) RETURNS text LANGUAGE sql AS 'SELECT t'"
    )
    try:
        assert "railway is ambiguous; name one of: 'database railway', 'schema railway'" in refused("admin", "railway")
        assert asked.explain("admin", "database railway").target.kind == "database"
        assert asked.explain("admin", "schema railway").target.kind == "schema"
        assert "'function sankore.twice(integer)', 'function sankore.twice(text)'" in refused("admin", "sankore.twice")
        assert asked.explain("admin", "function sankore.twice(n int4)").target.identity == "sankore.twice(n integer)"
    finally:
        asked.project.database.run("DROP SCHEMA railway", "DROP FUNCTION sankore.twice(text)")


def test_nothing_is_learnt_from_a_server_that_is_not_there(projects: Projects) -> None:
    with projects(services={"a": None}, server={"port": free_port()}) as project:
        done = project.tool("explain", "a", "a")
        assert (done.returncode, done.stdout) == (3, "")
        assert "cannot connect to" in done.stderr


def test_a_service_that_was_not_brought_up_yet(projects: Projects) -> None:
    with projects(services={"a": None}) as project:
        done = project.tool("explain", "a", "public")
        assert done.returncode == 2
        assert "a's role a_user does not exist yet: run bin/pulumi up --stack local" in done.stderr
