"""Damage that looks like the cause of an error and is not: what is to be named instead."""

from dataclasses import dataclass

import pytest

from engarde.doctor.causes import admin, functions, missing_relations, relations, schemas
from engarde.doctor.model import Cause
from tests.conftest import Stacks
from tests.engine.admins import BACKEND, only_createrole, only_superuser
from tests.engine.diagnosing import diagnosed, heal, marks, told
from tests.engine.ills import Ill, ask, confirmed_first, named_and_healed
from tests.engine.program import Project

pytestmark = pytest.mark.xdist_group("doctor-lookalikes")

SECTIONS = {
    "services": {
        "madansara": {
            "reads": ["public.users", {"table": "public.brands", "columns": ["id", "name"]}, "sankore.orders"]
        },
        "sankore": {},
        "onside": {"executes": ["sankore.total(integer)"]},
        "langflow": {},
    },
    "existingSchemas": {"public": {"creators": [BACKEND]}},
    "analytics": {},
}
CALLED_LIKE_ITS_SCHEMA = {
    "services": {"sankore": {"role": "sankore"}, "madansara": {"reads": ["sankore.orders"]}},
    "existingSchemas": {"public": {}},
    "analytics": {},
}


@dataclass(frozen=True, slots=True)
class LookAlike:
    """Damage by hand, as the superuser, an error, and its cause: None where the damage is none of it."""

    damage: tuple[str, ...]
    text: str
    cause: Cause | None


NO_USAGE_ON_PUBLIC = ("REVOKE USAGE ON SCHEMA public FROM PUBLIC",)
NO_CREATE = ("REVOKE CREATE ON SCHEMA sankore FROM sankore_user",)
NO_TRUNCATE = ("REVOKE TRUNCATE ON sankore.orders FROM sankore_user",)
NO_UPDATE = ("REVOKE UPDATE ON sankore.orders FROM sankore_user",)
PATH_OF_ANALYTICS = ("ALTER ROLE analytics_readonly SET search_path = public",)
PARTITION = (
    "CREATE TABLE public.events (id int) PARTITION BY RANGE (id)",
    "CREATE TABLE sankore.events_1 PARTITION OF public.events FOR VALUES FROM (1) TO (2)",
)
LOOK_ALIKES = {
    "PUBLIC lost its USAGE": LookAlike(NO_USAGE_ON_PUBLIC, "permission denied for schema public", schemas.NOT_GRANTED),
    "PUBLIC lost its USAGE, and a table is read": LookAlike(
        NO_USAGE_ON_PUBLIC,
        "madansara: permission denied for schema public\nLINE 1: SELECT * FROM public.users",
        schemas.NOT_GRANTED,
    ),
    "a group gives what was taken away": LookAlike(
        (
            "CREATE ROLE entering",
            "GRANT USAGE ON SCHEMA sankore TO entering",
            "GRANT entering TO madansara_user",
            "REVOKE USAGE ON SCHEMA sankore FROM madansara_user",
        ),
        "madansara: permission denied for schema sankore\nLINE 1: CREATE TABLE sankore.mine (id int)",
        schemas.CREATES,
    ),
    "another schema's owner gave up a right": LookAlike(
        ("REVOKE CREATE ON SCHEMA madansara FROM madansara_user",),
        "permission denied for schema sankore\nLINE 1: SELECT * FROM sankore.orders",
        schemas.NOT_DECLARED,
    ),
    "the schema's owner gave up a right that reading does not take": LookAlike(
        NO_CREATE, "permission denied for schema sankore\nLINE 1: SELECT * FROM sankore.orders", schemas.NOT_DECLARED
    ),
    "the schema's owner gave up the right that the statement takes": LookAlike(
        NO_CREATE,
        "sankore: permission denied for schema sankore\nLINE 1: CREATE TABLE more (id int)",
        schemas.OWNER_LOST,
    ),
    "the schema's owner gave up a right without which it sees its tables": LookAlike(
        NO_CREATE, 'sankore: relation "no_such" does not exist', missing_relations.NOT_MIGRATED
    ),
    "analytics has a search_path": LookAlike(
        PATH_OF_ANALYTICS, "permission denied for schema sankore", schemas.NOT_DECLARED
    ),
    "analytics has a search_path, and finds no table": LookAlike(
        PATH_OF_ANALYTICS, 'analytics: relation "orders" does not exist', missing_relations.ELSEWHERE
    ),
    "the sequence of a stranger's table": LookAlike(
        ("CREATE TABLE sankore.invoices (id serial)",),
        "sankore: permission denied for sequence invoices_id_seq",
        relations.OWNER,
    ),
    "a stranger's partition": LookAlike(PARTITION, "sankore: permission denied for table events_1", relations.OWNER),
    "a stranger's partition is altered": LookAlike(
        PARTITION, "sankore: must be owner of table events_1", admin.STRANGER_OWNS
    ),
    "everybody may read it": LookAlike(
        ("GRANT SELECT ON public.users TO PUBLIC", "REVOKE SELECT ON public.users FROM madansara_user"),
        "madansara: permission denied for table users\n[SQL: ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES users (id)]",
        relations.FOREIGN_KEY,
    ),
    "more is granted than the declared columns": LookAlike(
        (
            "REVOKE SELECT (id, name) ON public.brands FROM madansara_user",
            "GRANT SELECT ON public.brands TO madansara_user",
        ),
        "madansara: permission denied for table brands\n[SQL: ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES brands]",
        relations.FOREIGN_KEY,
    ),
    "a group reads it": LookAlike(
        (
            "CREATE ROLE stranger",
            "CREATE TABLE public.hidden (id int)",
            "ALTER TABLE public.hidden OWNER TO stranger",
            "CREATE ROLE readers",
            "GRANT SELECT ON public.hidden TO readers",
            "GRANT readers TO analytics_readonly",
            "CREATE VIEW sankore.of_hidden AS SELECT * FROM public.hidden",
            "ALTER VIEW sankore.of_hidden OWNER TO sankore_user",
        ),
        "analytics: permission denied for table hidden",
        relations.VIEW,
    ),
    "the table's owner gave up a right that reading does not take": LookAlike(
        NO_TRUNCATE, "permission denied for table orders\n[SQL: SELECT * FROM sankore.orders]", relations.NOT_DECLARED
    ),
    "the table's owner gave up another right than the usual ones": LookAlike(
        NO_TRUNCATE, "permission denied for table orders", relations.NOT_DECLARED
    ),
    "the table's owner gave up a right, and somebody reads": LookAlike(
        NO_UPDATE, "permission denied for table orders\n[SQL: SELECT * FROM sankore.orders]", relations.NOT_DECLARED
    ),
    "the table's owner gave up a right, and everybody has it": LookAlike(
        (*NO_UPDATE, "GRANT UPDATE ON sankore.orders TO PUBLIC"), "sankore: permission denied for table orders", None
    ),
    "the table's owner gave up the right that the statement takes": LookAlike(
        NO_TRUNCATE, "permission denied for table orders\n[SQL: TRUNCATE sankore.orders]", relations.OWNER_LOST
    ),
    "the table's owner is refused": LookAlike(
        NO_TRUNCATE, "sankore: permission denied for table orders", relations.OWNER_LOST
    ),
    "a declared function was made anew, and another is called": LookAlike(
        (
            "DROP FUNCTION sankore.total(integer)",
            "CREATE FUNCTION sankore.total(integer) RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "REVOKE EXECUTE ON FUNCTION sankore.total(text) FROM PUBLIC",
        ),
        "onside: permission denied for function total",
        functions.NOT_DECLARED,
    ),
    "everybody may connect": LookAlike(
        ("REVOKE CONNECT ON DATABASE railway FROM onside_user", "GRANT CONNECT ON DATABASE railway TO PUBLIC"),
        'onside: permission denied for database "railway"',
        None,
    ),
    "another service's schema is gone": LookAlike(
        ("DROP SCHEMA langflow",), "sankore: no schema has been selected to create in", None
    ),
}


def in_use(project: Project) -> None:
    project.succeeds(project.up())
    for types in ("integer", "text"):
        ask(project, "sankore", f"CREATE FUNCTION total({types}) RETURNS int LANGUAGE sql AS 'SELECT 1'")
    ask(project, "sankore", "CREATE TABLE orders (id int)")
    project.succeeds(project.up())


def with_orders(project: Project) -> None:
    project.succeeds(project.up())
    ask(project, "sankore", "CREATE TABLE orders (id int); GRANT SELECT ON orders TO madansara_user")


def named(project: Project, case: LookAlike) -> None:
    """The case's cause alone is blamed, or none."""
    project.database.run(*case.damage)
    code, found = diagnosed(project, case.text)
    if case.cause:
        confirmed_first(code, found, case.cause)
    else:
        assert "confirmed" not in marks(found).values(), told(found)


@only_superuser
@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_it_is_not_blamed(stacks: Stacks, name: str) -> None:
    with stacks(in_use, **SECTIONS) as project:
        named(project, LOOK_ALIKES[name])


@only_superuser
def test_what_everybody_has_comes_back(stacks: Stacks) -> None:
    with stacks(in_use, **SECTIONS) as project:
        fails = "SELECT * FROM public.users"
        named_and_healed(project, Ill(schemas.NOT_GRANTED, "madansara", fails, NO_USAGE_ON_PUBLIC))


@only_superuser
def test_a_schema_with_another_name_gets_its_own_back(stacks: Stacks) -> None:
    with stacks(in_use, **SECTIONS) as project:
        renamed, fails = "ALTER SCHEMA sankore RENAME TO sankore_old", "CREATE TABLE sankore.more (id int)"
        named_and_healed(project, Ill(missing_relations.GONE, "sankore", fails, (renamed,)))
        ask(project, "sankore", "SELECT * FROM sankore.orders")


@only_superuser
def test_the_admin_makes_tables_beside_the_creators(stacks: Stacks) -> None:
    """No run gives analytics what the admin makes later, until the stack file says that it makes tables."""
    with stacks(in_use, **SECTIONS) as project:
        project.database.run("CREATE TABLE public.audit (id int)")
        project.succeeds(project.up("--refresh"))
        ask(project, "analytics", "SELECT * FROM public.audit")
        made, fails = "CREATE TABLE public.audit_2 (id int)", "SELECT * FROM public.audit_2"
        named_and_healed(project, Ill(relations.CREATORS, "analytics", fails, (made,)))
        project.database.run("CREATE TABLE public.audit_3 (id int)")
        ask(project, "analytics", "SELECT * FROM public.audit_2, public.audit_3")


@only_createrole
def test_what_a_superuser_made_is_lacking(stacks: Stacks) -> None:
    """As the program words it, and no other check tells."""
    with stacks(in_use, **SECTIONS) as project:
        project.database.run("CREATE TABLE sankore.invoices (id int)")
        code, found = diagnosed(project, project.up().output)
        confirmed_first(code, found, admin.LACKING)
        assert found["remedy"]["text"].startswith('GRANT SELECT ON TABLE "sankore"."invoices"')
        heal(project, found["remedy"])
        project.succeeds(project.up())


LIKE_ITS_SCHEMA = {
    "another login lost a right in it": LookAlike(
        ("REVOKE SELECT ON sankore.orders FROM madansara_user",),
        "user=sankore permission denied for table orders",
        None,
    ),
    "its path is the default": LookAlike(
        ("ALTER ROLE sankore RESET search_path",),
        'user=sankore relation "no_such" does not exist',
        missing_relations.NOT_MIGRATED,
    ),
}


@only_superuser
@pytest.mark.parametrize("name", LIKE_ITS_SCHEMA)
def test_a_role_that_is_called_like_its_schema(stacks: Stacks, name: str) -> None:
    with stacks(with_orders, **CALLED_LIKE_ITS_SCHEMA) as project:
        named(project, LIKE_ITS_SCHEMA[name])
