"""From a text to what is behind it: each cause checked in its order, and the one fix."""

from dataclasses import replace
from typing import Any

from engarde.declaration.databases import databases, display_name
from engarde.declaration.loader import FOLDER, of_config
from engarde.declaration.model import Stack
from engarde.declaration.stack_file import PROJECT, config, yaml
from engarde.doctor.attribution import concerned
from engarde.doctor.facts import Facts, facts
from engarde.doctor.matching import match
from engarde.doctor.model import Cause, Diagnosis, Examined, MatchedError, unknown
from engarde.doctor.remedies import STANDING_IN
from engarde.doctor.symptoms import SYMPTOMS
from engarde.errors import ConfigError, Unreachable
from engarde.output.findings import Remedy
from engarde.util.masking import masked

SHUT_OUT = f"{PROJECT}:shutOut"


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


def accepted(stack: str, remedy: Remedy) -> Remedy:
    """The remedy; if it is a line that the stack file refuses, what it says to it.

    A line with a word that stands for a name is left alone, and so is a stack file with faults of its own.
    """
    if remedy.kind != "edit" or any(word in remedy.text for word in STANDING_IN):
        return remedy
    try:
        file = config(FOLDER / f"Pulumi.{stack}.yaml")
        of_config(stack, file)
    except ConfigError:
        return remedy
    try:
        added = yaml("the line", remedy.text)
        of_config(stack, _merged(file, added if isinstance(added, dict) else {}))
    except ConfigError as refusal:
        faults = str(refusal).partition("\n")[2]
        return Remedy("code", f"do without it, for the stack file takes no line for that:\n{faults}")
    return remedy


def _merged(there: Any, added: Any) -> Any:
    """Maps key by key, and lists one after the other: of one table the entry that is added, of `shutOut` it alone."""
    if isinstance(there, dict) and isinstance(added, dict):
        merged = {key: _merged(there.get(key), value) for key, value in added.items() if key != SHUT_OUT}
        return {**there, **merged, **({SHUT_OUT: added[SHUT_OUT]} if SHUT_OUT in added else {})}
    if isinstance(there, list) and isinstance(added, list):
        tables = [_table(entry) for entry in added]
        return [*(entry for entry in there if _table(entry) not in tables), *added]
    return added


def _table(entry: Any) -> Any:
    return entry.get("table") if isinstance(entry, dict) else entry
