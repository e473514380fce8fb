"""The ways to an engine, each of them left alone where it leads nowhere."""

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
from launcher import engine
from launcher.build import LANGUAGE_HOST, build
from launcher.cache import kept
from launcher.paths import GO_MODULE, cache

PINNED = metadata.version("pulumi")
"""The engine's version is the SDK's."""

INSTALL = "import sys; from pulumi.automation import PulumiCommand; PulumiCommand.install(root=sys.argv[1])"
PATIENCE = 300
"""How long the installer may take (seconds)."""

VENDOR = "https://get.pulumi.com/latest-version"
GITHUB = "https://api.github.com/zen"
REFUSAL = 4
"""How long a refusal may take (seconds), a name server that never answers included."""


def on_path() -> Path | None:
    """The user's own engine, where it is recent enough and can run a Python program."""
    command = engine.on_path()
    if not command:
        return None
    version = version_of(command)
    if version < Version.parse(PINNED):
        tell(f"{command} is {version}, older than {PINNED}: left alone")
    elif not _language_host_of(command):
        tell(f"{command} has no {LANGUAGE_HOST} beside it or on PATH: left alone")
    else:
        return Path(command)
    return None


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


def built() -> Path:
    """The engine built from its Go module, kept for all clones of the user under all that goes into it."""
    name = f"built-{PINNED}-{engine.digest(GO_MODULE.iterdir())[:8]}"
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


def version_of(command: str | Path) -> Version:
    """What an engine calls itself; 0.0.0 when it says nothing of the kind."""
    shown = subprocess.run(
        [command, "version"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"},
    )
    text = shown.stdout.strip().removeprefix("v")
    return Version.parse(text) if Version.is_valid(text) else Version(0)


def _language_host_of(command: str) -> bool:
    beside = Path(command).resolve().parent / LANGUAGE_HOST
    return beside.exists() or shutil.which(LANGUAGE_HOST) is not None


def _install(folder: Path) -> None:
    with step(f"installing the engine {PINNED} with the vendor's installer"):
        subprocess.run(
            [sys.executable, "-c", INSTALL, folder], check=True, capture_output=True, text=True, timeout=PATIENCE
        )
