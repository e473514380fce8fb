"""Separates the findings that the stack file accepts from the others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from engarde.declaration.model import Accepted
from engarde.output.findings import Finding
from engarde.util.terminal import visible


@dataclass(frozen=True, slots=True)
class Taken:
    """A finding, and the entry that accepts it."""

    finding: Finding
    by: Accepted


@dataclass(frozen=True, slots=True)
class Judged:
    """All findings, by whether they are accepted."""

    findings: tuple[Finding, ...]
    """not accepted, or no longer"""
    taken: tuple[Taken, ...]
    idle: tuple[Accepted, ...]
    """entries that accept nothing"""


def judged(accepted: Sequence[Accepted], findings: Iterable[Finding], today: date) -> Judged:
    """Separates the findings that are accepted on this day; an expired acceptance is named in its finding."""
    left, taken, used = [], [], set()
    for finding in findings:
        by = next((entry for entry in accepted if _is_of(entry, finding)), None)
        if by is None:
            left.append(finding)
            continue
        used.add(by)
        if today <= by.until:
            taken.append(Taken(finding, by))
        else:
            left.append(replace(finding, actual=f"{finding.actual} (accepted until {by.until}: {by.reason})"))
    return Judged(tuple(left), tuple(taken), tuple(entry for entry in accepted if entry not in used))


def _is_of(accepted: Accepted, finding: Finding) -> bool:
    """Whether the entry names this finding, by its exact text or as it is printed."""
    return (
        accepted.check == finding.check
        and accepted.subject in (finding.subject, visible(finding.subject))
        and accepted.actual in (None, finding.actual, visible(finding.actual))
        and accepted.database in (None, finding.database)
    )
