"""What the program gets from Pulumi: the declared stack, and what the last run left in the state."""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

import pulumi
from pulumi.runtime import config as engine_config

from engarde.declaration.loader import PASSWORD_KEY, PASSWORDS_KEY, parse
from engarde.declaration.model import DatabaseStack, Stack
from engarde.declaration.stack_names import PROJECT
from engarde.errors import EngardeError
from engarde.pulumi_cli.process import TAKE_OVER
from engarde.server.credentials import Access
from engarde.util.terminal import BREAKS, visible

STACK_DEPTH = 7
"""Stack frames that the SDK may record: its own six, and the one that names our line."""

TOLD = 32
"""The exit code that tells the language host that the program itself has printed the error."""


def refuse(fault: Exception) -> NoReturn:
    """Ends the program with this as its only error; for an exception the official language host prints two."""
    pulumi.log.error(visible(str(fault), keep=BREAKS))
    sys.exit(TOLD)


@contextmanager
def told() -> Iterator[None]:
    """Turns a fault in callbacks of the program into one error without a traceback."""
    try:
        yield
    except EngardeError as fault:
        raise pulumi.RunError(visible(str(fault), keep=BREAKS)) from None


def declared_stack() -> Stack:
    """The stack of Pulumi's configuration, with overrides of the command line.

    The SDK's own `Config` only gives keys that are asked for; unknown keys must be seen, too.

    :raises ConfigError: every fault of the configuration.
    """
    given = {**engine_config.get_config_env(), **engine_config.CONFIG.get()}
    secret_keys = {*engine_config.get_config_secret_keys_env(), *engine_config._SECRET_KEYS.get()}
    prefix = f"{PROJECT}:"
    own = {key.removeprefix(prefix): _value(text) for key, text in given.items() if key.startswith(prefix)}
    return parse(pulumi.get_stack(), own, {key.removeprefix(prefix) for key in secret_keys})


def _value(text: Any) -> object:
    """Maps and lists arrive as JSON text, everything else as the text itself."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return text


@dataclass(frozen=True, slots=True)
class AdminPasswords:
    """The passwords of the servers' admins, which are secrets in Pulumi's configuration."""

    _config: pulumi.Config

    def clear(self, database: DatabaseStack) -> str:
        """In clear text, for sessions of the program itself."""
        if database.elsewhere:
            return str(self._config.require_object(PASSWORDS_KEY)[database.label])
        return self._config.require(PASSWORD_KEY)

    def login(self, database: DatabaseStack) -> Access:
        """The admin's way into the database."""
        return Access(database.server, database.server.database, database.server.user, self.clear(database))

    def secret(self, database: DatabaseStack) -> pulumi.Output[str]:
        """As a secret, for resources."""
        if database.elsewhere:
            return self._config.require_secret_object(PASSWORDS_KEY).apply(lambda known: str(known[database.label]))
        return self._config.require_secret(PASSWORD_KEY)


@contextmanager
def short_stacks() -> Iterator[None]:
    """Keeps most stack frames out of the state.

    The SDK records the whole call stack with each resource: paths of the operator's machine, and three fifths of a
    state that is rewritten at each step.
    """
    before = getattr(sys, "tracebacklimit", None)
    sys.tracebacklimit = STACK_DEPTH
    try:
        yield
    finally:
        if before is None:
            del sys.tracebacklimit
        else:
            sys.tracebacklimit = before


def taken_over() -> frozenset[str]:
    """The roles of `ENGARDE_TAKE_OVER`."""
    return frozenset(json.loads(os.environ.get(TAKE_OVER, "[]")))


@dataclass(frozen=True, slots=True)
class Recorded:
    """A resource of the last run's state."""

    name: str
    type: str
    outputs: Mapping[str, Any]

    @property
    def made(self) -> str:
        """The name on the server of a role or a schema."""
        return str(self.outputs["name"])


def recorded() -> tuple[Recorded, ...]:
    """The resources that the state holds now, before this run changes it; none before the first run.

    Their outputs hold secrets in clear, as the program's own outputs do: use them, never print them.
    """
    return tuple(
        # The name comes last, and may hold colons itself.
        Recorded(urn.split("::", 3)[3], found["type"], found.get("outputs") or {})
        for urn, found in (_state().get("outputs") or {}).items()
    )


def _state(tries: int = 3) -> Mapping[str, Any]:
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    try:
        return pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {"stackName": stack}).value or {}
    except Exception:
        # Another process may be writing the file of a file backend (`failed to load checkpoint: EOF`).
        if tries == 1:
            raise
        time.sleep(0.2)
        return _state(tries - 1)
