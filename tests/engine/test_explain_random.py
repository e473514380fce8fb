"""Whatever roles were given, an explanation says what the server says, and what happens when the role tries."""

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Any

import psycopg
import pytest

from engarde.explain.explanation import Line
from tests.engine.admins import only_superuser
from tests.engine.conftest import Projects
from tests.engine.database import Session
from tests.engine.explained import DENIED, Asked, run_what_works
from tests.engine.random_rights import PREDEFINED, ROLES, Thing, given, gone, made, quoted, things
from tests.parts import sampled

pytestmark = [pytest.mark.xdist_group("explain-random"), only_superuser]
COUNT = 200
SEEDS = pytest.mark.parametrize("given_at_random", sampled([1, 2, 3, 4, 5], 1), indirect=True)
HAS = {
    "TABLE": "SELECT has_table_privilege(%s, %s, %s)",
    "SEQUENCE": "SELECT has_sequence_privilege(%s, %s, %s)",
    "FUNCTION": "SELECT has_function_privilege(%s, %s, %s)",
    "SCHEMA": "SELECT has_schema_privilege(%s, (parse_ident(%s))[1], %s)",
    "DATABASE": "SELECT has_database_privilege(%s, (parse_ident(%s))[1], %s)",
}
DOES = {"SELECT": "SELECT 1 FROM {} LIMIT 0", "DELETE": "DELETE FROM {} WHERE false", "TRUNCATE": "TRUNCATE {}"}


@pytest.fixture(scope="module")
def asked(projects: Projects) -> Iterator[Asked]:
    with projects() as project:
        yield Asked(project)


@pytest.fixture
def given_at_random(asked: Asked, request: pytest.FixtureRequest) -> Iterator[None]:
    database = asked.project.database
    database.run(*made())
    assert run_what_works(asked.project, given(Random(request.param), database.major, COUNT)) > COUNT / 2
    yield
    database.run("ALTER DATABASE railway OWNER TO postgres", *gone())


def answer(session: Session, query: str, *parameters: object) -> Any:
    [(found,)] = session.execute(query.encode(), parameters).fetchall()
    return found


def has(session: Session, role: str, thing: Thing, right: str) -> bool:
    """What the server says."""
    return bool(answer(session, HAS[thing.kind], role, thing.sql, right))


def may_act_as(session: Session, role: str) -> list[str]:
    """Whom the server lets a role act as."""
    right = "SET" if session.info.server_version >= 160000 else "MEMBER"
    query = "SELECT coalesce(array_agg(rolname), '{}') FROM pg_roles WHERE pg_has_role(%s, oid, %s) AND rolname <> %s"
    return list(answer(session, query, role, right, role))


@SEEDS
@pytest.mark.usefixtures("given_at_random")
def test_an_explanation_says_what_the_server_says(asked: Asked) -> None:
    with asked.project.database.session() as session:
        major = session.info.server_version // 10_000
        lines: list[tuple[str, Thing, Line]] = []
        for role, thing in product((*ROLES, "PUBLIC"), things(major)):
            explained = asked.explain(quoted(role) if role in ROLES else role, thing.asked)
            lines += [(role, thing, line) for line in explained.lines if line.on == "object"]
        others = {role: may_act_as(session, role) for role in ROLES} | {"PUBLIC": []}
        states = set()
        for role, thing, line in lines:
            if line.right != "owner":
                asking = "public" if role == "PUBLIC" else role
                assert (line.state == "yes") == has(session, asking, thing, line.right), (role, thing, line)
                after = any(has(session, other, thing, line.right) for other in others[role])
                whole = any(not way.granted and not way.source.columns for way in line.ways)
                assert whole == (after or line.state == "yes"), (role, thing, line)
                states.add(line.state)
        assert {"yes", "no"} <= states
        for role, thing, line in lines:
            if role != "PUBLIC" and can_be_tried(thing, line):
                attempt(asked, role, thing, line)


def can_be_tried(thing: Thing, line: Line) -> bool:
    """Whether the right is one to try: no view can be emptied."""
    return thing.kind == "TABLE" and line.right in DOES and (line.thing.kind, line.right) != ("view", "TRUNCATE")


def attempt(asked: Asked, role: str, thing: Thing, line: Line) -> None:
    """Does what the answer says can be done, and is denied what it says cannot."""
    does = DOES[line.right].format(thing.sql)
    has = line.state in ("yes", "columns") and not any("42501" in remark for remark in line.remarks)
    assert asked.tries(role, does) == ("00000" if has else DENIED), (role, thing, line)
    other = line.ways[0].set_role if line.state == "after SET ROLE" else None
    if other and line.thing.kind == "table" and usage(asked, other, thing):
        assert asked.tries(role, f"SET ROLE {quoted(other)}", does) == "00000", (role, thing, line)


def usage(asked: Asked, role: str, thing: Thing) -> bool:
    schema = next(
        each
        for each in things(asked.project.database.major)
        if each.kind == "SCHEMA" and thing.sql.startswith(each.sql + ".")
    )
    with asked.project.database.session() as session:
        return has(session, role, schema, "USAGE")


@SEEDS
@pytest.mark.usefixtures("given_at_random")
def test_what_a_role_may_grant_itself_is_all_that_it_can(asked: Asked) -> None:
    major = asked.project.database.major
    for role in ROLES:
        with asked.project.database.session() as session, session.transaction(force_rollback=True):
            grant_everything_to(session, role)
            everybody = [role, *may_act_as(session, role)]
            for thing in things(major):
                for line in asked.explain(quoted(role) if role in ROLES else role, thing.asked).lines:
                    if line.on == "object" and line.right != "owner":
                        can = any(has(session, each, thing, line.right) for each in everybody)
                        explained = any(not way.source.columns for way in line.ways)
                        assert explained == can, (role, thing, line)


def grant_everything_to(session: Session, role: str) -> None:
    """Lets a role make itself a member of all that it can, as whomever it may act as."""
    inherits = " WITH INHERIT TRUE, SET TRUE" if session.info.server_version >= 160000 else ""
    before = None
    while before != (before := sorted(may_act_as(session, role))):
        session.execute(f"SET LOCAL SESSION AUTHORIZATION {quoted(role)}".encode())
        for actor, goal in product((role, *before), (*ROLES, *PREDEFINED)):
            try:
                with session.transaction():
                    session.execute(f"SET LOCAL ROLE {quoted(actor)}".encode())
                    session.execute(f"GRANT {quoted(goal)} TO {quoted(role)}{inherits}".encode())
                    session.execute(b"RESET ROLE")
            except psycopg.Error:
                continue
        session.execute(b"RESET SESSION AUTHORIZATION")
