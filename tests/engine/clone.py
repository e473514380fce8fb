"""A clone of the project in a folder of its own, where the make targets are run, killed and cleaned up after."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from devtools.server import HOST
from launcher.paths import PROJECT
from tests import servers as sources

NOT_COPIED = (".git", ".venv", ".engarde", "Pulumi.local.yaml", "__pycache__", ".*_cache", ".hypothesis")
# What a developer has set must not decide a test.
NOT_INHERITED = ("PG", "PULUMI_", "PYTHON", "ENGARDE_", "MAKE")
LIMIT = 180
"""Of one command (seconds)."""

OPEN, CLOSED = 0o755, 0o700
Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Clone:
    """One clone, with the virtual environment of these tests and the engine that the user has built."""

    root: Path

    @property
    def stack_file(self) -> Path:
        return self.root / "Pulumi.local.yaml"

    @property
    def state_file(self) -> Path:
        return self.root / ".engarde/state/.pulumi/stacks/engarde/local.json"

    def run(self, *command: str, **environment: str) -> Done:
        """Runs a command in the clone to its end."""
        return subprocess.run(
            command,
            cwd=self.root,
            env=environment_of(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    def start(self, target: str, output: Path) -> subprocess.Popen[bytes]:
        """Starts a target, to be killed: alone or with its process group."""
        with output.open("wb") as written:
            return subprocess.Popen(
                self.command(target),
                cwd=self.root,
                env=environment_of({}),
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=written,
                start_new_session=True,
            )

    def command(self, target: str) -> list[str]:
        """What `make TARGET` runs once there is a `.venv`."""
        return [str(self.root / ".venv/bin/python"), "-m", "devtools.local", target]

    def target(self, name: str, **environment: str) -> Done:
        """Runs a target as `make` does."""
        return self.run(*self.command(name), **environment)

    def up(self, **environment: str) -> str:
        """Runs `make up`, which must succeed; returns all that it says."""
        return said_by(self.target("up", **environment))

    def pulumi(self, *words: str) -> str:
        """Runs the engine on stack `local`, which must succeed; returns its result."""
        done = self.run("bin/pulumi", *words, "--stack", "local")
        said_by(done)
        return done.stdout

    def passwords(self) -> dict[str, str]:
        """The password of each role as the state knows it."""
        shown = self.pulumi("stack", "output", "passwords", "--json", "--show-secrets")
        return dict(json.loads(shown))

    def roles_that_log_in(self) -> set[str]:
        """Every role of the state, each of which logged in with the password that the state knows."""
        passwords = self.passwords()
        for role, password in passwords.items():
            self.session(role, password).close()
        return set(passwords)

    def session(self, role: str, password: str) -> psycopg.Connection[Any]:
        """A session of the embedded server that commits each statement."""
        port = self.known("postgres")["port"]
        return psycopg.connect(host=HOST, port=port, dbname="railway", user=role, password=password, autocommit=True)

    def admin(self) -> psycopg.Connection[Any]:
        """A session of the embedded server's superuser."""
        return self.session("postgres", self.known("postgres")["password"])

    def known(self, record: str) -> dict[str, Any]:
        """A record of `.engarde`."""
        return dict(json.loads((self.root / f".engarde/{record}.json").read_text()))

    def latest(self) -> dict[str, Any]:
        """The state's latest deployment."""
        return dict(json.loads(self.state_file.read_text())["checkpoint"]["latest"])

    def processes(self) -> list[int]:
        """The processes that work in the clone, its server apart."""
        shown = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout
        listed = [line.split(maxsplit=1) for line in shown.splitlines()]
        return [int(pid) for pid, words in listed if f"{self.root}/" in words and "/bin/postgres " not in words]


@contextmanager
def clone(mode: int = OPEN) -> Iterator[Clone]:
    """A clone in a new folder; at the end its processes have ended and nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="engarde-clone-"))
    folder.chmod(mode)
    root = folder / "project"
    shutil.copytree(PROJECT, root, ignore=shutil.ignore_patterns(*NOT_COPIED))
    (root / ".venv").symlink_to(sys.prefix)
    made = Clone(root)
    try:
        yield made
    finally:
        _end(made)
        # `make clean` refuses while there are resources on another's server, which goes with its own test.
        (root / ".engarde/server.json").unlink(missing_ok=True)
        said_by(made.run(sys.executable, "-B", "-m", "devtools.local", "clean"))
        shutil.rmtree(folder)


def said_by(done: Done) -> str:
    """All that a command said, which must have succeeded."""
    assert done.returncode == 0, f"{done.args} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def environment_of(more: dict[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
    return inherited | {"PGBIN": str(sources.chosen())} | more


def _end(made: Clone) -> None:
    end = time.monotonic() + 30
    while pids := made.processes():
        assert time.monotonic() < end, f"the processes {pids} of a clone do not end"
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
