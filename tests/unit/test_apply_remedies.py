"""Which remedies are run for the operator."""

from __future__ import annotations

from engarde.checks.apply_remedies import Change, changes
from engarde.output.findings import Finding, Remedy


def finding(remedy: Remedy, subject: str = "table a.t") -> Finding:
    return Finding("owner", subject, "a_user", "postgres", remedy)


def test_only_sql_that_is_safe_and_each_statement_once() -> None:
    safe = Remedy("sql", "ALTER TABLE a.t OWNER TO a_user;", safe=True)
    found = [
        finding(safe),
        finding(safe),
        finding(Remedy("sql", "DROP TABLE a.t;")),
        finding(Remedy("command", "bin/pulumi up", safe=True)),
        finding(Remedy("edit", "engarde:services:", safe=True)),
    ]
    assert changes(found) == [Change("owner: table a.t becomes a_user", safe.text)]
    assert changes([]) == []
