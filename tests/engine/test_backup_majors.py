"""A schema moves to a later release whole: what the tests see of it is the same there, and what the tool sees, too."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from devtools.server import ADMIN
from engarde.backup.backup import dump
from engarde.backup.clients import Client, client
from engarde.backup.inspect import inspect
from engarde.backup.inventory import Inventory
from engarde.backup.proof import begin
from engarde.backup.restore import clear, load
from engarde.errors import Refused, Unfinished
from engarde.server.connect import connect
from engarde.server.credentials import Access
from engarde.server.session import session
from tests import servers as sources
from tests.clients import newest
from tests.engine import rich_schema
from tests.engine.admins import PASSWORD
from tests.engine.backups import content, definitions
from tests.engine.lone_service import QUOTED, SCHEMA, server
from tests.inventories import compare, inventory

pytestmark = pytest.mark.xdist_group("backup")


def seen(login: Access) -> tuple[object, str]:
    where = f"host={login.address.host} port={login.address.port} dbname=postgres user='Ro\"le' password='the role\\'s'"
    with connect(login, "copy") as asked:
        return content(asked, SCHEMA), definitions(where, SCHEMA)


def silent(line: str) -> None:
    assert line


def test_to_the_newest_release(tmp_path: Path) -> None:
    programs = client(str(newest()), 18)
    with server(sources.chosen()) as old, server(sources.binaries(18)) as new:
        with connect(old, "copy") as made:
            rich_schema.make(made, made.info.server_version // 10_000)
        wanted = dump(old, SCHEMA, tmp_path, programs, 2, silent)
        with session(new, read_only=False, one_snapshot=False) as asked:
            begin(asked, SCHEMA)
            load(asked, SCHEMA, tmp_path, wanted, programs, silent)
            asked.commit()
        assert seen(new) == seen(old)
        assert compare(wanted, inventory(new, SCHEMA, silent)) == ()
        with connect(new, "copy") as changed:
            changed.execute("UPDATE word SET upper = 'x' WHERE id = 5")
            changed.execute("ALTER TABLE linked DROP CONSTRAINT to_word; SELECT nextval('tickets')")
            changed.execute("GRANT SELECT ON word TO PUBLIC")
        found = {f"{each.kind} {each.name}" for each in compare(wanted, inventory(new, SCHEMA, silent))}
        assert found == {
            "rows of table word",
            f"constraint to_word on {QUOTED['schema']}.linked",
            "sequence tickets",
            f"grants on table {QUOTED['schema']}.word to public",
        }


def test_a_second_load_at_the_same_time_is_none(tmp_path: Path) -> None:
    """And one that fails in the middle leaves an empty schema empty."""
    programs = client(str(newest()), 18)
    with server(sources.chosen()) as login:
        with connect(login, "copy") as made:
            made.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
        wanted = dump(login, SCHEMA, tmp_path, programs, 1, silent)
        with session(login, read_only=False, one_snapshot=False) as asked:
            begin(asked, SCHEMA)
            with pytest.raises(Refused, match=f"process {asked.process} of"), session(login) as second:
                begin(second, SCHEMA)
            with pytest.raises(Unfinished, match="42P07"):
                load(asked, SCHEMA, tmp_path, wanted, programs, silent)
        with session(login) as asked:
            assert inspect(asked, SCHEMA, silent) == wanted


def test_another_roles_lock_is_no_load_and_two_loads_are_one(tmp_path: Path) -> None:
    programs = client(str(newest()), 18)
    with server(sources.chosen()) as login, connect(replace(login, role=ADMIN, password=PASSWORD), "look") as hostile:
        with connect(login, "copy") as made:
            made.execute("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
        wanted = dump(login, SCHEMA, tmp_path, programs, 1, silent)
        with connect(login, "copy") as made:
            made.execute("DROP TABLE t")
        hostile.execute("SELECT pg_advisory_lock(hashtextextended('engarde restore ' || %s, 0))", [SCHEMA])
        with ThreadPoolExecutor() as pool:
            with session(login, read_only=False, one_snapshot=False) as asked:
                begin(asked, SCHEMA)
                load(asked, SCHEMA, tmp_path, wanted, programs, silent)
                second = pool.submit(_load, login, tmp_path, wanted, programs)
                waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid'"
                while hostile.execute(waiting).fetchall() == [(0,)]:
                    assert not second.done()
                    time.sleep(0.05)
                asked.commit()
            with pytest.raises(Unfinished, match=r"42P07|23505"):
                second.result()
        with session(login) as asked:
            assert inspect(asked, SCHEMA, silent) == wanted


def _load(login: Access, folder: Path, wanted: Inventory, programs: Client) -> None:
    with session(login, read_only=False, one_snapshot=False) as asked:
        begin(asked, SCHEMA)
        load(asked, SCHEMA, folder, wanted, programs, silent)


NAMING_NO_SCHEMA = (
    "CREATE FUNCTION inner_one(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN n; END'",
    "CREATE FUNCTION outer_one(n int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT inner_one(n)'",
    "CREATE TABLE t (n int CHECK (outer_one(n) > 0), m int GENERATED ALWAYS AS (outer_one(n)) STORED)",
    "INSERT INTO t VALUES (1), (2)",
)


def test_functions_that_name_no_schema_come_back_where_they_are_called(tmp_path: Path) -> None:
    """From 17 on the server itself refuses them in indexes and materialized views."""
    with server(sources.chosen()) as login:
        with connect(login, "copy") as made:
            major = made.info.server_version // 10_000
            for each in NAMING_NO_SCHEMA:
                made.execute(each.encode())
            if major < 17:
                made.execute("CREATE INDEX ON t (outer_one(n))")
                made.execute("CREATE MATERIALIZED VIEW seen AS SELECT outer_one(n) FROM t")
        before = seen(login)
        programs = client(str(newest()), 18)
        wanted = dump(login, SCHEMA, tmp_path, programs, 2, silent)
        with session(login, read_only=False, one_snapshot=False) as asked:
            begin(asked, SCHEMA)
            clear(asked, wanted.owned)
            load(asked, SCHEMA, tmp_path, wanted, programs, silent)
            asked.commit()
        assert seen(login) == before
