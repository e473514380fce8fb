"""Gets an engine and its plugins onto this machine: the ways there, each of them left alone where it leads nowhere."""

import functools
import os
import shutil
import subprocess
import sys
import threading
import urllib.request
from importlib import metadata
from pathlib import Path

from semver import Version

from engarde.util.terminal import last_line, step, tell
from launcher import engine as engines
from launcher.build import LANGUAGE_HOST, build
from launcher.engine import NO_CODE, TO_STAND_INS, Engine, remember
from launcher.paths import GO_MODULE, PROJECT, cache, kept, pulumi_home

PINNED = metadata.version("pulumi")
"""The engine's version is the SDK's."""

PLUGINS = {name: metadata.version(f"pulumi-{name}") for name in ("postgresql", "random")}
"""A plugin's version is its Python package's."""

INSTALL = "import sys; from pulumi.automation import PulumiCommand; PulumiCommand.install(root=sys.argv[1])"
PATIENCE = 300
"""How long one download may take (seconds)."""

VENDOR = "https://get.pulumi.com/latest-version"
GITHUB = "https://api.github.com/zen"
REFUSAL = 4
"""How long a refusal may take (seconds), a name server that never answers included."""


def engine() -> Engine:
    """Takes the first route that leads to an engine, sees to its plugins and remembers both.

    :raises ToolchainError: where no route leads there.
    """
    environment = {"PULUMI_SKIP_UPDATE_CHECK": "true", "ENGARDE_PROJECT": str(PROJECT)}
    binary = users_own = on_path()
    if not binary:
        # A language host of another engine's on PATH would win over the one beside ours.
        environment["PULUMI_IGNORE_AMBIENT_PLUGINS"] = "true"
        binary = installed()
    if not binary:
        environment |= NO_CODE
        binary = built()
    vendors = official(binary, environment)
    if not vendors:
        environment |= TO_STAND_INS
    version = str(version_of(users_own)) if users_own else PINNED
    chosen = Engine(str(binary), version, vendors, environment)
    remember(chosen)
    tell(f"engine {chosen.version} at {binary}, plugins: {'official' if vendors else 'stand-ins'}")
    return chosen


def on_path() -> Path | None:
    """The user's own engine, where it is recent enough and can run a Python program."""
    command = engines.on_path()
    if not command:
        return None
    beside = Path(command).resolve().parent / LANGUAGE_HOST
    if (version := version_of(command)) < Version.parse(PINNED):
        tell(f"{command} is {version}, older than {PINNED}: left alone")
    elif not (beside.exists() or shutil.which(LANGUAGE_HOST)):
        tell(f"{command} has no {LANGUAGE_HOST} beside it or on PATH: left alone")
    else:
        return Path(command)
    return None


def version_of(command: str | Path) -> Version:
    """What an engine calls itself; 0.0.0 when it says nothing of the kind."""
    quiet = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    shown = subprocess.run([command, "version"], capture_output=True, text=True, check=False, env=quiet)
    text = shown.stdout.strip().removeprefix("v")
    return Version.parse(text) if Version.is_valid(text) else Version(0)


def installed() -> Path | None:
    """The vendor's own installation, kept for all clones of the user."""
    if VENDOR not in reachable():
        return None
    try:
        return kept(f"installed-{PINNED}", _install) / "bin/pulumi"
    except subprocess.CalledProcessError as fault:
        tell(f"  failed: {last_line(fault.stderr)}")
    except subprocess.TimeoutExpired:
        tell("  failed: it did not come to an end")
    return None


def _install(folder: Path) -> None:
    command = [sys.executable, "-c", INSTALL, str(folder)]
    with step(f"installing the engine {PINNED} with the vendor's installer"):
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)


def built() -> Path:
    """The engine built from its Go module, kept for all clones of the user under all that goes into it."""
    name = f"built-{PINNED}-{engines.digest(GO_MODULE.iterdir())[:8]}"
    return kept(name, lambda folder: build(folder, PINNED, work=cache() / f".{name}.go")) / "bin/pulumi"


@functools.cache
def reachable() -> frozenset[str]:
    """Which of the sources answer; both are asked at once, and once in a run."""
    answers: set[str] = set()
    asking = [threading.Thread(target=_ask, args=(url, answers), daemon=True) for url in (VENDOR, GITHUB)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(REFUSAL)
    if not answers:
        tell("the vendor's downloads cannot be had from here")
    return frozenset(answers)


def _ask(url: str, answers: set[str]) -> None:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=REFUSAL):
            answers.add(url)
    except OSError:
        return


def official(binary: Path, environment: dict[str, str]) -> bool:
    """Whether the vendor's plugins are there, downloaded just now if need be."""
    for name, version in PLUGINS.items():
        if plugin_folder(pulumi_home(), name).exists():
            continue
        if not reachable():
            return False
        with step(f"downloading the plugin {name} {version}"):
            failure = install_plugin(binary, environment | {"PULUMI_HOME": str(pulumi_home())}, name)
        if failure:
            tell(f"  failed: {failure}")
            return False
    return True


def plugin_folder(home: Path, name: str) -> Path:
    """Where an engine looks for a plugin; whoever has others than the vendor's puts them there in `STAND_INS_HOME`."""
    return home / f"plugins/resource-{name}-v{PLUGINS[name]}"


def install_plugin(binary: Path, environment: dict[str, str], name: str) -> str:
    """Has the engine download a plugin; says why it failed, nothing where it did not."""
    command, own = [str(binary), "plugin", "install", "resource", name, PLUGINS[name]], os.environ | environment
    try:
        done = subprocess.run(command, env=own, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return f"not done after {PATIENCE} s"
    return last_line(done.stderr) if done.returncode else ""
