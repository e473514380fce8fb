"""`bin/pulumi`: the Pulumi that was found, with what stack `local` needs and nothing else changed."""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from engarde.errors import EngardeError
from engarde.util.processes import INSTALL, interrupts
from engarde.util.provider_sessions import pgoptions
from engarde.util.terminal import begin_command, tell
from engarde.util.workspaces import file_backend, selections
from launcher.engine import TO_STAND_INS, Engine, EngineMissing, ToolchainError, found
from launcher.paths import PASSPHRASE, PROJECT, STAND_INS_HOME, STATE, pulumi_home

BACKEND = file_backend(STATE)

STAND_INS_NEED = ("bcrypt",)
"""Modules that only the provider stubs need, and that are not in requirements.txt."""

LOCAL = {"local", "organization/local", "organization/engarde/local"}
"""The names of stack `local`: a file backend's only organization is `organization`."""

OPERATIONS = {"destroy", "dn", "down", "import", "pre", "preview", "refresh", "up", "update", "watch"}
"""The commands that start providers."""

NAMING = {"create", "delete", "init", "new", "remove", "rm", "select", "setup"}
"""The subcommands of `stack` that take a stack's name without a flag."""

SELECTING = {"create", "init", "new", "select", "setup"}
"""Those that select the stack."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The parts of a command line that decide how Pulumi is started."""

    operation: bool
    stack: str | None
    """The stack that is named, by a flag or as an argument."""

    folder: str | None
    """The folder that Pulumi is told to work in."""

    selects: bool = False
    """Whether the command selects the stack."""


def main() -> None:
    """Replaces itself by Pulumi, so that signals and exit codes are Pulumi's own."""
    begin_command()
    words = sys.argv[1:]
    line = parse(words)
    try:
        with interrupts():
            try:
                engine = found()
            except EngineMissing:
                engine = _obtained()
            variables = environment(line, engine) | pgoptions()
    except (EngardeError, OSError) as fault:
        tell(f"error: {fault}")
        sys.exit(2)
    except ImportError as fault:
        tell(f"error: .venv is incomplete ({fault}): run `{INSTALL}` in {PROJECT}")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    if not (line.folder or _is_in_project()):
        os.chdir(PROJECT)
    if os.environ.get("PGOPTIONS", variables["PGOPTIONS"]) != variables["PGOPTIONS"]:
        tell("note: PGOPTIONS of your environment is ignored; this run sets its own value (docs/launcher.md)")
    # Pulumi trusts PWD, which may be wrong because of a link or the line above.
    variables["PWD"] = str(Path.cwd())
    if line.selects and line.stack not in LOCAL and _selected(engine) in LOCAL:
        sys.exit(_select_another(engine, words, variables))
    os.execve(engine.binary, ["pulumi", *words], variables)


def _is_in_project() -> bool:
    try:
        return Path.cwd().is_relative_to(PROJECT)
    except FileNotFoundError:
        # It was deleted.
        return False


def _select_another(engine: Engine, words: Sequence[str], variables: dict[str, str]) -> int:
    """Selects a stack of another backend; Pulumi keeps a selection for each backend, and the last one counts."""
    if not (code := subprocess.call([engine.binary, *words], env=variables)):
        own = variables | engine.environment | in_files(BACKEND, PASSPHRASE)
        subprocess.run([engine.binary, "stack", "unselect"], env=own, stdout=subprocess.DEVNULL, check=True)
    return code


def _obtained() -> Engine:
    from launcher.install import engine  # slow to import, and seldom needed

    return engine()


def environment(line: CommandLine, engine: Engine) -> dict[str, str]:
    """:raises ToolchainError: provider stubs must not be used for the stack, or lack something; or no `make up` yet."""
    stack = line.stack or os.environ.get("PULUMI_STACK") or _selected(engine)
    if stack in LOCAL:
        if not PASSPHRASE.exists():
            raise ToolchainError("stack `local` does not exist yet: run `make up`")
        _say_who_serves(line, engine)
        STATE.mkdir(exist_ok=True)
        users_own = {name: value for name, value in os.environ.items() if name != "PULUMI_CONFIG_PASSPHRASE"}
        return users_own | engine.environment | in_files(BACKEND, PASSPHRASE)
    if engine.official or os.environ.get("ENGARDE_ALLOW_STAND_INS") == "1":
        _say_who_serves(line, engine)
        return os.environ | engine.environment
    if line.operation and not _obtained().official:
        raise ToolchainError(
            f"stack `{stack or '(selected)'}` needs the official provider plugins, which cannot be downloaded here."
            " The provider stubs are for stack `local` only"
        )
    return os.environ | {name: value for name, value in engine.environment.items() if name not in TO_STAND_INS}


def in_files(backend: str, passphrase: Path) -> dict[str, str]:
    """The variables of a run with a file backend, such as that of stack `local`."""
    return {"PULUMI_BACKEND_URL": backend, "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase), **quick()}


def quick() -> dict[str, str]:
    """Saves a sixth of a run's time: by default Pulumi collects garbage at every step."""
    return {"GOGC": os.environ.get("GOGC", "400")}


def _say_who_serves(line: CommandLine, engine: Engine) -> None:
    """:raises ToolchainError: provider stubs are needed and cannot run."""
    if engine.official:
        return
    if line.operation and not any(STAND_INS_HOME.glob("plugins/*/pulumi-resource-*")):
        raise ToolchainError(
            "the official provider plugins cannot be downloaded from here, and there are no provider stubs: run"
            " `make up`"
        )
    if line.operation and (missing := [name for name in STAND_INS_NEED if find_spec(name) is None]):
        raise ToolchainError(
            f"the official provider plugins cannot be downloaded from here, and the provider stubs need"
            f" {', '.join(missing)}, which is not in .venv. Run"
            f" `.venv/bin/python -m pip install -r requirements-dev.txt` in {PROJECT}"
        )
    tell("note: this run uses provider stubs, because the official provider plugins could not be downloaded")


def _selected(engine: Engine) -> str | None:
    """The stack that `stack select` has chosen for the backend of stack `local`."""
    home = Path(engine.environment.get("PULUMI_HOME") or pulumi_home())
    return selections(home, "engarde", PROJECT).get(BACKEND)


def parse(words: Sequence[str]) -> CommandLine:
    # The engine's flags that matter here, those that can stand in one word with `-s`, and those with a value.
    flags = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    flags.add_argument("-s", "--stack")
    flags.add_argument("-C", "--cwd")
    for letter in "defhijqQry":
        flags.add_argument(f"-{letter}", action="store_true")
    for valued in ("-v", "--color", "--copy-config-from", "--secrets-provider", "--teams"):
        flags.add_argument(valued)
    try:
        known, rest = flags.parse_known_args(words[: words.index("--")] if "--" in words else words)
    except argparse.ArgumentError:
        # The engine knows better what is wrong with it.
        return CommandLine(operation=False, stack=None, folder=None)
    plain = [word for word in rest if not word.startswith("-")]
    argument: str | None = None
    match plain:
        case ["cancel", name, *_]:
            argument = name
        case ["stack", verb, name, *_] if verb in NAMING:
            argument = name
    operation = plain[:1] != [] and plain[0] in OPERATIONS
    selects = plain[:1] == ["stack"] and not SELECTING.isdisjoint(plain[1:2]) and "--no-select" not in rest
    return CommandLine(operation, known.stack or argument, known.cwd, selects)
