"""`make up`: from any state, also after a killed run, to a stack that is as declared."""

import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from rich.console import Group, RenderableType

from devtools.local import database, embedded, stack_file, state
from devtools.local.state import Admin
from engarde.declaration.model import Stack
from engarde.errors import EngardeError
from engarde.output.layout import Table, Text
from engarde.output.show import console
from engarde.pulumi_cli import stacks
from engarde.pulumi_cli.process import TAKE_OVER, engine
from engarde.util.quoting import word
from engarde.util.terminal import begin_change, is_screen, step, tell
from launcher import install
from launcher.engine import EngineMissing, found
from launcher.paths import PASSPHRASE, PRIVATE, PROJECT, STAND_INS_HOME

STAND_IN = PROJECT / "devtools/provider_stubs/pulumi-resource"
"""The script that Pulumi runs as a plugin; it starts the provider stub."""

PULUMI = PROJECT / "bin/pulumi"


class CommandFailed(EngardeError):
    """A command of the project failed, and has said why."""

    exit_code = 1


def up() -> None:
    """Brings up everything and shows it.

    :raises EngardeError: where something has to be done by the user first.
    """
    start = time.monotonic()
    PRIVATE.mkdir(exist_ok=True)
    with state.alone():
        begin_change()
        users_own = database.users_server()
        obtain()
        state.clear_stale_engine_locks()
        admin = users_own or embedded.bring_up()
        stack = _stack(admin)
        if admin.embedded:
            database.prepare(admin, stack)
        take_over = database.to_take_over(admin, stack)
        with step("Bringing up stack local"):
            run_program(take_over)
        if admin.embedded:
            stack_file.settle()
        if state.pending():
            # What killed runs left open: this one has made or taken over everything.
            _quietly("stack", "import", "--stack", "local", given=_quietly("stack", "export", "--stack", "local"))
        services = json.loads(_quietly("stack", "output", "services", "--json", "--stack", "local"))
        console().print(shown(services))
        (last,) = json.loads(_quietly("stack", "history", "--json", "--page-size", "1", "--stack", "local"))
        outcome = "nothing had to change" if set(last["resourceChanges"]) == {"same"} else "changed as shown above"
    tell(f"Stack local is as declared, {outcome}; {time.monotonic() - start:.1f} s in total")


def _stack(admin: Admin) -> Stack:
    """The stack file, there and naming the server, and the stack that it declares."""
    if not PASSPHRASE.exists():
        stack_file.unseal()
        state.write(PASSPHRASE, secrets.token_urlsafe(32))
    before = state.remembered()
    stack_file.write_for(admin, before)
    if not state.exists():
        _quietly("stack", "init", "local", "--no-select")
    if not before or before.password != admin.password or not stack_file.is_sealed():
        with step("Encrypting the admin's password in Pulumi.local.yaml"):
            _quietly("config", "set", "--secret", "adminPassword", "--stack", "local", given=admin.password)
    if before != admin:
        state.remember(admin)
    return stacks.read(PROJECT, "local")


def shown(services: Mapping[str, Mapping[str, Any]]) -> RenderableType:
    """All services with what they have, and the commands to connect as one and to look at all."""
    table = Table(["service", "schema", "role", "limit", "reads"], figures=[3])
    for name, service in services.items():
        reads = ", ".join(service["reads"]) or "-"
        table.add_row(name, service["schema"], service["role"], str(int(service["connectionLimit"])), reads)
    return Group(
        table,
        *(Text(f"Connect as {name}: `bin/engarde psql {word(name)}`") for name in list(services)[:1]),
        Text("Prove that it is as declared, and isolated: `bin/engarde verify`"),
        Text("See services at work in it, small ones with migrations: `make demo`"),
    )


def obtain() -> None:
    """Gets Pulumi and its plugins, unless an earlier run has found them."""
    install_stand_ins()
    try:
        found()
    except EngineMissing:
        install.engine()


def obtain_anew() -> None:
    install_stand_ins()
    install.engine()


def install_stand_ins() -> None:
    """Installs the working tree's provider stubs where a run without official plugins finds them."""
    # The engine would make it too, closed to the user that a server of root's runs as.
    PRIVATE.mkdir(exist_ok=True)
    for name in install.PLUGINS:
        installed = install.plugin_folder(STAND_INS_HOME, name) / f"pulumi-resource-{name}"
        if not installed.exists() or installed.read_bytes() != STAND_IN.read_bytes():
            installed.parent.mkdir(parents=True, exist_ok=True)
            draft = installed.with_name("draft")
            shutil.copy2(STAND_IN, draft)
            draft.replace(installed)


def run_program(take_over: Sequence[str]) -> None:
    """Runs the program, which shows its progress on a terminal.

    :raises CommandFailed: when the engine ends with an error.
    """
    words = ["up", "--stack", "local", "--yes", "--skip-preview", "--suppress-outputs"]
    if state.pending():
        # What a killed run deleted is still in the state, and deleting it again fails.
        words.append("--refresh")
    environment = {**os.environ, TAKE_OVER: json.dumps(list(take_over))}
    if is_screen():
        running = subprocess.Popen([PULUMI, *words], cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL)
        while (ended := running.poll()) is None:
            # An interrupt reaches the engine too, and it ends in its own good time.
            with suppress(KeyboardInterrupt):
                running.wait()
    else:
        # Nobody may read to the end, which would be the engine's end, too.
        ended = engine(*words, work="change", environment=environment).returncode
    if ended:
        raise CommandFailed("`make up` did not finish; see Pulumi's output above")


def _quietly(*words: str, given: str = "") -> str:
    done = subprocess.run([PULUMI, *words], check=False, cwd=PROJECT, input=given, capture_output=True, text=True)
    if done.returncode:
        raise CommandFailed(f"`bin/pulumi {' '.join(words)}` failed:\n{done.stderr.strip()}")
    return done.stdout
