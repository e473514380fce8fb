"""The remedies of one run as one set, each once, in an order in which none undoes another; and as a script for psql."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from engarde.declaration.databases import databases, display_name
from engarde.declaration.model import DatabaseStack, Stack
from engarde.output.findings import Finding, Verb
from engarde.server.session import SEARCH_PATH
from engarde.util.terminal import visible

PATIENCE = 2
"""How long a statement may wait for a lock, with a live service's queries queueing behind it [seconds]."""
BEGIN = (
    "BEGIN READ WRITE;",
    "SET LOCAL ROLE NONE;",
    f"SET LOCAL lock_timeout = '{PATIENCE}s';",
    f"SET LOCAL search_path = {SEARCH_PATH};",
)
"""Whatever the session starts with; no live service queues behind a statement that waits."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """Statements of which all are made or none: whatever is declared and there before is there after it."""

    database: str
    """as the tool calls it, where the stack has more than one"""
    findings: tuple[Finding, ...]
    """what they heal"""

    @property
    def statements(self) -> str:
        """In their order, each once."""
        return "\n".join(dict.fromkeys(finding.remedy.text for finding in self.findings))

    @property
    def verb(self) -> Verb:
        """What they begin with."""
        return min(map(_verb, self.findings))

    @property
    def by_superuser(self) -> bool:
        """Whether the stack's admin may not run them."""
        return any(finding.remedy.by_superuser for finding in self.findings)

    @property
    def safe(self) -> bool:
        """Whether they lose no data and take nothing from anybody, and the admin may run them."""
        return all(finding.remedy.safe for finding in self.findings)


def transactions(findings: Iterable[Finding]) -> list[Transaction]:
    """What statements heal without a decision, database after database, in the order in which it is to be run."""
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
    """The same findings: first what statements heal, as they are to be run, then what else there is to do."""
    findings = list(findings)
    made = [finding for transaction in transactions(findings) for finding in transaction.findings]
    return [*made, *(finding for finding in findings if not is_statement(finding))]


def is_statement(finding: Finding) -> bool:
    """Whether statements heal it that nobody has to decide on."""
    return finding.remedy.kind == "sql" and finding.remedy.verb is not Verb.END


def left_because(finding: Finding) -> str:
    """Why nobody but a person heals it; empty where the tool may."""
    if not is_statement(finding):
        return "somebody has to decide on it, or to do it elsewhere"
    if finding.remedy.by_superuser:
        return "it takes a superuser"
    return "" if finding.remedy.safe else "it may take something from somebody"


def _verb(finding: Finding) -> Verb:
    return finding.remedy.verb


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
