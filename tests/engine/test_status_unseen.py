"""What an admin that is no superuser cannot see: said, with what lets it, and no zeros in its place."""

from collections.abc import Iterator

import pytest

from tests.engine.admins import only_createrole
from tests.engine.conftest import Projects
from tests.engine.program import Project
from tests.engine.statused import (
    STACK_WITH_ALL,
    of,
    samples,
    scraped,
    seen,
    transaction,
    watcher,
    watcher_verifier,
)

pytestmark = [pytest.mark.xdist_group("status-unseen"), only_createrole]

HIDDEN = {**STACK_WITH_ALL["services"], "hidden": {"role": "hidden"}}


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    """A stack, and a service's role that the admin has nothing to do with."""
    with projects(**STACK_WITH_ALL) as project:
        project.database.run(watcher())
        project.succeeds(project.up())
        project.declare(**STACK_WITH_ALL | {"services": HIDDEN})
        project.database.run(
            f"CREATE ROLE hidden LOGIN PASSWORD '{watcher_verifier()}'",
            "GRANT CONNECT ON DATABASE railway TO hidden",
            "CREATE EXTENSION pg_stat_statements",
        )
        yield project


def test_sessions_that_it_may_not_see_into(project: Project) -> None:
    with project.database.session("hidden") as session, transaction(session, "SELECT 1"):
        found, metrics, shown = seen(project), samples(scraped(project)), project.tool("status").stdout
        connections = of(found, "hidden")["connections"]
        assert connections["used"] == 1
        assert connections["states"] is None
        assert connections["longestTransactionSeconds"] is connections["longestIdleInTransactionSeconds"] is None
        assert of(found, "sankore")["connections"]["states"]["idle"] == 0
        names = {name for name, labels in metrics if dict(labels).get("service") == "hidden"}
        assert "engarde_service_connections_used" in names
        assert not names & {"engarde_service_connections", "engarde_service_longest_transaction_seconds"}
        [line] = [each for each in shown.splitlines() if each.startswith("hidden ")]
        assert line.count("not visible") == 2
        fix = "Fix (run in database railway as a superuser):\n  GRANT pg_read_all_stats"
        assert f"not visible: what the sessions of hidden do: adm may not see it\n{fix}" in shown
        [heal] = [each["remedy"]["text"] for each in found["notVisible"] if "hidden" in each["what"]]
        project.database.run(heal)
        assert of(seen(project), "hidden")["connections"]["states"]["idle in transaction"] == 1
    project.database.run("REVOKE pg_read_all_stats FROM adm")


def test_texts_of_statements_and_settings_that_it_may_not_see(project: Project) -> None:
    with project.connect("sankore") as session:
        session.execute("SELECT 1")
    found = seen(project)
    assert found["server"]["settings"]["shared_preload_libraries"]["value"] is None
    statements = of(found, "sankore")["statements"]
    # Whose they are and how long they took is for everybody.
    assert statements["calls"] > 0 and statements["totalMilliseconds"] > 0
    assert {statement["query"] for statement in statements["byTotal"]} == {None}
    told = {each["what"]: each["remedy"]["text"] for each in found["notVisible"]}
    assert told["the texts of other roles' statements"] == 'GRANT pg_read_all_stats TO "adm";'
    project.database.run(*told.values())
    healed = seen(project)
    assert healed["notVisible"] == []
    assert healed["server"]["settings"]["shared_preload_libraries"]["value"] == "pg_stat_statements"
    assert None not in {each["query"] for each in of(healed, "sankore")["statements"]["byTotal"]}
