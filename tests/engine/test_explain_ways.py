"""Each way to a right: not there, made by hand, named and usable, taken away, gone and denied."""

from collections.abc import Iterator

import pytest

from engarde.explain import show
from tests.engine.conftest import Projects
from tests.engine.explained import DENIED, Asked, said
from tests.engine.ways_by_hand import BASE, PASSAGES, READ, WAYS

pytestmark = pytest.mark.xdist_group("explain")


@pytest.fixture(scope="module")
def asked(projects: Projects) -> Iterator[Asked]:
    with projects() as project:
        project.database.run(*BASE)
        yield Asked(project)


@pytest.mark.parametrize("name", WAYS)
def test_a_way_is_named_while_it_is_there(asked: Asked, name: str) -> None:
    way, database = WAYS[name], asked.project.database
    if not way.since <= database.major <= way.until:
        return
    take = [each.format(admin=database.admin.user) for each in way.take]
    assert asked.line("r", way.what, way.right).state == way.after
    if way.does:
        assert asked.tries("r", *way.does) == DENIED
    database.run(*way.give)
    try:
        line = asked.line("r", way.what, way.right)
        assert way.says in said(line, "r")
        assert line.state == way.state
        assert asked.tries("r", *(way.does or (READ,))) == ("00000" if way.does else DENIED)
    finally:
        database.run(*take)
    line = asked.line("r", way.what, way.right)
    assert line.state == way.after
    assert way.says not in said(line, "r")
    if way.does:
        assert asked.tries("r", *way.does) == DENIED


@pytest.mark.parametrize("name", PASSAGES)
def test_a_passage_is_named_while_it_is_there(asked: Asked, name: str) -> None:
    past, database = PASSAGES[name], asked.project.database
    if database.major < past.since:
        return

    def named() -> list[str]:
        return [show.passage(passage) for passage in asked.explain("r", "s.t").passages]

    assert named() == []
    database.run(*past.give)
    try:
        [found] = named()
        assert found.startswith(past.says)
        assert asked.tries("r", *past.does) == "00000"
        database.run(*past.take)
        assert named() == []
        assert asked.tries("r", *past.does) == DENIED
    finally:
        database.run(*past.clean)


def test_row_level_security(asked: Asked) -> None:
    database = asked.project.database

    def policies() -> str:
        rows = asked.explain("r", "s.t").rows
        return "\n".join(show.policies(rows)) if rows else ""

    def seen(*before: str) -> int:
        with database.session() as session:
            for each in ("SET SESSION AUTHORIZATION r", *before):
                session.execute(each.encode())
            return len(session.execute("SELECT * FROM s.t").fetchall())

    assert policies() == ""
    database.run("GRANT SELECT ON s.t TO r", "ALTER TABLE s.t ENABLE ROW LEVEL SECURITY")
    assert "no row for SELECT, INSERT, UPDATE, DELETE" in policies()
    assert seen() == 0
    database.run("CREATE POLICY one ON s.t FOR SELECT TO mid USING (id = 1)")
    assert "policy one" not in policies()
    database.run("GRANT mid TO r")
    assert "policy one allows SELECT for mid: USING ((id = 1))" in policies()
    assert "no row for INSERT, UPDATE, DELETE" in policies()
    assert seen() == 1
    database.run("ALTER ROLE r BYPASSRLS")
    assert policies() == "row-level security is on, but does not apply to this role: BYPASSRLS"
    assert seen() == 2
    # An attribute, so no membership inherits it.
    database.run("ALTER ROLE r NOBYPASSRLS", "ALTER ROLE mid BYPASSRLS", "GRANT SELECT ON s.t TO mid")
    assert "every row after SET ROLE mid, BYPASSRLS" in policies()
    assert (seen(), seen("SET ROLE mid")) == (1, 2)
    database.run("ALTER ROLE mid NOBYPASSRLS", "REVOKE mid FROM r", "REVOKE SELECT ON s.t FROM mid", "GRANT o TO r")
    assert "does not apply to this role: it has the owner's privileges" in policies()
    assert seen() == 2
    database.run("ALTER TABLE s.t FORCE ROW LEVEL SECURITY")
    assert "no row for SELECT, INSERT, UPDATE, DELETE" in policies()
    assert seen() == 0
    database.run(
        "REVOKE o FROM r",
        "REVOKE SELECT ON s.t FROM r",
        "DROP POLICY one ON s.t",
        "ALTER TABLE s.t NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE s.t DISABLE ROW LEVEL SECURITY",
    )
    assert policies() == ""


def test_what_a_view_reads_and_with_whose_rights(asked: Asked) -> None:
    database = asked.project.database
    database.run("CREATE VIEW s.v AS SELECT id FROM s.t", "ALTER VIEW s.v OWNER TO mid", "GRANT SELECT ON s.v TO r")
    try:
        found = asked.explain("r", "s.v")
        [base] = found.bases
        assert (
            show.base(base, "r")
            == "reads table s.t as mid, which lacks SELECT: denied with 42501; r itself may not read it"
        )
        assert "still denied with 42501: mid lacks SELECT on s.t" in said(asked.line("r", "s.v", "SELECT"), "r")
        assert asked.tries("r", "SELECT * FROM s.v") == DENIED
        database.run("GRANT SELECT ON s.t TO mid")
        [base] = asked.explain("r", "s.v").bases
        assert show.base(base, "r") == "reads table s.t as mid; r itself may not read it"
        assert asked.tries("r", "SELECT * FROM s.v") == "00000"
    finally:
        database.run("DROP VIEW s.v", "REVOKE SELECT ON s.t FROM mid")


def test_every_way_at_once(asked: Asked) -> None:
    database = asked.project.database
    database.run("GRANT SELECT ON s.t TO r, PUBLIC, mid", "GRANT SELECT (id) ON s.t TO r", "GRANT mid TO r")
    try:
        assert said(asked.line("r", "s.t", "SELECT"), "r").splitlines() == [
            "r -> GRANT SELECT by o",
            "PUBLIC -> GRANT SELECT by o",
            "r -> (member, inherits) -> mid -> GRANT SELECT by o",
            "r -> GRANT SELECT (id) by o",
        ]
    finally:
        database.run("REVOKE SELECT ON s.t FROM r, PUBLIC, mid", "REVOKE mid FROM r")
