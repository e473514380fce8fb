"""What `bin/engarde backup` and `restore` refuse, before anything is touched."""

import json
from pathlib import Path

import pytest

from tests.engine.admins import only_superuser
from tests.engine.backups import SCHEMA, SERVICE, content, emptied, tool
from tests.engine.program import Project

pytestmark = pytest.mark.xdist_group("backup")


@only_superuser
def test_what_others_have_made_of_it_is_not_dropped(there: Project, kept: Path, tmp_path: Path) -> None:
    with there.connect("sankore") as session:
        session.execute(f'CREATE VIEW theirs AS SELECT word FROM "{SCHEMA}".word'.encode())
    try:
        said = tool(there, "backup", SERVICE, "--to", str(tmp_path / "with")).stdout
        assert "not in this backup: rule" in said
        refused = tool(there, "restore", SERVICE, "--from", str(kept), "--yes-replace-data", code=2).stderr
        assert "sankore.theirs" in refused
    finally:
        with there.connect("sankore") as session:
            session.execute("DROP VIEW theirs")


@only_superuser
def test_what_it_needs_has_to_be_there(there: Project, kept: Path) -> None:
    database = there.database
    emptied(there)
    version = database.value("SELECT extversion FROM pg_extension WHERE extname = 'citext'")
    database.run("DROP EXTENSION citext")
    try:
        refused = tool(there, "restore", SERVICE, "--from", str(kept), code=2).stderr
        assert "extension citext is not in the database: declare it under engarde:extensions" in refused
        database.run(f'CREATE EXTENSION citext SCHEMA "{SCHEMA}"')
        refused = tool(there, "restore", SERVICE, "--from", str(kept), code=2).stderr
        assert "extension citext is in schema" in refused
        database.run("DROP EXTENSION citext")
    finally:
        database.run(f"CREATE EXTENSION IF NOT EXISTS citext SCHEMA public VERSION '{version}'")
    owner = database.admin.user
    number = json.loads((kept / "manifest.json").read_text())["manifest"]["inventory"]["large_objects"][0]["number"]
    database.run_as(database.admin, f"SELECT lo_create({number})")
    try:
        refused = tool(there, "restore", SERVICE, "--from", str(kept), code=2).stderr
        assert f"large object {number} of the backup belongs to {owner} here" in refused
    finally:
        database.run(f"SELECT lo_unlink({number})")
    with there.connect(SERVICE) as session:
        assert not content(session, SCHEMA)


@only_superuser
def test_what_cannot_be_copied_whole(there: Project, tmp_path: Path) -> None:
    with there.connect(SERVICE) as session:
        session.execute("ALTER TABLE guarded FORCE ROW LEVEL SECURITY")
        refused = tool(there, "backup", SERVICE, "--to", str(tmp_path / "forced"), code=2).stderr
        assert "row security is forced on guarded" in refused
        session.execute("ALTER TABLE guarded NO FORCE ROW LEVEL SECURITY")
    there.database.run(f'CREATE TABLE "{SCHEMA}".foreigner (id int)')
    refused = tool(there, "backup", SERVICE, "--to", str(tmp_path / "foreign"), code=2).stderr
    assert "its owner may not read foreigner" in refused
    assert not list(tmp_path.iterdir())


@only_superuser
def test_connections_that_are_used_up(there: Project, tmp_path: Path) -> None:
    there.database.run(f'ALTER ROLE "{SERVICE}_user" CONNECTION LIMIT 4')
    try:
        with there.connect(SERVICE), there.connect(SERVICE):
            refused = tool(there, "backup", SERVICE, "--to", str(tmp_path / "x"), "-j", "2", code=2).stderr
            assert "has 1 connections left of its connection limit, but 2 jobs need 3" in refused
            tool(there, "backup", SERVICE, "--to", str(tmp_path / "one"))
            with there.connect(SERVICE):
                assert "Stop the service" in tool(there, "backup", SERVICE, "--to", str(tmp_path / "x"), code=2).stderr
    finally:
        there.database.run(f'ALTER ROLE "{SERVICE}_user" CONNECTION LIMIT 10')


@only_superuser
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("backup", "nobody"), "stack local has no service nobody; it has "),
        (("restore", "sankore", "--from", "{kept}"), "this is a backup of schema Field.Notes*"),
        (("restore", SERVICE, "--from", "/nowhere"), "/nowhere is not a backup"),
        (("backup", SERVICE, "--pg-bin", "/nowhere"), "no pg_dump and pg_restore that run"),
    ],
)
def test_what_is_refused(kept_stack: Project, kept: Path, words: tuple[str, ...], says: str) -> None:
    assert says in tool(kept_stack, *(word.format(kept=kept) for word in words), code=2).stderr
