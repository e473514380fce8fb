"""What SQLAlchemy says where a URL leads it to a driver that is not there, or of another kind; and what heals it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engarde.doctor.causes import urls
from engarde.doctor.model import Cause
from tests.conftest import Projects
from tests.drivers.runtimes import SQLALCHEMY_2_1, Runtime
from tests.engine.admins import only_superuser
from tests.engine.diagnosing import diagnosed, heal, marks
from tests.engine.ills import confirmed_first
from tests.engine.program import Project

pytestmark = [only_superuser, pytest.mark.xdist_group("driver-errors")]

SERVICES = {
    "plain": None,
    "older": None,
    "awaiting": None,
    "named": {"urlFormat": "sqlalchemy+psycopg2"},
    "other": {"urlFormat": "sqlalchemy+psycopg2"},
    "mixed": {"urlFormat": "sqlalchemy+asyncpg"},
}
"""Each for one case, whose remedy may change it."""

LOGIN = """\
import asyncio
import sys
from importlib.abc import MetaPathFinder

url, lacking, kind = sys.stdin.read().split("\\n")


class Lacking(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == lacking:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Lacking())
if kind == "sync":
    from sqlalchemy import create_engine

    create_engine(url).connect().close()
else:
    from sqlalchemy.ext.asyncio import create_async_engine

    async def login():
        async with create_async_engine(url).connect():
            pass

    asyncio.run(login())
"""


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    with projects(services=SERVICES) as project:
        project.succeeds(project.up())
        yield project


def said(url: str, runtime: Runtime | None = None, lacking: str = "", kind: str = "sync") -> str:
    """The last line of the error, without the URL; nothing where it logs in."""
    path = {"PYTHONPATH": str(runtime.prepared())} if runtime else {}
    done = subprocess.run(
        [sys.executable, "-c", LOGIN],
        input=f"{url}\n{lacking}\n{kind}",
        env={"PATH": os.environ["PATH"], **path},
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return "" if done.returncode == 0 else done.stderr.replace(url, "URL").strip().splitlines()[-1]


def url(project: Project, service: str) -> str:
    return str(project.outputs()["database_urls"][service])


def edited(project: Project, service: str, error: str, cause: Cause, form: str) -> str:
    """The service's URL once the lines of the fix are in the stack file."""
    code, found = diagnosed(project, f"{service}: {error}")
    confirmed_first(code, found, cause)
    assert found["remedy"]["text"] == f"engarde:services:\n  {service}:\n    urlFormat: {form}"
    heal(project, found["remedy"])
    assert marks(diagnosed(project, f"{service}: {error}")[1])[cause.says] == "ruled out"
    return url(project, service)


@pytest.mark.parametrize(
    ("service", "runtime", "lacking", "form"),
    [
        ("plain", SQLALCHEMY_2_1, "psycopg", "sqlalchemy+psycopg2"),
        ("older", None, "psycopg2", "sqlalchemy+psycopg"),
    ],
    ids=["2.1", "2.0"],
)
def test_a_default_driver_that_is_not_there(
    project: Project, service: str, runtime: Runtime | None, lacking: str, form: str
) -> None:
    error = said(url(project, service), runtime, lacking)
    assert error == f"ModuleNotFoundError: No module named '{lacking}'"
    assert said(edited(project, service, error, urls.DEFAULT_DRIVER, form), runtime, lacking) == ""


def test_a_synchronous_driver_in_an_asynchronous_engine(project: Project) -> None:
    error = said(url(project, "awaiting"), kind="async")
    assert "The loaded 'psycopg2' is not async" in error
    assert said(edited(project, "awaiting", error, urls.SYNCHRONOUS, "sqlalchemy+asyncpg"), kind="async") == ""


def test_an_asynchronous_driver_in_a_synchronous_engine(project: Project) -> None:
    error = said(url(project, "mixed"))
    assert "greenlet_spawn has not been called" in error
    assert said(edited(project, "mixed", error, urls.IN_SYNCHRONOUS_ENGINE, "sqlalchemy+psycopg")) == ""


def test_a_driver_that_is_named_and_not_there(project: Project) -> None:
    error = said(url(project, "named"), lacking="psycopg2")
    code, found = diagnosed(project, f"named: {error}")
    confirmed_first(code, found, urls.NO_DRIVER)
    assert found["remedy"]["text"] == "install psycopg2-binary for the service"
    assert said(url(project, "named")) == ""


def test_another_url_than_the_stacks(project: Project) -> None:
    own = url(project, "other").replace("postgresql+psycopg2", "postgresql")
    error = said(own, SQLALCHEMY_2_1, "psycopg")
    code, found = diagnosed(project, f"other: {error}")
    confirmed_first(code, found, urls.OTHER_DRIVER)
    assert said(heal(project, found["remedy"]).strip(), SQLALCHEMY_2_1, "psycopg") == ""


def test_greenlet_that_is_not_there(project: Project) -> None:
    own = url(project, "named").replace("psycopg2", "asyncpg")
    error = said(own, SQLALCHEMY_2_1, "greenlet", kind="async")
    code, found = diagnosed(project, error)
    confirmed_first(code, found, urls.NO_GREENLET)
    assert found["remedy"]["text"] == "install SQLAlchemy[asyncio] for the service"
    assert said(own, SQLALCHEMY_2_1, kind="async") == ""
