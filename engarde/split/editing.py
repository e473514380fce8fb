"""The stack file with a service in another database: first as a copy, then in its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from engarde.declaration import stack_file_edits
from engarde.declaration.loader import PROJECT, read
from engarde.declaration.model import Stack
from engarde.declaration.validation import join
from engarde.errors import ConfigError, Refused, Unreachable
from engarde.pulumi_cli.commands import set_key
from engarde.pulumi_cli.process import engine
from engarde.rotate.draft import Draft, copied
from engarde.split.journal import folder


@dataclass(frozen=True, slots=True)
class Edit:
    """One key of the stack file."""

    section: str
    name: str
    key: str
    stated: bool
    """it is there"""
    value: str | tuple[str, ...] | None
    """none where it goes"""

    def __str__(self) -> str:
        if self.value is None:
            return f"without {join(f'{PROJECT}:{self.section}', self.name, self.key)}"
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return stack_file_edits.lines(self.section, {self.name: {self.key: value}})


def changes(now: Stack, then: Stack) -> tuple[Edit, ...]:
    """What makes the one of the other."""
    services = {each.name: each.database for each in then.services}
    extensions = {each.name: each.databases for each in then.extensions}
    return (
        *(
            Edit("services", each.name, "database", each.database is not None, services[each.name])
            for each in now.services
            if each.database != services[each.name]
        ),
        *(
            Edit("extensions", each.name, "databases", each.databases is not None, extensions[each.name])
            for each in now.extensions
            if each.databases != extensions[each.name]
        ),
    )


@contextmanager
def draft(now: Stack, then: Stack) -> Iterator[Draft]:
    """A copy of the stack file that declares the other stack, as long as the block lasts.

    :raises ConfigError: the other stack has faults, or the engine cannot spell a name.
    :raises Refused: the copy would declare something else, too.
    """
    # In a folder of its own: a plan takes no lock.
    with TemporaryDirectory(prefix="draft-", dir=folder(now.name)) as beside, copied(now.name, Path(beside)) as made:
        for each in changes(now, then):
            _write(now.name, made.copy, each)
        if read(made.copy.parent, now.name) != then:
            raise Refused(f"the engine wrote something else than was meant; {made.original.name} stays as it is")
        yield made


def _write(stack: str, copy: Path, edit: Edit) -> None:
    path = stack_file_edits.key_path(edit.section, (edit.name, edit.key))
    values = (edit.value,) if isinstance(edit.value, str) else edit.value or ()
    if path is None or any(each.startswith("-") for each in values):
        raise ConfigError(
            f"the engine cannot write the key of {edit.name}; nothing was changed in Pulumi.{stack}.yaml. Write it"
            f" yourself, and run the same command again, which goes on from there:\n{edit}"
        )
    if isinstance(edit.value, str):
        set_key(stack, copy, path, edit.value)
        return
    if edit.stated:
        _remove(stack, copy, path)
    for place, value in enumerate(values):
        set_key(stack, copy, f"{path}[{place}]", value)


def _remove(stack: str, copy: Path, path: str) -> None:
    done = engine("config", "rm", "--path", path, "--stack", stack, "--config-file", str(copy))
    if done.returncode:
        raise Unreachable(f"the engine does not take {path} out of a copy of the stack file:\n{done.stderr.strip()}")
