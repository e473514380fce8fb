"""A PgBouncer in transaction mode on 127.0.0.1, with what it may know: verifiers, never a password."""

import functools
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devtools.server import HOST, Server, environment, free_port, give_to_server_user, server_user
from launcher.paths import cache, kept
from tests.engine.database import NAME

PACKAGE = "pgbouncer"
DEPENDENCIES = re.compile(r"Depends: (lib(?:event|c-?ares|ldap)\S*)")
"""Of the package's own, what a machine with PostgreSQL's tools may lack."""

LIMIT = 240
"""Of a question to apt, of a download, and of starting and stopping (seconds)."""

RELOADED = "got SIGHUP"

# One connection for each role, so that a client always meets what the one before it has left behind.
INI = """[databases]
{database} = host={host} port={server}
[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/userlist
pool_mode = transaction
default_pool_size = 1
"""


@dataclass(frozen=True, slots=True)
class PgBouncer:
    """A running one."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    port: int

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def learn(self, verifiers: Mapping[str, str]) -> None:
        """Makes these the roles that may log in, and returns once it has read them."""
        before = self.log.count(RELOADED)
        lines = [f'"{role}" "{verifier}"\n' for role, verifier in verifiers.items()]
        (self.folder / "userlist").write_text("".join(lines))
        self.process.send_signal(signal.SIGHUP)
        # It says so and then reads, before it serves anybody.
        _until(lambda: self.log.count(RELOADED) > before, self)


def absent() -> str | None:
    """Why this machine has none and cannot get one; None when it has or can."""
    if _installed() or (cache() / PACKAGE).exists() or _can_be_downloaded():
        return None
    return "no pgbouncer on PATH, and none that apt-get could download"


@contextmanager
def running(server: Server) -> Iterator[PgBouncer]:
    """One in front of a server, known to nobody yet; it is stopped and its folder removed at the end."""
    # Not pytest's own folder: the server's user cannot enter that.
    folder = Path(tempfile.mkdtemp(prefix="engarde-pgbouncer-"))
    try:
        for name in ("userlist", "log"):
            (folder / name).touch(0o600)
        binary, libraries = _program(folder)
        port = free_port()
        ini = INI.format(database=NAME, host=HOST, server=server.port, port=port, folder=folder)
        (folder / "ini").write_text(ini)
        give_to_server_user(folder)
        with (folder / "log").open("ab") as log:
            process = subprocess.Popen(
                [binary, folder / "ini"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment() | libraries,
                **server_user(),
            )
        try:
            started = PgBouncer(process, folder, port)
            _until(lambda: "process up" in started.log, started)
            yield started
        finally:
            process.terminate()
            try:
                process.wait(LIMIT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(LIMIT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _installed() -> str | None:
    return shutil.which(PACKAGE) or shutil.which(PACKAGE, path="/usr/sbin")


@functools.cache
def _can_be_downloaded() -> bool:
    """Whether apt-get knows the package; asked once, since a loaded machine takes its time to answer."""
    if not all(map(shutil.which, ("apt-get", "apt-cache", "dpkg-deb"))):
        return False
    shown = subprocess.run(
        ["apt-cache", "show", "--no-all-versions", PACKAGE], capture_output=True, text=True, timeout=LIMIT
    )
    return shown.returncode == 0


def _program(folder: Path) -> tuple[str, dict[str, str]]:
    """The installed one, else a copy of a downloaded one: never apt's to install, for that starts a service."""
    if found := _installed():
        return found, {}
    assert not (why := absent()), why
    # As root it runs as somebody who cannot enter root's cache.
    unpacked = shutil.copytree(kept(PACKAGE, _download), folder / "unpacked", symlinks=True)
    libraries = ":".join(str(each) for each in sorted(unpacked.glob("usr/lib/*-linux-*")))
    return str(unpacked / "usr/sbin" / PACKAGE), {"LD_LIBRARY_PATH": libraries}


def _download(folder: Path) -> None:
    depends = _said(["apt-cache", "depends", PACKAGE], folder)
    _said(["apt-get", "download", PACKAGE, *DEPENDENCIES.findall(depends)], folder)
    for archive in sorted(folder.glob("*.deb")):
        _said(["dpkg-deb", "-x", str(archive), "."], folder)


def _said(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stderr}"
    return done.stdout


def _until(condition: Callable[[], bool], pgbouncer: PgBouncer) -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert pgbouncer.process.poll() is None and time.monotonic() < end, pgbouncer.log
        time.sleep(0.02)
