"""The command: thresholds and exit codes, Prometheus, other logins, watching, and what keeps statements unseen."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from devtools import server as servers
from devtools.server import HOST
from tests.engine.admins import PASSWORD, only_superuser
from tests.engine.conftest import Projects
from tests.engine.doctor import edit
from tests.engine.program import Project
from tests.engine.statused import MONITOR, STACK_WITH_ALL, of, samples, seen, watcher
from tests.engine.stopping import interruptible

pytestmark = [pytest.mark.xdist_group("status-command"), only_superuser]

NAME = re.compile(r"engarde_(server|database|service|table|sequence|statement|thresholds)_[a-z_]+")
BASE_UNITS = ("_milliseconds", "_ms", "_kb", "_mb", "_minutes", "_percent")


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    with projects(**STACK_WITH_ALL) as project:
        project.database.run(watcher())
        project.succeeds(project.up())
        with project.connect("sankore") as session:
            session.execute("CREATE TABLE things (id serial PRIMARY KEY, word text)")
        # The declared read of it.
        project.succeeds(project.up())
        yield project


@pytest.fixture(autouse=True)
def as_declared(project: Project) -> None:
    project.declare(**STACK_WITH_ALL)


def status(project: Project, *words: str, code: int = 0, watcher: str = "") -> str:
    done = project.tool("status", *words, WATCHER_URL=watcher)
    assert done.returncode == code, done.stdout + done.stderr
    assert not [secret for secret in project.passwords if secret in done.stdout + done.stderr]
    return done.stdout


def exceeded(project: Project, **section: Any) -> list[tuple[str | None, str]]:
    """What the thresholds of the section make of it."""
    project.declare(**STACK_WITH_ALL | {"status": section})
    return [(each["service"], each["threshold"]) for each in seen(project)["exceeded"]]


def test_each_threshold_by_itself_and_a_services_own(project: Project) -> None:
    size = of(seen(project), "sankore")["storage"]["bytes"]["total"]
    assert size > 0
    assert ("sankore", "size") not in exceeded(project, size=size)
    assert ("sankore", "size") in exceeded(project, size=size - 1)
    assert exceeded(project, databaseSize=1) == [(None, "databaseSize")]
    assert exceeded(project, databaseSize="1 TB") == []
    with project.connect("madansara"), project.connect("madansara"):
        assert exceeded(project, connections=40) == []
        assert exceeded(project, connections=39) == [("madansara", "connections")]
    project.database.run("CREATE EXTENSION IF NOT EXISTS pg_stat_statements", "SELECT pg_stat_statements_reset()")
    with project.connect("sankore") as session:
        session.execute("SELECT pg_sleep(0.3)")
    assert exceeded(project, slowStatement=250) == [("sankore", "slowStatement")]
    services = {**STACK_WITH_ALL["services"], "sankore": {"status": {"slowStatement": 60_000}}}
    project.declare(**STACK_WITH_ALL | {"services": services, "status": {"slowStatement": 250}})
    assert seen(project)["exceeded"] == []


def test_exit_codes_and_what_a_person_sees(project: Project) -> None:
    shown = status(project)
    assert "all thresholds OK" in shown
    for name in (*STACK_WITH_ALL["services"], "production-backend", "analytics"):
        assert name in shown
    project.declare(**STACK_WITH_ALL | {"status": {"size": "1 kB"}})
    assert re.search(r"sankore: size: \d+\.\d kB \(threshold 1\.0 kB\)", status(project, code=1))
    found = json.loads(status(project, "--output", "json", "sankore", code=1))
    assert (found["version"], found["stack"]) == (2, "local")
    assert [each["service"] for each in found["services"]] == ["sankore"]
    assert "stack local has no service no-such; it has " in project.tool("status", "no-such").stderr
    assert project.tool("status", "no-such").returncode == 2
    project.declare(**STACK_WITH_ALL, server={"port": 1})
    done = project.tool("status")
    assert (done.returncode, done.stdout) == (3, "")


def test_another_login_needs_neither_the_engine_nor_the_admin(project: Project) -> None:
    port = project.database.server.port
    url = f"postgresql://Mon%22itor:{PASSWORD}@{HOST}:{port}/railway"
    (project.folder / "bin/pulumi").rename(project.folder / "bin/away")
    try:
        found = json.loads(status(project, "--login", "WATCHER_URL", "--output", "json", watcher=url))
    finally:
        (project.folder / "bin/away").rename(project.folder / "bin/pulumi")
    assert of(found, "sankore")["storage"]["bytes"]["total"] > 0
    # Nor is it a stranger to the stack.
    assert project.tool("verify").returncode == 0
    done = project.tool("status", "--login", "NOWHERE")
    assert (done.returncode, "environment variable NOWHERE is not set" in done.stderr) == (2, True)
    for wrong in ("", "nonsense", f"mysql://u:{PASSWORD}@h/railway", f"postgresql://u:{PASSWORD}@h/another"):
        done = project.tool("status", "--login", "WATCHER_URL", WATCHER_URL=wrong)
        assert done.returncode == 2
        assert "environment variable WATCHER_URL is not of the form" in done.stderr
        assert PASSWORD not in done.stderr


def test_prometheus_reads_it(project: Project) -> None:
    with project.connect("madansara"):
        text = status(project, "--output", "prometheus")
        found, stored = samples(text), of(seen(project), "sankore")["storage"]
    assert found["engarde_service_connections", (("service", "madansara"), ("state", "idle"))] == 1
    assert 'engarde_service_connections{service="madansara",state="idle"} 1.0\n' in text
    for part in ("heap", "indexes", "toast"):
        assert found["engarde_service_size_bytes", (("part", part), ("service", "sankore"))] == stored["bytes"][part]
    families = list(text_string_to_metric_families(text))
    for family in families:
        assert NAME.fullmatch(family.name) and family.documentation, family.name
        assert not family.name.endswith(BASE_UNITS)
        counts = {sample.name.endswith("_total") for sample in family.samples}
        assert counts <= {family.type == "counter"}
        assert len({(sample.name, *sorted(sample.labels.items())) for sample in family.samples}) == len(family.samples)
    assert len({family.name for family in families}) == len(families)


def test_a_slot_that_nobody_reads_from_is_told_with_what_drops_it(project: Project) -> None:
    server = project.database.server
    servers.stop(server)
    servers.start(replace(server, settings={**server.settings, "wal_level": "logical"}))
    try:
        assert seen(project)["server"]["inactiveReplicationSlots"] == []
        elsewhere(project, "SELECT pg_create_logical_replication_slot('decoded', 'pgoutput')")
        project.database.run("SELECT pg_create_physical_replication_slot('gone', true)", "CREATE TABLE filled ()")
        project.database.run("SELECT pg_create_physical_replication_slot('unused')", "DROP TABLE filled")
        slots = {slot["slot"]: slot for slot in seen(project)["server"]["inactiveReplicationSlots"]}
        assert {name: (slot["kind"], slot["database"]) for name, slot in slots.items()} == {
            "decoded": ("logical", "postgres"),
            "gone": ("physical", None),
            "unused": ("physical", None),
        }
        assert slots["unused"]["retainedBytes"] == 0 < slots["gone"]["retainedBytes"]
        metrics = samples(status(project, "--output", "prometheus"))
        assert metrics["engarde_server_inactive_replication_slots", ()] == 3
        assert metrics["engarde_server_inactive_replication_slot_retained_bytes", (("slot", "gone"),)] > 0
        assert set(exceeded(project, retainedWal=1)) == {(None, "retainedWal")}
        assert exceeded(project, retainedWal="1 TB") == []
        text = status(project)
        assert "replication slot gone is inactive and keeps" in text
        assert "as a superuser in database postgres:\n      SELECT pg_drop_replication_slot('decoded');\n" in text
        elsewhere(project, slots.pop("decoded")["remedy"]["text"])
        project.database.run(*(slot["remedy"]["text"] for slot in slots.values()))
        assert seen(project)["server"]["inactiveReplicationSlots"] == []
    finally:
        project.database.run(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE plugin IS NULL"
        )
        elsewhere(project, "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
        servers.stop(server)
        servers.start(server)


def unseen(project: Project) -> list[str]:
    """What to do to see statements; nothing where they are seen."""
    found = seen(project)
    every = [each["remedy"]["text"] for each in found["notVisible"] if each["what"] == "the statements of all services"]
    assert [each["statements"] is None for each in found["services"]] == [bool(every)] * len(found["services"])
    # Everything else is there.
    assert of(found, "sankore")["storage"]["bytes"]["total"] > 0
    return [line for heal in every for line in heal.splitlines()]


def elsewhere(project: Project, *statements: str) -> None:
    with project.database.session(database="postgres") as session:
        for statement in statements:
            session.execute(statement.encode())


def test_statements_are_seen_from_another_database_and_missing_says_what_to_declare(project: Project) -> None:
    project.database.run("DROP EXTENSION IF EXISTS pg_stat_statements")
    assert unseen(project) == []
    elsewhere(project, "DROP EXTENSION pg_stat_statements")
    healing = unseen(project)
    assert healing == ["engarde:extensions: {pg_stat_statements: null}"]
    shown = status(project)
    assert "not visible: the statements of all services: the database has no pg_stat_statements" in shown
    edit(project, healing[0])
    project.succeeds(project.up())
    assert unseen(project) == []
    project.database.run("ALTER EXTENSION pg_stat_statements SET SCHEMA madansara")
    assert unseen(project) == []
    project.database.run("ALTER EXTENSION pg_stat_statements SET SCHEMA public")
    elsewhere(project, "CREATE EXTENSION pg_stat_statements")


def test_a_server_that_does_not_preload_it(project: Project) -> None:
    server = project.database.server
    project.database.run("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
    servers.stop(server)
    servers.start(replace(server, settings={**server.settings, "shared_preload_libraries": "auto_explain"}))
    try:
        assert unseen(project) == [
            "ALTER SYSTEM SET shared_preload_libraries = 'auto_explain', 'pg_stat_statements';",
            "-- then restart the server",
        ]
        project.database.run("DROP EXTENSION pg_stat_statements")
        assert unseen(project)[1].endswith("; then declare the extension pg_stat_statements in the stack file")
        project.database.run("CREATE EXTENSION pg_stat_statements")
        project.database.run(unseen(project)[0])
        settings = {name: value for name, value in server.settings.items() if name != "shared_preload_libraries"}
        servers.stop(server)
        servers.start(replace(server, settings=settings))
        assert unseen(project) == []
    finally:
        servers.stop(server)
        servers.start(server)
        project.database.run("ALTER SYSTEM RESET shared_preload_libraries")


def test_a_role_that_may_not_read_it(project: Project) -> None:
    function = "public.pg_stat_statements(boolean)"
    project.database.run(
        "CREATE EXTENSION IF NOT EXISTS pg_stat_statements", f"REVOKE EXECUTE ON FUNCTION {function} FROM PUBLIC"
    )
    found = seen(project, MONITOR)
    [heal] = [
        each["remedy"]["text"] for each in found["notVisible"] if each["what"] == "the statements of all services"
    ]
    assert 'GRANT EXECUTE ON FUNCTION "public"."pg_stat_statements"(boolean) TO "Mon""itor";' in heal
    project.database.run(*heal.splitlines())
    assert of(seen(project, MONITOR), "sankore")["statements"] is not None
    project.database.run(f"GRANT EXECUTE ON FUNCTION {function} TO PUBLIC")


def lines_of(process: "subprocess.Popen[str]", wanted: str) -> str:
    """The next line with this in it."""
    assert process.stdout
    for line in process.stdout:
        if wanted in line:
            return line
    raise AssertionError(f"no {wanted}")


def test_a_watch_goes_on_over_a_lost_server_and_ends_well(project: Project) -> None:
    server = project.database.server
    process = subprocess.Popen(
        project.tool_command("status", "--watch", "0.2", "--output", "json"),
        cwd=project.folder,
        env=project._environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=interruptible,
    )
    try:
        for _ in range(2):
            lines_of(process, '"version": 2')
        servers.stop(server)
        lines_of(process, "engarde: cannot connect to")
        servers.start(server)
        # It ends as its last look that has ended, which is told before.
        for _ in range(2):
            lines_of(process, '"version": 2')
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()
        servers.start(server)


def test_on_a_terminal_a_watch_redraws(project: Project) -> None:
    master, slave = os.openpty()
    process = subprocess.Popen(
        project.tool_command("status", "--watch", "0.2"),
        cwd=project.folder,
        env={**project._environment(), "TERM": "xterm"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=interruptible,
    )
    os.close(slave)
    try:
        shown = b""
        limit = time.monotonic() + 60
        while shown.count(b"PostgreSQL") < 3 and time.monotonic() < limit:
            shown += os.read(master, 65536)
        process.send_signal(signal.SIGINT)
        assert shown.count(b"PostgreSQL") >= 3
        # The other screen, and back to the first.
        assert b"\x1b[?1049h" in shown
        while chunk := _rest(master):
            shown += chunk
        assert process.wait(timeout=30) == 0
        assert b"\x1b[?1049l" in shown
    finally:
        process.kill()
        process.wait()
        os.close(master)


def _rest(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:
        return b""
