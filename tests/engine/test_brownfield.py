"""The database that is already there: it is as it has to be, its clients miss nothing, looking disturbs nobody."""

import json
import re
import time
from typing import Any

import pytest
from cryptography import x509

from engarde.server.credentials import scram_verifier
from tests.brownfield.clients import CONNECT, HOLD, Clients, Refused
from tests.brownfield.day_zero import DayZero
from tests.brownfield.railway import delivery, urls
from tests.engine.delivered import PRODUCTION
from tests.engine.program import Project

pytestmark = pytest.mark.xdist_group("brownfield")

OF_PUBLIC = "FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND NOT relispartition"
ONSIDES = ["lead_notes", "leads", "onside_settings"]
TABLES = f"""
SELECT count(*) {OF_PUBLIC} AND relkind IN ('r', 'p') AND relname <> ALL ('{{alembic_version,{",".join(ONSIDES)}}}')
"""
OWNED = "SELECT array_agg(relname::text) FROM pg_class WHERE relkind IN ('r', 'p')"
NAMES = "SELECT array_agg(relname::text) " + OF_PUBLIC
GRANTED = """
SELECT array_agg(r) FROM unnest(ARRAY['madansara', 'sankore', 'onside', 'langflow']) s,
LATERAL (SELECT r FROM unnest(ARRAY[s || '_user', 'analytics_readonly']) r WHERE has_schema_privilege(r, s, 'USAGE')) u
WHERE r = 'analytics_readonly' OR has_schema_privilege(r, s, 'CREATE')
"""
DEFAULTS = """
SELECT count(*) FROM pg_default_acl JOIN pg_namespace n ON n.oid = defaclnamespace, aclexplode(defaclacl) a
WHERE defaclrole = '{admin}'::regrole AND defaclobjtype = 'r' AND (grantee = to_regrole(nspname || '_user')
      AND privilege_type = 'INSERT' OR grantee = 'analytics_readonly'::regrole AND privilege_type = 'SELECT')
"""
SERVICES = ["langflow", "madansara", "onside", "sankore"]
ADMIN = "{admin}"
"""Stands for the role that made it."""

ITEMS: dict[str, tuple[str, Any]] = {
    "public: the backend's 23 tables": (TABLES, 23),
    "public: users, brands, brand_users": (
        f"{NAMES} AND relname IN ('users', 'brands', 'brand_users')",
        ["brand_users", "brands", "users"],
    ),
    "public: one partitioned": (f"{NAMES} AND relkind = 'p'", ["events"]),
    "public: a materialized view": (f"{NAMES} AND relkind = 'm'", ["events_per_brand"]),
    "public: two views": (
        f"{NAMES} AND relkind = 'v' AND relname NOT LIKE 'pg_stat%'",
        ["active_subscriptions", "brand_members"],
    ),
    "public: row security on one": (f"{NAMES} AND relrowsecurity", ["api_keys"]),
    "public: a SECURITY DEFINER function": (
        "SELECT array_agg(oid::regprocedure::text) FROM pg_proc WHERE prosecdef"
        " AND pronamespace = 'public'::regnamespace",
        ["main_brand(bigint)"],
    ),
    "public: extensions": (
        "SELECT array_agg(extname::text) FROM pg_extension WHERE extnamespace = 'public'::regnamespace",
        ["citext", "pg_stat_statements", "pg_trgm", "pgcrypto"],
    ),
    "public: owned by postgres": (f"{TABLES} AND pg_get_userbyid(relowner) = '{ADMIN}'", 20),
    "public: some made by backend_worker": (
        f"{NAMES} AND relkind = 'r' AND pg_get_userbyid(relowner) = 'backend_worker'",
        ["job_runs", "jobs", "webhook_deliveries"],
    ),
    "the guide's schemas": (
        "SELECT array_agg(nspname::text) FROM pg_namespace"
        f" WHERE pg_get_userbyid(nspowner) = '{ADMIN}' AND nspname IN ('madansara', 'sankore', 'onside', 'langflow')",
        SERVICES,
    ),
    "the guide's roles": (
        "SELECT array_agg(rolname::text) FROM pg_roles WHERE rolcanlogin AND NOT rolsuper"
        " AND rolname ~ '^(madansara|sankore|onside|langflow)_user$|^analytics_readonly$'",
        ["analytics_readonly", *(f"{service}_user" for service in SERVICES)],
    ),
    "the guide's grants": (GRANTED, ["analytics_readonly"] * 4 + [f"{service}_user" for service in SERVICES]),
    "the guide's default privileges": (DEFAULTS, 9),
    "service tables owned by postgres here": (
        f"{OWNED} AND relnamespace = 'madansara'::regnamespace AND pg_get_userbyid(relowner) = '{ADMIN}'",
        ["journeys", "steps"],
    ),
    "service tables owned by the service there": (
        f"{OWNED} AND pg_get_userbyid(relowner) = relnamespace::regnamespace || '_user'",
        ["ads", "bids", "flow", "task_runs", "variable"],
    ),
    "onside's tables still in public": (f"{NAMES} AND relname = ANY ('{{{','.join(ONSIDES)}}}')", ONSIDES),
    "onside's tables: it alone may write them": (
        "SELECT array_agg(DISTINCT grantee::regrole::text) FROM pg_class, aclexplode(relacl) WHERE relname = 'leads'"
        f" AND privilege_type = 'INSERT' AND grantee <> '{ADMIN}'::regrole",
        ["onside_user"],
    ),
    "onside's type": ("SELECT typnamespace::regnamespace::text FROM pg_type WHERE typname = 'lead_status'", "public"),
    "onside's and the backend's row of alembic_version": (
        "SELECT array_agg(version_num::text) FROM public.alembic_version",
        ["b042", "o007"],
    ),
    "workers_user, shared by two services": (
        "SELECT array_agg(relnamespace::regnamespace::text) FROM pg_class"
        " WHERE relkind = 'r' AND pg_get_userbyid(relowner) = 'workers_user'",
        ["billing", "workers"],
    ),
    "metabase IN ROLE analytics_readonly": (
        "SELECT array_agg(roleid::regrole::text) FROM pg_auth_members WHERE member = 'metabase'::regrole",
        ["analytics_readonly"],
    ),
    "legacy_etl with an md5 password": (
        "SELECT array_agg(rolname::text) FROM pg_authid WHERE rolpassword LIKE 'md5%'",
        ["legacy_etl"],
    ),
    "all others with scram": (
        "SELECT count(*) FROM pg_authid WHERE rolcanlogin AND rolname <> 'legacy_etl'"
        " AND coalesce(rolpassword, '') !~ '^SCRAM-SHA-256[$]'",
        0,
    ),
    "legacy_etl reads a service's table": ("SELECT has_table_privilege('legacy_etl', 'sankore.ads', 'SELECT')", True),
    "support_admin with BYPASSRLS": (
        "SELECT array_agg(rolname::text) FROM pg_roles WHERE rolbypassrls AND NOT rolsuper",
        ["support_admin"],
    ),
    "nightly, LOGIN with an INSERT grant": (
        "SELECT array_agg(relname::text) FROM pg_roles r JOIN pg_class ON has_table_privilege(rolname, pg_class.oid,"
        " 'INSERT') WHERE rolname = 'nightly' AND rolcanlogin",
        ["audit_log"],
    ),
    "statement_timeout in words": (
        "SELECT rolconfig FROM pg_roles WHERE rolname = 'sankore_user'",
        ["statement_timeout=30s"],
    ),
    "search_path of its own": (
        "SELECT rolconfig FROM pg_roles WHERE rolname = 'langflow_user'",
        ["search_path=langflow, public"],
    ),
    "foreign keys from services' schemas to public.brands": (
        "SELECT array_agg(conrelid::regclass::text) FROM pg_constraint JOIN pg_class c ON c.oid = conrelid"
        " WHERE confrelid = 'public.brands'::regclass AND relnamespace <> 'public'::regnamespace",
        ["madansara.journeys", "sankore.ads"],
    ),
    "an event trigger": ("SELECT array_agg(evtname::text) FROM pg_event_trigger WHERE evtenabled = 'O'", ["note_ddl"]),
    "pg_stat_statements preloaded": ("SHOW shared_preload_libraries", "pg_stat_statements"),
    "TLS": ("SHOW ssl", "on"),
    "md5 and scram lines in pg_hba": (
        "SELECT array_agg(auth_method) FROM pg_hba_file_rules WHERE error IS NULL",
        ["md5", "scram-sha-256"],
    ),
}
LIVE: dict[str, tuple[str, Any]] = {
    "langflow with 15 sessions": ("SELECT count(*) FROM pg_stat_activity WHERE usename = 'langflow_user'", (15, 16)),
    "old_contractor, idle": (
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'old_contractor' AND state = 'idle'",
        (1, 1),
    ),
    "TLS": (
        "SELECT count(*) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE usename IS NOT NULL AND NOT ssl",
        (0, 0),
    ),
    "nightly, never connected": ("SELECT count(*) FROM pg_stat_activity WHERE usename = 'nightly'", (0, 0)),
}
"""What is so while the clients are there, and between which numbers: a new connection may be there for a moment."""

OTHERS = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
OUTSIDE = {"backend_worker", "legacy_etl", "old_contractor", "support_admin", "workers_user"}
"""Who would be shut out by the first `up`, as far as the doctor sees it."""


@pytest.fixture(scope="module")
def project(adopting: tuple[DayZero, Project]) -> Project:
    return adopting[1]


def soon(clients: Clients, name: str) -> Refused:
    """Its next refusal, which has to be counted within a second, or two where others have the processors."""
    before, end = len(clients.by(name)), time.monotonic() + 2
    while len(clients.by(name)) == before:
        assert time.monotonic() < end, f"{name} was refused nothing"
        time.sleep(0.01)
    return clients.by(name)[before]


def test_every_item_is_there(zero: DayZero) -> None:
    admin = zero.database.admin.user
    found = {name: zero.database.value(query.replace(ADMIN, admin)) for name, (query, _) in ITEMS.items()}
    found = {name: sorted(value) if isinstance(value, list) else value for name, value in found.items()}
    assert found == {name: expected for name, (_, expected) in ITEMS.items()}


def test_nobody_vouches_for_the_certificate(zero: DayZero) -> None:
    certificate = x509.load_pem_x509_certificate((zero.database.server.data / "server.crt").read_bytes())
    certificate.verify_directly_issued_by(certificate)


def test_all_are_at_work_and_nobody_is_refused(zero: DayZero) -> None:
    with Clients(zero) as clients:
        time.sleep(2)
        for name, (query, (least, most)) in LIVE.items():
            assert least <= zero.database.value(query) <= most, name
    assert clients.refused == []
    assert all(len(words) > 5 for words in clients.acknowledged.values()), clients.acknowledged
    assert clients.lost() == {}


def test_whatever_happens_all_are_gone_at_the_end(zero: DayZero) -> None:
    with zero.database.session() as session, session.transaction():
        with pytest.raises(ZeroDivisionError), Clients(zero):
            session.execute("LOCK TABLE audit_log, langflow.flow")
            time.sleep(0.2)
            raise ZeroDivisionError
        end = time.monotonic() + 2
        while zero.database.value(OTHERS) > 1:
            assert time.monotonic() < end
            time.sleep(0.02)


def test_a_row_is_found_wherever_its_table_is_and_missed_where_it_is_not(zero: DayZero) -> None:
    with Clients(zero) as clients:
        zero.database.run("ALTER TABLE public.leads SET SCHEMA onside")
        time.sleep(0.6)
        zero.database.run("ALTER TABLE onside.leads SET SCHEMA public")
    assert clients.refused == []
    assert clients.lost() == {}
    gone, twice = clients.acknowledged["onside"][-1], clients.acknowledged["billing"][-1]
    zero.database.run(
        f"DELETE FROM public.leads WHERE note = '{gone}'", f"INSERT INTO billing.charges (note) VALUES ('{twice}')"
    )
    assert clients.lost() == {"onside": [gone], "billing": [twice]}


def test_what_is_refused_is_counted_within_a_second(zero: DayZero) -> None:
    with Clients(zero) as clients:
        taken = time.monotonic()
        zero.database.run("REVOKE SELECT ON sankore.ads FROM legacy_etl")
        statement = soon(clients, "legacy-etl")
        zero.database.run("GRANT SELECT ON sankore.ads TO legacy_etl")
        zero.database.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'old_contractor'")
        session = soon(clients, "old-contractor")
        zero.database.run("ALTER ROLE langflow_user CONNECTION LIMIT 10")
        login = soon(clients, "langflow")
        zero.database.run("ALTER ROLE langflow_user CONNECTION LIMIT -1")
    assert taken < statement.when < session.when < login.when
    assert (statement.sqlstate, statement.text) == ("42501", "permission denied for table ads")
    assert "sankore.ads" in statement.what
    assert (session.what, session.sqlstate) == (HOLD, "57P01")
    assert session.text == "terminating connection due to administrator command"
    assert (login.what, login.sqlstate) == (CONNECT, "53300")
    assert 'too many connections for role "langflow_user"' in login.text
    assert {each.client for each in clients.refused} == {"legacy-etl", "old-contractor", "langflow"}


def test_a_new_password_is_refused_until_railway_has_it(zero: DayZero, project: Project) -> None:
    before = zero.database.value("SELECT rolpassword FROM pg_authid WHERE rolname = 'langflow_user'")
    new = "AnotherPasswordInTests"
    with delivery(zero, project) as there, Clients(zero, urls(zero, there)) as clients:
        zero.database.run(f"ALTER ROLE langflow_user PASSWORD '{scram_verifier(new, b'of a new password')}'")
        refused = soon(clients, "langflow")
        old = there.running("langflow")["LANGFLOW_DATABASE_URL"]
        there.services["langflow"].set(PRODUCTION, LANGFLOW_DATABASE_URL=with_password(old, new))
        there.services["langflow"].deploy(PRODUCTION)
        time.sleep(0.1)
        counted = len(clients.refused)
        time.sleep(1)
        assert len(clients.refused) == counted
        zero.database.run(f"ALTER ROLE langflow_user PASSWORD '{before}'")
        soon(clients, "langflow")
    assert (refused.what, refused.sqlstate) == (CONNECT, "28P01")
    assert 'password authentication failed for user "langflow_user"' in refused.text
    assert {each.client for each in clients.refused} == {"langflow"}
    assert clients.lost() == {}
    assert not [each for each in (new, *zero.passwords.values()) if each in repr((clients.refused, zero))]


def with_password(url: str, password: str) -> str:
    return re.sub(":[^:@]*@", f":{password}@", url)


@pytest.mark.parametrize("command", ["verify", "doctor"])
def test_looking_at_it_refuses_nobody(zero: DayZero, project: Project, command: str) -> None:
    with Clients(zero) as clients:
        done = project.tool(command, "--output", "json")
    project.printed += done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode in (0, 1, 2, 3)
    if command == "doctor":
        assert done.returncode == 1
        assert {load["subject"] for load in json.loads(done.stdout)["findings"]} >= OUTSIDE
    assert clients.refused == []
    assert clients.lost() == {}
