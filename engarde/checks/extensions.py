"""Extensions that are declared and are not there."""

from collections.abc import Iterator

from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack, Extension
from engarde.declaration.stack_file_edits import lines
from engarde.output.findings import Finding, Remedy
from engarde.pulumi_cli.state import EXTENSION


@check(
    Question(
        "extension",
        "declared, and not in the database, or not on the server",
        "command",
        "`bin/pulumi up`; a line of the stack file, where the server does not have it",
    ),
    group="runs",
    needs=("catalogs", "state"),
    stage=Stage.UP,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Each declared extension that is missing, in the database or on the server."""
    on_disk = observed.offered(*(extension.name for extension in stack.extensions))
    for extension in stack.extensions:
        offered = on_disk.get(extension.name)
        if offered is None:
            yield _finding(extension, "the server does not have it: install it there, or take it out", _out(extension))
        elif offered.installed:
            continue
        elif extension.version and extension.version not in offered.versions:
            have = ", ".join(offered.versions)
            other = Remedy("edit", lines("extensions", {extension.name: {"version": offered.offered}}))
            yield _finding(extension, f"the server has it in other versions only: {have}", other)
        # Otherwise the admin lacks a right, and its own check says so.
        elif observed.admin.superuser or extension.name in observed.rights.extensions:
            known = extension.name in observed.recorded.state.made(EXTENSION)
            again = " --refresh" if known else ""
            up = Remedy("command", f"bin/pulumi up{again} --stack {stack.name}")
            yield _finding(extension, "not in the database" + (", though the state has it" if known else ""), up)


def _finding(extension: Extension, actual: str, remedy: Remedy) -> Finding:
    version = f"version {extension.version} " if extension.version else ""
    return Finding(
        "extension",
        extension.name,
        f"{version}in schema {extension.schema_}",
        actual,
        remedy,
        frozenset({extension.schema_}),
    )


def _out(extension: Extension) -> Remedy:
    entry = lines("extensions", {extension.name: None}).splitlines()
    return Remedy("edit", "\n".join([f"# without `{entry[-1].strip()}` under {entry[0]}"]))
