"""A service's move from one database to another: the stack before and after it, and the changes of the stack file."""

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
    """The move of one service from an old database to a new one."""

    before: Stack
    after: Stack
    service: Service
    """as it is declared before the move"""
    source: str | None
    """the database that it leaves, as a service states it; None for the shared one"""
    target: str | None

    @property
    def old(self) -> DatabaseStack:
        return restrict_to(self.before, self.source)

    @property
    def new(self) -> DatabaseStack:
        return restrict_to(self.after, self.target)

    @property
    def moved(self) -> Service:
        """The service as it is declared after the move."""
        return service_of(self.after, self.service.name)

    @property
    def other_server(self) -> bool:
        """Whether the service also changes servers, and so gets another role of the same name."""
        old, new = self.old, self.new
        return (old.elsewhere, new.elsewhere) != (False, False) and self.source != self.target


def move(stack: Stack, name: str, source: str | None, target: str | None, carried: Collection[str]) -> Move:
    """The move between two databases; the stack file may name either of them now.

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
    """The extension, declared for the right databases: not for one that no service names any more."""
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
    """the stack file has it now"""
    value: str | tuple[str, ...] | None
    """None: it is removed"""

    def __str__(self) -> str:
        if self.value is None:
            return f"without {join(f'{PROJECT}:{self.section}', self.name, self.key)}"
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return stack_file.lines(self.section, {self.name: {self.key: value}})


def changes(now: Stack, then: Stack) -> tuple[Edit, ...]:
    """The edits that make the stack file of one stack that of the other."""
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
    """A copy of the stack file that declares the other stack; it is removed at the end of the block.

    :raises ConfigError: the other stack has faults, or Pulumi cannot write a key.
    :raises Refused: the copy also declares something else.
    """
    # In a folder of its own, because a plan takes no lock.
    beside = TemporaryDirectory(prefix="draft-", dir=folder("split", now.name))
    with beside as place, copied(now.name, Path(place)) as made:
        for edit in changes(now, then):
            _write(now.name, made.copy, edit)
        if read(made.copy.parent, now.name) != then:
            raise Refused(
                f"Pulumi wrote other values than the move needs into a copy of {made.original.name}. That file was not"
                " changed"
            )
        yield made


def _write(stack: str, copy: Path, edit: Edit) -> None:
    path = stack_file.key_path(edit.section, (edit.name, edit.key))
    values = (edit.value,) if isinstance(edit.value, str) else edit.value or ()
    if path is None or any(value.startswith("-") for value in values):
        raise ConfigError(
            f"Pulumi cannot write the key of {edit.name}. {file_name(stack)} was not changed. Edit it by hand, then run"
            f" the command again to resume:\n{edit}"
        )
    if isinstance(edit.value, str):
        set_key(stack, copy, path, edit.value)
        return
    if edit.stated:
        done = engine("config", "rm", "--path", path, "--stack", stack, "--config-file", str(copy))
        if done.returncode:
            message = done.stderr.strip()
            raise Unreachable(f"Pulumi could not remove {path} from a copy of the stack file:\n{message}")
    for place, value in enumerate(values):
        set_key(stack, copy, f"{path}[{place}]", value)
