"""`bin/engarde status` on a database whose content is known: each figure is the catalog's, and whose it is."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import psycopg
import pytest

from tests.engine.admins import BACKEND_PASSWORD
from tests.engine.conftest import Projects
from tests.engine.in_process import tool_here
from tests.engine.program import Project
from tests.engine.statused import (
    CONTENT,
    MONITOR,
    OUTSIDER,
    STACK_WITH_ALL,
    Seen,
    of,
    samples,
    scraped,
    seen,
    shown,
    transaction,
    watcher,
)

pytestmark = pytest.mark.xdist_group("status")

SERVICES = {"madansara": "madansara", "sankore": "sankore", "Odd-1": "Odd 'S'"}

SIZES = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint, coalesce(sum(pg_indexes_size(c.oid)), 0)::bigint,
       coalesce(sum(pg_total_relation_size(nullif(c.reltoastrelid, 0))), 0)::bigint
FROM pg_class c WHERE c.relkind IN ('r', 'm') AND c.relnamespace = quote_ident(%s)::regnamespace
"""


@pytest.fixture(scope="module")
def project(projects: Projects) -> Iterator[Project]:
    """A stack with something of everything, and a role that may only watch."""
    with projects(**STACK_WITH_ALL) as project:
        project.database.run(watcher())
        project.succeeds(project.up())
        project.database.run("CREATE EXTENSION pg_stat_statements")
        for service in SERVICES:
            with project.connect(service) as session:
                for statement in CONTENT:
                    session.execute(statement.encode())
        yield project


def test_sizes_are_the_catalogs_to_the_byte(project: Project) -> None:
    for who in (None, MONITOR):
        # Autovacuum may add to a table between the two looks.
        eventually(lambda who=who: sizes(seen(project, who)) == sizes_by_catalog(project))
        assert all(
            each["storage"]["unmeasuredTables"] == [] for each in seen(project, who)["services"] if each["storage"]
        )


def sizes(found: Seen) -> dict[str, Any]:
    by_service = {each["service"]: each["storage"]["bytes"] for each in found["services"] if each["storage"]}
    return by_service | {"server": found["server"]["databaseBytes"]}


def sizes_by_catalog(project: Project) -> dict[str, Any]:
    by_service: dict[str, Any] = {"server": project.database.value("SELECT pg_database_size('railway')")}
    for service, schema in (*SERVICES.items(), ("production-backend", "public")):
        [(total, indexes, toast)] = project.database.rows(SIZES, schema)
        heap = total - indexes - toast
        by_service[service] = {"heap": heap, "indexes": indexes, "toast": toast, "total": total}
    return by_service


def test_the_largest_tables_with_partitions_as_one_and_how_many_rows(project: Project) -> None:
    storage = of(seen(project), "Odd-1")["storage"]
    assert storage["tables"] == 6
    assert storage["rows"] == 300 + 150 + 1 + 1
    largest = storage["largestTables"]
    assert [each["table"] for each in largest[:2]] == ["things", "parts"]
    assert (largest[0]["rows"], largest[1]["rows"], largest[1]["partitions"]) == (300, 150, 2)
    assert largest[0]["bytes"]["total"] == project.database.value(
        "SELECT pg_total_relation_size($$\"Odd 'S'\".things$$)"
    )
    assert largest[0]["bytes"]["toast"] > 1_000_000
    assert largest[1]["bytes"]["total"] == project.database.value(
        "SELECT sum(pg_total_relation_size(inhrelid))::bigint FROM pg_inherits"
        " WHERE inhparent = $$\"Odd 'S'\".parts$$::regclass"
    )
    assert largest[0]["analyzedAt"] and not largest[0]["vacuumedAt"]
    assert of(seen(project), "analytics")["storage"] is None


def test_connections_are_counted_by_state_against_the_limit(project: Project) -> None:
    before = seen(project)["server"]["connections"]
    with ExitStack() as open_:
        idle = [open_.enter_context(project.connect("madansara")) for _ in range(2)]
        assert idle[0].execute("SELECT 1").fetchone() == (1,)
        waiting = open_.enter_context(project.connect("madansara"))
        open_.enter_context(transaction(waiting, "SELECT 1"))
        failed = open_.enter_context(project.connect("madansara"))
        open_.enter_context(transaction(failed))
        with pytest.raises(psycopg.Error):
            failed.execute("SELECT 1/0")
        open_.enter_context(project.connect("analytics"))
        open_.enter_context(project.database.session(OUTSIDER, BACKEND_PASSWORD, "postgres"))
        busy = open_.enter_context(project.connect("sankore"))
        with running(busy, "SELECT pg_sleep(60)"):
            found = seen(project)
    states = {"active": 0, "idle in transaction": 0, "idle in transaction (aborted)": 0, "fastpath function call": 0}
    states |= {"idle": 0, "disabled": 0}
    connections = of(found, "madansara")["connections"]
    assert (connections["used"], connections["limit"]) == (4, 5)
    assert connections["states"] == {
        **states,
        "idle": 2,
        "idle in transaction": 1,
        "idle in transaction (aborted)": 1,
    }
    assert 0 < connections["longestIdleInTransactionSeconds"] <= connections["longestTransactionSeconds"] < 30
    assert of(found, "sankore")["connections"]["states"] == {**states, "active": 1}
    assert of(found, "analytics")["connections"]["used"] == 1
    # Connections count on the whole server, and the backend's are its own in whatever database.
    assert of(found, "production-backend")["connections"]["used"] == 1
    assert found["server"]["connections"]["used"] == before["used"] + 7
    assert found["server"]["connections"]["otherRoles"] == {}
    assert found["server"]["connectionBudget"] == {"used": 6, "limit": 97, "allocated": 5 + 10 + 10 + 5}


class running:
    """A statement that runs as long as the block lasts."""

    def __init__(self, session: psycopg.Connection[Any], statement: str) -> None:
        self._session, self._statement = session, statement
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with suppress(psycopg.Error):
            self._session.execute(self._statement.encode())

    def __enter__(self) -> "running":
        self._thread.start()
        time.sleep(0.3)
        return self

    def __exit__(self, *_: object) -> None:
        self._session.cancel()
        self._thread.join()


def test_who_waits_for_whom_across_services(project: Project) -> None:
    with project.connect("sankore") as session:
        session.execute("GRANT SELECT ON things TO madansara_user")
    with (
        project.connect("madansara") as reader,
        project.connect("sankore") as owner,
        transaction(reader, "SELECT count(*) FROM sankore.things /* secret */ WHERE word <> 'a secret'"),
        running(owner, "ALTER TABLE things ADD COLUMN more int"),
    ):
        time.sleep(1.1)
        found, table = seen(project), shown(project)
        without = seen(project, queries=False)
        pids = reader.info.backend_pid, owner.info.backend_pid
    assert re.search(
        rf"sankore:?\s+(?:- )?session {pids[1]} has waited \d\.\d s for sankore\.things,"
        rf" blocked by madansara's session {pids[0]} \(madansara_user, idle in transaction\)",
        table,
    )
    [blocked] = of(found, "sankore")["connections"]["blocked"]
    [by] = blocked.pop("blockedBy")
    assert 1 < blocked.pop("seconds") < 30
    assert blocked == {
        "pid": pids[1],
        "role": "sankore_user",
        "waitsFor": "sankore.things",
        "mode": "AccessExclusiveLock",
        "query": "ALTER TABLE things ADD COLUMN more int",
    }
    assert by.pop("transactionSeconds") > 1
    assert by == {
        "pid": pids[0],
        "role": "madansara_user",
        "service": "madansara",
        "state": "idle in transaction",
        "query": "SELECT count(*) FROM sankore.things WHERE word <> ***",
    }
    elsewhere = of(found, "madansara")["connections"]["locksInOtherSchemas"]
    held = [each for each in elsewhere if each["schema"] == "sankore"]
    assert {(each["role"], each["service"], each["mode"], each["granted"]) for each in held} == {
        ("madansara_user", "sankore", "AccessShareLock", True)
    }
    assert of(found, "sankore")["connections"]["locksInOtherSchemas"] == []
    assert found["server"]["connections"]["blockedSessions"] == 1
    [blocked] = of(without, "sankore")["connections"]["blocked"]
    assert blocked["query"] is None and blocked["blockedBy"][0]["query"] is None


def test_a_role_that_may_only_watch_says_what_it_cannot_see(project: Project) -> None:
    found = seen(project, MONITOR)
    assert of(found, "sankore")["revisions"] is None
    assert of(found, "sankore")["storage"]["unreadSequences"] == 1
    for remedy in (each["remedy"] for each in found["notVisible"]):
        if remedy["kind"] == "sql":
            project.database.run(*remedy["text"].splitlines())
    healed = seen(project, MONITOR)
    # What services may change is asked of their own logins alone, which such a role does not have.
    assert all("revision" in each["what"] or "sequences" in each["what"] for each in healed["notVisible"])
    assert of(healed, "sankore")["revisions"] is None
    assert of(healed, "sankore")["storage"]["unreadSequences"] == 1
    by_admin = seen(project)
    # An admin that is no superuser need not see others' statements.
    assert not any("revision" in each["what"] or "sequences" in each["what"] for each in by_admin["notVisible"])
    assert of(by_admin, "sankore")["storage"]["unreadSequences"] == 0
    assert [each["revisions"] for each in by_admin["services"]] == [*[["0a1b2c"]] * 3, [], []]


def test_statements_are_whose_role_ran_them_with_their_constants_gone(project: Project) -> None:
    project.database.run("SELECT pg_stat_statements_reset()")
    with project.connect("sankore") as session:
        for number in range(5):
            session.execute(f"SELECT count(*) FROM things WHERE word = 'secret {number}'".encode())
        session.execute("SELECT pg_sleep(0.12), 'another secret'")
        session.execute("""DO $$BEGIN PERFORM 'a third secret'; END$$""")
    with project.connect("madansara") as session:
        session.execute("SELECT count(*) FROM things WHERE word = 'secret'")
    with project.database.session(OUTSIDER, BACKEND_PASSWORD, "postgres") as session:
        session.execute("SELECT count(*) AS of_another_database FROM pg_class")
    tool_here(project, "verify")
    found = seen(project, MONITOR)
    assert "of_another_database" not in str(found)
    # Those of the tool itself, which logs in as the service, are not the service's.
    mine = of(found, "sankore")["statements"]
    queries = {each["query"] for name in ("byTotal", "byMean") for each in mine[name]}
    assert {query for query in queries if query.startswith(("DO", "BEGIN", "SET"))} == {"DO ***"}
    assert len(queries) == 3
    assert mine["calls"] == 7
    assert mine["toolCalls"] > 5 and mine["toolMilliseconds"] > 0
    [counted] = [each for each in mine["byTotal"] if "FROM things" in each["query"]]
    assert (counted["calls"], counted["rows"], counted["tempBlocks"]) == (5, 5, 0)
    assert counted["query"] == "SELECT count(*) FROM things WHERE word = $1"
    assert 0 <= counted["cacheHitRatio"] <= 1
    slow = mine["byMean"][0]
    assert slow["query"].startswith("SELECT pg_sleep($1)")
    assert slow["meanMilliseconds"] >= 120
    assert mine["totalMilliseconds"] >= sum(each["totalMilliseconds"] for each in mine["byTotal"]) > 120
    assert [each["calls"] for each in of(found, "madansara")["statements"]["byTotal"] if "things" in each["query"]] == [
        1
    ]
    assert of(found, "Odd-1")["statements"]["calls"] == 0
    assert "secret" not in str(found)
    without = of(seen(project, MONITOR, queries=False), "sankore")["statements"]["byTotal"]
    assert all("query" not in each and each["queryId"] for each in without)


def test_every_statement_of_the_tools_says_whose_it_is(project: Project) -> None:
    project.database.run("REVOKE USAGE ON SCHEMA sankore FROM madansara_user", "SELECT pg_stat_statements_reset()")
    for words in (("verify", "--fix", "--yes"), ("doctor",), ("explain", "madansara", "sankore.things"), ("status",)):
        tool_here(project, *words)
    unmarked = project.database.rows("SELECT query FROM pg_stat_statements(true) WHERE query NOT LIKE '%/* engarde */'")
    # What ends a transaction or a part of one is the same statement, whoever has written it.
    known = re.compile("COMMIT|ROLLBACK|SAVEPOINT|SELECT pg_stat_statements_reset")
    assert [query for (query,) in unmarked if not known.match(query)] == []


def test_what_maintenance_has_left_to_do(project: Project) -> None:
    with project.connect("Odd-1") as session:
        session.execute("CREATE TABLE tended (id int PRIMARY KEY, a int, b int) WITH (autovacuum_enabled = off)")
        session.execute("INSERT INTO tended SELECT n, n, n FROM generate_series(1, 1000) n")
        session.execute('CREATE INDEX "by A" ON tended (a)')
        session.execute('CREATE INDEX "again by A" ON tended (a)')
        session.execute("CREATE INDEX by_a_and_b ON tended (a, b)")
        session.execute("CREATE INDEX by_sum ON tended ((a + b)) WHERE a > 0")
        session.execute("CREATE INDEX   by_sum_too ON tended  (( a+b )) WHERE a > 0")
        session.execute("CREATE INDEX as_key ON tended (id)")
        session.execute("DELETE FROM tended WHERE id <= 400")
        session.execute("CREATE SEQUENCE short MAXVALUE 100")
        session.execute("CREATE SEQUENCE down INCREMENT -1 MINVALUE -10 MAXVALUE 0 START 0")
        session.execute("CREATE SEQUENCE round MAXVALUE 10 CYCLE")
        session.execute("CREATE TABLE numbered (id serial)")
        session.execute("ALTER SEQUENCE numbered_id_seq AS bigint")
        for statement in (
            "SELECT setval('short', 90)",
            "SELECT setval('down', -9)",
            "SELECT setval('round', 10)",
            "SELECT setval('numbered_id_seq', 2000000000)",
        ):
            session.execute(statement.encode())
        session.execute("SET enable_seqscan = off")
        session.execute("SELECT * FROM tended WHERE a = 500 AND b = 500")
    eventually(lambda: of(seen(project), "Odd-1")["storage"]["deadRows"] == 400)
    # The deletion has gone through one of two.
    eventually(lambda: unused(project) - {"as_key"} == {"by A", "again by A", "by_sum", "by_sum_too"})
    table = shown(project)
    for said in (
        "sequence Odd 'S'.numbered_id_seq has used 93.1 % of its range, 147,483,647 values are left",
        "3 duplicate indexes: ",
        ", as by A)",
        " unused indexes: ",
    ):
        assert said in table
    storage = of(seen(project), "Odd-1")["storage"]
    assert [(each["table"], each["deadRows"]) for each in storage["mostDeadRows"]] == [("tended", 400)]
    assert storage["mostDeadRows"][0]["vacuumedAt"] is None
    near = {each["sequence"]: (round(each["usedRatio"], 2), each["valuesLeft"]) for each in storage["sequencesNearEnd"]}
    assert near == {"short": (0.9, 10), "down": (0.9, 1), "numbered_id_seq": (0.93, 147_483_647)}
    assert {(each["index"], each["duplicateOf"]) for each in storage["duplicateIndexes"]} == {
        ("again by A", "by A"),
        ("by_sum_too", "by_sum"),
        ("as_key", "tended_pkey"),
    }
    size = 'SELECT pg_relation_size($$"Odd \'S\'"."by A"$$)'
    assert [each["bytes"] for each in storage["unusedIndexes"] if each["index"] == "by A"] == [
        project.database.value(size)
    ]
    project.database.run("VACUUM (FREEZE, ANALYZE) \"Odd 'S'\".tended")
    eventually(lambda: of(seen(project), "Odd-1")["storage"]["deadRows"] == 0)
    storage = of(seen(project), "Odd-1")["storage"]
    [table] = [each for each in storage["largestTables"] if each["table"] == "tended"]
    assert table["rows"] == 600 and table["vacuumedAt"] and table["analyzedAt"]
    age = (
        "SELECT max(age(relfrozenxid)) FROM pg_class"
        " WHERE relkind IN ('r', 'm') AND relnamespace = 'sankore'::regnamespace"
    )
    left = of(seen(project), "sankore")["storage"]["transactionsLeft"]
    assert 0 <= 2**31 - project.database.value(age) - left <= 5
    with project.connect("Odd-1") as session:
        session.execute("DROP TABLE tended, numbered")
        session.execute("DROP SEQUENCE short, down, round")


def test_an_index_that_failed_and_a_table_without_autovacuum_are_told_and_healed(project: Project) -> None:
    with project.connect("Odd-1") as session:
        session.execute("CREATE TABLE \"Twi''ce\" (id int) WITH (autovacuum_enabled = off)")
        session.execute("CREATE TABLE wide (id int, word text) WITH (toast.autovacuum_enabled = false)")
        session.execute("CREATE TABLE tended (id int) WITH (autovacuum_enabled = on, fillfactor = 90)")
        session.execute("INSERT INTO \"Twi''ce\" VALUES (1), (1)")
        for statement in (
            'CREATE UNIQUE INDEX CONCURRENTLY "by Id" ON "Twi\'\'ce" (id)',
            'REINDEX INDEX CONCURRENTLY "by Id"',
        ):
            with pytest.raises(psycopg.errors.UniqueViolation):
                session.execute(statement.encode())
    for who in (None, MONITOR):
        storage = of(seen(project, who), "Odd-1")["storage"]
        assert [(index["table"], index["index"]) for index in storage["invalidIndexes"]] == [
            ("Twi''ce", "by Id"),
            ("Twi''ce", "by Id_ccnew"),
        ]
        assert [table["table"] for table in storage["autovacuumOff"]] == ["Twi''ce", "wide"]
    table, metrics = shown(project), samples(scraped(project))
    noted = table.partition("\n  Odd-1\n")[2]
    assert "  - index Odd 'S'.by Id (" in noted and "  - autovacuum is off for Odd 'S'.wide. " in noted
    for metric in ("invalid_indexes", "autovacuum_off_tables"):
        assert metrics[f"engarde_service_{metric}", (("service", "Odd-1"),)] == 2
        assert metrics[f"engarde_service_{metric}", (("service", "sankore"),)] == 0
    remedies = [each["remedy"]["text"] for each in (*storage["invalidIndexes"], *storage["autovacuumOff"])]
    assert all(f"\n      {remedy}\n" in noted for remedy in remedies)
    with project.connect("Odd-1") as session:
        session.execute("DELETE FROM \"Twi''ce\" WHERE ctid = '(0,1)'")
        for remedy in remedies:
            session.execute(remedy.encode())
        healed = of(seen(project), "Odd-1")["storage"]
        assert (healed["invalidIndexes"], healed["autovacuumOff"]) == ([], [])
        assert session.execute("SELECT count(*) FROM pg_index WHERE indexrelid = '\"by Id\"'::regclass").fetchone() == (
            1,
        )
        session.execute("DROP TABLE \"Twi''ce\", wide, tended")


def test_an_index_that_is_being_built_is_no_failed_one(project: Project) -> None:
    with project.connect("Odd-1") as session:
        session.execute("CREATE TABLE long (id int)")
    with (
        project.connect("Odd-1") as writer,
        project.connect("Odd-1") as builder,
        transaction(writer, "INSERT INTO long VALUES (1)"),
        running(builder, "CREATE INDEX CONCURRENTLY by_id ON long (id)"),
    ):
        built = "SELECT count(*) FROM pg_index WHERE indrelid = $$\"Odd 'S'\".long$$::regclass AND NOT indisvalid"
        eventually(lambda: project.database.value(built) == 1)
        for who in (None, MONITOR):
            assert of(seen(project, who), "Odd-1")["storage"]["invalidIndexes"] == []
    # It was cancelled, and so it is one.
    [failed] = of(seen(project), "Odd-1")["storage"]["invalidIndexes"]
    with project.connect("Odd-1") as session:
        session.execute(failed["remedy"]["text"].encode())
        assert of(seen(project), "Odd-1")["storage"]["invalidIndexes"] == []
        session.execute("DROP TABLE long")


def unused(project: Project) -> set[str]:
    storage = of(seen(project), "Odd-1")["storage"]
    return {each["index"] for each in storage["unusedIndexes"] if each["table"] == "tended"}


def eventually(true: Any) -> None:
    """Counters of a session come some time after its end."""
    for _ in range(50):
        if true():
            return
        time.sleep(0.1)
    assert true()


def test_a_held_lock_does_not_hold_status_up(project: Project) -> None:
    with project.connect("sankore") as migration, transaction(migration, "LOCK TABLE things IN ACCESS EXCLUSIVE MODE"):
        migration.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
        migration.execute("ALTER SEQUENCE things_id_seq OWNED BY NONE")
        migration.execute("REINDEX INDEX things_pkey")
        start = time.monotonic()
        by_admin, by_monitor = seen(project), seen(project, MONITOR)
        assert time.monotonic() - start < 5
    for found in (by_admin, by_monitor):
        assert of(found, "sankore")["revisions"] is None
        assert any(each["what"].startswith("the revision") for each in found["notVisible"])
        assert of(found, "madansara")["storage"]["unmeasuredTables"] == []
    assert of(by_monitor, "sankore")["storage"]["unmeasuredTables"] == ["sankore.alembic_version", "sankore.things"]
    assert any("sankore.things" in each["what"] for each in by_monitor["notVisible"])
    if project.database.admin.superuser:
        # From the files nothing has to wait.
        [(total, *_)] = project.database.rows(SIZES, "sankore")
        assert of(by_admin, "sankore")["storage"]["unmeasuredTables"] == []
        assert of(by_admin, "sankore")["storage"]["bytes"]["total"] == total


def test_no_lock_is_stronger_than_access_share_and_the_session_is_marked(project: Project) -> None:
    modes: set[str] = set()
    marked: list[tuple[Any, ...]] = []
    stop = threading.Event()

    def watch() -> None:
        with project.database.session() as session:
            while not stop.is_set():
                modes.update(
                    mode
                    for (mode,) in session.execute(
                        # Every login locks its database for a moment.
                        "SELECT l.mode FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                        " WHERE a.application_name LIKE 'engarde%' AND l.locktype NOT IN ('virtualxid', 'object')"
                    )
                )
                marked.extend(
                    session.execute(
                        "SELECT DISTINCT application_name FROM pg_stat_activity WHERE application_name LIKE 'engarde %'"
                    ).fetchall()
                )

    with project.connect("sankore") as session:
        for number in range(300):
            session.execute(f"CREATE TABLE IF NOT EXISTS many_{number} (id serial PRIMARY KEY)".encode())
    watching = threading.Thread(target=watch)
    watching.start()
    try:
        for who in (None, MONITOR) * 3:
            seen(project, who)
    finally:
        stop.set()
        watching.join()
    assert modes == {"AccessShareLock"}
    assert set(marked) == {("engarde status",)}
    logged = project.database.server.log.read_text()
    assert "SET LOCAL statement_timeout = '20s'" in logged
    with project.connect("sankore") as session:
        for number in range(300):
            session.execute(f"DROP TABLE many_{number}".encode())


def questions(project: Project) -> int:
    before = project.database.mark()
    seen(project)
    with project.database.server.log.open("rb") as log:
        log.seek(before)
        return log.read().count(b"-- engarde status:")


def test_as_many_questions_whatever_the_number_of_services(project: Project) -> None:
    first = questions(project)
    assert 10 < first < 20
    project.declare(**STACK_WITH_ALL | {"services": {"sankore": None}})
    assert questions(project) == first
    project.declare(**STACK_WITH_ALL)


def test_one_service_alone(project: Project) -> None:
    found = seen(project, service="sankore")
    assert [each["service"] for each in found["services"]] == ["sankore"]
    every = of(seen(project), "sankore")
    assert of(found, "sankore")["storage"] == every["storage"]
    public: Seen = of(seen(project, service="production-backend"), "production-backend")
    assert public["schemas"] == ["public"]
