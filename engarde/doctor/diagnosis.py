"""From a text to the cause of its error: checks each cause in order, and prints the answers and the one fix."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from rich.console import Group, RenderableType

from engarde.checks.apply_remedies import Change
from engarde.declaration.databases import databases, display_name
from engarde.declaration.loader import FOLDER, of_config
from engarde.declaration.model import Stack
from engarde.declaration.stack_file import yaml
from engarde.declaration.stack_names import PROJECT, file_name
from engarde.doctor.error_text import concerned
from engarde.doctor.facts import Facts
from engarde.doctor.matching import match
from engarde.doctor.model import Answer, Cause, Mark, MatchedError, unknown
from engarde.doctor.remedies import PLACEHOLDERS
from engarde.doctor.symptoms import SYMPTOMS
from engarde.errors import ConfigError, Unreachable
from engarde.output.findings import Remedy
from engarde.output.layout import Table, Text, to_copy
from engarde.output.show import remedy_data
from engarde.pulumi_cli.stacks import config
from engarde.util.masking import masked

SHUT_OUT = f"{PROJECT}:shutOut"
_STYLES: dict[Mark, str] = {"confirmed": "bold red", "ruled out": "green", "not checked": "yellow"}
_KINDS = {
    "sql": "run in {database}",
    "command": "run in the project's folder",
    "edit": "edit {file}, then run `bin/pulumi up --refresh --stack {stack}`",
    "code": "change the service",
    "decision": "decide which is right, and run it in {database}",
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """An error, its possible causes with what was found of each, and the one fix."""

    symptom: str
    says: str
    line: str
    causes: Mapping[str, Answer]
    """the sentence of each -> the answer of its check"""
    fix: Remedy | None
    sure: bool
    """the fix is a confirmed cause's"""
    unreachable: str | None
    """why the database could not be asked, if it had to be"""
    database: str
    """for the fix, as the tool calls it, if the stack has more than one"""

    @property
    def changes(self) -> list[Change]:
        """The fix, if its cause is confirmed and the tool may apply it by itself."""
        if self.fix is None or not (self.sure and self.fix.safe):
            return []
        because = next(answer.because for answer in self.causes.values() if answer.mark == "confirmed")
        return [Change(because, self.fix.text, self.database)]

    @property
    def exit_code(self) -> int:
        """1 if a cause is confirmed or not ruled out, 3 if the server could not be asked, 0 if all are ruled out."""
        marks = {answer.mark for answer in self.causes.values()}
        if "confirmed" in marks:
            return 1
        if "not checked" in marks:
            return 3 if self.unreachable else 1
        return 0

    def shown(self, stack: str) -> RenderableType:
        """The error in one sentence, its causes in order with the answer to each, and the one fix."""
        causes = Table()
        for number, (says, answer) in enumerate(self.causes.items(), 1):
            mark = Text(f"{number}. {answer.mark}", _STYLES[answer.mark])
            causes.add_row(mark, [Text(says), Text(answer.because, "dim")])
        return Group(
            Text(self.line, style="dim"),
            Text(self.says, style="bold"),
            causes,
            *self._shown_fix(stack),
        )

    def _shown_fix(self, stack: str) -> list[RenderableType]:
        fix = self.fix
        if fix is None:
            told = "None of these causes applies right now. Try again; if it fails again, paste its whole output."
            return [Text(told, style="bold")]
        database = f"database {self.database}" if self.database else "the stack's database"
        sure = "Fix" if self.sure else "Next step" if self.exit_code == 0 else "Likeliest fix, not verified"
        shown: list[RenderableType] = []
        for step in filter(None, (fix.first, fix)):
            where = _KINDS[step.kind].format(stack=stack, file=file_name(stack), database=database)
            who = " as a superuser" if step.by_superuser else ""
            shown += [Text(f"{sure} ({where}{who}):", style="bold"), to_copy(step.text)]
        return shown

    def data(self) -> dict[str, object]:
        """As JSON has it."""
        return dict(
            symptom=self.symptom,
            meaning=self.says,
            line=self.line,
            causes=[
                {"cause": says, "verdict": answer.mark, "reason": answer.because}
                for says, answer in self.causes.items()
            ],
            remedy=remedy_data(self.fix) if self.fix else None,
            verified=self.sure,
            unreachable=self.unreachable,
            database=self.database or None,
        )


def diagnose(stack: Stack, text: str) -> Diagnosis | None:
    """The error in the text and its causes now; None if no symptom matches."""
    error = match(text, SYMPTOMS)
    if error is None:
        return None
    database = concerned(stack, error)
    name = display_name(database) if len(databases(stack)) > 1 else ""
    try:
        with Facts(database, error) as known:
            return _concluded(known, error, name)
    except Unreachable as lost:
        # Answers from before the session was lost may be incomplete.
        with Facts(database, error, lost) as known:
            return _concluded(known, error, name)


def _concluded(known: Facts, error: MatchedError, database: str) -> Diagnosis:
    symptom = error.symptom
    answers = {cause.says: _answer(known, cause) for cause in symptom.causes}
    fix = symptom.again(known) if symptom.again else None
    marks = [answer.mark for answer in answers.values()]
    sure = "confirmed" in marks
    if sure or "not checked" in marks:
        cause = symptom.causes[marks.index("confirmed" if sure else "not checked")]
        fix = accepted(known.stack.name, answers[cause.says].remedy or cause.fix(known))
    unreachable = masked(str(known.unreachable)) if known.unreachable else None
    return Diagnosis(symptom.name, symptom.says, error.line, answers, fix, sure, unreachable, database)


def _answer(known: Facts, cause: Cause) -> Answer:
    try:
        answer = cause.answer(known)
    except Unreachable as why:
        answer = unknown(" ".join(str(why).split()))
    return replace(answer, because=masked(answer.because))


def accepted(stack: str, remedy: Remedy) -> Remedy:
    """The remedy; if the stack file's rules refuse its lines, a remedy that says why.

    Lines with a placeholder are not tried, and nothing is if the stack file has faults of its own.
    """
    if remedy.kind != "edit" or any(word in remedy.text for word in PLACEHOLDERS):
        return remedy
    try:
        file = config(FOLDER, stack)
        of_config(stack, file)
    except ConfigError:
        return remedy
    try:
        added = yaml("the line", remedy.text)
        of_config(stack, _merged(file, added if isinstance(added, dict) else {}))
    except ConfigError as refusal:
        faults = str(refusal).partition("\n")[2]
        return Remedy("code", f"do without it: the stack file does not allow what this needs.\n{faults}")
    return remedy


def _merged(there: Any, added: Any) -> Any:
    """Merges maps by key and appends lists; an added entry replaces one of the same table, and `shutOut` the whole."""
    if isinstance(there, dict) and isinstance(added, dict):
        merged = {key: _merged(there.get(key), value) for key, value in added.items() if key != SHUT_OUT}
        return {**there, **merged, **({SHUT_OUT: added[SHUT_OUT]} if SHUT_OUT in added else {})}
    if isinstance(there, list) and isinstance(added, list):
        tables = [_table(entry) for entry in added]
        return [*(entry for entry in there if _table(entry) not in tables), *added]
    return added


def _table(entry: Any) -> Any:
    return entry.get("table") if isinstance(entry, dict) else entry
