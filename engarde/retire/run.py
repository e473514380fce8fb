"""Removes a service from its stack: makes a backup, then drops its schema, then removes its entry and its role. Steps
that are done are skipped, so the same command resumes after a stop."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import RenderableType

from engarde.backup import manifest
from engarde.backup.backup import Options, backup, refuse_pooler
from engarde.backup.inspect import inspect, needed_by
from engarde.backup.inventory import Held, Inventory, Owned, contents
from engarde.checks import journals
from engarde.declaration.databases import database_of
from engarde.declaration.loader import FOLDER
from engarde.declaration.model import Service, Stack
from engarde.declaration.stack_file import key_path
from engarde.declaration.stack_names import file_name
from engarde.errors import ConfigError, Refused, Unfinished
from engarde.output.layout import lines
from engarde.output.show import Result
from engarde.pulumi_cli.logins import access, login_of_admin
from engarde.pulumi_cli.process import remove_key, set_key, up
from engarde.pulumi_cli.stacks import read
from engarde.pulumi_cli.state import TENANT, Resource, outputs, state
from engarde.rotate.stack_change import copied, locked
from engarde.server import copy_in
from engarde.server.session import Session, session
from engarde.util.quoting import quoted
from engarde.util.terminal import Say, begin_change, first_few, indented, visible
from engarde.util.unknown import UnknownName

SHOWN = 20
"""How many differences are shown."""

Ask = Callable[[str], None]
"""Tells the operator what is about to be done, and raises unless the operator agrees."""


@dataclass(frozen=True, slots=True)
class Retired(Result):
    """The steps that were done, or would be."""

    service: str
    steps: tuple[str, ...]
    dry_run: bool
    folder: Path | None = None
    """the backup's folder"""
    seconds: float = 0.0
    variables: tuple[str, ...] = ()
    """the Railway services that have its URL"""

    def text(self) -> RenderableType:
        told = [f"{self.service} {'would be' if self.dry_run else 'was'} retired:", indented(self.steps)]
        if self.folder and not self.dry_run:
            told.append(f"its data is in {self.folder}")
        if self.variables:
            told.append(f"remove its URL from these Railway services: {', '.join(self.variables)}")
        return lines("\n".join(told))

    def data(self) -> dict[str, object]:
        return dict(
            service=self.service,
            dryRun=self.dry_run,
            steps=list(self.steps),
            folder=str(self.folder) if self.folder else None,
            railwayServices=list(self.variables),
            seconds=round(self.seconds, 1),
        )


@dataclass(frozen=True, slots=True)
class _Left:
    """A service, with the facts that decide which steps are left."""

    stack: Stack
    service: Service
    listed: bool
    """whether it is in the stack file"""
    made: Resource | None
    """the service in the state, if `up` has created it"""
    held: Held | None
    """its schema's contents; None if the schema does not exist"""

    @property
    def protected(self) -> bool:
        """Whether the next run would refuse to do without it."""
        return self.made is not None and self.made.protected

    def steps(self, keep: bool) -> list[str]:
        file, name = file_name(self.stack.name), self.service.name
        steps = ["unprotect its role and its schema (`up`)"] if self.protected else []
        if self.held is not None:
            what = f"schema {self.service.schema_} ({str(self.held) or 'empty'})"
            steps += [f"back up {what}"] if keep else []
            steps += [f"drop {what}{'' if keep else ' without a backup'}"]
        return [*steps, *([f"remove {name} from {file}"] if self.listed or self.protected else []), _UP]


_UP = "drop its role and its grants (`up`)"


def retire(stack: str, name: str, to: Path | None, options: Options, ask: Ask, say: Say, *, keep: bool) -> Retired:
    """Removes the service from the stack, as far as that is not done yet.

    :param keep: makes a backup first, and compares it with the schema before that is dropped.
    :raises Refused: something prevents it; nothing was changed.
    :raises Unfinished: it was started; the same command resumes.
    """
    start, declared = time.monotonic(), read(FOLDER, stack)
    with locked(declared, dry_run=options.dry_run):
        service = next((service for service in declared.services if service.name == name), None)
        recorded = state(stack)
        made = next((found for found in recorded.resources if (found.type, found.name) == (TENANT, name)), None)
        if service is None and made is None:
            raise UnknownName(f"stack {stack}", "service", [name], [service.name for service in declared.services])
        listed = service is not None
        service = service or _brought_up(stack, name, recorded.counters.get(name, 1))
        if service is None:
            # The last run was stopped while it dropped the role.
            if not options.dry_run:
                up(stack)
            return Retired(name, (_UP,), options.dry_run, seconds=time.monotonic() - start)
        left = _left(declared, service, made, listed=listed)
        steps, folder = tuple(left.steps(keep)), None
        if not options.dry_run:
            ask(f"To retire {name} from stack {stack}, this command will:\n{indented(steps)}")
            folder = _go(left, to, options, say, keep=keep)
    variables = service.on_railway if listed else ()
    return Retired(name, steps, options.dry_run, folder, time.monotonic() - start, variables)


def _brought_up(stack: str, name: str, rotation: int) -> Service | None:
    """A service that is not in the stack file any more, as the last run brought it up."""
    if (found := outputs(stack).services.get(name)) is None:
        return None
    place = {key: found.get(key) for key in ("schema", "role", "database")}
    return Service.model_validate({"name": name, **place, "rotation": rotation})


def _left(declared: Stack, service: Service, made: Resource | None, *, listed: bool) -> _Left:
    """:raises Refused: something prevents it."""
    name = service.name
    if (begun := journals.read_move(declared.name, name)) is not None:
        raise Refused(begun.told(declared.name))
    if name in journals.read_rotations(declared.name).begun:
        command = f"bin/engarde rotate {name} --stack {declared.name}"
        raise Refused(f"a rotation of {name} is not finished. Nothing was changed. Run `{command}` first")
    if listed:
        with copied(declared.name, journals.folder("retire", declared.name)) as copy:
            _take_out(declared, service, copy.copy)
    else:
        declared = replace(declared, services=(*declared.services, service))
    held = None
    if made:
        login = access(declared, name)
        with session(login) as asked:
            refuse_pooler(login, asked)
            _refuse_in_use(asked, service)
            if asked.values("backup_schema", schema=service.schema_):
                owned = asked.query("backup_contents", Owned, schema=service.schema_)
                held = Held(tuple(owned), asked.values("large_objects_of", role=service.role)[0])
    return _Left(declared, service, listed, made, held)


def _take_out(declared: Stack, service: Service, file: Path) -> None:
    """Removes the service from a copy of the stack file, which then has to be valid without it.

    :raises Refused: it is not.
    """
    remove_key(declared.name, file, _key(service, file))
    try:
        after = read(file.parent, declared.name)
    except ConfigError as faults:
        raise Refused(
            f"something else in the stack file needs {service.name}. {file.name} was not changed. Change that first:\n"
            f"{faults}"
        ) from None
    if service.name in {other.name for other in after.services}:
        raise Refused(
            f"an ESC environment declares {service.name}, not {file.name}. Nothing was changed. Remove it there first"
        )


def _key(service: Service, file: Path, *inside: str) -> str:
    """The path of a key of its entry.

    :raises Refused: Pulumi cannot express it.
    """
    if (path := key_path("services", (service.name, *inside))) is None:
        raise Refused(f"Pulumi cannot write the key of {service.name}. Nothing was changed. Edit {file.name} yourself")
    return path


def _refuse_in_use(asked: Session, service: Service) -> None:
    [sessions] = asked.values("split_sessions", role=service.role, database=None)
    if sessions:
        raise Refused(f"{service.role} has {sessions} open sessions. Nothing was dropped. Stop {service.name} first")
    if needing := [visible(str(edge)) for edge in needed_by(asked, service.schema_)]:
        raise Refused(
            f"objects outside schema {service.schema_} need objects in it and would be dropped with them. Nothing was"
            f" dropped. Drop them yourself first:\n{indented(needing)}"
        )


def _go(left: _Left, to: Path | None, options: Options, say: Say, *, keep: bool) -> Path | None:
    stack, service = left.stack, left.service
    folder = None
    if left.held is not None and keep:
        made = backup(stack, service.name, to, options, say)
        folder = made.folder
        if made.complaint:
            raise Unfinished(
                f"{made.complaint}\nNothing was changed. Fix that, or keep this copy and run the command with"
                " --yes-without-backup"
            )
    if left.protected:
        say("removing the protection")
        with copied(stack.name, journals.folder("retire", stack.name)) as copy:
            for key, value in _unprotected(left).items():
                set_key(stack.name, copy.copy, _key(service, copy.copy, key), value)
            copy.put_in_place()
        up(stack.name)
    if left.held is not None:
        _drop(stack, service, manifest.whole(folder).inventory if folder else None, say)
    begin_change()
    if left.listed or left.protected:
        with copied(stack.name, journals.folder("retire", stack.name)) as copy:
            _take_out(stack, service, copy.copy)
            copy.put_in_place()
    if left.made and service.database:
        _take_privileges(stack, service)
    up(stack.name)
    return folder


def _unprotected(left: _Left) -> dict[str, str]:
    """The keys of its entry that take the protection off; without an entry, also those that keep it what it is."""
    if left.listed:
        return {"protect": "false"}
    service = left.service
    known = {"schema": service.schema_, "role": service.role, "rotation": str(service.rotation), "protect": "false"}
    return known | ({"database": service.database} if service.database else {})


def _take_privileges(stack: Stack, service: Service) -> None:
    """Drops the role's privileges in its own database, which may leave the stack with it and would keep the role.

    :raises Unfinished: the role owns something there that is not in the backup.
    """
    with session(login_of_admin(database_of(stack, service)), read_only=False) as asked:
        [owned] = asked.values("owned_by", role=service.role)
        if owned:
            raise Unfinished(
                f"{service.role} owns {owned} more objects in database {service.database}, outside its schema. Change"
                " their owner or drop them, then run the command again to resume"
            )
        copy_in.run(asked, f"privileges of {service.role}", f"DROP OWNED BY {quoted(service.role)}")
        asked.commit()


def _drop(stack: Stack, service: Service, copied: Inventory | None, say: Say) -> None:
    """Drops the schema and the role's large objects in one transaction, if they are as in the backup.

    :raises Unfinished: they have changed, or somebody uses them again.
    """
    login, schema = access(stack, service.name), service.schema_
    try:
        with session(login, "copy", read_only=False, one_snapshot=False) as asked:
            _refuse_in_use(asked, service)
            if copied and (tables := [quoted(schema, table.name) for table in copied.tables if table.rows is not None]):
                copy_in.run(asked, "its tables", f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE")
            if copied and (changed := contents(copied, inspect(asked, schema, say))):
                listed = first_few([visible(str(found)) for found in changed], SHOWN, "\n  ", "\n  and ")
                raise Unfinished(
                    f"schema {schema} has changed since the backup. Stop {service.name} first. Changes:\n  {listed}"
                )
            begin_change()
            say(f"dropping schema {schema}")
            copy_in.run(asked, "the schema cannot be dropped", f"DROP SCHEMA {quoted(schema)} CASCADE")
            asked.execute_file("backup_unlink")
            asked.commit()
    except (Refused, Unfinished) as error:
        raise Unfinished(f"{error}\nThe schema was not changed. Run the command again to resume") from None
