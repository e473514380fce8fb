"""Services and roles that get other names, in one run: nothing is dropped, nobody loses a right meanwhile."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import psycopg
import pytest

from engarde.checks.journals import MoveJournal, Step
from tests.engine.admins import BACKEND, only_superuser
from tests.engine.conftest import Stacks
from tests.engine.denied import denied
from tests.engine.in_process import tool_here
from tests.engine.program import THE_ADMIN, Project
from tests.engine.test_faults import one_message

pytestmark = pytest.mark.xdist_group("formerly")

READS = ["public.users", {"table": "public.brands", "columns": ["id"]}]
OTHER = {"reads": ["madansara.shared"]}
SCHEMA = "SELECT oid, nspowner FROM pg_namespace WHERE nspname = 'madansara'"
ROLE = "SELECT oid FROM pg_roles WHERE rolname = '{}'"


def sections(key: str = "madansara", analytics: Any = None, **stated: Any) -> dict[str, Any]:
    services = {key: {"reads": READS, "connectionLimit": 7, **stated}, "other": OTHER}
    public = {"creators": [THE_ADMIN, BACKEND]}
    outside = {BACKEND: {"schemas": {"public": ["USAGE", "CREATE"]}}}
    return {
        "services": services,
        "existingSchemas": {"public": public},
        "outsideRoles": outside,
        "analytics": analytics or {},
    }


def declare(project: Project, *key: str, **stated: Any) -> None:
    project.declare(**sections(*key, **stated))


def with_a_table(project: Project) -> None:
    project.succeeds(project.up())
    with project.connect("madansara") as session:
        session.execute("CREATE TABLE shared (id int)")
    project.succeeds(project.up())


@pytest.fixture
def project(stacks: Stacks) -> Iterator[Project]:
    with stacks(with_a_table, **sections()) as made:
        yield made


@contextmanager
def at_work(project: Project) -> Iterator[list[str]]:
    """Sessions of the service, its reader and analytics that go on all the time; what was refused of them."""
    refused: list[str] = []
    over = threading.Event()

    def work(session: "psycopg.Connection[Any]", statement: str) -> None:
        while not over.wait(0.01):
            try:
                session.execute(statement.encode())
            except psycopg.Error as error:
                refused.append(f"{statement}: {error}")

    statements = {
        "madansara": (
            "INSERT INTO shared VALUES (1)",
            "SELECT id FROM public.brands",
            "SELECT FROM public.users",
            "CREATE TEMPORARY TABLE t (); DROP TABLE t",
        ),
        "other": ("SELECT FROM madansara.shared LIMIT 1",),
        "analytics": ("SELECT FROM madansara.shared LIMIT 1",),
    }
    sessions = [(project.connect(who), each) for who in statements for each in statements[who]]
    threads = [threading.Thread(target=work, args=each) for each in sessions]
    for thread in threads:
        thread.start()
    try:
        yield refused
    finally:
        over.set()
        for thread in threads:
            thread.join()
        for session, _ in sessions:
            session.close()


def as_before(project: Project, service: str, *, reads: bool = True) -> None:
    """The service works under its new name, and everybody who reads it does."""
    project.succeeds(project.preview("--expect-no-changes"))
    project.succeeds(project.refresh("--expect-no-changes"))
    with project.connect(service) as session:
        session.execute("INSERT INTO shared VALUES (2); CREATE TABLE later (id int); CREATE TEMPORARY TABLE t ()")
        if reads:
            session.execute("SELECT FROM public.users; SELECT id FROM public.brands")
        session.execute("CREATE FUNCTION later() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        denied(session, "SELECT name FROM public.brands")
    with project.connect("analytics") as session:
        session.execute("SELECT FROM madansara.later")
        denied(session, "SELECT madansara.later()")
    with project.connect("other") as session:
        session.execute("SELECT FROM madansara.shared")
        denied(session, "SELECT FROM madansara.later")
    done = tool_here(project, "verify")
    assert done.returncode == 0, done.stdout + done.stderr


@only_superuser
def test_a_key_gets_another_name_and_the_server_is_not_touched(project: Project) -> None:
    declare(project, "notifier", role="madansara_user", schema="madansara")
    said = one_message(project.preview())
    assert "for madansara and cannot go to another: keep it there, or rename madansara with `formerly:" in said
    declare(project, "notifier", role="madansara_user", schema="madansara", formerly="madansara")
    moved = project.folder / ".engarde/split.local/madansara.json"
    moved.parent.mkdir(parents=True)
    for step, goes_on in (
        (Step.COPIED, "split run madansara"),
        (Step.DONE, "split finish madansara"),
    ):
        moved.write_text(json.dumps(asdict(MoveJournal("madansara", "own", "other", returning=False, step=step))))
        said = one_message(project.preview())
        assert "service madansara cannot be renamed to notifier yet" in said
        assert f"`bin/engarde {goes_on} --stack local" in said
    moved.unlink()
    before = project.database.mark()
    run = project.succeeds(project.up())
    assert project.database.changes(before) == []
    assert set(run.ops.values()) <= {"update"}, run.ops
    as_before(project, "notifier")


def test_a_role_gets_another_name_while_everybody_works(project: Project) -> None:
    was = project.database.value(ROLE.format("madansara_user"))
    schema = project.database.rows(SCHEMA)
    password = project.outputs()["passwords"]["madansara_user"]
    declare(project, role="notifier_user")
    assert "or `formerly: madansara_user` to rename it" in one_message(project.preview())
    declare(project, role="notifier_user", formerly="madansara_user")
    assert "loses the owner's privileges" not in project.succeeds(project.preview()).output
    with at_work(project) as refused:
        project.succeeds(project.up())
    assert refused == []
    assert project.database.value(ROLE.format("notifier_user")) == was
    assert project.database.rows(ROLE.format("madansara_user")) == []
    assert project.database.rows(SCHEMA) == schema
    assert project.outputs()["passwords"]["notifier_user"] == password
    as_before(project, "madansara")


@only_superuser
def test_a_key_and_its_role_get_another_name_in_one_run(project: Project) -> None:
    was = project.database.value(ROLE.format("madansara_user"))
    declare(project, "notifier", schema="madansara", formerly="madansara")
    with at_work(project) as refused:
        project.succeeds(project.up())
    assert refused == []
    assert project.database.value(ROLE.format("notifier_user")) == was
    assert project.database.rows(ROLE.format("madansara_user")) == []
    as_before(project, "notifier")


@only_superuser
def test_the_reader_gets_another_name(project: Project) -> None:
    was = project.database.value(ROLE.format("analytics_readonly"))
    declare(project, analytics={"role": "reader", "formerly": "analytics_readonly"})
    with at_work(project) as refused:
        project.succeeds(project.up())
    assert refused == []
    assert project.database.value(ROLE.format("reader")) == was
    assert project.database.rows(ROLE.format("analytics_readonly")) == []
    as_before(project, "madansara")


@only_superuser
def test_nothing_is_taken_from_a_role_in_the_run_that_renames_it(project: Project) -> None:
    declare(project, role="notifier_user", formerly="madansara_user", reads=READS[:1])
    said = one_message(project.preview())
    assert "role madansara_user cannot be renamed to notifier_user and lose grants in the same run" in said
    assert "madansara-reads-public.brands" in said
    declare(project, reads=READS[:1])
    project.succeeds(project.up())
    project.database.run("DROP TABLE public.users CASCADE")
    declare(project, role="notifier_user", formerly="madansara_user", reads=READS[:1])
    assert "madansara-reads-public.users" in one_message(project.preview())
    declare(project, reads=READS[:1])
    project.succeeds(project.up())
    declare(project, reads=[])
    project.succeeds(project.up())
    declare(project, role="notifier_user", formerly="madansara_user", reads=[])
    project.succeeds(project.up())
    as_before(project, "madansara", reads=False)


@only_superuser
def test_the_new_name_is_anothers(project: Project) -> None:
    project.database.run("CREATE ROLE notifier_user")
    declare(project, role="notifier_user", formerly="madansara_user", adopt=True)
    said = one_message(project.preview())
    assert "role madansara_user cannot be renamed to notifier_user, which already exists" in said


@only_superuser
def test_a_run_that_did_not_come_to_its_end_is_gone_on_with(project: Project) -> None:
    declare(project, role="notifier_user", formerly="madansara_user")
    role = project.resources()["madansara-role"]["urn"]
    # What a killed run leaves: the role has its new name, and the state has its grants by the old one.
    project.succeeds(project.up("--target", role))
    assert project.database.rows(ROLE.format("madansara_user")) == []
    with at_work(project) as refused:
        project.succeeds(project.up())
    assert refused == []
    as_before(project, "madansara")


@only_superuser
def test_a_role_that_was_renamed_by_hand_is_not_made_anew(project: Project) -> None:
    was = project.database.value(ROLE.format("madansara_user"))
    project.database.run("ALTER ROLE madansara_user RENAME TO notifier_user")
    said = one_message(project.up())
    assert "role madansara_user does not exist, but schema madansara belongs to notifier_user" in said
    [back] = re.findall(r"If the role was renamed, run `(.*?)`", said)
    project.database.run(back)
    project.succeeds(project.up("--refresh"))
    assert project.database.value(ROLE.format("madansara_user")) == was
    as_before(project, "madansara")
