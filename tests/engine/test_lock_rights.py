"""What verify's probes rest on: which right allows which of them, and that none runs what is in a table."""

from collections.abc import Iterator

import psycopg
import pytest

from devtools.server import Server
from tests.engine import database as databases
from tests.engine.admins import Admin, only_superuser
from tests.engine.database import Database

pytestmark = [pytest.mark.xdist_group("lock-rights"), only_superuser]

READ = "LOCK TABLE ONLY s.t IN ACCESS SHARE MODE NOWAIT"
WRITE = "LOCK TABLE ONLY s.t IN ROW EXCLUSIVE MODE NOWAIT"
CHANGE = ("ALTER TABLE s.t ADD COLUMN more integer", "DROP TABLE s.t CASCADE")
SEQUENCE = ("SELECT currval('s.n')", "SELECT nextval('s.n')", "SELECT setval('s.n', 1)")
NONE = "42501"
WRITING = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
MADE = (
    "CREATE ROLE reader",
    "CREATE SCHEMA s",
    "GRANT USAGE ON SCHEMA s TO reader",
    "CREATE TABLE s.t (id int)",
    "CREATE SEQUENCE s.n",
    "CREATE FUNCTION s.said(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS"
    " $$ BEGIN RAISE LOG 'somebody ran it: %', current_user; RETURN 1; END $$",
    "CREATE INDEX ON s.t ((s.said(1)))",
    "CREATE FUNCTION s.fired() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM s.said(1); RETURN new; END $$",
    "CREATE TRIGGER fires BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON s.t EXECUTE FUNCTION s.fired()",
)


@pytest.fixture(scope="module")
def database(template: Server, admin: Admin) -> Iterator[Database]:
    with databases.copied(template, admin) as made:
        made.run(*MADE)
        yield made


def tried(database: Database, statement: str, right: str = "", on: str = "s.t", read_only: bool = False) -> str:
    """What the server says to it, with a right and with no other; all of it is taken back."""
    with database.session() as session:
        session.autocommit = False
        if right:
            session.execute(f"GRANT {right} ON {on} TO reader".encode())
        session.execute("SET LOCAL ROLE reader")
        if read_only:
            session.execute("SET LOCAL transaction_read_only = on")
        try:
            session.execute(statement.encode())
        except psycopg.Error as error:
            return error.sqlstate or ""
        finally:
            session.rollback()
    return "00000"


def test_a_lock_tells_who_may_read_and_who_may_write(database: Database) -> None:
    major = database.major
    for right in ("", "REFERENCES", "TRIGGER", "SELECT (id)", "INSERT (id)", "UPDATE (id)"):
        assert (tried(database, READ, right), tried(database, WRITE, right)) == (NONE, NONE), right
    assert (tried(database, READ, "SELECT"), tried(database, WRITE, "SELECT")) == ("00000", NONE)
    for right in (*WRITING, *(("MAINTAIN",) if major >= 17 else ())):
        read = "00000" if major >= 16 else NONE
        assert (tried(database, READ, right), tried(database, WRITE, right)) == (read, "00000"), right
    for statement in CHANGE:
        assert tried(database, statement, "ALL") == NONE


@pytest.mark.parametrize(
    ("right", "said"),
    [
        ("", (NONE, NONE, NONE)),
        ("SELECT", ("55000", NONE, NONE)),
        ("USAGE", ("55000", "25006", NONE)),
        ("UPDATE", (NONE, "25006", "25006")),
    ],
)
def test_a_sequence_is_asked_for_the_right_before_anything(
    database: Database, right: str, said: tuple[str, str, str]
) -> None:
    found = tuple(tried(database, each, right, "SEQUENCE s.n", "currval" not in each) for each in SEQUENCE)
    assert found == said
    assert database.value("SELECT last_value FROM s.n") == 1


def test_none_of_them_runs_what_the_owner_has_put_there(database: Database) -> None:
    mark = database.mark()
    for statement in (READ, WRITE):
        assert tried(database, statement, "ALL") == "00000"
    with database.session() as session:
        # As the owner, who may change it.
        for statement in CHANGE:
            session.execute(b"BEGIN; ALTER TABLE s.t OWNER TO reader; SET LOCAL ROLE reader")
            session.execute(statement.encode())
            session.execute("ROLLBACK")
    with database.server.log.open("rb") as log:
        log.seek(mark)
        assert b"LOG:  somebody ran it" not in log.read()
    database.rows("SELECT 1 FROM s.t LIMIT 0")
    with database.server.log.open("rb") as log:
        log.seek(mark)
        assert b"LOG:  somebody ran it: postgres" in log.read()
