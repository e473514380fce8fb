"""The remedies of one run: each once, in an order in which none undoes another; also as a script for psql."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from engarde.declaration.databases import databases, display_name
from engarde.declaration.model import DatabaseStack, Stack
from engarde.output.findings import Finding, Verb
from engarde.server.session import SEARCH_PATH
from engarde.util.terminal import visible

PATIENCE = 2
"""How long a statement may wait for a lock: live services' queries queue behind it [seconds]."""
BEGIN = (
    "BEGIN READ WRITE;",
    "SET LOCAL ROLE NONE;",
    f"SET LOCAL lock_timeout = '{PATIENCE}s';",
    f"SET LOCAL search_path = {SEARCH_PATH};",
)
"""Makes each transaction independent of the session's settings."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """Statements that commit together; everything declared that exists before them exists after them."""

    database: str
    """as the tool calls it; empty if the stack has only one"""
    findings: tuple[Finding, ...]
    """what they fix"""

    @property
    def statements(self) -> str:
        """The statements in their order, each once."""
        return "\n".join(dict.fromkeys(finding.remedy.text for finding in self.findings))

    @property
    def verb(self) -> Verb:
        """The first verb of the statements."""
        return min(map(_verb, self.findings))

    @property
    def by_superuser(self) -> bool:
        """Whether they need a superuser."""
        return any(finding.remedy.by_superuser for finding in self.findings)

    @property
    def safe(self) -> bool:
        """Whether they lose no data and remove nobody's access, and the admin may run them."""
        return all(finding.remedy.safe for finding in self.findings)


def transactions(findings: Iterable[Finding]) -> list[Transaction]:
    """The findings that statements fix without a decision, by database, in the order in which they must run."""
    found: dict[str, dict[str, list[Finding]]] = defaultdict(lambda: defaultdict(list))
    for finding in findings:
        if is_statement(finding):
            found[finding.database][finding.remedy.thing or finding.remedy.text].append(finding)
    return [
        Transaction(database, tuple(sorted(group, key=_verb)))
        for database, groups in found.items()
        for group in sorted(groups.values(), key=lambda group: min(map(_verb, group)))
    ]


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """The same findings: first those that statements fix, in the order of the statements, then the others."""
    findings = list(findings)
    made = [finding for transaction in transactions(findings) for finding in transaction.findings]
    return [*made, *(finding for finding in findings if not is_statement(finding))]


def is_statement(finding: Finding) -> bool:
    """Whether statements fix it without a decision."""
    return finding.remedy.kind == "sql" and finding.remedy.verb is not Verb.END


def left_because(finding: Finding) -> str:
    """Why the tool does not fix it by itself; empty if it may."""
    if not is_statement(finding):
        return "it needs a decision, or is fixed elsewhere"
    if finding.remedy.by_superuser:
        return "it needs a superuser"
    return "" if finding.remedy.safe else "it may remove somebody's access"


def _verb(finding: Finding) -> Verb:
    return finding.remedy.verb


def script(stack: Stack, findings: Sequence[Finding]) -> str:
    """All remedies as a script for `psql -X -f`, run by the admin or by a superuser, who may run more of it.

    No transaction takes away what is declared and exists, so the run may stop after any of them.
    """
    made = transactions(findings)
    lines = [f"-- stack {stack.name}: {len(made)} transactions; run with psql -X -f, as its admin or as a superuser"]
    lines += ["\\set ON_ERROR_STOP on"] if made else []
    several = len(databases(stack)) > 1
    for database in databases(stack):
        name = display_name(database) if several else ""
        here = [transaction for transaction in made if transaction.database == name]
        # What was only seen by trying has a cause, whose remedy fixes it.
        others = [finding for finding in findings if finding.check != "behaviour"] or findings
        left = [finding for finding in others if finding.database == name and not is_statement(finding)]
        if here or left:
            lines += ["", _comment(f"database {display_name(database)}")]
        if here:
            lines += ["", *_entered(database), *_transactions(here)]
        lines += _left(left)
    return "\n".join(lines)


def _entered(database: DatabaseStack) -> Iterator[str]:
    """The commands that connect to the database, on its server if that is another one."""
    server = database.server
    words = {"dbname": server.database}
    if database.elsewhere:
        words |= {"host": server.host, "port": str(server.port), "user": server.user}
    connection = " ".join(f"{word}='{_escaped(value)}'" for word, value in words.items())
    yield '\\connect -reuse-previous=on "{}"'.format(connection.replace('"', '""'))
    # In another encoding, the quote that ends a name may count as a part of its last letter.
    yield "\\encoding UTF8"
    # Then a backslash in a text means the same to psql and to the server.
    yield "SET standard_conforming_strings = on;"
    yield "SET ROLE NONE;"
    yield "SHOW is_superuser \\gset"


def _transactions(made: Sequence[Transaction]) -> Iterator[str]:
    """The transactions of one database; if armed event triggers cannot be disabled first, no other one runs."""
    armed = [transaction for transaction in made if transaction.by_superuser and transaction.verb is Verb.DISARM]
    rest = [transaction for transaction in made if transaction not in armed]
    for transaction in armed:
        yield from _transaction(transaction)
    if armed and rest:
        yield from ("", "\\if :is_superuser")
    for transaction in rest:
        yield from _transaction(transaction)
    if armed and rest:
        warning = f"skipped {len(rest)} transactions, because event triggers would run: run this as a superuser"
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
            f"\\warn 'skipped, because it needs a superuser: {title}'",
            "\\endif",
        ]
    yield from whole


def _left(findings: Iterable[Finding]) -> Iterator[str]:
    """What needs a decision or is fixed elsewhere, as comments."""
    for finding in findings:
        yield ""
        yield _comment(_title(finding))
        yield _comment(f"  expected: {finding.expected}")
        yield from (_comment(f"  {line}") for line in f"actual: {finding.actual}".split("\n"))
        if first := finding.remedy.first:
            yield _comment(f"    first{' as a superuser' if first.by_superuser else ''}: {first.text}")
        yield from (_comment(f"    {line}") for line in finding.remedy.text.split("\n"))


def _title(finding: Finding) -> str:
    return f"{finding.check}: {finding.subject}"


def _comment(line: str) -> str:
    return f"-- {visible(line)}"


def _escaped(text: str) -> str:
    """Escaped for libpq's connection strings and psql's quoted words."""
    return text.replace("\\", "\\\\").replace("'", "\\'")
