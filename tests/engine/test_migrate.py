"""`bin/engarde migrate`: real Alembic, each service in its own schema and as its own role."""

import ast
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engarde.alembic.programs import INHERITED
from engarde.errors import Unfinished
from engarde.migrate import run as running_of
from engarde.util.timeouts import VARIABLE
from tests.engine.admins import only_superuser
from tests.engine.conftest import Projects
from tests.engine.doctor import examined, heal
from tests.engine.in_process import tool_here
from tests.engine.migrated import ROLLED_BACK, declared, write
from tests.engine.program import STACK_FILE, Project
from tests.engine.stopping import interruptible
from tests.engine.unheard import How, unheard

pytestmark = pytest.mark.xdist_group("migrate")

NAMES = ("madansara", "sankore", "onside", "Odd-1")
TABLE = 'op.execute("CREATE TABLE things (id int)")'
SERVICES = {
    **{name: declared(sys.executable, f"their/{name}", environment=["OF_ITS_OWN"]) for name in NAMES},
    "langflow": None,
}
VERSIONS = "alembic_version (version_num varchar(32) PRIMARY KEY)"
MORE = 'op.execute("ALTER TABLE things ADD COLUMN word text")'


@pytest.fixture(scope="module")
def stack(projects: Projects) -> Iterator[Project]:
    with projects(services=SERVICES, analytics={}) as project:
        project.succeeds(project.up())
        yield project


@pytest.fixture
def there(stack: Project) -> Iterator[Project]:
    """Every service with one migration, and none of them run; nothing secret is printed."""
    for name in NAMES:
        with stack.connect(name) as session:
            session.execute("DROP TABLE IF EXISTS things, alembic_version CASCADE")
        write(stack.folder / "their" / name, TABLE)
    yield stack
    for name in NAMES:
        for file in (stack.folder / "their" / name / "versions").glob("*.py"):
            file.unlink()


def run(stack: Project, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    done = tool_here(stack, "migrate", *words, **environment)
    stack.outputs()
    assert not [secret for secret in stack.passwords if secret in done.stdout + done.stderr]
    return done


def ran(stack: Project, *words: str, code: int = 0) -> dict[str, dict[str, Any]]:
    done = run(stack, *words, "--output", "json")
    assert done.returncode == code, done.stdout + done.stderr
    return {load["service"]: load for load in json.loads(done.stdout)["services"]}


def states(found: dict[str, dict[str, Any]]) -> dict[str, tuple[str, list[str] | None, list[str] | None]]:
    return {name: (each["state"], each["revisionsBefore"], each["revisionsAfter"]) for name, each in found.items()}


def test_each_service_in_its_own_schema_and_again_nothing(there: Project) -> None:
    assert states(ran(there, "--all")) == {name: ("migrated", [], ["r1"]) for name in NAMES}
    owners = "SELECT schemaname, tableowner FROM pg_tables WHERE tablename IN ('things', 'alembic_version')"
    roles = {(name, f"{name}_user") for name in NAMES}
    assert {tuple(row) for row in there.database.rows(owners)} == roles
    assert states(ran(there, "--all", "-j", "4")) == {name: ("up to date", ["r1"], ["r1"]) for name in NAMES}
    assert tool_here(there, "verify").returncode == 0
    with there.connect("analytics") as session:
        session.execute('SELECT * FROM "Odd-1".things')


@pytest.mark.exhaustive
@pytest.mark.parametrize("how", ["unread", "full", "terminal"])
def test_they_are_migrated_where_nobody_hears_of_it(there: Project, how: How) -> None:
    for name in ("sankore", "onside"):
        # It says something, and its transaction ends, when nobody hears any more.
        write(there.folder / "their" / name, f"print('begun', flush=True); import time; time.sleep(0.5); {TABLE}")
    assert unheard(there, how, "migrate", "sankore", "onside", after="begun") == 74
    assert states(ran(there, "sankore", "onside")) == {
        name: ("up to date", ["r1"], ["r1"]) for name in ("sankore", "onside")
    }


def test_some_of_them_and_what_a_person_sees(there: Project) -> None:
    done = run(there, "sankore", "onside")
    assert done.returncode == 0, done.stderr
    assert "sankore: migrated" in done.stderr
    assert [line.split()[:3] for line in done.stdout.splitlines()[1:]] == [
        ["sankore", "(none)", "r1"],
        ["onside", "(none)", "r1"],
    ]
    assert states(ran(there, "madansara"))["madansara"] == ("migrated", [], ["r1"])


def test_one_that_fails_leaves_its_revision_and_does_not_stop_the_others(there: Project) -> None:
    ran(there, "--all")
    for name in NAMES:
        write(there.folder / "their" / name, TABLE, MORE)
    lines = "".join(f"\\n-- line {number}" for number in range(9))
    write(there.folder / "their" / "sankore", TABLE, f'{MORE}\nop.execute("SELECT 1/0{lines}")')
    for jobs in ("1", "3"):
        found = ran(there, "--all", "--jobs", jobs, code=4)
        assert found["sankore"]["state"] == "failed"
        assert found["sankore"]["revisionsBefore"] == found["sankore"]["revisionsAfter"] == ["r1"]
        assert "division by zero" in found["sankore"]["reason"]
        assert {each["revisionsAfter"][0] for name, each in found.items() if name != "sankore"} == {"r2"}
    # Nothing of the one that failed has stayed.
    columns = "SELECT count(*) FROM information_schema.columns WHERE table_schema = %s AND table_name = 'things'"
    assert (there.database.value(columns, "sankore"), there.database.value(columns, "onside")) == (1, 2)


@only_superuser
def test_what_alembic_rolls_back_is_no_success(there: Project) -> None:
    """Though it ends with 0: what counts is what the server has then."""
    (there.folder / "their/onside/env.py").write_text(ROLLED_BACK)
    found = ran(there, "onside", code=4)["onside"]
    assert (found["state"], found["revisionsBefore"], found["revisionsAfter"]) == ("failed", [], [])
    assert '"onside"."alembic_version" holds no revision, and the history ends at r1' in found["reason"]
    assert "env.py:16: it begins a transaction that the migrations join" in found["reason"]


@pytest.mark.exhaustive
@only_superuser
def test_a_history_that_only_alembic_can_tell(there: Project) -> None:
    """Its revisions are computed, which nobody reads without running it."""
    onside = there.folder / "their/onside"
    file = onside / "versions/r1.py"
    file.write_text(file.read_text().replace("revision = 'r1'", "revision = 'r' + str(1)", 1))
    env = (onside / "env.py").read_text()
    (onside / "env.py").write_text(ROLLED_BACK)
    assert "the history ends at r1" in ran(there, "onside", code=4)["onside"]["reason"]
    (onside / "env.py").write_text(env)
    assert states(ran(there, "onside"))["onside"] == ("migrated", [], ["r1"])
    assert states(ran(there, "onside"))["onside"] == ("up to date", ["r1"], ["r1"])


FLASK = """
import sys
from alembic.config import CommandLine, Config

line = CommandLine()
options = line.parser.parse_args(sys.argv[sys.argv.index("db") + 1:])
config = Config("migrations/alembic.ini", cmd_opts=options)
config.set_main_option("script_location", "migrations")
line.run_cmd(config, options)
"""
"""What `flask db` does: Alembic, with a configuration that does not say where its scripts are."""


@only_superuser
def test_projects_of_another_layout(there: Project) -> None:
    """A section by name, Flask-Migrate's folder, and labelled branches of one project."""
    (madansara, sankore, onside) = (there.folder / "their" / name for name in ("madansara", "sankore", "onside"))
    ini = (madansara / "alembic.ini").read_text()
    (madansara / "alembic.ini").write_text(ini.replace("[alembic]", "[other]\nscript_location = x\n\n[madansara]"))
    write(sankore / "migrations", TABLE)
    (sankore / "migrations/alembic.ini").write_text("[alembic]\n")
    (sankore / "alembic.ini").unlink()
    (sankore / "flask").write_text(FLASK)
    write(onside, *[TABLE.replace("TABLE", "TABLE IF NOT EXISTS")] * 2)
    for name, label in (("r1", "things"), ("r2", "more")):
        file = onside / f"versions/{name}.py"
        text = file.read_text().replace("down_revision = 'r1'", "down_revision = None")
        file.write_text(f"{text}\nbranch_labels = {label!r}\n")
    commands = {
        "madansara": ["-m", "alembic", "-n", "madansara"],
        "sankore": ["flask", "--app", "app", "db"],
        "onside": ["-m", "alembic"],
    }
    file = there.folder / STACK_FILE
    before = file.read_text()
    services = {name: declared(sys.executable, f"their/{name}") for name in commands}
    for name, words in commands.items():
        services[name]["migrations"]["command"] = [sys.executable, *words]
    there.declare(services={**SERVICES, **services}, analytics={})
    try:
        assert {each["state"] for each in looked_at(there, *commands, code=1).values()} == {"pending"}
        assert states(ran(there, *commands)) == {
            "madansara": ("migrated", [], ["r1"]),
            "sankore": ("migrated", [], ["r1"]),
            "onside": ("migrated", [], ["r1", "r2"]),
        }
        assert {each["state"] for each in looked_at(there, *commands).values()} == {"up to date"}
        script = run(there, "onside", "--sql")
        assert (script.returncode, "is at r1, r2, and Alembic cannot write a script" in script.stderr) == (2, True)
    finally:
        file.write_text(before)
        shutil.rmtree(sankore / "migrations")


def test_what_would_be_run(there: Project) -> None:
    done = run(there, "onside", "--sql")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("-- onside\n")
    assert "CREATE TABLE things (id int)" in done.stdout
    ran(there, "onside")
    write(there.folder / "their" / "onside", TABLE, MORE)
    done = run(there, "onside", "--sql")
    assert "CREATE TABLE things" not in done.stdout
    assert "ADD COLUMN word" in done.stdout
    assert states(ran(there, "onside"))["onside"] == ("migrated", ["r1"], ["r2"])


def looked_at(stack: Project, *words: str, code: int = 0) -> dict[str, dict[str, Any]]:
    done = run(stack, "status", *words, "--output", "json")
    assert done.returncode == code, done.stdout + done.stderr
    return {load["service"]: load for load in json.loads(done.stdout)["services"]}


def test_where_each_service_is(there: Project) -> None:
    found = looked_at(there, code=1)
    assert {name: each["state"] for name, each in found.items()} == dict.fromkeys(NAMES, "pending")
    ran(there, "--all")
    assert {each["state"] for each in looked_at(there).values()} == {"up to date"}
    write(there.folder / "their" / "onside", TABLE, MORE, MORE.replace("word", "more"))
    found = looked_at(there, "onside", code=1)
    assert (found["onside"]["revisions"], found["onside"]["heads"]) == (["r1"], ["r3"])
    assert [each["revision"] for each in found["onside"]["pending"]] == ["r2", "r3"]
    assert "r2" in run(there, "status", "onside").stdout
    with there.connect("madansara") as session:
        session.execute("UPDATE alembic_version SET version_num = 'elsewhere'")
    found = looked_at(there, "madansara", "onside", code=1)
    assert found["madansara"]["state"] == "unknown revision"
    assert "elsewhere" in found["madansara"]["reason"]
    (there.folder / "their/sankore/alembic.ini").unlink()
    assert looked_at(there, "sankore", code=2)["sankore"]["state"] == "not known"


@only_superuser
@pytest.mark.parametrize(
    ("closing", "opening", "why"),
    [
        ("", "", "another session has locked it (SQLSTATE 55P03)"),
        ("ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY", "row security applies"),
        ("OWNER TO postgres", 'OWNER TO "sankore_user"', "may not read it"),
        ("RENAME version_num TO other", "RENAME other TO version_num", "reading it fails (SQLSTATE 42703)"),
    ],
)
def test_a_version_table_that_cannot_be_read_is_not_an_empty_one(
    there: Project, closing: str, opening: str, why: str
) -> None:
    ran(there, "sankore")
    table = "sankore.alembic_version"
    with there.database.session() as session:
        session.autocommit = closing != ""
        session.execute(f"ALTER TABLE {table} {closing}".encode() if closing else f"LOCK TABLE {table}".encode())
        try:
            found = looked_at(there, "onside", "sankore", code=3)
            assert found["onside"]["state"] == "pending"
            assert (found["sankore"]["state"], found["sankore"]["revisions"]) == ("not known", None)
            assert why in found["sankore"]["reason"]
            assert "(not read)" in run(there, "status", "sankore").stdout
            printed = run(there, "sankore", "--sql")
            assert (printed.returncode, "CREATE TABLE" in printed.stdout) == (3, False)
            failed = ran(there, "sankore", code=3)["sankore"]
            assert (failed["state"], failed["revisionsBefore"], failed["revisionsAfter"]) == ("failed", None, None)
            assert why in failed["reason"]
        finally:
            if closing:
                session.execute(f"ALTER TABLE {table} {opening}".encode())
            else:
                session.rollback()
    assert states(ran(there, "sankore"))["sankore"] == ("up to date", ["r1"], ["r1"])


@pytest.fixture
def public(there: Project) -> Iterator[Project]:
    """With a version table in `public`, and onside with a history that no other service has."""
    onside = there.folder / "their/onside"
    (onside / "versions/r1.py").unlink()
    write(onside, TABLE, MORE, prefix="o")
    there.database.run_as(there.database.admin, f"CREATE TABLE public.{VERSIONS}")
    yield there
    there.database.run("DROP TABLE public.alembic_version")


def test_nothing_is_run_from_base_beside_the_services_own_row(public: Project) -> None:
    """What `doctor` proves, `migrate` asks; and what is another's stays, whatever heals it."""
    public.database.run("INSERT INTO public.alembic_version VALUES ('b042'), ('o1')")
    looked = looked_at(public, "onside", code=1)["onside"]
    assert (looked["state"], looked["revisions"], looked["pending"]) == ("elsewhere", [], [])
    failed = ran(public, "onside", code=2)["onside"]
    assert (failed["state"], failed["revisionsBefore"], failed["revisionsAfter"]) == ("failed", None, None)
    for said in (looked["reason"], failed["reason"]):
        assert "public.alembic_version holds b042, o1: o1 is onside's, by o1.py" in said
    assert public.database.value("SELECT to_regclass('onside.alembic_version')") is None
    # Somebody has run it all the same.
    with public.connect("onside") as session:
        session.execute(f"CREATE TABLE {VERSIONS}".encode())
        session.execute("INSERT INTO alembic_version VALUES ('o1')")
    [found] = examined(public)
    heal(public, found)
    assert public.database.rows("SELECT version_num FROM public.alembic_version") == [("b042",)]


@pytest.mark.exhaustive
def test_what_stands_elsewhere_and_how_a_service_gets_on(public: Project) -> None:
    public.database.run("INSERT INTO public.alembic_version VALUES ('b042'), ('o1')")
    printed = run(public, "onside", "--sql")
    assert (printed.returncode, printed.stdout) == (2, "-- onside\n")
    assert "o1 is onside's, by o1.py" in printed.stderr
    # Whoever cannot read it does not know.
    with public.database.session() as session, session.transaction():
        session.execute("LOCK TABLE public.alembic_version")
        assert "may hold revisions of onside" in ran(public, "onside", code=3)["onside"]["reason"]
        assert looked_at(public, "onside", code=3)["onside"]["state"] == "not known"
    # An empty one of its own changes nothing, and is filled before the row elsewhere goes.
    with public.connect("onside") as session:
        session.execute(f"CREATE TABLE {VERSIONS}".encode())
        assert ran(public, "onside", code=2)["onside"]["state"] == "failed"
        [found] = examined(public)
        [first] = [line for line in found["remedy"]["text"].splitlines() if "first of all" in line]
        session.execute(first[first.index("INSERT") :].encode())
        session.execute("CREATE TABLE things (id int)")
    heal(public, found)
    assert examined(public) == []
    assert public.database.rows("SELECT version_num FROM public.alembic_version") == [("b042",)]
    assert states(ran(public, "onside"))["onside"] == ("migrated", ["o1"], ["o2"])


@pytest.mark.exhaustive
@pytest.mark.parametrize("whose", ["onside's", "the backend's"])
def test_a_number_in_public_may_be_anybodys(public: Project, whose: str) -> None:
    for file in (public.folder / "their/onside/versions").glob("*.py"):
        file.unlink()
    write(public.folder / "their/onside", TABLE, MORE, prefix="004")
    public.database.run("INSERT INTO public.alembic_version VALUES ('0041')")
    said = ran(public, "onside", code=2)["onside"]["reason"]
    assert "0041 is in the history of onside, which may be chance" in said
    [found] = examined(public)
    assert not found["remedy"]["safe"]
    if whose == "onside's":
        with public.connect("onside") as session:
            session.execute("CREATE TABLE things (id int)")
        heal(public, found)
        expected = ("migrated", ["0041"], ["0042"])
    else:
        done = public.tool(*shlex.split(said.rpartition("version table for it: ")[2].strip("`"))[1:])
        assert done.returncode == 0, done.stderr
        expected = ("migrated", [], ["0042"])
    assert examined(public) == []
    assert states(ran(public, "onside"))["onside"] == expected
    assert public.database.rows("SELECT version_num FROM public.alembic_version") == [("0041",)]


@only_superuser
def test_a_server_that_does_not_answer(there: Project) -> None:
    file = there.folder / STACK_FILE
    before = file.read_text()
    there.declare(services=SERVICES, analytics={}, server={"port": 1})
    try:
        assert set(states(ran(there, "--all", code=3)).values()) == {("failed", None, None)}
        assert {each["state"] for each in looked_at(there, code=3).values()} == {"not known"}
    finally:
        file.write_text(before)


def test_what_a_services_code_is_given(there: Project) -> None:
    """Its own URL, what the stack file names, and nothing else of the operator's."""
    write(
        there.folder / "their" / "onside",
        'import os\nprint("has", sorted(os.environ))\nprint(os.environ["DATABASE_URL"], os.environ["OF_ITS_OWN"])',
    )
    secret = dict.fromkeys(("RAILWAY_TOKEN", "PGPASSWORD", "AWS_SECRET_ACCESS_KEY", "ENGARDE_POSTGRES_URL"), "x")
    done = run(there, "onside", **secret, DATABASE_URL="postgresql://elsewhere/db", OF_ITS_OWN="mine")
    assert "onside: postgresql+psycopg://onside_user:***@127.0.0.1" in done.stderr
    assert "/railway mine\n" in done.stderr
    (has,) = (line.partition("has ")[2] for line in done.stderr.splitlines() if "has [" in line)
    assert {*ast.literal_eval(has)} <= {
        *INHERITED,
        "LC_ALL",
        "LC_CTYPE",
        "DATABASE_URL",
        "OF_ITS_OWN",
        *running_of._limits(),
    }


@only_superuser
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_alembic_ends_with_the_tool(there: Project, how: signal.Signals) -> None:
    ran(there, "onside")
    write(there.folder / "their" / "onside", TABLE, MORE)
    own = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'onside_user'"
    with there.database.session() as locking:
        locking.autocommit = False
        locking.execute("LOCK TABLE onside.things")
        running = subprocess.Popen(
            there.tool_command("migrate", "onside"),
            cwd=there.folder,
            env=there._environment(),
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=interruptible,
        )
        while not there.database.value(f"{own} AND wait_event_type = 'Lock'"):
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(how)
        # It reads to the end of what Alembic says.
        said = running.communicate(timeout=60)[1]
        locking.rollback()
    assert running.returncode == (130 if how is signal.SIGINT else -how), said
    end = time.monotonic() + 10
    while there.database.value(own) and time.monotonic() < end:
        time.sleep(0.05)
    assert there.database.value(own) == 0
    assert looked_at(there, "onside", code=1)["onside"]["revisions"] == ["r1"]


@only_superuser
def test_what_a_service_leaves_running_is_not_waited_for(there: Project) -> None:
    """What is in its process group is ended, and what is not may hold its output open as long as it likes."""
    write(
        there.folder / "their" / "onside",
        "import subprocess\n"
        'print("left", *(subprocess.Popen(["sleep", "600"], start_new_session=apart).pid for apart in (False, True)))',
    )
    start = time.monotonic()
    done = run(there, "onside")
    assert (done.returncode, time.monotonic() - start < 100) == (0, True)
    (left,) = (line.partition("left ")[2] for line in done.stderr.splitlines() if "left " in line)
    grouped, apart = map(int, left.split())
    os.kill(apart, signal.SIGKILL)
    with pytest.raises(ProcessLookupError):
        while time.monotonic() - start < 120:
            os.kill(grouped, 0)
            time.sleep(0.05)


def test_a_service_that_cannot_be_migrated(there: Project) -> None:
    there.database.run('ALTER ROLE "sankore_user" NOLOGIN')
    try:
        found = ran(there, "sankore", "madansara", code=4)
    finally:
        there.database.run('ALTER ROLE "sankore_user" LOGIN')
    assert "not permitted to log in" in found["sankore"]["reason"]
    assert found["madansara"]["state"] == "migrated"
    assert (found["sankore"]["revisionsBefore"], found["sankore"]["revisionsAfter"]) == (None, None)
    (there.folder / "their/onside/alembic.ini").unlink()
    assert "script_location" in ran(there, "onside", code=4)["onside"]["reason"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), ""),
        (("--all", "madansara"), "name services, or use --all"),
        (("nobody",), "stack local has no service nobody"),
        (("langflow",), "does not say where the migrations of langflow are"),
    ],
)
def test_what_is_no_list_of_services(there: Project, words: tuple[str, ...], says: str) -> None:
    done = run(there, *words)
    assert done.returncode == 2
    assert says in done.stderr


def test_programs_that_are_not_there(stack: Project, projects: Projects) -> None:
    service = declared("/nowhere/python", "their/x")
    with projects(services={"x": service}) as project:
        project.succeeds(project.up())
        Path(project.folder / "their/x").mkdir(parents=True)
        found = ran(project, "--all", code=4)
        assert "cannot run /nowhere/python" in found["x"]["reason"]


@only_superuser
def test_who_keeps_a_migration_waiting_is_named_and_it_is_ended(there: Project) -> None:
    ran(there, "onside")
    write(there.folder / "their" / "onside", TABLE, MORE)
    with there.database.session() as locking:
        locking.autocommit = False
        locking.execute("LOCK TABLE onside.things")
        done = run(there, "onside", **{VARIABLE: "blocked=3,watch=0.5"})
        process = locking.info.backend_pid
        locking.rollback()
    assert done.returncode == Unfinished.exit_code, done.stderr
    named = f"postgres (process {process}, idle in transaction) keeps the migrations of onside waiting"
    waiting, ended = done.stderr.split("ended after 3 s", 1) if "ended after 3 s" in done.stderr else (done.stderr, "")
    assert named in waiting
    assert named in ended + done.stdout
    assert f"the admin ends it with SELECT pg_terminate_backend({process});" in waiting
    assert there.database.value("SELECT count(*) FROM pg_stat_activity WHERE usename = 'onside_user'") == 0
    assert states(ran(there, "onside"))["onside"] == ("migrated", ["r1"], ["r2"])


CONCURRENTLY = """
import time
time.sleep(2)
with op.get_context().autocommit_block():
    op.execute("SET lock_timeout = '5s'")
    op.execute("CREATE TABLE things (id int)")
    op.execute("CREATE INDEX CONCURRENTLY ON things (id)")
"""


@only_superuser
def test_an_index_is_built_concurrently_while_it_is_watched(there: Project) -> None:
    write(there.folder / "their" / "onside", CONCURRENTLY)
    done = run(there, "onside", **{VARIABLE: "watch=0.5"})
    assert done.returncode == 0, done.stderr
    assert "keeps the migrations of onside waiting" not in done.stderr


LOSES = """
import time
try:
    op.execute("SELECT pg_terminate_backend(pg_backend_pid())")
except Exception:
    time.sleep(600)
"""


@only_superuser
def test_a_migration_whose_session_is_gone_is_ended(there: Project) -> None:
    write(there.folder / "their" / "onside", LOSES)
    done = run(there, "onside", **{VARIABLE: "gone=3,watch=0.5"})
    assert done.returncode == Unfinished.exit_code, done.stderr
    assert "ended after 3 s without a session on the server" in done.stderr + done.stdout


@only_superuser
def test_a_migration_at_work_is_left_alone(there: Project) -> None:
    write(there.folder / "their" / "onside", 'op.execute("SELECT pg_sleep(6)")')
    assert run(there, "onside", **{VARIABLE: "gone=3,blocked=2,watch=0.5"}).returncode == 0
