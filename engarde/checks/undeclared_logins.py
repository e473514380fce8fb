"""Login roles that get in because everybody may, which ends with the next run, and those that it has ended for."""

from collections.abc import Iterator

from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.declaration.stack_file_edits import lines
from engarde.output.findings import Finding, Remedy


@check(
    Question(
        "outside role",
        "login roles that get in because everybody may, and of which the stack file says nothing",
        "edit",
        "declare it, or shut it out",
    ),
    group="roles",
    needs=("catalogs", "sessions"),
    stage=Stage.ROLES,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Each role that has to do with the database, and that the stack file says nothing of."""
    # Only the shared database lets in roles from outside of the stack.
    if stack.label:
        return
    said = {*(role.name for role in stack.outside_roles), *stack.shut_out}
    for outsider in observed.outsiders:
        if outsider.name in said or outsider.by or not outsider.involved:
            continue
        keeps = lines("outsideRoles", {outsider.name: outsider.kept})
        out = lines("shutOut", sorted({*stack.shut_out, outsider.name}))
        yield Finding(
            "outside role",
            outsider.name,
            "declared, for PUBLIC loses CONNECT with the next run"
            if outsider.everybody
            else "declared, or shut out by a word",
            f"{'connects as everybody may' if outsider.everybody else 'shut out, without a word'}: {outsider.what}",
            Remedy("edit", f"{keeps}\n# or, where it is to stay out: {out}"),
            frozenset({outsider.name}),
        )
