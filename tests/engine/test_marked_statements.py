"""Every statement of the tool's ends in a comment that says whose it is, on each server that counts statements."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from devtools import server as servers
from engarde.declaration.address import Address
from engarde.errors import NotAnswered, Refused
from engarde.server import copy_in
from engarde.server.connect import MARK
from engarde.server.credentials import Access, scram_verifier
from engarde.server.session import session
from engarde.verify.logins import Who
from tests.engine import database as databases
from tests.engine.admins import PASSWORD, only_superuser
from tests.engine.database import NAME, Database

pytestmark = [only_superuser, pytest.mark.xdist_group("marked-statements")]

TRANSACTIONS = re.compile("COMMIT|ROLLBACK|SAVEPOINT|RELEASE|DEALLOCATE")
"""What the server takes for the same statement, whoever has written it."""


@pytest.fixture(scope="module")
def database(template: servers.Server) -> Iterator[Database]:
    with databases.copied(template) as made:
        made.run(
            "CREATE EXTENSION IF NOT EXISTS pg_stat_statements", "CREATE ROLE onside", "CREATE TABLE things (id int)"
        )
        yield made


def counted(database: Database) -> set[str]:
    """The statements of the server so far, without those of this test."""
    found = database.rows("SELECT query FROM pg_stat_statements(true) WHERE query NOT LIKE '%pg_stat_statements%'")
    return {query for (query,) in found if not TRANSACTIONS.match(query)}


def test_each_way_of_a_session_to_the_server(database: Database) -> None:
    access = Access(Address(host=servers.HOST, port=database.server.port), NAME, servers.ADMIN, PASSWORD)
    database.run("SELECT pg_stat_statements_reset()")
    with session(access) as asked:
        assert asked.process
        for _ in range(7):  # from the sixth on it is prepared
            assert asked.query("whoami", Who)
        asked.execute_file("status_begin")
        assert asked.tuples("schemas", schemas=["public"]) is not None
        with pytest.raises(NotAnswered):
            asked.try_query("version_table_revisions", Who, {"schema": "nowhere"})
    with session(access, read_only=False) as asked:
        asked.execute("SET LOCAL lock_timeout = '1s'")
        asked.execute("SET LOCAL lock_timeout = '2s'", "SET LOCAL work_mem = '1MB'")
        asked.execute_or_refuse("GRANT SELECT ON public.things TO onside;")
        asked.execute_or_refuse('SET ROLE onside; -- \';\nSELECT FROM public.things AS "a;b";\nRESET ROLE;')
        with pytest.raises(Refused):
            asked.probe([["SELECT 1"], ["SELECT * FROM nowhere"]])
            asked.execute_or_refuse("SELECT nothing")
    with session(access, read_only=False) as asked:
        asked.set_verifier("onside", scram_verifier("x"))
        asked.copy_in("COPY public.things FROM STDIN", [b"1\n"])
        copy_in.run(asked, "statistics", "ANALYZE public.things", "ANALYZE pg_catalog.pg_class")
        asked.execute_alone("VACUUM public.things")
    found = counted(database)
    assert len(found) > 15
    assert {query for query in found if not query.endswith(MARK)} == set()


def test_names_stay_as_they_are(database: Database) -> None:
    access = Access(Address(host=servers.HOST, port=database.server.port), NAME, servers.ADMIN, PASSWORD)
    with session(access, read_only=False) as asked:
        asked.execute('CREATE TABLE public."a;\nb;\n" ()')
        asked.copy_in('COPY public."a;\nb;\n" FROM STDIN', [])
        asked.commit()
    assert database.value("SELECT count(*) FROM pg_class WHERE relname = E'a;\\nb;\\n'") == 1


def test_a_scripts_own_statements_stay_as_they_are(database: Database) -> None:
    access = Access(Address(host=servers.HOST, port=database.server.port), NAME, servers.ADMIN, PASSWORD)
    body = "BEGIN\n  PERFORM 1;\nEND;"
    with session(access, read_only=False) as asked:
        asked.execute_given(f"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$\n{body}\n$$;\nSELECT f()")
        asked.commit()
    assert database.value("SELECT btrim(prosrc, E'\\n') FROM pg_proc WHERE proname = 'f'") == body
