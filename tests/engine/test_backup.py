"""`bin/engarde backup` and `restore`: everything that a service has comes back, and nothing else is touched."""

import json
import shutil
import threading
from pathlib import Path

import psycopg
import pytest

from tests.engine import rich_schema
from tests.engine.admins import only_superuser
from tests.engine.backups import SCHEMA, SERVICE, asked, clients, emptied, rewritten, state, tool
from tests.engine.program import Project
from tests.engine.unheard import How, unheard
from tests.parts import sampled

pytestmark = pytest.mark.xdist_group("backup")


def test_everything_comes_back_into_an_empty_schema(there: Project, kept: Path) -> None:
    before = state(there)
    assert len(before[0]) > 20
    emptied(there)
    said = tool(there, "restore", SERVICE, "--from", str(kept)).stderr
    assert state(there) == before
    assert "loading table" in said
    assert tool(there, "verify").returncode == 0
    with there.connect("sankore") as session:
        session.execute(f'SELECT id, word FROM "{SCHEMA}".word'.encode())
        session.execute(f'SELECT "Id" FROM "{SCHEMA}"."A View"'.encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(f'SELECT upper FROM "{SCHEMA}".word'.encode())
    with there.connect("analytics") as session:
        session.execute(f'SELECT * FROM "{SCHEMA}"."Mixed Case"'.encode())


def test_what_is_there_is_replaced_only_where_that_was_said(there: Project, kept: Path) -> None:
    before = state(there)
    with there.connect(SERVICE) as session:
        session.execute("DELETE FROM linked; DELETE FROM word WHERE id % 2 = 0")
        session.execute("DROP VIEW on_view")
        session.execute("""UPDATE "Mixed Case" SET width = 1""")
        session.execute("CREATE TABLE newer (id int); SELECT nextval('untouched'), lo_from_bytea(0, 'newer')")
        session.execute("""ALTER TYPE "Mood" ADD VALUE 'new'""")
        session.execute("GRANT SELECT ON linked TO PUBLIC")
    damaged = state(there)
    assert damaged != before
    refused = tool(there, "restore", SERVICE, "--from", str(kept), code=2).stderr
    assert "--yes-replace-data" in refused
    assert '"Mixed Case"' in refused
    tool(there, "restore", SERVICE, "--from", str(kept), "--yes-replace-data", "--dry-run")
    assert state(there) == damaged
    done = asked(there, "restore", SERVICE, "--from", str(kept), "--yes-replace-data")
    assert state(there) == before
    assert done["replacedObjects"] > 20
    assert (done["replacedLargeObjects"], done["notGranted"]) == (4, [])
    assert done["contents"]["rows"] == sum(
        len(rows) for name, rows in before[0].items() if isinstance(rows, list) and name != "counted"
    )
    assert tool(there, "verify").returncode == 0


@only_superuser
@pytest.mark.parametrize("how", sampled(["unread", "full", "terminal"], "unread"))
def test_it_comes_back_where_nobody_hears_of_it(there: Project, kept: Path, how: How) -> None:
    before = state(there)
    emptied(there)
    assert unheard(there, how, "restore", SERVICE, "--from", str(kept), after="dropping") == 74
    assert state(there) == before


@only_superuser
def test_where_a_backup_goes_and_what_it_says(there: Project) -> None:
    stack = there
    before = state(stack)
    found = asked(stack, "backup", SERVICE, "--jobs", "3")
    folder = Path(found["folder"])
    assert folder.parent == stack.folder / "backups/local/field-notes"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {each.stat().st_mode & 0o077 for each in folder.rglob("*")} == {0}
    document = json.loads((folder / "manifest.json").read_text())["manifest"]
    inventory = document["inventory"]
    rows = {each["name"]: each["rows"] for each in inventory["tables"] if each["rows"] is not None}
    assert rows == {
        name: len(found)
        for name, found in before[0].items()
        if isinstance(found, list) and name not in ("counted", "by_day", "by_day_2", "parts_with_identity")
    }
    sequences = {each["name"]: (each["last"], each["called"]) for each in inventory["sequences"]}
    assert sequences == {
        name.removeprefix("sequence "): found for name, found in before[0].items() if name.startswith("sequence ")
    }
    assert {each["name"] for each in inventory["extensions"]} == set(rich_schema.EXTENSIONS)
    assert document["roles"] == ["analytics_readonly", "field-notes_user", "sankore_user"]
    assert document["inventory"]["server"]["major"] == stack.database.major
    tool(stack, "backup", SERVICE, "--to", str(folder), code=2)
    shutil.rmtree(folder)
    assert "would be copied" in tool(stack, "backup", SERVICE, "--dry-run").stdout
    assert not list(folder.parent.iterdir())


@only_superuser
def test_one_snapshot_while_the_service_writes(there: Project, tmp_path: Path) -> None:
    """Counts, checksums, rows and sequences fit together, whatever is written meanwhile."""
    done = threading.Event()

    def write() -> None:
        with there.connect(SERVICE) as session:
            while not done.is_set():
                session.execute("INSERT INTO word (word) VALUES ('meanwhile'); DELETE FROM cache")
                session.execute("INSERT INTO cache VALUES ('k', 'v')")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        tool(there, "backup", SERVICE, "--to", str(tmp_path / "moving"))
    finally:
        done.set()
        writer.join()
    tool(there, "restore", SERVICE, "--from", str(tmp_path / "moving"), "--yes-replace-data")
    with there.connect(SERVICE) as session:
        [(highest,)] = session.execute("SELECT max(id) FROM word")
        assert highest > 100
        [(following,)] = session.execute("SELECT nextval('word_id_seq')")
        assert following > highest


@only_superuser
def test_a_dump_that_is_not_what_its_manifest_says(there: Project, kept: Path, tmp_path: Path) -> None:
    before = state(there)
    flipped = shutil.copytree(kept, tmp_path / "flipped")
    victim = max((flipped / "dump").glob("*.dat.gz"), key=lambda each: each.stat().st_size)
    held = bytearray(victim.read_bytes())
    held[len(held) // 2] ^= 1
    victim.write_bytes(held)
    assert "has changed (sha256)" in tool(there, "restore", SERVICE, "--from", str(flipped), code=2).stderr
    for change in ({"rows": 1}, {"checksum": "1:1"}):
        other = shutil.copytree(kept, tmp_path / "other", dirs_exist_ok=True)
        rewritten(other, {"word": change})
        said = tool(there, "restore", SERVICE, "--from", str(other), "--yes-replace-data", code=4).stderr
        assert "rows of table word" in said
        assert "Nothing was changed" in said
    assert state(there) == before


@only_superuser
def test_rights_that_the_stack_does_not_declare_are_named_and_not_given_again(there: Project, tmp_path: Path) -> None:
    with there.connect(SERVICE) as session:
        session.execute("GRANT SELECT ON linked TO PUBLIC")
    tool(there, "backup", SERVICE, "--to", str(tmp_path / "open"))
    done = asked(there, "restore", SERVICE, "--from", str(tmp_path / "open"), "--yes-replace-data")
    assert done["notGranted"] == [{"object": f'table "{SCHEMA}".linked', "role": "public", "privilege": "SELECT"}]
    tool(there, "verify")


@only_superuser
def test_passwords_are_in_no_argument(there: Project, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    real = Path(tool_folder(there))
    for name in ("pg_dump", "pg_restore"):
        script = f'#!/bin/sh\nprintf "%s\\n" "$@" >>{tmp_path}/arguments\nexec {real}/{name} "$@"\n'
        (programs / name).write_text(script)
        (programs / name).chmod(0o700)
    folder = str(tmp_path / "kept")
    tool(there, "backup", SERVICE, "--to", folder, "--pg-bin", str(programs))
    tool(there, "restore", SERVICE, "--from", folder, "--pg-bin", str(programs), "--yes-replace-data")
    arguments = (tmp_path / "arguments").read_text()
    assert "--format=directory" in arguments
    assert "--section=post-data" in arguments
    assert not [password for password in there.passwords if password in arguments]


def tool_folder(stack: Project) -> str:
    from engarde.backup.clients import client

    return str(client(next(iter(clients(stack).values()), None), stack.database.major).folder)
