"""The remedies of the findings of one run as one set: each once, in an order in which none undoes another."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from engarde.output.findings import Finding, Verb


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
