"""Findings of `verify` that the stack file accepts, each with a reason and up to a date."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from importlib import import_module
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from engarde.declaration.declared import Declared
from engarde.output.findings import Finding
from engarde.util.visible import visible


def _known(check: str) -> str:
    # The checks are registered where they are defined; a stack file that accepts nothing need not wait for all of them.
    registry = import_module("engarde.checks.registry")
    known = registry.ids(registry.checks(*registry.VERIFIED))
    if check not in known:
        raise PydanticCustomError("check", "no check of verify; allowed: {known}", {"known": ", ".join(known)})
    return check


_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?: 00:00:00 \+0000 UTC)?")
"""What is a date to YAML, the engine hands over with its midnight."""


def _day(value: Any) -> Any:
    try:
        return date.fromisoformat(found[1]) if (found := _DAY.fullmatch(str(value))) else value
    except ValueError:
        return value


class Accepted(Declared):
    """One finding that is known, and that stays for a reason."""

    check: Annotated[str, AfterValidator(_known)]
    subject: Annotated[str, Field(min_length=1)]
    """the finding's subject, as verify prints it after the check"""
    reason: Annotated[str, Field(min_length=1)]
    """why it stays, in words"""
    until: Annotated[date, BeforeValidator(_day)]
    """the last day, YYYY-MM-DD; from the day after it is a finding again"""
    actual: Annotated[str, Field(min_length=1)] | None = None
    """what verify prints as actual; anything more or other is a finding"""
    database: str | None = None
    """the one that it is in, as the tool calls it, where the stack has more than one; default: any"""

    def is_of(self, finding: Finding) -> bool:
        """Whether it means this finding, by its words themselves or as they are printed."""
        return (
            self.check == finding.check
            and self.subject in (finding.subject, visible(finding.subject))
            and self.actual in (None, finding.actual, visible(finding.actual))
            and self.database in (None, finding.database)
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """A finding, and what accepts it."""

    finding: Finding
    by: Accepted


@dataclass(frozen=True, slots=True)
class Judged:
    """What becomes of all findings."""

    findings: tuple[Finding, ...]
    """that are not accepted, or not any more"""
    taken: tuple[Taken, ...]
    idle: tuple[Accepted, ...]
    """that accept nothing"""


def judged(accepted: Sequence[Accepted], findings: Iterable[Finding], today: date) -> Judged:
    """The findings without those that are accepted on this day; of one whose time is over it says so."""
    left, taken, used = [], [], set()
    for finding in findings:
        by = next((each for each in accepted if each.is_of(finding)), None)
        if by is None:
            left.append(finding)
            continue
        used.add(by)
        if today <= by.until:
            taken.append(Taken(finding, by))
        else:
            left.append(replace(finding, actual=f"{finding.actual} (accepted until {by.until}: {by.reason})"))
    return Judged(tuple(left), tuple(taken), tuple(each for each in accepted if each not in used))
