"""The server and the admin: what does not fit the stack, and what makes it fit."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from devtools.server import HOST
from tests.drivers import certificate
from tests.engine.admins import BACKEND, BACKEND_PASSWORD, only_createrole, only_superuser
from tests.engine.conftest import Projects
from tests.engine.doctor import edit, examined, heal, told
from tests.engine.program import Project

pytestmark = pytest.mark.xdist_group("health-server")

STACK: dict[str, Any] = {
    "services": {"sankore": None, "field-notes": {"schema": "Field-Notes"}},
    "existingSchemas": {"public": None},
    "analytics": {},
}


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    with projects(**STACK) as project:
        project.succeeds(project.up())
        yield project


@pytest.fixture(autouse=True)
def as_declared(project: Project) -> None:
    project.declare(**STACK)


def test_limits_that_the_server_cannot_keep(project: Project) -> None:
    services = {"sankore": {"connectionLimit": 40}, "field-notes": {"schema": "Field-Notes", "connectionLimit": 30}}
    project.declare(**STACK | {"services": services, "analytics": {"connectionLimit": 20}})
    # Connections are the whole server's.
    elsewhere = (BACKEND, BACKEND_PASSWORD, "postgres")
    with project.database.session(*elsewhere), project.database.session(*elsewhere):
        [found] = examined(project)
        assert found["check"] == "connection budget"
        assert found["expected"] == "at most 97: max_connections 100 minus 3 reserved ones"
        assert "90 is the sum of all limits, 130 during a rotation of sankore_user" in found["actual"]
        assert "other roles have 2 sessions now" in found["actual"]
        heal(project, found)
        assert examined(project) == []


def test_limits_that_fit_with_nobody_else_on_the_server(project: Project) -> None:
    edit(project, "engarde:services: {sankore: {connectionLimit: 41}}")
    assert examined(project) == []
    edit(project, "engarde:services: {sankore: {connectionLimit: 42}}")
    assert [each["check"] for each in examined(project)] == ["connection budget"]


@only_createrole
def test_an_admin_that_is_called_a_superuser_and_is_none(project: Project) -> None:
    edit(project, "engarde:server: {superuser: true}")
    found = examined(project)
    assert told(found) == {("admin", "adm")}
    assert [each["remedy"]["kind"] for each in found] == ["edit"]
    heal(project, found[0])
    assert examined(project) == []


@only_createrole
def test_each_right_that_an_admin_lacks_is_told_with_what_gives_it(project: Project) -> None:
    project.database.run(
        'CREATE TABLE public."Of-the superuser\'s" (id serial)', "ALTER ROLE adm NOCREATEROLE", "CREATE SCHEMA later"
    )
    found = examined(project)
    assert len(found) == 3
    assert told(found) == {("admin", "adm")}
    assert {each["remedy"]["bySuperuser"] for each in found} == {True}
    assert {each["remedy"]["safe"] for each in found} == {False}
    for each in found:
        heal(project, each)
    assert examined(project) == []
    project.database.run('DROP TABLE public."Of-the superuser\'s"', "DROP SCHEMA later")


def test_extensions_that_the_server_does_not_have(project: Project) -> None:
    extensions = {"no_such-one": None, "hstore": {"version": "0.0"}}
    project.declare(**STACK, extensions=extensions)
    found = examined(project)
    assert told(found) == {("extension", "no_such-one"), ("extension", "hstore")}
    for each in found:
        heal(project, each) if each["subject"] == "hstore" else None
    edit(project, "engarde:extensions: {hstore: {schema: public}}")
    assert {each["remedy"]["kind"] for each in examined(project)} == {"edit", "command"}


def test_services_that_would_have_to_use_tls(project: Project) -> None:
    address = {"host": HOST, "port": project.database.server.port, "sslmode": "require"}
    project.declare(**STACK, serviceAddress=address)
    certificate.switch_on(project.database)
    project.database.run("ALTER SYSTEM SET ssl = off", "SELECT pg_reload_conf()")
    project.declare(**STACK, serviceAddress=address)
    time.sleep(0.2)
    [found] = examined(project)
    assert (found["check"], found["subject"]) == ("server", "ssl")
    heal(project, found)
    time.sleep(0.2)
    assert examined(project) == []
    project.database.run("ALTER SYSTEM SET ssl = off", "SELECT pg_reload_conf()")


def test_an_admin_that_would_have_to_use_tls(project: Project) -> None:
    project.database.run("ALTER SYSTEM SET ssl = off", "SELECT pg_reload_conf()")
    time.sleep(0.2)
    project.declare(**STACK, server={"sslmode": "require"})
    [found] = examined(project)
    assert (found["check"], found["subject"]) == ("server", "ssl")


@only_superuser
def test_nothing_is_learnt_where_nobody_answers(project: Project) -> None:
    project.declare(**STACK, server={"port": 1})
    done = project.tool("doctor")
    assert (done.returncode, done.stdout) == (3, "")
    assert "cannot connect to" in done.stderr
