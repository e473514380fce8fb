"""Sets the passwords of the given logins, new ones or the state's, one login at a time up to the first failure."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from engarde.checks import journals
from engarde.declaration.databases import databases
from engarde.declaration.loader import FOLDER
from engarde.declaration.model import DatabaseStack, Stack
from engarde.declaration.resource_names import login_name, logins_by_name, on_server
from engarde.declaration.stack_names import file_name
from engarde.errors import ConfigError, EngardeError, Refused, Unfinished
from engarde.pulumi_cli.logins import login_of_admin
from engarde.pulumi_cli.process import preview, up
from engarde.pulumi_cli.stacks import read
from engarde.pulumi_cli.state import ROLE, State, outputs, state, verifiers
from engarde.rotate import lockout
from engarde.rotate.delivery import Deliverer, Login
from engarde.rotate.lockout import prove
from engarde.rotate.report import Report, Rotated, Rotation
from engarde.rotate.rotate_login import RotationOptions, plan, refuse_unready, rotate_login
from engarde.rotate.stack_change import locked
from engarde.server.catalog import Existing
from engarde.server.session import session
from engarde.util.terminal import indented, say, step
from engarde.util.unknown import UnknownName


def rotate(stack: str, names: Sequence[str], deliverer: Deliverer, options: RotationOptions) -> Report:
    """Gives these logins new passwords; without names, all logins of the stack.

    :raises EngardeError: nothing was started.
    """
    declared = read(FOLDER, stack)
    wanted = chosen(declared, names)

    with locked(declared, dry_run=options.dry_run):
        begun, recorded = journals.read_rotations(stack), state(stack)
        left = unfinished_first(declared, begun.remaining(wanted), recorded, begun.begun)

        def one(name: str) -> Rotated:
            known = recorded if options.dry_run or name == left[0] else state(stack)
            # Read again: the rotation before has changed it.
            declared = read(FOLDER, stack)
            planned = plan(declared, logins_by_name(declared)[name], known, journals.read_rotations(stack).begun)
            return rotate_login(declared, planned, known, deliverer, options)

        if len(left) < len(wanted):
            say(f"resuming an earlier run that was stopped; logins left: {', '.join(left)}")
        if not options.dry_run:
            journals.plan_rotations(stack, wanted, left)
        done = _one_by_one(left, one)
    return Report(stack, options.dry_run, False, declared.railway is not None, *done, _kept_in_git(stack), options.shut)


def chosen(stack: Stack, names: Sequence[str]) -> list[str]:
    """The logins of these names; without names, all logins of the stack.

    :raises ConfigError: some are not in the stack file or named twice, or the stack has no login.
    """
    known = logins_by_name(stack)
    if unknown := sorted({name for name in names if name not in known}):
        raise UnknownName(f"stack {stack.name}", "login", unknown, known)
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(f"named twice: {', '.join(twice)}")
    if not known:
        raise ConfigError(f"stack {stack.name} declares neither services nor analytics")
    return list(names or known)


def unfinished_first(stack: Stack, names: Sequence[str], state: State, begun: Mapping[str, int]) -> list[str]:
    """Puts unfinished rotations first: the preview of another login would show them, too, and be refused."""
    recorded, logins = state.counters, logins_by_name(stack).items()
    ahead = {name for name, login in logins if login.rotation > recorded.get(name, login.rotation)}
    return sorted(names, key=lambda name: name not in ahead | begun.keys())


def _kept_in_git(stack: str) -> bool:
    """Whether there is a stack file to commit: each clone has its own stack `local`."""
    command = ["git", "check-ignore", "--quiet", file_name(stack)]
    try:
        return subprocess.run(command, cwd=FOLDER, capture_output=True, check=False).returncode != 0
    except OSError:
        return True


def _one_by_one(
    names: Sequence[str], one: Callable[[str], Rotated]
) -> tuple[tuple[Rotated, ...], tuple[str, EngardeError] | None, tuple[str, ...]]:
    """The logins that are done, the first that failed, and those left after it."""
    done: list[Rotated] = []
    for place, name in enumerate(names):
        try:
            done.append(one(name))
        except EngardeError as fault:
            return tuple(done), (name, fault), tuple(names[place + 1 :])
    return tuple(done), None, ()


def put_back(stack: str, names: Sequence[str], *, dry_run: bool) -> Report:
    """Sets the state's passwords of these logins again; without names, of all logins of the stack.

    :raises EngardeError: nothing was changed.
    """
    declared = read(FOLDER, stack)
    wanted = chosen(declared, names)
    with locked(declared, dry_run=dry_run):
        recorded = state(stack)
        logins = [login for login in declared.logins if login_name(login) in wanted]
        _refuse_half_done(declared, logins, recorded)
        _refuse_missing(declared, logins)
        start, known = time.monotonic(), recorded.counters
        if declared.server.superuser:
            changed = _by_pulumi(stack, logins, recorded, dry_run=dry_run)
        else:
            changed = frozenset(login.role for login in logins)
            if not dry_run:
                _as_the_admin(declared, logins)
        passwords = {} if dry_run else outputs(stack).passwords

        def one(name: str) -> Rotated:
            login, counter = logins_by_name(declared)[name], known[name]
            kept = Rotation(login, counter, counter, continued=False)
            if dry_run:
                return Rotated(kept)
            warning = prove(declared, login.role, passwords[login.role])
            return Rotated(kept, time.monotonic() - start, warnings=(warning,) if warning else ())

        done = _one_by_one([login_name(login) for login in logins if not dry_run or login.role in changed], one)
    return Report(stack, dry_run, True, declared.railway is not None, *done)


def _refuse_half_done(stack: Stack, logins: Sequence[Login], recorded: State) -> None:
    """An unfinished rotation has another password to set."""
    refuse_unready(stack, [login_name(login) for login in logins], recorded)
    begun = journals.read_rotations(stack.name).begun
    for login in logins:
        name = login_name(login)
        if login.rotation > recorded.counters[name] or name in begun:
            command = f"bin/engarde rotate {name} --stack {stack.name}"
            raise Refused(f"a rotation of {name} is not finished. Nothing was changed. Run `{command}` to finish it")


def _refuse_missing(stack: Stack, logins: Sequence[Login]) -> None:
    missing = []
    for database, roles in _by_server(stack, logins):
        with session(login_of_admin(database)) as asked:
            # A check would read the whole catalogs, which takes too long for something urgent.
            there = {found.name for found in asked.query("existing", Existing, roles=roles, schemas=[])}
        missing += [role for role in roles if role not in there]
    if missing:
        raise Refused(
            f"the server does not have these roles: {', '.join(missing)}. Nothing was changed."
            f" Run `bin/pulumi up --refresh --stack {stack.name}` to create them"
        )


def _by_server(stack: Stack, logins: Sequence[Login]) -> list[tuple[DatabaseStack, list[str]]]:
    """The roles of these logins by the database that manages them; a role may be on several servers."""
    wanted = {login.role for login in logins}
    found = [
        (database, [login.role for login in database.logins if login.role in wanted - database.guests])
        for database in databases(stack)
    ]
    return [(database, roles) for database, roles in found if roles]


def _by_pulumi(stack: str, logins: Sequence[Login], recorded: State, *, dry_run: bool) -> frozenset[str]:
    """Lets Pulumi compare the passwords on the server and correct them; returns the roles that it changes."""
    roles = {login.role for login in logins}
    resources = (resource for resource in recorded.resources if resource.type == ROLE and resource.made in roles)
    known = {resource.name: resource for resource in resources}
    options = ["--refresh", *(word for resource in known.values() for word in ("--target", resource.urn))]
    with step("preview"):
        steps = preview(stack, *options)
    passwords = [found for found in steps if (found.type, found.operation) == (ROLE, "update")]
    if more := [found for found in steps if found not in passwords or found.changed != ("password",)]:
        raise Refused(
            "the server differs from the state in more than passwords. Nothing was changed. These differ, too:\n"
            f"{indented(more)}\nRun `bin/pulumi up --refresh --stack {stack}` to correct everything"
        )
    if steps and not dry_run:
        with step("up"):
            up(stack, *options)
    return frozenset(known[found.name].made or "" for found in steps)


def _as_the_admin(stack: Stack, logins: Sequence[Login]) -> None:
    """Sets verifiers as the admin: if the admin cannot read passwords, Pulumi would change nothing."""
    stored, done = verifiers(stack.name), list[str]()
    for database, roles in _by_server(stack, logins):
        names = {login.role: on_server(f"{login_name(login)}-role", database) for login in logins}
        try:
            with lockout.changing(database) as asked:
                for role in roles:
                    asked.set_verifier(role, stored[names[role]])
        except EngardeError as error:
            if not done:
                raise
            raise Unfinished(
                f"{error}\nThe passwords on {', '.join(done)} were set again. Run the command again to resume"
            ) from None
        done.append(f"{database.server.host}:{database.server.port}")
