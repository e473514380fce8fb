"""A service's way from one database into another: the stack before it and after it, and what of the file changes."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from engarde.checks.journals import folder
from engarde.declaration import stack_file
from engarde.declaration.databases import restrict_to, service_of
from engarde.declaration.model import DatabaseStack, Extension, Service, Stack
from engarde.declaration.stack_names import PROJECT, file_name
from engarde.declaration.validation import join
from engarde.errors import ConfigError, Refused, Unreachable
from engarde.pulumi_cli.process import engine, set_key
from engarde.pulumi_cli.stacks import read
from engarde.rotate.stack_change import Copy, copied


@dataclass(frozen=True, slots=True)
class Move:
    """One service from an old database into a new one."""

    before: Stack
    after: Stack
    service: Service
    """as it is declared before"""
    source: str | None
    """the database that it leaves, as a service states it; none for the shared one"""
    target: str | None

    @property
    def old(self) -> DatabaseStack:
        return restrict_to(self.before, self.source)

    @property
    def new(self) -> DatabaseStack:
        return restrict_to(self.after, self.target)

    @property
    def moved(self) -> Service:
        """The service as it is declared after."""
        return service_of(self.after, self.service.name)

    @property
    def other_server(self) -> bool:
        """Whether it also changes servers, and so roles of one name."""
        old, new = self.old, self.new
        return (old.elsewhere, new.elsewhere) != (False, False) and self.source != self.target


def move(stack: Stack, name: str, source: str | None, target: str | None, carried: Collection[str]) -> Move:
    """The way between two databases, at whichever end of it the stack file is now.

    :param carried: the declared extensions that the service needs.
    :raises ConfigError: there is no such service.
    """
    before = _with(stack, name, source, target, carried)
    after = _with(stack, name, target, source, carried)
    return Move(before, after, service_of(before, name), source, target)


def _with(stack: Stack, name: str, database: str | None, other: str | None, carried: Collection[str]) -> Stack:
    """The stack with the service in a database."""
    if service_of(stack, name).database == database:
        return stack
    services = tuple(
        service.model_copy(update={"database": database}) if service.name == name else service
        for service in stack.services
    )
    known = {stack.server.database, *(service.database for service in services if service.database)}
    here, there = database or stack.server.database, other or stack.server.database
    extensions = tuple(
        _extension(extension, here, there, known, stack.server.database, carried=extension.name in carried)
        for extension in stack.extensions
    )
    return replace(stack, services=services, extensions=extensions)


def _extension(extension: Extension, here: str, left: str, known: set[str], shared: str, *, carried: bool) -> Extension:
    """An extension in the databases that it is to be in: a database that no service names any more is none of them."""
    now = extension.databases or (shared,)
    then = tuple(database for database in now if database in known or database != left)
    if here not in then and (carried or not then):
        then = (*then, here)
    if then == now:
        return extension
    return extension.model_copy(update={"databases": None if then == (shared,) else then})


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
        return stack_file.lines(self.section, {self.name: {self.key: value}})


def changes(now: Stack, then: Stack) -> tuple[Edit, ...]:
    """What makes the one of the other."""
    sides = [
        {
            **{("services", service.name, "database"): service.database for service in stack.services},
            **{("extensions", extension.name, "databases"): extension.databases for extension in stack.extensions},
        }
        for stack in (now, then)
    ]
    return tuple(Edit(*key, old is not None, sides[1][key]) for key, old in sides[0].items() if old != sides[1][key])


@contextmanager
def draft(now: Stack, then: Stack) -> Iterator[Copy]:
    """A copy of the stack file that declares the other stack, as long as the block lasts.

    :raises ConfigError: the other stack has faults, or the engine cannot spell a name.
    :raises Refused: the copy would declare something else, too.
    """
    # In a folder of its own: a plan takes no lock.
    beside = TemporaryDirectory(prefix="draft-", dir=folder("split", now.name))
    with beside as place, copied(now.name, Path(place)) as made:
        for edit in changes(now, then):
            _write(now.name, made.copy, edit)
        if read(made.copy.parent, now.name) != then:
            raise Refused(f"the engine wrote something else than was meant; {made.original.name} stays as it is")
        yield made


def _write(stack: str, copy: Path, edit: Edit) -> None:
    path = stack_file.key_path(edit.section, (edit.name, edit.key))
    values = (edit.value,) if isinstance(edit.value, str) else edit.value or ()
    if path is None or any(value.startswith("-") for value in values):
        raise ConfigError(
            f"the engine cannot write the key of {edit.name}; nothing was changed in {file_name(stack)}. Write it"
            f" yourself, and run the same command again, which goes on from there:\n{edit}"
        )
    if isinstance(edit.value, str):
        set_key(stack, copy, path, edit.value)
        return
    if edit.stated:
        done = engine("config", "rm", "--path", path, "--stack", stack, "--config-file", str(copy))
        if done.returncode:
            said = done.stderr.strip()
            raise Unreachable(f"the engine does not take {path} out of a copy of the stack file:\n{said}")
    for place, value in enumerate(values):
        set_key(stack, copy, f"{path}[{place}]", value)
