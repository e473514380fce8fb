"""The state's passwords put in force again, after the server was given back older ones."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from engarde.declaration.databases import databases
from engarde.declaration.loader import read
from engarde.declaration.model import DatabaseStack, Stack
from engarde.errors import EngardeError, Refused, Unfinished
from engarde.pulumi_cli.commands import Step, preview, up
from engarde.pulumi_cli.process import FOLDER
from engarde.pulumi_cli.resource_names import login_name, on_server, refuse_lower
from engarde.pulumi_cli.state import ROLE, State, outputs, state, verifiers
from engarde.rotate import journal
from engarde.rotate.alone import alone
from engarde.rotate.delivery import Login
from engarde.rotate.plan import counters
from engarde.rotate.proof import prove
from engarde.rotate.report import Report, Rotated
from engarde.rotate.run import Progress, chosen, one_by_one
from engarde.server.catalog.rows import Existing
from engarde.server.credentials import login_of_admin
from engarde.server.session import session
from engarde.util.terminal import step


def put_back(stack: str, names: Sequence[str], *, dry_run: bool) -> Report:
    """Puts the passwords of these logins in force, or of all of the stack's without a name; makes no new ones.

    :raises EngardeError: nothing was changed.
    """
    declared = read(FOLDER, stack)
    wanted = chosen(declared, names)
    with alone(stack, dry_run=dry_run):
        recorded = state(stack)
        logins = [each for each in declared.logins if login_name(each) in wanted]
        _refuse_half_done(declared, logins, recorded)
        _refuse_missing(declared, logins)
        start = time.monotonic()
        if declared.server.superuser:
            changed = _by_the_engine(stack, logins, recorded, dry_run=dry_run)
        else:
            changed = _as_the_admin(declared, logins, dry_run=dry_run)
        if dry_run:
            done = Progress(tuple(_row(each, recorded) for each in logins if each.role in changed))
        else:
            done = one_by_one([login_name(each) for each in logins], _proving(declared, recorded, start))
    return Report(stack, dry_run, True, declared.railway is not None, done.rotated, done.failed, done.left)


def _refuse_half_done(stack: Stack, logins: Sequence[Login], recorded: State) -> None:
    """A rotation that was begun has another password to put in force."""
    known = counters(recorded)
    refuse_lower(stack, known)
    for each in logins:
        name = login_name(each)
        if name not in known or each.role not in recorded.made(ROLE):
            raise Refused(f"{name} was not brought up yet; run `bin/pulumi up --stack {stack.name}` first")
        if each.rotation > known[name] or name in journal.read(stack.name).begun:
            raise Refused(f"a rotation of {name} was begun; `bin/engarde rotate {name} --stack {stack.name}` ends it")


def _refuse_missing(stack: Stack, logins: Sequence[Login]) -> None:
    missing = []
    for database, roles in _by_server(stack, logins):
        with session(login_of_admin(database)) as asked:
            there = {each.name for each in asked.rows("existing", Existing, roles=roles, schemas=[])}
        missing += [role for role in roles if role not in there]
    if missing:
        raise Refused(
            f"not on the server: {', '.join(missing)}; nothing was changed."
            f" `bin/pulumi up --refresh --stack {stack.name}` makes them"
        )


def _by_server(stack: Stack, logins: Sequence[Login]) -> list[tuple[DatabaseStack, list[str]]]:
    """The roles of these logins by the database with which they are looked after; a role may be on several servers."""
    wanted = {each.role for each in logins}
    found = [
        (database, [each.role for each in database.logins if each.role in wanted and each.role not in database.guests])
        for database in databases(stack)
    ]
    return [(database, roles) for database, roles in found if roles]


def _by_the_engine(stack: str, logins: Sequence[Login], recorded: State, *, dry_run: bool) -> frozenset[str]:
    """The engine sees what is in force, and repairs it; the roles that it changes."""
    roles = {each.role for each in logins}
    urns = {each.name: each for each in recorded.resources if each.type == ROLE and each.made in roles}
    options = ["--refresh", *(word for each in urns.values() for word in ("--target", each.urn))]
    with step("preview"):
        steps = preview(stack, *options)
    if more := [each for each in steps if not _of_a_password(each)]:
        listed = "\n".join(f"  {each}" for each in more)
        raise Refused(
            f"more than passwords differs on the server; nothing was changed:\n{listed}\n"
            f"`bin/pulumi up --refresh --stack {stack}` brings back all of it"
        )
    if steps and not dry_run:
        with step("up"):
            up(stack, *options)
    return frozenset(urns[each.name].made or "" for each in steps)


def _of_a_password(found: Step) -> bool:
    return found.type == ROLE and found.operation == "update" and found.changed == ("password",)


def _as_the_admin(stack: Stack, logins: Sequence[Login], *, dry_run: bool) -> frozenset[str]:
    """An admin that cannot see what is in force is no help to the engine, which would change nothing."""
    if not dry_run:
        stored = verifiers(stack.name)
        done: list[str] = []
        for database, roles in _by_server(stack, logins):
            names = {each.role: on_server(f"{login_name(each)}-role", database) for each in logins}
            try:
                with session(login_of_admin(database), read_only=False) as asked:
                    for role in roles:
                        asked.set_verifier(role, stored[names[role]])
                    asked.commit()
            except EngardeError as error:
                if not done:
                    raise
                raise Unfinished(f"{error}\nThe passwords on {', '.join(done)} were put back; run it again") from None
            done.append(f"{database.server.host}:{database.server.port}")
    return frozenset(each.role for each in logins)


def _row(login: Login, recorded: State, seconds: float = 0.0, warning: str | None = None) -> Rotated:
    name = login_name(login)
    counter = counters(recorded)[name]
    return Rotated(name, login.role, counter, counter, False, seconds, None, (warning,) if warning else ())


def _proving(stack: Stack, recorded: State, start: float) -> Callable[[str], Rotated]:
    known = outputs(stack.name).passwords
    logins = {login_name(each): each for each in stack.logins}

    def one(name: str) -> Rotated:
        role = logins[name].role
        warning = prove(stack, role, known[role])
        return _row(logins[name], recorded, time.monotonic() - start, warning)

    return one
