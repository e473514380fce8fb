"""pg_dump whose way to the server stands still, while the tool's own connection works."""

import re
import time
from collections.abc import Iterator

import pytest

from engarde.util.timeouts import VARIABLE
from tests.conftest import Projects
from tests.engine import backups
from tests.engine.admins import only_superuser
from tests.engine.program import Project
from tests.proxies import Proxy, proxy

pytestmark = [only_superuser, pytest.mark.xdist_group("dump-stalled")]

LIMITS = "dump.silence=3,dump.pulse=1"
IN_TIME = 60.0


@pytest.fixture(scope="module")
def reached(projects: Projects) -> Iterator[tuple[Project, Proxy]]:
    with projects() as project, proxy(project.database.server.port) as way:
        project.declare(server={"port": way.port}, services={"sankore": None})
        project.succeeds(project.up())
        with project.connect("sankore") as session:
            session.execute("CREATE TABLE words AS SELECT repeat(i::text, 500) AS word FROM generate_series(1, 4000) i")
        yield project, way


def test_a_dump_that_stands_still_is_ended(reached: tuple[Project, Proxy]) -> None:
    project, way = reached
    # The tool looks first, then keeps one connection; those of pg_dump come after these two.
    way.mode, way.spared = "after login", 2
    start = time.monotonic()
    done = project.tool("backup", "sankore", **backups.clients(project), **{VARIABLE: LIMITS})
    way.mode = "open"
    assert done.returncode == 3, done.stderr
    assert re.search(r"pg_dump was stopped: it wrote nothing for \d s while the server waited", done.stderr)
    assert time.monotonic() - start < IN_TIME
    assert not [*(project.folder / "backups").rglob("manifest*")]
    assert project.database.value("SELECT count(*) FROM pg_stat_activity WHERE usename = 'sankore_user'") <= 2
    # The same without it.
    backups.tool(project, "backup", "sankore")
