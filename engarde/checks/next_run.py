"""What the next run does: it creates missing extensions and forgets grants on dropped tables."""

from collections.abc import Iterator

from engarde.checks.naming import up
from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.declaration.resource_names import is_in
from engarde.declaration.stack_file import lines
from engarde.output.findings import Finding, Remedy
from engarde.pulumi_cli.state import EXTENSION, ROLE
from engarde.util.quoting import word


@check(
    Question(
        "extension",
        "a declared extension that is not in the database, or that the server does not have",
        "command",
        "`bin/pulumi up`; a change of the stack file if the server does not have it",
    ),
    group="runs",
    needs=("catalogs", "state"),
    stage=Stage.UP,
)
def of_extensions(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    on_disk = observed.offered(*(extension.name for extension in stack.extensions))
    for extension in stack.extensions:
        offered = on_disk.get(extension.name)
        if offered is None:
            actual = "the server does not have it: install it there, or remove it from the stack file"
            entry = lines("extensions", {extension.name: None}).splitlines()
            remedy = Remedy("edit", f"# remove `{entry[-1].strip()}` under {entry[0]}")
        elif offered.installed:
            continue
        elif extension.version and extension.version not in offered.versions:
            actual = f"the server only has other versions of it: {', '.join(offered.versions)}"
            remedy = Remedy("edit", lines("extensions", {extension.name: {"version": offered.offered}}))
        elif observed.admin.superuser or extension.name in observed.rights.extensions:
            known = extension.name in observed.recorded.state.made(EXTENSION)
            actual = "in the state, but not in the database" if known else "not in the database"
            remedy = up(stack, refresh=known)
        else:
            # The admin lacks a privilege; check `admin` says so.
            continue
        version = f"version {extension.version} " if extension.version else ""
        expected, concerned = f"{version}in schema {extension.schema_}", frozenset({extension.schema_})
        yield Finding("extension", extension.name, expected, actual, remedy, concerned)


@check(
    Question(
        "vanished table",
        "a grant in the state on a table that no longer exists",
        "command",
        "`bin/pulumi up`, or `bin/pulumi state delete`",
    ),
    group="runs",
    needs=("catalogs", "state"),
    stage=Stage.UP,
)
def of_orphaned_grants(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Each such grant, unless a run has already marked it for the next one to forget."""
    state = observed.recorded.state
    released = {name for resource in state.resources for name in resource.released}
    held = [
        (resource.urn, resource.granted)
        for resource in state.resources
        if resource.granted
        and resource.granted.tables
        and resource.name not in released
        and is_in(resource.name, stack)
    ]
    schemas = sorted({granted.schema for _, granted in held if granted.schema})
    there = observed.session.tables(schemas) if held else frozenset()
    # The program forgets a service's grants without a statement; a dropped role loses all that it was granted.
    released_by_up = {*(service.role for service in stack.services), *state.made(ROLE)}
    for urn, granted in held:
        command = "up" if granted.role in released_by_up else f"state delete {word(urn)}"
        for table in granted.tables:
            if (granted.schema or "", table) not in there:
                yield Finding(
                    "vanished table",
                    f"{granted.schema}.{table}",
                    f"exists, because the state grants {granted.role} a read of it",
                    "does not exist",
                    Remedy("command", f"bin/pulumi {command} --stack {stack.name}"),
                    frozenset({granted.role, granted.schema or ""}),
                )
