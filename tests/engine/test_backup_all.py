"""`bin/engarde backup --all`, and the backup of a schema that is not the stack's."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients import newest
from tests.engine.admins import PASSWORD, only_superuser
from tests.engine.backups import tool
from tests.engine.conftest import Projects
from tests.engine.program import Project

pytestmark = [pytest.mark.xdist_group("backup all"), only_superuser]


@pytest.fixture(scope="module")
def stack(projects: Projects) -> Iterator[Project]:
    with projects(
        services={"madansara": None, "sankore": None}, existingSchemas={"public": {}}, analytics={}
    ) as project:
        with project.database.session() as session:
            session.execute("CREATE TABLE public.people (id int PRIMARY KEY, name text)")
            session.execute("INSERT INTO public.people VALUES (1, 'Ada'), (2, 'Bo')")
            session.execute("CREATE SEQUENCE public.numbers")
            session.execute("CREATE EXTENSION citext SCHEMA public")
        project.succeeds(project.up())
        with project.connect("madansara") as session:
            session.execute("CREATE TABLE things AS SELECT 1 AS id")
        yield project


def test_each_service_and_each_existing_schema(stack: Project, tmp_path: Path) -> None:
    found = json.loads(tool(stack, "backup", "--all", "--to", str(tmp_path), "--output", "json").stdout)
    assert (found["version"], found["failed"]) == (2, [])
    rows = {made["service"]: (made["folder"], made["contents"]["rows"]) for made in found["backups"]}
    assert rows["public"][1] >= 2
    assert rows == {
        "madansara": (str(tmp_path / "madansara"), 1),
        "sankore": (str(tmp_path / "sankore"), 0),
        "public": (str(tmp_path / "public"), rows["public"][1]),
    }
    assert (tmp_path / "public").stat().st_mode & 0o777 == 0o700
    # Folders that are there are not written over, and what can be made is made.
    (tmp_path / "sankore").rename(tmp_path / "away")
    again = tool(stack, "backup", "--all", "--to", str(tmp_path), code=4)
    assert "no backup of public: " in again.stderr
    assert "no backup of madansara: " in again.stderr
    assert (tmp_path / "sankore/manifest.json").exists()
    assert tool(stack, "backup", "--all", "--to", str(tmp_path), code=2).stdout == ""
    for words in (("--all", "madansara"), ()):
        assert "give a service, an existing schema, or --all" in tool(stack, "backup", *words, code=2).stderr


def test_public_is_read_by_analytics_and_comes_back_by_hand(stack: Project, tmp_path: Path) -> None:
    with stack.database.session() as session:
        session.execute("CREATE TABLE public.log (who text DEFAULT current_user)")
        session.execute(
            "CREATE FUNCTION public.tell(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN"
            " RAISE LOG 'told % ', current_user; RETURN 1; END $$"
        )
        session.execute("CREATE INDEX evil ON public.people (public.tell(id))")
    mark = stack.database.server.log.stat().st_size
    try:
        made = tool(stack, "backup", "public", "--to", str(tmp_path / "it"))
        assert "the stack does not manage schema public; use pg_restore" in " ".join(made.stdout.split())
        log = stack.database.server.log.read_bytes()[mark:].decode(errors="replace")
        assert "told postgres" not in log
        refused = tool(stack, "restore", "public", "--from", str(tmp_path / "it"), "--yes-replace-data", code=2)
        assert "the stack does not manage schema public. Nothing was changed" in refused.stderr
        with stack.database.session() as session:
            session.execute("CREATE DATABASE copy")
        port = stack.database.server.port
        words = [
            str(newest() / "pg_restore"),
            "--no-owner",
            "--no-privileges",
            "--table=people",
            "--dbname=copy",
            str(tmp_path / "it/dump"),
        ]
        where = {
            "PGHOST": "127.0.0.1",
            "PGPORT": str(port),
            "PGUSER": stack.database.admin.user,
            "PGPASSWORD": PASSWORD,
        }
        done = subprocess.run(words, env={**os.environ, **where}, capture_output=True, text=True, timeout=60)
        errors = [line for line in done.stderr.splitlines() if "ERROR:" in line]
        # The pg_restore of a newer major sets what an older server does not know, and goes on.
        assert all('"transaction_timeout"' in line for line in errors), done.stderr
        assert bool(done.returncode) == bool(errors)
        with stack.database.session(database="copy") as session:
            assert session.execute("SELECT name FROM public.people ORDER BY id").fetchall() == [("Ada",), ("Bo",)]
    finally:
        with stack.database.session() as session:
            session.execute("DROP INDEX public.evil")
            session.execute("DROP FUNCTION public.tell")
            session.execute("DROP TABLE public.log")


def test_what_analytics_does_not_see_whole_is_refused(stack: Project, tmp_path: Path) -> None:
    to = str(tmp_path / "it")
    with stack.database.session() as session:
        session.execute("ALTER TABLE public.people ENABLE ROW LEVEL SECURITY")
        try:
            said = tool(stack, "backup", "public", "--to", to, code=2).stderr
            assert "row security applies to analytics_readonly on people" in said
            session.execute("ALTER TABLE public.people DISABLE ROW LEVEL SECURITY")
            session.execute("REVOKE SELECT ON public.people FROM analytics_readonly")
            said = tool(stack, "backup", "public", "--to", to, code=2).stderr
            assert "analytics_readonly may not read people" in said
        finally:
            session.execute("ALTER TABLE public.people DISABLE ROW LEVEL SECURITY")
            session.execute("GRANT SELECT ON public.people TO analytics_readonly")
    assert not (tmp_path / "it").exists()
