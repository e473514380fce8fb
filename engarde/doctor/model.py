"""What the doctor knows: symptoms and their causes, as data."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from engarde.doctor.error_text import ErrorText
from engarde.doctor.facts import Facts
from engarde.output.findings import Finding, Remedy

Mark = Literal["confirmed", "ruled out", "not checked"]


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


def bring_back(facts: Facts) -> Remedy:
    """Brings the stack to what is declared, whatever was done by hand."""
    return Remedy("command", f"bin/pulumi up --refresh --stack {facts.stack.name}")


def as_found(facts: Facts, finding: Finding) -> Remedy:
    """What heals a finding, whichever command prints it."""
    return finding.remedy


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that may be behind an error, how to find out, and what usually heals it."""

    says: str
    check: Callable[[Facts], Answer] | Answer
    """an answer where no fact can change it"""
    remedy: Callable[[Facts], Remedy] | Remedy
    """what heals it; asks no server"""

    def answer(self, facts: Facts) -> Answer:
        """Whether it is so.

        :raises Unreachable: what it takes to know that could not be asked.
        """
        return self.check if isinstance(self.check, Answer) else self.check(facts)

    def fix(self, facts: Facts) -> Remedy:
        """What usually heals it."""
        return self.remedy if isinstance(self.remedy, Remedy) else self.remedy(facts)

    @classmethod
    def of_check(
        cls,
        says: str,
        *questions: str,
        because: str,
        otherwise: str,
        remedy: Callable[[Facts], Remedy] = bring_back,
        when: Callable[[Facts], bool] = lambda facts: True,
        so: Callable[[Facts, Finding], bool] = Facts.is_suspected,
        heal: Callable[[Facts, Finding], Remedy | None] = lambda facts, finding: None,
    ) -> "Cause":
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
            for finding in facts.found(*questions) if when(facts) else ():
                if so(facts, finding):
                    between = next((words for words in (" on ", " of ", " ") if words in finding.subject), " ")
                    who, _, what = finding.subject.partition(between)
                    told = because.format(
                        subject=finding.subject, who=who, what=what, expected=finding.expected, actual=finding.actual
                    )
                    return confirmed(told, heal(facts, finding))
            return ruled_out(otherwise)

        return cls(says, examined, remedy)


@dataclass(frozen=True, slots=True)
class Symptom:
    """An error as servers, drivers and tools word it, with its causes in the order of their likelihood."""

    name: str
    says: str
    """what the error means, in one sentence"""
    causes: tuple[Cause, ...]
    patterns: tuple[re.Pattern[str], ...] = ()
    """their groups are fields of `Named`"""
    sqlstates: tuple[str, ...] = ()
    again: Callable[[Facts], Remedy] | None = None
    """what to do when no cause is there any more"""
    weak: bool = False
    """it also stands beside other errors, which then are the ones that count"""


@dataclass(frozen=True, slots=True)
class MatchedError(ErrorText):
    """The error that a text is about."""

    symptom: Symptom
