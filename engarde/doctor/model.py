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
    """The answer of the check of one cause."""

    mark: Mark
    because: str
    remedy: Remedy | None = None
    """of a confirmed cause, if it is not the usual one"""


def confirmed(because: str, remedy: Remedy | None = None) -> Answer:
    """The cause applies now; without a remedy, the cause's usual one heals it."""
    return Answer("confirmed", because, remedy)


def ruled_out(because: str) -> Answer:
    """The cause does not apply now."""
    return Answer("ruled out", because)


def unknown(because: str, remedy: Remedy | None = None) -> Answer:
    """The cause could not be checked; `because` says why."""
    return Answer("not checked", because, remedy)


def bring_back(facts: Facts) -> Remedy:
    """Brings the server back to the declaration after changes by hand."""
    return Remedy("command", f"bin/pulumi up --refresh --stack {facts.stack.name}")


def as_found(facts: Facts, finding: Finding) -> Remedy:
    """The remedy of a finding, the same as other commands print."""
    return finding.remedy


@dataclass(frozen=True, slots=True)
class Cause:
    """One possible cause of an error, how to check it, and its usual remedy."""

    says: str
    check: Callable[[Facts], Answer] | Answer
    """an answer if no fact can change it"""
    remedy: Callable[[Facts], Remedy] | Remedy
    """asks no server"""

    def answer(self, facts: Facts) -> Answer:
        """Whether the cause applies.

        :raises Unreachable: the server or Pulumi could not be asked.
        """
        return self.check if isinstance(self.check, Answer) else self.check(facts)

    def fix(self, facts: Facts) -> Remedy:
        """The usual remedy."""
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
        """A cause that asks a check, narrowed to the logins and objects that the error may be about.

        :param questions: the names of the findings.
        :param because: of the first finding; may have its `{subject}`, `{expected}` and `{actual}`, and `{who}` and
            `{what}`, the parts of the subject before and after ` on ` or ` of `.
        :param otherwise: why the cause is ruled out without such a finding.
        :param remedy: the usual one, also if nothing can be asked; by default `bring_back`.
        :param when: whether the cause is possible at all, by the text and the stack file alone.
        :param so: whether a finding counts; by default, if it concerns a login in question.
        :param heal: the remedy of a finding, if it is not the cause's usual one.
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
    """the next step if all causes are ruled out"""
    weak: bool = False
    """it often accompanies another error, which then counts instead"""


@dataclass(frozen=True, slots=True)
class MatchedError(ErrorText):
    """The error that a text is about."""

    symptom: Symptom
