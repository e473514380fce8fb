"""Objects whose names a terminal obeys or hides: no stream has one raw, and every remedy names what was found."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from psycopg.sql import Identifier

from engarde.util.quoting import literal, printable, word
from engarde.util.terminal import BREAKS, visible
from tests.conftest import Projects
from tests.engine import migrated
from tests.engine.admins import BACKEND, only_superuser
from tests.engine.backups import clients
from tests.engine.database import Session
from tests.engine.program import THE_ADMIN, Project
from tests.engine.statused import samples
from tests.unit.hostile import NAMES, hidden
from tests.warm.processes import python

pytestmark = [pytest.mark.xdist_group("hostile-names"), only_superuser]

SOME = (NAMES[0], NAMES[15], NAMES[-6])
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
REVISION = "\x1b]0;r\x07\n"[:32]
TALKS = r"""
import sys
print("\x1b[2J\x1b]0;title\x07 a\u202eb \x9b2J\r", flush=True)
print("\x1b[31mred\x1b[0m", file=sys.stderr)
sys.exit(1)
"""
WRITES = f"""
for name in {NAMES!r}:
    print('SELECT 1 AS "' + name.replace('"', '""') + '";')
"""
STACK = {
    "services": {
        "madansara": migrated.declared(sys.executable, "migrations/madansara"),
        "sankore": migrated.declared(sys.executable, "migrations/sankore", command=[sys.executable, "talks.py"]),
        "onside": migrated.declared(sys.executable, "migrations/onside", command=[sys.executable, "writes.py"]),
    },
    "existingSchemas": {"public": {"creators": [THE_ADMIN, BACKEND]}},
    "outsideRoles": {BACKEND: {"schemas": {"public": ["USAGE", "CREATE"]}}},
    "analytics": {},
}


def raw(*names: str) -> str:
    """As SQL names it, with nothing written out."""
    return Identifier(*names).as_string(None)


def plain(name: str) -> str:
    """What is left of the name where a terminal, or Rich, drops what it does not show."""
    return "".join(each for each in name if not hidden(each))


def run(session: Session, *statements: str) -> None:
    for statement in statements:
        session.execute(statement.encode())


def make(project: Project) -> None:
    """Some 200 objects that a service has named, each with something that verify finds."""
    with project.connect("madansara") as session:
        for name in NAMES:
            table, function = raw(name), raw(f"{name}"[:20])
            run(
                session,
                f"CREATE TABLE {table} (id int, {table} int)",
                f"INSERT INTO {table} VALUES (1, 2)",
                f"GRANT SELECT, UPDATE ({table}) ON {table} TO sankore_user",
                f"CREATE FUNCTION {function}({table} int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
                f"GRANT EXECUTE ON FUNCTION {function} TO sankore_user",
            )
        # A remedy that lacks what is not shown would name these.
        for decoy in {plain(name) for name in NAMES} - {"", *NAMES}:
            run(session, f"CREATE TABLE {raw(decoy)} (id int)")
    with project.connect("sankore") as session:
        for name in NAMES:
            run(session, f"CREATE SEQUENCE {raw(name)}", f"GRANT USAGE ON SEQUENCE {raw(name)} TO madansara_user")
        run(
            session,
            "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)",
            f"INSERT INTO alembic_version VALUES ({literal(REVISION)})",
        )
    with project.database.session() as session:
        for name in NAMES:
            run(
                session,
                f"CREATE DOMAIN onside.{raw(name)} AS int",
                f"ALTER DOMAIN onside.{raw(name)} OWNER TO sankore_user",
            )


@pytest.fixture(scope="module")
def stack(projects: Projects) -> Iterator[Project]:
    with projects(**STACK) as project:
        for service in STACK["services"]:
            folder = project.folder / "migrations" / service
            migrated.write(folder, "pass")
            (folder / "talks.py").write_text(TALKS)
            (folder / "writes.py").write_text(WRITES)
        project.succeeds(project.up())
        make(project)
        project.database.run("VACUUM ANALYZE")
        yield project


def told(stack: Project, *words: str, given: str = "") -> "subprocess.CompletedProcess[str]":
    """A command of the tool, on none of whose streams is anything that a terminal obeys or hides."""
    # Not as text: that makes line ends of carriage returns.
    done = subprocess.run(
        [python(), *stack.tool_command(*words)[1:]],
        cwd=stack.folder,
        env={**stack._environment(), **clients(stack)},
        input=given.encode(),
        capture_output=True,
        check=False,
    )
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in err
    for stream in (out, err):
        assert not hidden(stream, keep=BREAKS), words
    return subprocess.CompletedProcess(words, done.returncode, out, err)


def remedies(printed: str) -> list[str]:
    """The statements of a printed report, as somebody copies them."""
    found = re.findall(
        r"^Fix \(run in the stack's database(?: as a superuser)?\):\n((?:  .*\n)+)", printed, re.MULTILINE
    )
    return ["\n".join(line.removeprefix("  ") for line in each.splitlines()) for each in found]


@pytest.mark.parametrize(
    "words",
    [
        ("verify", "--no-logins", "madansara"),
        ("status", "madansara"),
        ("status", "--output", "json"),
        ("doctor",),
        ("migrate", "status", "--output", "json"),
        ("migrate", "sankore"),
        ("migrate", "sankore", "--output", "json"),
        ("split", "plan", "madansara", "--to", "apart"),
        ("explain", "\x1b[2J", "\u202ex"),
        ("explain", "madansara", "schema \x1b]0;x\x07"),
        ("verify", "\x1b[2J\nline"),
        ("no\x1b[2Jsuch",),
        ("verify", "--no\x9bsuch"),
    ],
)
def test_no_stream_has_any_of_it(stack: Project, words: tuple[str, ...]) -> None:
    assert told(stack, *words).returncode in (0, 1, 2, 4)


def test_prometheus_reads_a_series_for_each_table(stack: Project) -> None:
    text = told(stack, "status", "--output", "prometheus").stdout
    tables = {labels["table"] for name, each in samples(text) if "table" in (labels := dict(each))}
    assert tables and all(not hidden(table) for table in tables)


def test_json_has_the_names_as_they_are(stack: Project) -> None:
    findings = json.loads(told(stack, "verify", "--no-logins", "--output", "json").stdout)["findings"]
    subjects = {finding["subject"] for finding in findings}
    assert {f"domain onside.{raw(name)}" for name in NAMES if raw(name) != name} <= subjects


@pytest.mark.parametrize("name", SOME)
def test_explain_finds_what_a_shell_hands_it(stack: Project, name: str) -> None:
    command = stack.tool_command("explain", "sankore", f"table madansara.{raw(name)}", "--output", "json")
    words = " ".join(map(word, command))
    assert not hidden(words)
    done = subprocess.run(
        ["bash", "-c", words], cwd=stack.folder, env=stack._environment(), capture_output=True, text=True, check=False
    )
    assert not hidden(done.stdout + done.stderr, keep="\n")
    assert json.loads(done.stdout)["object"]["name"] == f"madansara.{raw(name)}", done.stderr
    told(stack, "explain", "sankore", f"madansara.{raw(name)}")


@pytest.mark.parametrize("name", SOME)
def test_doctor_reads_a_log(stack: Project, name: str) -> None:
    log = f'\x1b]0;title\x07sankore_user: ERROR:  permission denied for table "{name}"\x1b[K\nSTATEMENT: x\x9b2J'
    told(stack, "doctor", "-", given=log)
    told(stack, "doctor", "--output", "json", "-", given=log)


def test_backup_says_what_it_copies(stack: Project) -> None:
    folder = str(stack.folder / "copy\x1b[2J")
    made = told(stack, "backup", "madansara", "--to", folder)
    assert made.returncode == 0, made.stderr
    assert visible("\x1b[2J\x1b[H\x1b[32mall is well") in made.stderr
    refused = told(stack, "restore", "madansara", "--from", folder)
    assert refused.returncode == 2 and "the tables are" in refused.stderr
    assert told(stack, "restore", "madansara", "--from", folder, "--yes-replace-data", "--dry-run").returncode == 0


def test_what_migrations_print_is_passed_on(stack: Project) -> None:
    done = told(stack, "migrate", "sankore")
    assert r"sankore: \x1b[2J\x1b]0;title\x07 a\u202eb \x9b2J" in done.stderr
    assert r"\x1b[31mred\x1b[0m" in done.stdout


def test_printed_scripts_mean_what_they_meant(stack: Project) -> None:
    script = told(stack, "migrate", "onside", "--sql").stdout
    with stack.database.session() as session:
        cursor = session.execute(script.encode())
        columns = []
        while True:
            assert cursor.description
            columns.append(cursor.description[0].name)
            if not cursor.nextset():
                break
    assert columns == list(NAMES)


def test_files_of_a_project(stack: Project) -> None:
    folder = stack.folder / "migrations/madansara"
    env = folder / "env.py"
    before = env.read_text()
    try:
        env.write_text(before.replace("configure(conn", 'configure(version_table_schema="\x1b[2J\u202e\x9b", conn'))
        assert told(stack, "alembic", "check", "madansara", str(folder)).returncode == 1
        assert r"\x1b[2J\u202e\x9b" in told(stack, "alembic", "init", "madansara", str(folder)).stdout
    finally:
        env.write_text(before)


@pytest.mark.parametrize("conforming", ["on", "off"])
def test_the_server_reads_the_same_names_and_texts(stack: Project, conforming: str) -> None:
    with stack.database.session() as session:
        run(session, f"SET standard_conforming_strings = {conforming}")
        for name in NAMES:
            cursor = session.execute(f"SELECT {printable(literal(name))} AS {printable(raw(name))}".encode())
            assert cursor.description and cursor.description[0].name == name
            assert cursor.fetchone() == (name,)


def test_on_a_terminal_there_are_colours_and_nothing_else(stack: Project) -> None:
    leader, follower = pty.openpty()
    with subprocess.Popen(
        stack.tool_command("verify", "--no-logins"),
        cwd=stack.folder,
        env=stack._environment() | {"TERM": "xterm-256color", "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=subprocess.PIPE,
    ):
        os.close(follower)
        shown = b""
        while True:
            try:
                shown += (part := os.read(leader, 65536))
            except OSError:
                # What Linux says where the other side is closed.
                break
            if not part:
                break
    os.close(leader)
    text = shown.decode().replace("\r\n", "\n")
    assert COLOUR.search(text)
    assert not hidden(COLOUR.sub("", text), keep="\n")
    assert "stack local is not as declared" in text


def test_printed_remedies_heal_what_was_found_and_nothing_else(stack: Project) -> None:
    """The last one: it takes away what the others look at."""
    acl = "SELECT relname, relacl::text FROM pg_class WHERE relnamespace = 'madansara'::regnamespace AND relkind = 'r'"
    decoys = {plain(name) for name in NAMES} - {"", *NAMES}
    before = [each for each in stack.database.rows(acl) if each[0] in decoys]
    done = told(stack, "verify")
    assert done.returncode == 1
    found = remedies(done.stdout)
    assert len(found) >= len(NAMES)
    for each in found:
        assert not hidden(each, keep="\n")
        stack.database.run(each)
    again = told(stack, "verify")
    assert again.returncode == 0, again.stdout
    assert [each for each in stack.database.rows(acl) if each[0] in decoys] == before
    kept = stack.database.value("SELECT count(*) FROM pg_class WHERE relnamespace = 'madansara'::regnamespace")
    assert kept >= len(NAMES) + len(decoys)
