"""How a diagnosis is printed: for people and for machines."""

from rich.console import Group, RenderableType
from rich.table import Table

from engarde.doctor.model import Diagnosis, Mark
from engarde.output.show import Text, remedy_data, to_copy

_MARKS: dict[Mark, tuple[str, str]] = {
    "confirmed": ("confirmed", "bold red"),
    "ruled out": ("ruled out", "green"),
    "not checked": ("not checked", "yellow"),
}
_KINDS = {
    "sql": "in {database}",
    "command": "in the project's folder",
    "edit": "in Pulumi.{stack}.yaml, then `bin/pulumi up --refresh --stack {stack}`",
    "code": "in the service",
    "decision": "in the stack's database, whichever is right",
}


def shown(diagnosis: Diagnosis, stack: str) -> RenderableType:
    """The error in one sentence, its causes in order with what was found of each, and the one fix."""
    causes = Table.grid(padding=(0, 2))
    causes.add_column(no_wrap=True)
    causes.add_column(overflow="fold")
    for number, examined in enumerate(diagnosis.causes, 1):
        word, style = _MARKS[examined.answer.mark]
        causes.add_row(Text(f"{number}. {word}", style=style), Text(examined.says))
        causes.add_row("", Text(examined.answer.because, style="dim"))
    return Group(
        Text(diagnosis.line, style="dim", overflow="fold"),
        Text(diagnosis.says, style="bold"),
        causes,
        *_fix(diagnosis, stack),
    )


def _fix(diagnosis: Diagnosis, stack: str) -> list[RenderableType]:
    fix = diagnosis.fix
    if fix is None:
        return [Text("None of it is so now: try again, and if it still fails, paste all that it prints.", style="bold")]
    database = f"database {diagnosis.database}" if diagnosis.database else "the stack's database"
    where = _KINDS[fix.kind].format(stack=stack, database=database) + (", as a superuser" if fix.by_superuser else "")
    sure = "The fix" if diagnosis.sure else "To do now" if diagnosis.exit_code == 0 else "The likeliest fix, unverified"
    return [Text(f"{sure}, {where}:", style="bold"), *to_copy(fix.text)]


def as_document(diagnosis: Diagnosis) -> dict[str, object]:
    """A diagnosis as JSON has it."""
    return dict(
        symptom=diagnosis.symptom,
        says=diagnosis.says,
        line=diagnosis.line,
        causes=[
            {"cause": examined.says, "mark": examined.answer.mark, "because": examined.answer.because}
            for examined in diagnosis.causes
        ],
        fix=remedy_data(diagnosis.fix) if diagnosis.fix else None,
        verified=diagnosis.sure,
        unreachable=diagnosis.unreachable,
        **({"database": diagnosis.database} if diagnosis.database else {}),
    )
