"""The hand that runs a script's transactions one after another, and asks as every client after each."""

from collections.abc import Iterable

import psycopg

from engarde.checks.remedies import BEGIN, is_statement, transactions
from engarde.output.findings import Finding, Verb
from tests.engine.admins import SUPERUSER
from tests.engine.program import Project
from tests.engine.random_damages import effective
from tests.engine.verifying import heal

CLIENTS = {
    "madansara": ("SELECT email FROM public.users LIMIT 1", "SELECT id FROM public.brands LIMIT 1"),
    "sankore": ("SELECT word FROM onside.things LIMIT 1",),
    "onside": (),
    "field-notes": (),
    "analytics": ("SELECT id FROM madansara.things LIMIT 1", "SELECT id FROM onside.seen LIMIT 1"),
}
"""What each asks beside what is its own."""
OWN = ("INSERT INTO things (word) VALUES ('b')", "SELECT word FROM things LIMIT 1", "SELECT one(1)")


def answered(project: Project) -> frozenset[tuple[str, str]]:
    """The clients' statements that the server does; nothing of it stays."""
    found = set()
    for client, reads in CLIENTS.items():
        try:
            session = project.connect(client)
        except psycopg.OperationalError:
            continue
        with session:
            session.autocommit = False
            for statement in (*reads, *(OWN if client != "analytics" else ())):
                try:
                    session.execute(statement.encode())
                    found.add((client, statement))
                except psycopg.Error:
                    pass
                session.rollback()
    return frozenset(found)


def run(project: Project, findings: Iterable[Finding], declared: frozenset[tuple[str, str, str]]) -> None:
    """Commits each transaction by itself; what is declared and there before it has to be there after it."""
    database = project.database
    there, heard = effective(database) & declared, answered(project)
    for transaction in transactions(findings):
        who = SUPERUSER if transaction.by_superuser else database.admin
        database.run_as(who, "\n".join([*BEGIN, transaction.statements, "COMMIT;"]))
        still, hears = effective(database) & declared, answered(project)
        assert there <= still, (transaction.statements, sorted(there - still))
        assert heard <= hears, (transaction.statements, sorted(heard - hears))
        there, heard = still, hears


def decide(project: Project, findings: Iterable[Finding]) -> None:
    """Does what nobody but a person can say: here all was as declared before."""
    for finding in findings:
        if is_statement(finding):
            continue
        if finding.check == "owner" and finding.subject.startswith(("view ", "materialized view ")):
            make_anew(project, *finding.subject.rsplit(" ", 1))
        elif finding.remedy.verb is Verb.END or finding.remedy.kind != "sql":
            heal(project, finding)


def make_anew(project: Project, kind: str, identity: str) -> None:
    """Drops a view, and makes the same as the owner of the schema that it is in."""
    database = project.database
    query = "SELECT nspowner::regrole::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
    owner = database.value(f"{query} WHERE c.oid = %s::regclass", identity)
    definition = database.value("SELECT pg_get_viewdef(%s::regclass)", identity)
    database.run(f"DROP {kind} {identity}", f"SET ROLE {owner}; CREATE {kind} {identity} AS {definition}")
