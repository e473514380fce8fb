"""Gets Pulumi and its provider plugins onto this machine, by the first route that works."""

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
"""Pulumi's version is that of the SDK."""

PLUGINS = {name: metadata.version(f"pulumi-{name}") for name in ("postgresql", "random")}
"""A plugin's version is that of its Python package."""

INSTALL = "import sys; from pulumi.automation import PulumiCommand; PulumiCommand.install(root=sys.argv[1])"
PATIENCE = 300
"""How long one download may take (seconds)."""

VENDOR = "https://get.pulumi.com/latest-version"
GITHUB = "https://api.github.com/zen"
REFUSAL = 4
"""How long a refusal may take (seconds), also if a name server never answers."""


def engine() -> Engine:
    """Takes the first route that leads to Pulumi, gets its plugins, and records both.

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
    tell(f"Pulumi {chosen.version} at {binary}, with {'official provider plugins' if vendors else 'provider stubs'}")
    return chosen


def on_path() -> Path | None:
    """The user's own Pulumi, if it is recent enough and can run a Python program."""
    command = engines.on_path()
    if not command:
        return None
    beside = Path(command).resolve().parent / LANGUAGE_HOST
    if (version := version_of(command)) < Version.parse(PINNED):
        tell(f"{command} is not used: it is {version}, and {PINNED} or newer is needed")
    elif not (beside.exists() or shutil.which(LANGUAGE_HOST)):
        tell(f"{command} is not used: there is no {LANGUAGE_HOST} beside it or on PATH")
    else:
        return Path(command)
    return None


def version_of(command: str | Path) -> Version:
    """The version that a Pulumi reports; 0.0.0 if it reports none."""
    quiet = os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    shown = subprocess.run([command, "version"], capture_output=True, text=True, check=False, env=quiet)
    text = shown.stdout.strip().removeprefix("v")
    return Version.parse(text) if Version.is_valid(text) else Version(0)


def installed() -> Path | None:
    """Pulumi from the official installer, kept for all clones of the user."""
    if VENDOR not in reachable():
        return None
    try:
        return kept(f"installed-{PINNED}", _install) / "bin/pulumi"
    except subprocess.CalledProcessError as fault:
        tell(f"  failed: {last_line(fault.stderr)}")
    except subprocess.TimeoutExpired:
        tell("  failed: it did not finish in time")
    return None


def _install(folder: Path) -> None:
    command = [sys.executable, "-c", INSTALL, str(folder)]
    with step(f"installing Pulumi {PINNED} with the official installer"):
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=PATIENCE)


def built() -> Path:
    """Pulumi built from its Go module, kept for all clones of the user under a hash of its sources."""
    name = f"built-{PINNED}-{engines.digest(GO_MODULE.iterdir())[:8]}"
    return kept(name, lambda folder: build(folder, PINNED, work=cache() / f".{name}.go")) / "bin/pulumi"


@functools.cache
def reachable() -> frozenset[str]:
    """Which of the sources answer; both are asked at the same time, once in a run."""
    answers: set[str] = set()
    asking = [threading.Thread(target=_ask, args=(url, answers), daemon=True) for url in (VENDOR, GITHUB)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(REFUSAL)
    if not answers:
        tell("Pulumi's official downloads cannot be reached from here")
    return frozenset(answers)


def _ask(url: str, answers: set[str]) -> None:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=REFUSAL):
            answers.add(url)
    except OSError:
        return


def official(binary: Path, environment: dict[str, str]) -> bool:
    """Whether the official plugins are installed; downloads them if necessary."""
    for name, version in PLUGINS.items():
        if plugin_folder(pulumi_home(), name).exists():
            continue
        if not reachable():
            return False
        with step(f"downloading the provider plugin {name} {version}"):
            failure = install_plugin(binary, environment | {"PULUMI_HOME": str(pulumi_home())}, name)
        if failure:
            tell(f"  failed: {failure}")
            return False
    return True


def plugin_folder(home: Path, name: str) -> Path:
    """Where Pulumi looks for a plugin; provider stubs are there in `STAND_INS_HOME`."""
    return home / f"plugins/resource-{name}-v{PLUGINS[name]}"


def install_plugin(binary: Path, environment: dict[str, str], name: str) -> str:
    """Lets Pulumi download a plugin; returns why it failed, or nothing."""
    command, own = [str(binary), "plugin", "install", "resource", name, PLUGINS[name]], os.environ | environment
    try:
        done = subprocess.run(command, env=own, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return f"not finished after {PATIENCE} s"
    return last_line(done.stderr) if done.returncode else ""
