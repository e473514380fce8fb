"""`make up`: from whatever is there, after whatever has happened, to a stack that is as declared."""

import secrets
import time
from collections.abc import Mapping
from typing import Any

from rich.table import Table

from devtools.local import database, embedded, engine, files, stack_file
from devtools.local.files import alone, clear_stale_engine_locks
from devtools.local.state import Admin, remember, remembered
from engarde.declaration import loader
from engarde.declaration.model import Stack
from engarde.output.show import console
from engarde.util.terminal import begin_change, put, step, tell
from launcher.paths import PASSPHRASE, PRIVATE, PROJECT


def up() -> None:
    """Brings up everything and shows it.

    :raises EngardeError: where something has to be done by the user first.
    """
    start = time.monotonic()
    PRIVATE.mkdir(exist_ok=True)
    with alone():
        begin_change()
        users_own = database.users_server()
        engine.obtain()
        clear_stale_engine_locks()
        admin = users_own or embedded.bring_up()
        stack = _stack(admin)
        if admin.embedded:
            database.prepare(admin, stack)
        take_over = database.to_take_over(admin, stack)
        with step("Bringing up stack local"):
            engine.up(take_over)
        if admin.embedded:
            stack_file.settle()
        engine.forget_pending()
        _show(engine.services())
        outcome = "changed as shown above" if engine.changed() else "nothing had to change"
    tell(f"Stack local is as declared, {outcome}; {time.monotonic() - start:.1f} s in all")


def _stack(admin: Admin) -> Stack:
    """The stack file, there and naming the server, and the stack that it declares."""
    if not PASSPHRASE.exists():
        stack_file.unseal()
        files.write(PASSPHRASE, secrets.token_urlsafe(32))
    before = remembered()
    stack_file.write_for(admin, before)
    engine.initialise()
    if not before or before.password != admin.password or not stack_file.is_sealed():
        with step("Encrypting the admin's password in Pulumi.local.yaml"):
            engine.seal(admin.password)
    if before != admin:
        remember(admin)
    return loader.read(PROJECT, "local")


def _show(services: Mapping[str, Mapping[str, Any]]) -> None:
    """Every service with what is its own, the command that connects as one, and the one that looks at all."""
    shown = Table("service", "schema", "role", "limit", "reads")
    for name, service in services.items():
        reads = ", ".join(service["reads"]) or "-"
        shown.add_row(name, service["schema"], service["role"], str(int(service["connectionLimit"])), reads)
    console().print(shown)
    for name in list(services)[:1]:
        put(f"Connect as {name}: bin/engarde psql {name}")
    put("Prove that it is as declared, and isolated: bin/engarde verify")
    put("See services at work in it, small ones with migrations: make demo")
