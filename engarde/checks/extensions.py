"""Extensions that are declared and are not there."""

from __future__ import annotations

from collections.abc import Iterator

from engarde.checks.observed import Seen
from engarde.declaration.model import Extension
from engarde.declaration.stack_file_edits import lines
from engarde.output.findings import Finding, Remedy
from engarde.pulumi_cli.state import EXTENSION


def check(seen: Seen) -> Iterator[Finding]:
    """Each declared extension that is missing, in the database or on the server."""
    for extension in seen.stack.extensions:
        offered = seen.offered.get(extension.name)
        if offered is None:
            yield _finding(extension, "the server does not have it: install it there, or take it out", _out(extension))
        elif offered.installed:
            continue
        elif extension.version and extension.version not in offered.versions:
            have = ", ".join(offered.versions)
            other = Remedy("edit", lines("extensions", {extension.name: {"version": offered.offered}}))
            yield _finding(extension, f"the server has it in other versions only: {have}", other)
        # Otherwise the admin lacks a right, and its own check says so.
        elif seen.admin_is_superuser or extension.name in seen.found.extensions:
            known = extension.name in seen.state.made(EXTENSION)
            again = " --refresh" if known else ""
            up = Remedy("command", f"bin/pulumi up{again} --stack {seen.stack.name}")
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
