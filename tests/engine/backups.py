"""What a schema holds, asked in the tests' own way; and the tool, stopped where a test wants it."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from engarde.backup.clients import VARIABLE
from tests.clients import newest
from tests.engine import rich_schema, stopping
from tests.engine.database import Session
from tests.engine.in_process import tool_here
from tests.engine.program import Project, conninfo
from tests.engine.stopping import Moment

SERVICE, SCHEMA = "field-notes", "Field.Notes* of O'Brien"
STACK: dict[str, Any] = {
    "services": {
        SERVICE: {"schema": SCHEMA, "statementTimeout": 3_000, "idleInTransactionSessionTimeout": 1_000},
        "sankore": {
            "reads": [
                {"table": f'"{SCHEMA}".word', "columns": ["id", "word"], "references": True},
                f'"{SCHEMA}"."A View"',
            ],
            "executes": [f'"{SCHEMA}".tidy()'],
        },
    },
    "extensions": dict.fromkeys(rich_schema.EXTENSIONS),
    "analytics": {},
}

HELD = """
SELECT o.type, o.identity FROM pg_depend d CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) o
WHERE refclassid = 'pg_namespace'::regclass AND deptype = 'n'
  AND refobjid = (SELECT oid FROM pg_namespace WHERE nspname = current_schema)
"""
"""What keeps the schema from being dropped."""

NOISE = re.compile(r"^(--.*|\\(un)?restrict .*|SET .*|SELECT pg_catalog.set_config.*|\s+multirange_type_name.*|)$")


def tool(project: Project, *words: str, code: int = 0, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs the tool, which has to end so, and names no password."""
    done = tool_here(project, *words, **clients(project), **environment)
    assert done.returncode == code, done.stdout + done.stderr
    project.outputs()
    assert not [password for password in project.passwords if password in done.stdout + done.stderr]
    return done


def asked(project: Project, *words: str) -> dict[str, Any]:
    """What the tool says for machines."""
    found: dict[str, Any] = json.loads(tool(project, *words, "--output", "json").stdout)
    return found


def stopped(project: Project, at: Moment, what: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Runs the tool, and that happens to it in a module of the backup's."""
    module, name, when = at
    return stopping.stopped(project, (f"backup.{module}", name, when), what, *words, **clients(project))


def clients(project: Project) -> Mapping[str, str]:
    """Where pg_dump is, where those of the development's packages are older than the server."""
    return {VARIABLE: str(newest())} if project.database.major > 17 else {}


def content(session: Session, schema: str) -> dict[str, Any]:
    """All rows, sequences and large objects that a service has."""
    names = [
        name
        for (name,) in session.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind IN ('r', 'p', 'm')"
            " AND relispopulated ORDER BY 1",
            [sql.Identifier(schema).as_string(session)],
        )
    ]
    found: dict[str, Any] = {}
    for name in names:
        where = sql.Identifier(schema, name)
        columns = [
            column
            for (column,) in session.execute(
                "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
                " ORDER BY 1",
                [where.as_string(session)],
            )
        ]
        listed = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(each)) for each in columns)
        if name in ("by_mood_0", "by_mood_1"):
            # Which of them a row is in depends on numbers that every database gives anew.
            continue
        rows = session.execute(sql.SQL("SELECT {} FROM ONLY {}").format(listed, where)).fetchall()
        if name == "by_mood":
            rows = session.execute(sql.SQL("SELECT {} FROM {}").format(listed, where)).fetchall()
        found[name] = sorted(rows, key=repr)
    sequences = "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'S' ORDER BY 1"
    for (name,) in session.execute(sequences, [sql.Identifier(schema).as_string(session)]).fetchall():
        query = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(schema, name))
        found[f"sequence {name}"] = session.execute(query).fetchone()
    for (number,) in session.execute(
        "SELECT m.oid FROM pg_largeobject_metadata m JOIN pg_roles r ON r.oid = lomowner WHERE rolname = current_user"
    ).fetchall():
        found[f"large object {number}"] = session.execute(
            "SELECT lo_get(%s), obj_description(%s, 'pg_largeobject')", [number, number]
        ).fetchone()
    return found


def state(stack: Project) -> tuple[dict[str, Any], str]:
    """All that the service has, and how it is made."""
    with stack.connect(SERVICE) as session:
        return content(session, SCHEMA), definitions(conninfo(stack.outputs()["database_urls"][SERVICE]), SCHEMA)


def emptied(stack: Project) -> None:
    """The service has dropped all that it had."""
    with stack.connect(SERVICE) as session:
        session.execute("SELECT lo_unlink(content) FROM files")
        # What goes with something else cannot be dropped by itself; and it is gone in the second round.
        for _ in range(2):
            for kind, name in session.execute(HELD).fetchall():
                with suppress(psycopg.Error):
                    session.execute(f"DROP {kind.removesuffix(' object')} {name} CASCADE".encode())
        assert not session.execute(HELD).fetchall()
        assert not content(session, SCHEMA)


def definitions(url: str, schema: str) -> str:
    """The schema's definitions as pg_dump writes them, without what a second reading of them adds."""
    quoted = schema.replace('"', '""')
    done = subprocess.run(
        [newest() / "pg_dump", "--schema-only", "--no-owner", "--no-privileges", f'--schema="{quoted}"', url],
        env={**os.environ, "LC_ALL": "C"},
        check=True,
        capture_output=True,
        text=True,
    )
    lines = [line for line in done.stdout.splitlines() if not NOISE.match(line)]
    return "\n".join(_plain(line) for line in lines)


def _plain(line: str) -> str:
    """A line without what a second reading adds to it, and what only some releases write."""
    if "ARRAY[" in line:
        line = re.sub(r"::[a-z ]+(\[\])?|[()]", "", line)
    return re.sub(r'("Mixed Case"|\bby_mood)\.', "", line).removesuffix(",")


def rewritten(folder: Path, change: Mapping[str, Any]) -> None:
    """Changes the manifest of a backup as somebody would who knows its form: the digest is right again."""
    from engarde.backup import manifest

    file = folder / manifest.NAME
    found = json.loads(file.read_text())
    for table in found["manifest"]["inventory"]["tables"]:
        table.update(change.get(table["name"], {}))
    found["sha256"] = manifest._digest(found["manifest"])
    file.write_text(json.dumps(found))
