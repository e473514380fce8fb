"""Verify as operators and scripts run it: its options, its output, one connection per role, and nothing changed."""

import json
from collections.abc import Iterator
from unittest.mock import patch

import pytest

from tests.conftest import Projects, Stacks
from tests.engine.admins import only_superuser
from tests.engine.program import Project
from tests.engine.verified_stack import proved
from tests.engine.verifying import LEFT, told, verified

pytestmark = pytest.mark.xdist_group("verify")


@pytest.fixture(scope="module")
def stack(stacks: Stacks) -> Iterator[Project]:
    with proved(stacks) as project:
        yield project


def test_a_stack_as_declared_has_no_findings(stack: Project) -> None:
    done = stack.tool("verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "stack local is as declared (6 logins, " in done.stdout
    assert done.stderr == ""


def test_json_is_one_object(stack: Project) -> None:
    stack.database.run("GRANT SELECT ON madansara.things TO sankore_user")
    try:
        done = stack.tool("verify", "--output", "json", "sankore")
    finally:
        stack.database.run("REVOKE SELECT ON madansara.things FROM sankore_user")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["version"] == 2 and told["stack"] == "local" and told["asDeclared"] is False
    [grant] = [each for each in told["findings"] if each["check"] == "undeclared grant"]
    assert grant["subject"] == "sankore_user on table madansara.things"
    assert grant["expected"] == "nothing more than declared" and grant["actual"] == "SELECT"
    assert grant["remedy"]["kind"] == "sql" and "REVOKE SELECT" in grant["remedy"]["text"]
    [row] = [each for each in told["matrix"] if each["role"] == "sankore_user"]
    assert row["schemas"]["madansara"]["asDeclared"] is False
    assert row["schemas"]["sankore"] == {"access": "owns", "asDeclared": True}
    assert {tuple(each["schemas"]) for each in told["matrix"] if each != row} == {("sankore",)}
    assert not any(password in done.stdout for password in stack.passwords)


def test_a_service_is_looked_at_by_itself(stack: Project) -> None:
    stack.database.run("GRANT SELECT ON madansara.things TO langflow_user")
    try:
        assert told(verified(stack, service="sankore")) == []
        assert told(verified(stack, service="langflow")) != []
        assert told(verified(stack, service="madansara")) != []
    finally:
        stack.database.run("REVOKE SELECT ON madansara.things FROM langflow_user")
    assert stack.tool("verify", "nobody").returncode == 2


def test_no_logins_asks_only_the_catalogs(stack: Project) -> None:
    mark = stack.database.mark()
    report = verified(stack, logins=False)
    assert (report.findings, report.logins, report.probes) == ((), 0, 0)
    assert "engarde.probes" not in stack.database.server.log.read_text(errors="replace")[mark:]


@only_superuser
def test_a_superuser_sees_a_changed_password_without_a_login(stack: Project) -> None:
    by_hand, again = (
        "ALTER ROLE onside_user PASSWORD {}",
        "SELECT rolpassword FROM pg_authid WHERE rolname = 'onside_user'",
    )
    stored = stack.database.value(again)
    for password in ("'by hand'", "NULL"):
        stack.database.run(by_hand.format(password))
        try:
            found = [(finding.check, finding.subject) for finding in verified(stack, logins=False).findings]
        finally:
            stack.database.run(by_hand.format(f"'{stored}'"))
        assert found == [("password", "stored verifier of onside_user")]
    assert told(verified(stack, logins=False)) == []


def test_it_changes_nothing_and_fills_no_log_with_errors(stack: Project) -> None:
    mark = stack.database.mark()
    before = sequences(stack)
    assert told(verified(stack)) == []
    assert stack.database.rows(LEFT) == [(0,)] * 3
    assert sequences(stack) == before
    assert "ERROR" not in stack.database.server.log.read_text(errors="replace")[mark:]


def sequences(stack: Project) -> list[tuple[object, ...]]:
    return stack.database.rows("SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2")


def test_one_login_per_role(stack: Project) -> None:
    stack.database.run("ALTER SYSTEM SET log_connections = on", "SELECT pg_reload_conf()")
    try:
        mark = stack.database.mark()
        verified(stack)
        log = stack.database.server.log.read_text(errors="replace")[mark:]
    finally:
        stack.database.run("ALTER SYSTEM RESET log_connections", "SELECT pg_reload_conf()")
    for role in ("madansara_user", "sankore_user", "onside_user", "field-notes_user", "analytics_readonly"):
        assert log.count(f"connection authorized: user={role} ") == 1


def test_a_role_at_its_limit_is_no_finding(projects: Projects) -> None:
    with projects(services={"busy": {"connectionLimit": 1}, "other": None}) as project:
        project.succeeds(project.up())
        with project.connect("busy"):
            report = verified(project)
        assert told(report) == []
        [warning] = report.warnings
        assert warning.startswith("nothing was tried as busy_user, because no connection is free now: ")


def test_limits_are_only_tried_when_asked(projects: Projects) -> None:
    with projects(services={"a": {"connectionLimit": 2}, "b": None}, analytics={"connectionLimit": 1}) as project:
        project.succeeds(project.up())
        assert told(verified(project, limits=True)) == []
        # A superuser's sessions are not counted, and the limit in the catalogs is still the declared one.
        project.database.run("ALTER ROLE a_user SUPERUSER")
        found = [
            finding.subject
            for finding in verified(project, limits=True).findings
            if finding.check == "connection limit"
        ]
        assert found == ["sessions of a_user"]


@only_superuser
def test_trust_is_said(stack: Project) -> None:
    hba = stack.database.server.data / "pg_hba.conf"
    before = hba.read_text()
    hba.write_text("host all all 127.0.0.1/32 trust\n")
    stack.database.run("SELECT pg_reload_conf()")
    try:
        report = verified(stack)
    finally:
        hba.write_text(before)
        stack.database.run("SELECT pg_reload_conf()")
    assert told(report) == []
    assert "without a password" in report.warnings[0]


def test_a_wrong_exported_url_is_seen(stack: Project) -> None:
    known = stack.outputs()
    wrong = {**known["database_urls"], "onside": known["database_urls"]["onside"] + "?sslmode=disable"}
    with patch.object(Project, "outputs", return_value={**known, "database_urls": wrong}):
        [finding] = verified(stack).findings
    assert (finding.check, finding.subject) == ("exported URL", "onside_user")
