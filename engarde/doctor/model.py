"""What the doctor knows and finds: symptoms and their causes as data, and the diagnosis of one text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engarde.checks.apply_remedies import Change
from engarde.output.findings import Finding, Remedy

if TYPE_CHECKING:
    from engarde.doctor.facts import Facts

Mark = Literal["confirmed", "ruled out", "not checked"]
LONGEST_NAME = 256
"""Of what an error can name [characters]: schema and object have 63 bytes each, and there may be quotes."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check of one cause has found."""

    mark: Mark
    because: str
    remedy: Remedy | None = None
    """of what is confirmed"""


def confirmed(because: str, remedy: Remedy | None = None) -> Answer:
    """It is so now; without a remedy the cause's usual one heals it."""
    return Answer("confirmed", because, remedy)


def ruled_out(because: str) -> Answer:
    """It is not so now."""
    return Answer("ruled out", because)


def unknown(because: str, remedy: Remedy | None = None) -> Answer:
    """It could not be learnt; the text of an `Unreachable`, or why nobody can."""
    return Answer("not checked", because, remedy)


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that may be behind an error, how to find out, and what usually heals it."""

    says: str
    check: Callable[[Facts], Answer]
    remedy: Callable[[Facts], Remedy]
    """what heals it; asks no server"""

    @classmethod
    def of_check(
        cls,
        says: str,
        *questions: str,
        because: str,
        otherwise: str,
        remedy: Callable[[Facts], Remedy] | None = None,
        when: Callable[[Facts], bool] | None = None,
        so: Callable[[Facts, Finding], bool] | None = None,
        heal: Callable[[Facts, Finding], Remedy | None] | None = None,
    ) -> Cause:
        """A cause that asks what a check asks, narrowed to what the error may be about.

        :param questions: the names of the findings.
        :param because: of the first of them; `{subject}`, `{who}` and `{what}` (the subject around its ` on ` or ` of
            `), `{expected}` and `{actual}` are the finding's.
        :param remedy: the usual one, also where nothing can be asked; by default what is declared is brought back.
        :param when: whether it may be that at all, by the text and the stack file alone.
        :param so: whether a finding counts; by default one that concerns a login under suspicion.
        :param heal: what heals a finding, where that is not the cause's usual remedy.
        """

        def examined(facts: Facts) -> Answer:
            for finding in facts.found(*questions) if when is None or when(facts) else ():
                if (so or type(facts).is_suspected)(facts, finding):
                    who, what = _parted(finding.subject)
                    told = because.format(
                        subject=finding.subject, who=who, what=what, expected=finding.expected, actual=finding.actual
                    )
                    return confirmed(told, heal(facts, finding) if heal else None)
            return ruled_out(otherwise)

        return cls(says, examined, remedy or bring_back)


def bring_back(facts: Facts) -> Remedy:
    """Brings the stack to what is declared, whatever was done by hand."""
    return Remedy("command", f"bin/pulumi up --refresh --stack {facts.stack.name}")


def _parted(subject: str) -> tuple[str, str]:
    for between in (" on ", " of ", " "):
        before, found, after = subject.partition(between)
        if found:
            return before, after
    return subject, ""


def as_found(facts: Facts, finding: Finding) -> Remedy:
    """What heals a finding, whichever command prints it."""
    return finding.remedy


@dataclass(frozen=True, slots=True)
class Symptom:
    """An error as servers, drivers and tools word it, with its causes in the order of their likelihood."""

    name: str
    says: str
    """what the error means, in one sentence"""
    causes: tuple[Cause, ...]
    patterns: tuple[re.Pattern[str], ...] = ()
    """their groups are fields of `Named`"""
    sqlstates: frozenset[str] = frozenset()
    again: Callable[[Facts], Remedy] | None = None
    """what to do when no cause is there any more"""
    weak: bool = False
    """it also stands beside other errors, which then are the ones that count"""


@dataclass(frozen=True, slots=True)
class Named:
    """The names in an error; those without quotes may go on to the end of the line, so that each is a first guess."""

    kind: str | None = None
    """`table`, `schema`, `function`, ... in the server's words"""
    object: str | None = None
    role: str | None = None
    database: str | None = None
    host: str | None = None
    port: str | None = None
    revision: str | None = None
    detail: str | None = None
    """what else the pattern has to tell"""


@dataclass(frozen=True, slots=True)
class MatchedError:
    """The error that a text is about."""

    symptom: Symptom
    line: str
    """the one that says so"""
    named: Named
    lines: tuple[str, ...]
    """of the text, secrets masked"""
    text: str
    """all of it, secrets included: never printed"""


@dataclass(frozen=True, slots=True)
class Examined:
    """A cause, and what its check has found."""

    says: str
    answer: Answer


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What an error is, what may be behind it, what is, and the one fix."""

    symptom: str
    says: str
    line: str
    causes: tuple[Examined, ...]
    fix: Remedy | None
    sure: bool
    """the fix is a confirmed cause's"""
    unreachable: str | None
    """why the database could not be asked, where it had to be"""
    database: str = ""
    """in which the fix is made, as the tool calls it, where the stack has more than one"""

    @property
    def changes(self) -> list[Change]:
        """The fix, where it is sure and the tool may make it by itself."""
        if self.fix is None or not (self.sure and self.fix.safe):
            return []
        because = next(examined.answer.because for examined in self.causes if examined.answer.mark == "confirmed")
        return [Change(because, self.fix.text, self.database)]

    @property
    def exit_code(self) -> int:
        """1 when a cause is there now or cannot be ruled out, 3 when that could not be asked, 0 when none is there."""
        marks = {examined.answer.mark for examined in self.causes}
        if "confirmed" in marks:
            return 1
        if "not checked" in marks:
            return 3 if self.unreachable else 1
        return 0
