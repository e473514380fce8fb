"""The process that forks, and the engine that has its hosts and providers from there."""

import atexit
import contextlib
import gc
import importlib
import marshal
import os
import pkgutil
import runpy
import selectors
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Collection
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType

from launcher.engine import Engine
from launcher.paths import PROJECT

LIBRARIES = (
    "alembic.autogenerate",
    "alembic.config",
    "click",
    "devtools.provider_stubs.postgresql.role",
    "devtools.provider_stubs.random",
    "devtools.provider_stubs.server",
    "httpx",
    "psycopg",
    "pulumi.automation._server",
    "pulumi_postgresql",
    "pulumi_random",
    "pydantic",
    "rich.progress",
    "rich.table",
    "ruamel.yaml",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.ext.asyncio",
    "tenacity",
)
"""What is not the program's or the tool's own."""

OWN = ("components", "engarde")
"""A test's program is in a folder of its own, with links to these: they are loaded here, and moved there by a fork."""

READY = b"ready\n"

Told = tuple[list[str], dict[str, str], str, int, list[int]]
"""The words, the environment, the folder, the process group and the ignored signals of a client."""


LEFT: list[ModuleType] = []
"""What a fork does not use; to take it apart would take longer than to keep it."""


class Forked(Exception):
    """This process is a fork, and no more at the door."""

    def __init__(self, told: Told) -> None:
        super().__init__()
        self.told = told


def load_all(package: str) -> None:
    """Imports every module of one of the project's packages."""
    for found in pkgutil.walk_packages([str(PROJECT / package)], f"{package}."):
        importlib.import_module(found.name)


def kept_paths(packages: Collection[str], folder: Path = PROJECT) -> list[tuple[ModuleType, str, Path]]:
    """Where loaded modules of these packages keep the folder that they lie in, or a place below it, seen from there."""
    return [
        (module, name, path.relative_to(folder))
        for place, module in [*sys.modules.items()]
        if place.partition(".")[0] in packages
        for name, path in [*vars(module).items()]
        if isinstance(path, Path) and path.is_relative_to(folder)
    ]


def warm(engine: Engine) -> Engine:
    """The engine, with its hosts and providers from there; official ones start as they do for a user."""
    if engine.official:
        return engine
    # To the scripts that the engine starts, this folder is the project, whose interpreter alone is another.
    return replace(engine, environment=engine.environment | {"ENGARDE_PROJECT": str(Path(python()).parents[2])})


@cache
def python() -> str:
    """An interpreter that forks where the project's would start; it takes -m MODULE, -P FILE and -P -c TEXT."""
    folder = Path(tempfile.mkdtemp(prefix="engarde-warm-"))
    atexit.register(shutil.rmtree, folder)
    command, door = folder / ".venv/bin/python", folder / "door"
    command.parent.mkdir(parents=True)
    start = shlex.join([sys.executable, "-IS", str(Path(__file__).with_name("client.py")), str(door)])
    command.write_text(f'#!/bin/sh\nexec {start} "$@"\n')
    command.chmod(0o755)
    (folder / "launcher").symlink_to(PROJECT / "launcher")
    words = [sys.executable, "-m", "tests.warm.processes", str(door)]
    process = subprocess.Popen(words, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    assert process.stdout.readline() == READY
    # It ends with its standard input, so even where this process is killed.
    atexit.register(process.communicate)
    return str(command)


class Forks:
    """Forks for whoever comes to the door, one process for each."""

    def __init__(self, door: str) -> None:
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(door)
        self.listener.listen(64)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, self._come)
        self.open: set[int] = {self.listener.fileno(), self.selector.fileno()}
        """what no fork may keep open"""

    def serve(self) -> None:
        """Until standard input ends."""
        self.selector.register(0, selectors.EVENT_READ)
        while True:
            for key, _ in self.selector.select():
                if not key.data:
                    return
                key.data()

    def _come(self) -> None:
        client = self.listener.accept()[0]
        files: list[int] = []
        try:
            size, files, _, _ = socket.recv_fds(client, 8, 3)
            told = marshal.loads(client.recv(struct.unpack("<q", size)[0], socket.MSG_WAITALL))
        except (struct.error, EOFError, ConnectionError):
            # It was killed before it had said what it was started with.
            client.close()
            return
        else:
            self.open.add(client.fileno())
            if not (child := os.fork()):
                for number in self.open:
                    os.close(number)
                for place, number in enumerate(files):
                    os.dup2(number, place)
                raise Forked(told)
        finally:
            for number in files:
                os.close(number)
        ended = os.pidfd_open(child)
        self.open.add(ended)
        _send(client, child)
        self.selector.register(ended, selectors.EVENT_READ, lambda: self._end(client, child, ended))
        # It says nothing more: what can be read there is its end.
        self.selector.register(client, selectors.EVENT_READ, lambda: self._kill(client, child))

    def _kill(self, client: socket.socket, child: int) -> None:
        # Both may have ended at the same time.
        if client.fileno() >= 0:
            self.selector.unregister(client)
            os.kill(child, signal.SIGKILL)

    def _end(self, client: socket.socket, child: int, ended: int) -> None:
        _send(client, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        with contextlib.suppress(KeyError):
            self.selector.unregister(client)
        self.selector.unregister(ended)
        self.open -= {client.fileno(), ended}
        client.close()
        os.close(ended)


def _send(client: socket.socket, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):
        client.sendall(struct.pack("<q", number))


def become(words: list[str], environment: dict[str, str], folder: str, group: int, ignored: list[int]) -> None:
    """Runs what a client was given as a Python does that has just been started with it."""
    with contextlib.suppress(PermissionError, ProcessLookupError):
        # Not where it is in another session.
        os.setpgid(0, group)
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)
    os.chdir(folder)
    here = Path(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:] = [entry for entry in sys.path if entry != str(PROJECT)]
    sys.path[:0] = [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]
    linked = all((here / package).resolve() == PROJECT / package for package in OWN)
    for loaded, name, path in kept_paths(OWN) if linked else ():
        setattr(loaded, name, here / path)
    # Whatever else a test has of these is to be found in its own folder.
    for name in [*sys.modules]:
        if name.partition(".")[0] in ("launcher", "tests", *(() if linked else OWN)):
            LEFT.append(sys.modules.pop(name))
    match words:
        case ["-m", module, *rest]:
            sys.path.insert(0, folder)
            sys.argv[:] = [module, *rest]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case ["-P", "-c", text, *rest]:
            sys.argv[:] = ["-c", *rest]
            exec(text, {"__name__": "__main__"})
        case ["-P", file, *rest]:
            sys.argv[:] = [file, *rest]
            runpy.run_path(file, run_name="__main__")
        case _:
            raise ValueError(f"Python is not started so: {words}")


if __name__ == "__main__":
    forks = Forks(sys.argv[1])
    for library in LIBRARIES:
        importlib.import_module(library)
    for package in OWN:
        load_all(package)
    gc.freeze()
    os.write(1, READY)
    try:
        forks.serve()
    except Forked as forked:
        told = forked.told
    else:
        sys.exit()
    # Out here it ends as every Python does: threads are waited for, and what ends it is told.
    become(*told)
