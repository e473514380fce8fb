"""Real drivers through PgBouncer in transaction mode, with the URLs as exported for its address."""

from collections.abc import Iterator

import psycopg
import pytest

from tests.conftest import Projects
from tests.drivers import pgbouncer
from tests.drivers.collected import CASES, tried
from tests.drivers.programs import Refused, answers
from tests.drivers.table import Case
from tests.drivers.tenants import TENANTS, Exported, bring_up
from tests.engine.admins import only_superuser

pytestmark = [pytest.mark.xdist_group("drivers-PgBouncer"), only_superuser]

VERIFIERS = "SELECT rolname, rolpassword FROM pg_authid WHERE rolname LIKE '%\\_user'"


@pytest.fixture(scope="module")
def exported(projects: Projects) -> Iterator[Exported]:
    with projects() as project, pgbouncer.running(project.database.server) as pooler:
        made = bring_up(project, pooler.port, tenants=[tenant for tenant in TENANTS.values() if tenant.rotated])
        pooler.learn(dict(project.database.rows(VERIFIERS)))
        yield made


@pytest.mark.timeout(30, func_only=True)
def test_two_sessions_of_a_role_share_a_connection_between_transactions(exported: Exported) -> None:
    url = exported.urls[TENANTS["plain", True]].text
    try:
        with psycopg.connect(url, autocommit=True) as one, psycopg.connect(url, autocommit=True) as other:
            pids = [session.execute("SELECT pg_backend_pid()").fetchone() for session in (one, other)]
    except psycopg.Error as fault:
        # A traceback would show the URL.
        raise AssertionError(str(fault)) from None
    assert pids[0] == pids[1]


@pytest.mark.parametrize("case", tried(case for case in CASES if case.form != "options"), ids=str)
def test_it_lands_in_its_schema_after_a_rotation_with_the_new_url_only(exported: Exported, case: Case) -> None:
    tenant = TENANTS[case.form, True]
    url, former, found = exported.urls[tenant], exported.past[tenant], tenant.found(encrypted=False)
    assert answers(case.driver, [url], pooled=True) == [found]
    # Another process of the service meets what the first has left behind on the server.
    again, past = answers(case.driver, [url, former], pooled=True)
    assert again == found
    assert isinstance(past, Refused)
    assert "authentication failed" in past.why


@pytest.mark.parametrize("case", [each for each in CASES if each.form == "options"], ids=str)
def test_it_refuses_the_form_options(exported: Exported, case: Case) -> None:
    [refused] = answers(case.driver, [exported.urls[TENANTS[case.form, True]]], pooled=True)
    assert isinstance(refused, Refused)
    assert "unsupported startup parameter" in refused.why
