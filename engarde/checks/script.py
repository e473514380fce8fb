"""The remedies of one run as a script for psql: transactions, then what no statement mends, as comments."""

from collections.abc import Iterable, Iterator, Sequence

from engarde.checks.apply_remedies import PATIENCE
from engarde.checks.remedies import Transaction, is_statement, transactions
from engarde.declaration.databases import databases, display_name
from engarde.declaration.model import DatabaseStack, Stack
from engarde.output.findings import Finding, Verb
from engarde.util.visible import visible

BEGIN = (
    "BEGIN READ WRITE;",
    "SET LOCAL ROLE NONE;",
    f"SET LOCAL lock_timeout = '{PATIENCE}s';",
    "SET LOCAL search_path = pg_catalog, pg_temp;",
)
"""Whatever the session starts with; no live service queues behind a statement that waits."""


def script(stack: Stack, findings: Sequence[Finding]) -> str:
    """All that there is to do, for `psql -X -f`: by the admin or by a superuser, who makes what the admin may not.

    Each transaction leaves what is declared and there in place, so that one may stop after any of them.
    """
    made = transactions(findings)
    lines = [f"-- stack {stack.name}: {len(made)} transactions; run it with psql -X -f, as its admin or as a superuser"]
    lines += ["\\set ON_ERROR_STOP on"] if made else []
    several = len(databases(stack)) > 1
    for database in databases(stack):
        name = display_name(database) if several else ""
        here = [transaction for transaction in made if transaction.database == name]
        # What was only seen by trying is something else's doing, which is mended by that.
        others = [finding for finding in findings if finding.check != "behaviour"] or findings
        left = [finding for finding in others if finding.database == name and not is_statement(finding)]
        if here or left:
            lines += ["", _comment(f"database {display_name(database)}")]
        if here:
            lines += ["", *_entered(database), *_transactions(here)]
        lines += _left(left)
    return "\n".join(lines)


def _entered(database: DatabaseStack) -> Iterator[str]:
    """A session in the database, on its server where that is another one."""
    server = database.server
    words = {"dbname": server.database}
    if database.elsewhere:
        words |= {"host": server.host, "port": str(server.port), "user": server.user}
    connection = " ".join(f"{word}='{_escaped(value)}'" for word, value in words.items())
    yield '\\connect -reuse-previous=on "{}"'.format(connection.replace('"', '""'))
    # Another encoding of the environment's may take the quote that ends a name for a part of its last letter.
    yield "\\encoding UTF8"
    # What a backslash means in a text is then the same to psql and to the server.
    yield "SET standard_conforming_strings = on;"
    yield "SET ROLE NONE;"
    yield "SHOW is_superuser \\gset"


def _transactions(made: Sequence[Transaction]) -> Iterator[str]:
    """All of one database; what would run others' code meanwhile is disarmed first, or nothing else is made."""
    armed = [transaction for transaction in made if transaction.by_superuser and transaction.verb is Verb.DISARM]
    rest = [transaction for transaction in made if transaction not in armed]
    for transaction in armed:
        yield from _transaction(transaction)
    if armed and rest:
        yield from ("", "\\if :is_superuser")
    for transaction in rest:
        yield from _transaction(transaction)
    if armed and rest:
        warning = f"left out, for the event triggers that stay would run: {len(rest)} more transactions"
        yield from ("", "\\else", f"\\warn '{warning}'", "\\endif")


def _transaction(made: Transaction) -> Iterator[str]:
    whole = [*BEGIN, made.statements, "COMMIT;"]
    yield ""
    yield from dict.fromkeys(_comment(_title(finding)) for finding in made.findings)
    if made.by_superuser:
        title = _escaped(visible(_title(made.findings[0])))
        whole = [
            "\\if :is_superuser",
            *whole,
            "\\else",
            f"\\warn 'left out, for it takes a superuser: {title}'",
            "\\endif",
        ]
    yield from whole


def _left(findings: Iterable[Finding]) -> Iterator[str]:
    """What somebody has to decide on, or to do elsewhere."""
    for finding in findings:
        yield ""
        yield _comment(_title(finding))
        yield _comment(f"  expected: {finding.expected}")
        yield from (_comment(f"  {line}") for line in f"actual: {finding.actual}".split("\n"))
        yield from (_comment(f"    {line}") for line in finding.remedy.text.split("\n"))


def _title(finding: Finding) -> str:
    return f"{finding.check}: {finding.subject}"


def _comment(line: str) -> str:
    return f"-- {visible(line)}"


def _escaped(text: str) -> str:
    """As libpq's connection strings and psql's words in quotes take it."""
    return text.replace("\\", "\\\\").replace("'", "\\'")
