"""Runs, addresses and TLS: real errors, their causes confirmed, the printed fixes done, the errors gone."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from devtools import server as servers
from engarde.doctor.causes import runs, tls, urls
from tests.engine.admins import PASSWORD
from tests.engine.conftest import Projects
from tests.engine.diagnosing import diagnosed_by_tool, edit, heal, marks, said, told
from tests.engine.ills import ask, confirmed_first
from tests.engine.program import STATE, Project, conninfo

pytestmark = pytest.mark.xdist_group("doctor-runs")

SERVICES = {"madansara": {"connectionLimit": 2}, "sankore": {"statementTimeout": 400}, "onside": None, "langflow": None}


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    with projects(services=SERVICES, existingSchemas={"public": None}, analytics={}) as project:
        project.succeeds(project.up())
        ask(project, "sankore", "CREATE TABLE things (id int); INSERT INTO things VALUES (1)")
        yield project


def test_two_runs_at_once(project: Project) -> None:
    database = project.database

    def grant(role: str, name: str) -> psycopg.Connection[object]:
        session = database.session(database.admin.user)
        session.execute(f"SET application_name = '{name}'".encode())
        try:
            session.execute(f"BEGIN; GRANT USAGE ON SCHEMA sankore TO {role}".encode())
        except psycopg.Error:
            session.close()
            raise
        return session

    first, caught = grant("onside_user", "Terraform provider"), []
    second = threading.Thread(target=lambda: caught.append(said(lambda: grant("langflow_user", "pulumi").close())))
    second.start()
    while not database.value("SELECT count(*) FROM pg_locks WHERE NOT granted"):
        pass
    first.execute("COMMIT")
    second.join()
    [text] = caught
    assert "tuple concurrently updated" in text
    confirmed_first(*diagnosed_by_tool(project, text), runs.ANOTHER_RUN)
    first.close()
    code, found = diagnosed_by_tool(project, text)
    assert (code, found["remedy"]["text"]) == (0, "bin/pulumi up --stack local")
    database.run("REVOKE USAGE ON SCHEMA sankore FROM onside_user")


def test_a_role_that_a_killed_run_has_left(project: Project) -> None:
    project.database.run_as(project.database.admin, "CREATE ROLE later_user")
    edit(project, "engarde:services:\n  later: {}")
    failed = project.up()
    assert failed.exit != 0
    code, found = diagnosed_by_tool(project, failed.output)
    confirmed_first(code, found, runs.LEFT_OVER)
    heal(project, found["remedy"])
    ask(project, "later", "CREATE TABLE things (id int)")
    assert diagnosed_by_tool(project, failed.output)[0] == 0


def test_the_guides_url(project: Project) -> None:
    url = conninfo(project.outputs()["database_urls"]["onside"])
    text = said(lambda: psycopg.connect(f"{url}?options=-c%20search_path=onside,public"))
    code, found = diagnosed_by_tool(project, f"onside: {text}")
    confirmed_first(code, found, urls.GUIDES)
    psycopg.connect(conninfo(heal(project, found["remedy"]).strip())).close()


def test_tls_of_a_server_that_has_none(project: Project) -> None:
    address = f"host: {servers.HOST}\n  port: {project.database.server.port}"
    edit(project, f"engarde:serviceAddress:\n  {address}\n  sslmode: require")
    project.succeeds(project.up())
    text = said(lambda: ask(project, "onside", "SELECT 1"))
    code, found = diagnosed_by_tool(project, f"onside: {text}")
    confirmed_first(code, found, tls.STRICT)
    heal(project, found["remedy"])
    ask(project, "onside", "SELECT 1")
    assert marks(diagnosed_by_tool(project, f"onside: {text}")[1])[tls.STRICT.says] == "ruled out"


def test_addresses(project: Project) -> None:
    url = conninfo(project.outputs()["database_urls"]["onside"])
    text = said(lambda: psycopg.connect(url, port=1))
    confirmed_first(*diagnosed_by_tool(project, f"onside_user {text}"), urls.OTHER)
    text = said(lambda: psycopg.connect(url, host="postgres.railway.internal"))
    code, found = diagnosed_by_tool(project, f"onside_user {text}")
    confirmed_first(code, found, urls.PRIVATE_HOST)
    psycopg.connect(heal(project, found["remedy"]).strip()).close()


def test_pg_hba_conf(project: Project) -> None:
    rules = project.database.server.data / "pg_hba.conf"
    before, me = rules.read_text(), project.database.admin.user
    rules.write_text(f"host all postgres,{me} 127.0.0.1/32 scram-sha-256\n")
    project.database.run("SELECT pg_reload_conf()")
    try:
        text = said(lambda: ask(project, "onside", "SELECT 1"))
        code, found = diagnosed_by_tool(project, text)
        if project.database.admin.superuser:
            confirmed_first(code, found, tls.NO_RULE)
            fix = found["remedy"]
            heal(project, {**fix, "text": f"PGDATA='{project.database.server.data}'\n{fix['text']}"})
            ask(project, "onside", "SELECT 1")
            assert diagnosed_by_tool(project, text)[0] == 0
            unnamed = diagnosed_by_tool(project, "FATAL: no pg_hba.conf entry")[1]
            assert {"the text does not name the role"} == {
                cause["reason"] for cause in unnamed["causes"] if cause["cause"] == tls.NO_RULE.says
            }
        else:
            assert code == 1
    finally:
        rules.write_text(before)
        project.database.run("SELECT pg_reload_conf()")


def test_a_passphrase_that_the_engine_was_not_told(project: Project) -> None:
    text = "error: getting secrets manager: passphrase must be set with PULUMI_CONFIG_PASSPHRASE"
    done = project.tool("doctor", "--stack", "local", text, PULUMI_CONFIG_PASSPHRASE="another")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "export PULUMI_CONFIG_PASSPHRASE_FILE" in done.stdout
    assert project.tool("doctor", "--stack", "local", text).returncode == 0


def test_a_lock_that_a_killed_run_has_left(project: Project) -> None:
    folder = project.folder / "state/.pulumi/locks/organization/engarde/local"
    folder.mkdir(parents=True, exist_ok=True)
    lock = {"pid": 4_000_000, "username": "me", "hostname": socket.gethostname(), "timestamp": "2026-01-01T00:00:00Z"}
    (folder / "0e7bd9f6-5d3c-4f3a-9a3b-111111111111.json").write_text(json.dumps(lock))
    failed = project.up()
    assert "currently locked by" in failed.output
    code, found = diagnosed_by_tool(project, failed.output)
    confirmed_first(code, found, runs.KILLED)
    heal(project, found["remedy"])
    assert diagnosed_by_tool(project, failed.output)[0] == 0


def test_a_state_beside_which_a_killed_run_has_left_an_empty_file(project: Project) -> None:
    with_side_files = {"PULUMI_BACKEND_URL": f"file://{project.folder / STATE}"}
    side_file = project.state_file.with_name(f"{project.state_file.name}.attrs")
    side_file.touch()
    failed = project.tool("doctor", "--stack", "local", **with_side_files)
    assert failed.returncode == 1, failed.stderr
    assert f"rm {side_file}" in failed.stdout
    text = project.tool("verify", "--stack", "local", **with_side_files).stderr
    assert "failed to load checkpoint: EOF" in text
    code, found = diagnosed_by_tool(project, text)
    confirmed_first(code, found, runs.TORN)
    heal(project, found["remedy"])
    assert diagnosed_by_tool(project, text)[0] == 0
    assert project.tool("doctor", "--stack", "local", **with_side_files).returncode == 0


def test_a_server_that_does_not_answer(project: Project) -> None:
    server = project.database.server
    url = conninfo(project.outputs()["database_urls"]["onside"])
    servers.stop(server)
    try:
        text = said(lambda: psycopg.connect(url))
        confirmed_first(*diagnosed_by_tool(project, text), urls.DOWN)
        code, found = diagnosed_by_tool(
            project, "onside: permission denied for schema sankore\nLINE 1: SELECT FROM sankore.t"
        )
        assert code == 3
        assert found["unreachable"] and not found["verified"]
        assert found["remedy"]["text"].endswith("- sankore.t")
    finally:
        servers.start(server)
    assert diagnosed_by_tool(project, text)[0] == 0
    assert PASSWORD not in told(found)


def test_another_backend(project: Project, tmp_path: Path) -> None:
    elsewhere = f"file://{tmp_path}"
    text = project.tool("verify", PULUMI_BACKEND_URL=elsewhere).stderr
    assert "no stack named 'local' found" in text
    done = project.tool("doctor", text, "--output", "json", PULUMI_BACKEND_URL=elsewhere)
    found = json.loads(done.stdout)
    assert (done.returncode, found["causes"][0]["verdict"]) == (1, "confirmed"), done.stdout + done.stderr
    assert elsewhere in found["causes"][0]["reason"]
    assert found["remedy"]["text"].startswith("bin/pulumi login ")
    code, found = diagnosed_by_tool(project, text)
    assert (code, found["causes"][0]["verdict"]) == (0, "ruled out")
