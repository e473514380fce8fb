"""Code that runs with the rights of others: real attacks end with what is printed, and ordinary code is no alarm."""

from typing import Any

import psycopg
import pytest

from tests.conftest import Projects, Stacks
from tests.engine.admins import BACKEND, only_superuser
from tests.engine.database import Session
from tests.engine.program import THE_ADMIN, Project
from tests.engine.verified_stack import proved
from tests.engine.verifying import heal, told, verified

pytestmark = pytest.mark.xdist_group("verify")

SECTIONS: dict[str, Any] = {
    "services": {"a": None, "b": {"reads": ["a.reports"]}},
    "existingSchemas": {"public": {"creators": [THE_ADMIN, BACKEND]}},
    "analytics": {},
    "outsideRoles": {BACKEND: {"schemas": {"public": ["USAGE", "CREATE"]}}},
}
FORCED = (
    "CREATE FUNCTION a.taken() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
    "ALTER FUNCTION a.taken() OWNER TO a_user",
    "REVOKE EXECUTE ON FUNCTION a.taken() FROM PUBLIC",
    "CREATE EVENT TRIGGER taken ON ddl_command_end EXECUTE FUNCTION a.taken()",
)


ORDINARY = (
    "CREATE FUNCTION number(a integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN a; END'",
    "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE DOMAIN positive AS integer DEFAULT number(1) CHECK (number(value) > 0)",
    "CREATE TABLE orders (id integer DEFAULT number(1) CHECK (number(id) > 0), amount positive, word text,"
    " made integer GENERATED ALWAYS AS (number(id)) STORED)",
    "CREATE TRIGGER touched BEFORE UPDATE ON orders FOR EACH ROW WHEN (number(new.id) > 0) EXECUTE FUNCTION touch()",
    "CREATE RULE kept AS ON DELETE TO orders DO INSTEAD SELECT number(old.id)",
    "CREATE INDEX by_number ON orders (number(id)) WHERE number(id) > 3",
    "CREATE TABLE old_orders (CHECK (number(id) > 9)) INHERITS (orders)",
    "CREATE TABLE parts (id integer) PARTITION BY RANGE (number(id))",
    "CREATE MATERIALIZED VIEW counted AS SELECT number(id) FROM orders",
    "CREATE AGGREGATE total(integer) (SFUNC = int4pl, STYPE = integer)",
    "CREATE OPERATOR <# (FUNCTION = number, RIGHTARG = integer)",
    "CREATE TYPE mood AS ENUM ('good', 'bad')",
    "CREATE FUNCTION lower(mood) RETURNS text LANGUAGE sql AS 'SELECT 1::text'",
    "CREATE VIEW seen AS SELECT id, amount FROM orders",
    "CREATE VIEW reports AS SELECT id FROM seen",
)
"""What services and backends make of their own code for themselves, and what others read of it without running it."""


@only_superuser
def test_ordinary_code_is_no_alarm(stacks: Stacks) -> None:
    with stacks(**SECTIONS) as project:
        with project.connect("a") as service:
            for statement in ORDINARY:
                service.execute(statement.encode())
        project.database.run(f"SET ROLE {BACKEND}", *ORDINARY)
        project.succeeds(project.up())
        with project.connect("b") as service:
            service.execute("CREATE VIEW more AS SELECT id FROM a.reports")
        assert told(verified(project)) == []
        with project.connect("a") as service:
            service.execute("CREATE VIEW numbers AS SELECT number(id) FROM orders")
        report = verified(project)
        assert told(report) == []
        assert [warning for warning in report.warnings if "view" in warning] == [
            "analytics_readonly cannot read view a.numbers, because it may not execute a.number(a integer)"
        ]


CONTRIB = """
    amcheck autoinc bloom btree_gin btree_gist citext cube dblink dict_int dict_xsyn earthdistance file_fdw
    fuzzystrmatch hstore insert_username intagg intarray isn lo ltree moddatetime pageinspect pg_buffercache
    pg_freespacemap pg_prewarm pg_stat_statements pg_trgm pg_visibility pgcrypto pgrowlocks pgstattuple postgres_fdw
    refint seg sslinfo tablefunc tcn tsm_system_rows tsm_system_time unaccent
"""
"""What every server of the tests brings along; some have languages and more."""


def test_no_extension_is_an_alarm(stacks: Stacks) -> None:
    with stacks(**SECTIONS) as project:
        there = {name for (name,) in project.database.rows("SELECT name FROM pg_available_extensions")} - {"plpgsql"}
        tried, alarms = set(), {}
        for name in sorted(there):
            try:
                project.database.run(f'CREATE EXTENSION "{name}" CASCADE')
            except (psycopg.errors.UndefinedFile, psycopg.errors.FeatureNotSupported):
                continue
            tried.add(name)
            if found := told(verified(project, logins=False)):
                alarms[name] = found
            brought = project.database.rows("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql'")
            project.database.run(*(f'DROP EXTENSION IF EXISTS "{each}" CASCADE' for (each,) in brought))
        assert alarms == {}
        assert set(CONTRIB.split()) <= tried


def test_a_view_that_the_last_run_knew_is_no_alarm(stacks: Stacks) -> None:
    with stacks(**SECTIONS) as project:
        with project.connect("a") as service:
            service.execute("CREATE VIEW reports AS SELECT 1 AS id")
        project.succeeds(project.up())
        assert project.outputs()["services"]["b"]["views"] == ["a.reports"]
        assert told(verified(project)) == []


def test_no_run_begins_while_an_event_trigger_may_be_anothers(stacks: Stacks) -> None:
    with stacks(**SECTIONS) as project:
        project.database.run(*FORCED)
        project.declare(**{**SECTIONS, "services": {**SECTIONS["services"], "c": None}})
        seen = verified(project)
        assert seen.probes == 0 and any(
            warning.endswith("event triggers of other roles: taken") for warning in seen.warnings
        )
        mark = project.database.mark()
        for run in (project.preview(), project.up()):
            assert run.exit != 0 and "Traceback" not in run.output
            assert "ALTER EVENT TRIGGER taken DISABLE;  -- runs a.taken(), which a_user may change" in run.output
            assert "Nothing was changed" in run.output
        assert project.database.changes(mark) == []
        project.database.run("ALTER EVENT TRIGGER taken DISABLE")
        project.succeeds(project.up())
        assert told(verified(project)) == []


def test_an_event_trigger_of_a_superusers_is_in_nobodys_way(projects: Projects) -> None:
    with projects(**SECTIONS) as project:
        project.database.run(
            "CREATE FUNCTION public.seen() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'",
            "CREATE EVENT TRIGGER seen ON ddl_command_end EXECUTE FUNCTION public.seen()",
        )
        project.succeeds(project.up())
        assert told(verified(project)) == []


def test_the_rights_of_analytics_are_not_to_be_had_by_a_view(stacks: Stacks) -> None:
    with proved(stacks) as stack, stack.connect("madansara") as thief:
        thief.execute(
            "CREATE VIEW madansara.loot AS SELECT query_to_xml('SELECT pg_notify(''loot'', word)"
            " FROM sankore.things', true, false, '') AS x"
        )
        thief.execute("LISTEN loot")
        assert stolen(stack, thief, "SELECT * FROM madansara.loot") == ["a"]
        [finding] = verified(stack).findings
        assert (finding.check, finding.subject) == ("code of others", "view madansara.loot")
        assert "analytics_readonly" in finding.actual and "query_to_xml" in finding.actual
        heal(stack, finding)
        assert told(verified(stack)) == []


def test_the_rights_of_analytics_are_not_to_be_had_by_a_range(stacks: Stacks) -> None:
    with proved(stacks) as stack, stack.connect("madansara") as thief:
        for statement in (
            "CREATE FUNCTION apart(a float8, b float8) RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN"
            " IF current_user = 'analytics_readonly' THEN PERFORM pg_notify('loot', word)"
            " FROM sankore.things; END IF; RETURN a - b; END $$",
            "CREATE TYPE span AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = apart)",
            "CREATE TABLE report AS SELECT i AS id, span(i, i + 10.0) AS span FROM generate_series(1, 1000) i",
            "ANALYZE report",
            "LISTEN loot",
        ):
            thief.execute(statement.encode())
        query = "SELECT count(*) FROM madansara.report WHERE span && (SELECT span FROM madansara.report LIMIT 1)"
        constant = "SELECT count(*) FROM madansara.report WHERE span && '[5,50]'"
        assert stolen(stack, thief, query) + stolen(stack, thief, constant) != []
        [finding] = verified(stack).findings
        assert (finding.check, finding.subject) == ("code of others", "column span of table madansara.report")
        heal(stack, finding)
        assert told(verified(stack)) == []
        assert stolen(stack, thief, "SELECT count(*) FROM madansara.report WHERE span = '[5,50)'") == []


def stolen(stack: Project, thief: Session, query: str) -> list[str]:
    """What the thief hears of when analytics reads."""
    with stack.connect("analytics") as reader:
        reader.execute(query.encode())
    return [note.payload for note in thief.notifies(timeout=1, stop_after=1)]


TYPES_IN_TYPES = """DO $$ BEGIN
    FOR i IN 1..800 LOOP EXECUTE format('CREATE DOMAIN a.d%s AS int', i); END LOOP;
    EXECUTE format('CREATE TYPE a.t0 AS (%s)',
                   (SELECT string_agg(format('c%s a.d%s', i, i), ', ') FROM generate_series(1, 800) i));
    FOR i IN 1..450 LOOP EXECUTE format('CREATE TYPE a.t%s AS (one a.t%s)', i, i - 1); END LOOP;
END $$"""


@only_superuser
@pytest.mark.exhaustive
def test_more_uses_of_code_than_a_server_has_room_for(projects: Projects) -> None:
    with projects(services={"a": None}) as project:
        project.succeeds(project.up())
        with project.connect("a") as service:
            service.execute(TYPES_IN_TYPES.encode())
            found = verified(project).findings
            assert [(each.check, each.subject) for each in found] == [("code of others", "a_user")]
            service.execute("DROP TYPE a.t0 CASCADE")
        assert told(verified(project)) == []
