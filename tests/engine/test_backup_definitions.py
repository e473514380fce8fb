"""What a dump's definitions are read as: names of any kind, options of a later release, extensions elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from devtools.server import ADMIN
from engarde.backup import archive
from engarde.backup.backup import dump
from engarde.backup.clients import client
from engarde.backup.inventory import Inventory
from engarde.backup.proof import Proof, begin, tried
from engarde.backup.restore import clear, load
from engarde.errors import Refused
from engarde.server.connect import connect
from engarde.server.credentials import Access
from engarde.server.session import session
from tests import servers as sources
from tests.clients import newest
from tests.engine import hostile_schema
from tests.engine.admins import PASSWORD
from tests.engine.lone_service import QUOTED, ROLE, SCHEMA, server

pytestmark = pytest.mark.xdist_group("backup")

PROGRAMS = client(str(newest()), 18)


@pytest.fixture(scope="module")
def login() -> Iterator[Access]:
    """Of a service's role on a server of its own."""
    with server(sources.chosen()) as made:
        yield made


@pytest.fixture
def made(login: Access) -> Iterator[psycopg.Connection]:
    """A session of the service's, whose schema is empty before and after the test."""
    with connect(login, "copy") as session:
        yield session
    with connect(admin(login), "change") as session:
        for each in (
            "DROP SCHEMA {schema} CASCADE",
            "CREATE SCHEMA {schema} AUTHORIZATION {role}",
            "DROP EXTENSION IF EXISTS ltree",
            "DROP SCHEMA IF EXISTS extensions",
        ):
            session.execute(each.format(**QUOTED).encode())


def admin(login: Access) -> Access:
    return replace(login, role=ADMIN, password=PASSWORD)


def silent(line: str) -> None:
    assert line


def proof(login: Access, folder: Path, wanted: Inventory) -> Proof:
    return tried(admin(login), ROLE, folder, wanted, PROGRAMS)


def restored(login: Access, folder: Path, wanted: Inventory) -> None:
    """Compared with the manifest, too."""
    with session(login, read_only=False, one_snapshot=False) as asked:
        begin(asked, SCHEMA)
        clear(asked, wanted.owned)
        load(asked, SCHEMA, folder, wanted, PROGRAMS, silent)
        asked.commit()


def test_names_of_every_kind(login: Access, made: psycopg.Connection, tmp_path: Path) -> None:
    hostile_schema.make(made)
    wanted = dump(login, SCHEMA, tmp_path, PROGRAMS, 2, silent)
    assert proof(login, tmp_path, wanted) == Proof()
    restored(login, tmp_path, wanted)
    again = tmp_path / "again"
    again.mkdir()
    assert replace(dump(login, SCHEMA, again, PROGRAMS, 1, silent), owned=(), things=()) == replace(
        wanted, owned=(), things=()
    )


def test_options_of_columns_that_this_release_does_not_know(
    login: Access, made: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written into the dump's script as pg_dump writes options of a column: no server here has this one."""
    made.execute("CREATE TABLE \"t (pg_attver=1)\" (a int, b int DEFAULT 3, c text DEFAULT '(pg_attver=1);')")
    made.execute('INSERT INTO "t (pg_attver=1)" VALUES (1)')
    made.execute('ALTER TABLE "t (pg_attver=1)" ALTER COLUMN a SET (n_distinct = 5)')
    wanted = dump(login, SCHEMA, tmp_path, PROGRAMS, 1, silent)
    table = f'{QUOTED["schema"]}."t (pg_attver=1)"'
    start = f"ALTER TABLE ONLY {table} ALTER COLUMN"
    real = archive._printed

    def of_17_12(command: list[str]) -> list[str]:
        lines = real(command)
        if "--section=pre-data" in command:
            at = lines.index(f"{start} a SET (n_distinct=5);\n")
            lines[at : at + 1] = [f"{start} a SET (n_distinct=7, pg_attver=12);\n", f"{start} b SET (pg_attver=3);\n"]
        return lines

    monkeypatch.setattr(archive, "_printed", of_17_12)
    assert proof(login, tmp_path, wanted) == Proof()
    restored(login, tmp_path, wanted)
    options = "SELECT attname, attoptions FROM pg_attribute WHERE attrelid = %s::regclass AND attoptions IS NOT NULL"
    assert made.execute(options, [table]).fetchall() == [("a", ["n_distinct=7"])]


def test_an_extension_in_a_schema_of_its_own(login: Access, made: psycopg.Connection, tmp_path: Path) -> None:
    with connect(admin(login), "change") as by_admin:
        by_admin.execute("CREATE SCHEMA extensions")
        by_admin.execute("CREATE EXTENSION ltree SCHEMA extensions")
        by_admin.execute("GRANT USAGE ON SCHEMA extensions TO {role}".format(**QUOTED).encode())
        made.execute("CREATE TABLE t (t extensions.ltree)")
        made.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
        made.execute("SET search_path = {schema}, extensions".format(**QUOTED).encode())
        made.execute(
            "CREATE TRIGGER changed BEFORE UPDATE ON t FOR EACH ROW"
            " WHEN (OLD.t IS DISTINCT FROM NEW.t) EXECUTE FUNCTION f()"
        )
        made.execute("INSERT INTO t VALUES ('a.b')")
        wanted = dump(login, SCHEMA, tmp_path, PROGRAMS, 1, silent)
        assert proof(login, tmp_path, wanted) == Proof()
        restored(login, tmp_path, wanted)
        by_admin.execute("REVOKE USAGE ON SCHEMA extensions FROM {role}".format(**QUOTED).encode())
    [fault] = proof(login, tmp_path, wanted).faults
    assert "42501: permission denied for schema extensions" in fault
    assert fault.endswith('Ro"le lacks USAGE on schema extensions')


def test_code_of_the_service_runs_as_the_service(login: Access, made: psycopg.Connection, tmp_path: Path) -> None:
    made.execute("""
        CREATE FUNCTION told(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
        BEGIN
            IF session_user = current_user THEN RETURN n; END IF;
            RAISE EXCEPTION 'ran as %, admin: %', current_user, pg_has_role(session_user, 'postgres', 'MEMBER');
        END $$""")
    made.execute("CREATE TABLE t (id int)")
    made.execute("CREATE INDEX ON t (id) WHERE told(1) > 0")
    wanted = dump(login, SCHEMA, tmp_path, PROGRAMS, 1, silent)
    [fault] = proof(login, tmp_path, wanted).faults
    assert 'P0001: ran as Ro"le, admin: f\n  CREATE INDEX' in fault


def test_what_cannot_be_tried_is_said(login: Access, made: psycopg.Connection, tmp_path: Path) -> None:
    made.execute("CREATE TABLE t (id int)")
    wanted = dump(login, SCHEMA, tmp_path, PROGRAMS, 1, silent)
    with pytest.raises(Refused, match="permission denied to create role"):
        tried(login, ROLE, tmp_path, wanted, PROGRAMS)
    crowd = replace(wanted, tables=wanted.tables * 2000)
    with pytest.raises(Refused, match=r"it would take about 10\d\d\d of the \d+ locks"):
        tried(admin(login), ROLE, tmp_path, crowd, PROGRAMS)


@contextmanager
def killed(login: Access) -> Iterator[None]:
    """A login of a proof whose process was killed two hours ago."""
    with connect(admin(login), "change") as by_admin:
        for each in (
            "CREATE ROLE engarde_proof_old LOGIN VALID UNTIL '2020-01-01'",
            "GRANT {role} TO engarde_proof_old",
            "GRANT CREATE ON DATABASE postgres TO engarde_proof_old",
            "SET ROLE {role}",
            "CREATE TABLE {schema}.bait ()",
            "GRANT SELECT ON {schema}.bait TO engarde_proof_old",
            "RESET ROLE",
        ):
            by_admin.execute(each.format(**QUOTED).encode())
        yield
        left = by_admin.execute("SELECT rolname FROM pg_roles WHERE starts_with(rolname, 'engarde_proof_')")
        assert left.fetchall() == []


def test_the_login_of_a_killed_proof_is_taken_away(login: Access, made: psycopg.Connection, tmp_path: Path) -> None:
    made.execute("CREATE TABLE t (id int)")
    wanted = dump(login, SCHEMA, tmp_path, PROGRAMS, 1, silent)
    with killed(login):
        assert proof(login, tmp_path, wanted) == Proof()
