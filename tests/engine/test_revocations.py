"""What a run takes from whom is said before it: on the database that is already there, with its clients at work."""

import json
from typing import Any

import pytest

from tests.brownfield.clients import Clients
from tests.brownfield.day_zero import DayZero
from tests.brownfield.services import ADOPT_ONLY
from tests.engine.program import Project
from tests.engine.test_admin_rights import SQL

pytestmark = pytest.mark.xdist_group("brownfield")

SHUT_OUT = ["nightly", "old_contractor", "support_admin"]
WORDS: dict[str, Any] = {
    "outsideRoles": {
        "backend_worker": {"schemas": {"public": ["USAGE", "CREATE"]}},
        "legacy_etl": None,
        "workers_user": None,
    },
    "shutOut": SHUT_OUT,
}
SERVICES: dict[str, Any] = {
    **ADOPT_ONLY["services"],
    "sankore": {"adopt": True, "reads": ["public.brands"], "statementTimeout": 30_000},
}
KEPT = {"production-backend", "backend-worker", "legacy-etl", "workers", "billing", "metabase"}
SEEN = """
SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM (
    SELECT rolname || ' ' || coalesce(array_to_string(rolconfig, ','), '') || rolconnlimit FROM pg_roles
    UNION ALL SELECT refobjid || deptype::text || dbid || classid || objid || objsubid FROM pg_shdepend
    UNION ALL SELECT coalesce(datacl::text, '') FROM pg_database
    UNION ALL SELECT nspname || nspowner || coalesce(nspacl::text, '') FROM pg_namespace WHERE nspname !~ '^pg_') f (t)
"""


@pytest.fixture(scope="module")
def project(adopting: tuple[DayZero, Project]) -> Project:
    return adopting[1]


def declare(project: Project, **sections: Any) -> None:
    project.declare(**{**ADOPT_ONLY, "services": SERVICES, **WORDS, **sections})


def test_it_says_who_loses_what_and_changes_nothing(zero: DayZero, project: Project) -> None:
    later = {"workers": {"role": "workers_later", "adopt": True}}
    declare(project, outsideRoles={}, shutOut=["nightly"], services={**SERVICES, **later})
    zero.database.run("ALTER SCHEMA workers OWNER TO workers_user")
    before = zero.database.value(SEEN)
    with Clients(zero) as clients:
        run = project.preview()
    assert run.exit != 0
    assert zero.database.value(SEEN) == before
    assert clients.refused == []
    for said in (
        "PUBLIC loses CONNECT, TEMPORARY on database railway",
        "sankore_user loses REFERENCES on table public.brands",
        "langflow_user has 15 sessions now, but connectionLimit of langflow is 10",
        "the password of madansara_user is replaced, because the role is taken over",
        "schema workers gets owner workers_later: workers_user loses the owner's privileges on it",
        "nightly is shut out of database railway, as the stack file says (1 grant)",
        "metabase, which the stack file does not name, can connect to database railway as a member of analytics_readon",
        "backend_worker from database railway: 1 session, 6 objects, 1 grant",
        "old_contractor from database railway: 1 session",
        'ALTER ROLE "sankore_user" SET statement_timeout = 30000;',
        "engarde:services.sankore.statementTimeout: 30000",
        "engarde:shutOut: [backend_worker, legacy_etl, nightly, old_contractor, support_admin, workers_user]",
        "Nothing was changed.",
    ):
        assert said in run.output, run.output
    assert run.output.index("loses CONNECT") < run.output.index("cannot be brought up yet")


def test_nothing_is_to_be_given_to_a_role_that_is_not_there_yet(project: Project) -> None:
    declare(project, services={**SERVICES, "workers": {"role": "workers_later"}})
    found = json.loads(project.tool("doctor", "--output", "json").stdout)["findings"]
    assert "workers_later" not in "".join(each["remedy"]["text"] for each in found if each["remedy"]["kind"] == "sql")
    assert "table madansara.journeys" in {each["subject"] for each in found if each["check"] == "owner"}


def test_with_the_words_it_goes_through_and_keeps_whom_they_name(zero: DayZero, project: Project) -> None:
    declare(project)
    zero.database.run("ALTER ROLE sankore_user SET statement_timeout = 30000")
    if not zero.database.admin.superuser:
        zero.database.run(*SQL.findall(project.preview().output))
    with Clients(zero) as clients:
        project.succeeds(project.up())
    assert not {each.client for each in clients.refused} & KEPT, clients.refused
    assert {"support", "old-contractor"} >= {each.client for each in clients.refused if each.sqlstate == "42501"}
    assert clients.lost() == {}
    again = project.succeeds(project.preview())
    assert "PUBLIC loses" not in again.output
    assert "replaced" not in again.output
    # What else there is on a single table is read by a refresh, and taken by the run after it.
    project.succeeds(project.refresh())
    loses = "sankore_user loses REFERENCES on table public.brands"
    assert loses in project.succeeds(project.up()).output
    assert loses not in project.succeeds(project.preview()).output
    declare(project, services={**SERVICES, "onside": {"adopt": True, "rotation": 2}})
    assert "onside_user is replaced, because its rotation is higher" in project.succeeds(project.preview()).output


def test_one_that_was_shut_out_without_a_word_stays_a_finding(zero: DayZero, project: Project) -> None:
    declare(project, shutOut=["support_admin"])
    found = json.loads(project.tool("doctor", "--output", "json").stdout)["findings"]
    [finding] = [each for each in found if each["check"] == "outside role"]
    assert (finding["subject"], finding["actual"]) == ("nightly", "shut out, and in neither of them: 1 grant")
    assert "engarde:shutOut: [nightly, support_admin]" in finding["remedy"]["text"]
    declare(project, shutOut=[*SHUT_OUT, "gone"])
    assert "engarde:shutOut: role gone does not exist any more" in project.succeeds(project.preview()).output
    found = json.loads(project.tool("doctor", "--output", "json").stdout)["findings"]
    assert not [each for each in found if each["check"] == "outside role"]
