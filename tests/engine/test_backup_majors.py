"""A schema moves to a later release whole: what the tests see of it is the same there, and what the tool sees, too."""

from pathlib import Path

import pytest

from engarde.access import Access
from engarde.backup.clients import client
from engarde.backup.dumping import dump
from engarde.backup.loading import begin, clear, load
from engarde.backup.taking import taken
from engarde.database import session
from engarde.entrance import connect
from engarde.errors import Unfinished
from tests import servers as sources
from tests.clients import newest
from tests.engine import rich_schema
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
            with pytest.raises(Exception, match="another `restore` is at work"), session(login) as second:
                begin(second, SCHEMA)
            with pytest.raises(Unfinished, match="42P07"):
                load(asked, SCHEMA, tmp_path, wanted, programs, silent)
        with session(login) as asked:
            assert taken(asked, SCHEMA, silent) == wanted


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
