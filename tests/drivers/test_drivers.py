"""Real drivers with the URLs as exported, on a server without TLS and on one with it, a rotation included."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from devtools.server import HOST
from engarde.declaration.address import Address
from engarde.declaration.declared import SslMode
from engarde.server.credentials import url
from tests.conftest import Projects
from tests.drivers import certificate
from tests.drivers.collected import CASES, MODE_CASES, tried
from tests.drivers.programs import Found, Refused, Url, answers
from tests.drivers.table import ALEMBIC, MODES, NEWER_SQLALCHEMY, PRISMA, SQLALCHEMY, Case, Driver
from tests.drivers.tenants import TENANTS, Exported, bring_up
from tests.engine.admins import only_superuser
from tests.engine.database import NAME
from tests.engine.program import Project
from tests.parts import sampled

pytestmark = only_superuser

MODES_TRIED = sampled(MODE_CASES, *{case.form: case for case in reversed(MODE_CASES)}.values())
"""Usually one driver of each form: the spelling of a mode is the form's."""


@dataclass(frozen=True, slots=True)
class Exporting:
    """A stack on a server with or without TLS, and what it has exported."""

    project: Project
    sslmode: SslMode | None
    exported: Exported

    def outcome(self, case: Case, mode: SslMode | None) -> str:
        """`T`, `c` or `-`, as the table says."""
        tls = case.driver.tls
        return (tls.self_signed if self.sslmode else tls.without)[MODES.index(mode)]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(None, id="without-TLS", marks=pytest.mark.xdist_group("drivers-without-TLS")),
        pytest.param("require", id="TLS", marks=pytest.mark.xdist_group("drivers-TLS")),
    ],
)
def exporting(request: pytest.FixtureRequest, projects: Projects) -> Iterator[Exporting]:
    with projects() as project:
        if request.param:
            certificate.switch_on(project.database)
        yield Exporting(project, request.param, bring_up(project, project.database.server.port, request.param))


@pytest.mark.parametrize("case", tried(CASES), ids=str)
def test_it_lands_in_its_schema_after_a_rotation_with_the_new_url_only(exporting: Exporting, case: Case) -> None:
    encrypted = exporting.outcome(case, exporting.sslmode) == "T"
    exported, stays, rotated = exporting.exported, TENANTS[case.form, False], TENANTS[case.form, True]
    *found, past = answers(case.driver, [exported.urls[stays], exported.urls[rotated], exported.past[rotated]])
    assert found == [each.found(encrypted=encrypted) for each in (stays, rotated)]
    assert isinstance(past, Refused)
    assert "password authentication failed" in past.why


@pytest.mark.parametrize("case", MODES_TRIED, ids=str)
def test_every_mode_means_what_the_table_says(exporting: Exporting, case: Case) -> None:
    tenant, port = TENANTS[case.form, True], exporting.project.database.server.port
    password = exporting.project.outputs()["passwords"][tenant.role]
    addresses = [Address(host=HOST, port=port, sslmode=mode) for mode in MODES]
    urls = [Url(url(case.form, address, NAME, tenant.role, password, tenant.schema)) for address in addresses]
    told = dict(zip(MODES, answers(case.driver, urls), strict=True))
    found = [each for each in told.values() if isinstance(each, Found)]
    assert {mode: _letter(each) for mode, each in told.items()} == {m: exporting.outcome(case, m) for m in MODES}
    assert found == [tenant.found(encrypted=each.encrypted) for each in found]


def test_alembic_makes_its_tables_in_the_services_schema(exporting: Exporting) -> None:
    tenant, database = TENANTS["plain", True], exporting.project.database
    [found] = answers(ALEMBIC, [exporting.exported.urls[tenant]])
    assert isinstance(found, Found)
    tables = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = quote_ident(%s)::regnamespace"
    assert {name for (name,) in database.rows(tables, tenant.schema)} == {"alembic_version", "marker", "migrated"}
    assert not database.rows(f"{tables} AND relname IN ('alembic_version', 'migrated')", "public")


def test_alembic_refuses_the_form_options(exporting: Exporting) -> None:
    [refused] = answers(ALEMBIC, [exporting.exported.urls[TENANTS["options", False]]])
    assert isinstance(refused, Refused)
    # It prints the whole URL, whose password must not get any further.
    assert refused.why.startswith("ValueError: invalid interpolation syntax in 'postgresql://options_user:***@")


@pytest.mark.parametrize(("driver", "lands"), [(SQLALCHEMY[0], False), (NEWER_SQLALCHEMY[0], True)], ids=["2.0", "2.1"])
def test_an_asynchronous_engine_takes_a_plain_url_from_sqlalchemy_2_1_on(
    exporting: Exporting, driver: Driver, lands: bool
) -> None:
    tenant = TENANTS["plain", True]
    [answer] = answers(replace(driver, program="sqlalchemy_async"), [exporting.exported.urls[tenant]])
    if lands:
        assert answer == tenant.found(encrypted=exporting.sslmode is not None)
    else:
        assert isinstance(answer, Refused)
        assert "The loaded 'psycopg2' is not async" in answer.why


def test_prisma_reads_public_where_the_url_does_not_name_the_schema(exporting: Exporting) -> None:
    tenant = TENANTS["node-postgres", True]
    [found] = answers(PRISMA, [exporting.exported.urls[tenant]])
    expected = tenant.found(encrypted=exporting.sslmode is not None)
    assert found == replace(expected, marker="public")


def _letter(answer: Found | Refused) -> str:
    return "-" if isinstance(answer, Refused) else "T" if answer.encrypted else "c"
