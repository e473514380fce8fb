"""From a text to what is behind it: each cause checked in its order, and the one fix."""

from __future__ import annotations

from dataclasses import replace

from engarde.declaration.databases import databases, display_name
from engarde.declaration.model import Stack
from engarde.doctor.acceptance import accepted
from engarde.doctor.attribution import concerned
from engarde.doctor.facts import Facts, facts
from engarde.doctor.matching import match
from engarde.doctor.model import Cause, Diagnosis, Examined, MatchedError, unknown
from engarde.doctor.symptoms import SYMPTOMS
from engarde.errors import Unreachable
from engarde.output.findings import Remedy
from engarde.util.masking import masked


def diagnose(stack: Stack, text: str) -> Diagnosis | None:
    """What the error in the text is, and what is behind it now; None when it is none that is known here."""
    error = match(text, SYMPTOMS)
    if error is None:
        return None
    database = concerned(stack, error)
    name = display_name(database) if len(databases(stack)) > 1 else ""
    try:
        with facts(database, error) as known:
            return replace(_concluded(known), database=name)
    except Unreachable as lost:
        # What was learnt before the session went may be half of it.
        with facts(database, error, lost) as known:
            return replace(_concluded(known), database=name)


def _concluded(known: Facts) -> Diagnosis:
    error: MatchedError = known.error
    examined = [(cause, _examined(known, cause)) for cause in error.symptom.causes]
    fix, sure = _fix(known, examined)
    unreachable = known.unreachable
    return Diagnosis(
        symptom=error.symptom.name,
        says=error.symptom.says,
        line=error.line,
        causes=tuple(one for _, one in examined),
        fix=fix,
        sure=sure,
        unreachable=masked(str(unreachable)) if unreachable else None,
    )


def _examined(known: Facts, cause: Cause) -> Examined:
    try:
        answer = cause.check(known)
    except Unreachable as why:
        answer = unknown(" ".join(str(why).split()))
    return Examined(cause.says, type(answer)(answer.mark, masked(answer.because), answer.remedy))


def _fix(known: Facts, examined: list[tuple[Cause, Examined]]) -> tuple[Remedy | None, bool]:
    for mark in ("confirmed", "not checked"):
        for cause, one in examined:
            if one.answer.mark == mark:
                fix = one.answer.remedy or cause.remedy(known)
                return accepted(known.stack.name, fix), mark == "confirmed"
    again = known.error.symptom.again
    return (again(known) if again else None), False
