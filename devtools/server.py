"""Makes, starts and stops a PostgreSQL server on 127.0.0.1; for root it runs as `nobody`."""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from engarde.errors import EngardeError
from engarde.util.processes import command_of

HOST = "127.0.0.1"
ADMIN = "postgres"
INITDB = (f"--username={ADMIN}", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync")
START_LIMIT = 60.0
STOP_LIMIT = 30.0
# Railway's image preloads it, so a password that reaches a statement would stay readable there.
PRELOADED = MappingProxyType({"shared_preload_libraries": "pg_stat_statements"})
NOT_DURABLE = MappingProxyType({"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"})


class ServerError(EngardeError):
    """The server could not be made, started or stopped; the message has its output."""

    exit_code = 1


class PortTaken(ServerError):
    """Another program listens on the server's port."""


@dataclass(frozen=True, slots=True)
class Server:
    """One cluster: its binaries, the folder of its data and log, its port and its settings."""

    bin_dir: Path
    folder: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"


def free_port() -> int:
    """A port of 127.0.0.1 on which nobody listens now; that may change at any moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def initialise(bin_dir: Path, folder: Path, password: str) -> None:
    """Makes the cluster in a folder whole or not at all; an existing one is kept."""
    if (folder / "data").exists():
        return
    _own_folder(folder)
    for left_over in folder.glob("*.new-*"):
        if left_over.is_dir():
            shutil.rmtree(left_over, ignore_errors=True)
        else:
            left_over.unlink(missing_ok=True)
    # A name of its own: a killed run's initdb may still be at work in its own folder.
    suffix = f"new-{secrets.token_hex(4)}"
    half_made, password_file = folder / f"data.{suffix}", folder / f"password.{suffix}"
    password_file.touch(0o600)
    password_file.write_text(password)
    give_to_server_user(password_file)
    try:
        run([str(bin_dir / "initdb"), *INITDB, f"--pwfile={password_file}", "-D", str(half_made)])
    finally:
        password_file.unlink(missing_ok=True)
    half_made.rename(folder / "data")


def copy(template: Path, folder: Path) -> None:
    """Copies the cluster of a stopped server, in a tenth of initdb's time."""
    _own_folder(folder)
    run(["cp", "-R", str(template / "data"), str(folder / "data")])


def start(server: Server) -> None:
    """Starts a server that outlives this process, and returns when it answers; a running one is kept.

    :raises PortTaken: when another program has its port.
    """
    # A killed run may have left one that is still starting, a stopped one that is still writing.
    _wait(START_LIMIT, lambda: _ready(server) or not pid_of(server))
    if _ready(server):
        return
    # After a crash another program may have the old server's process id: PostgreSQL would then not start.
    (server.data / "postmaster.pid").unlink(missing_ok=True)
    _refuse_taken_port(server.port)
    address = {"port": str(server.port), "listen_addresses": HOST, "unix_socket_directories": ""}
    command = [str(server.bin_dir / "postgres"), "-D", str(server.data)]
    command += [word for name, value in {**address, **server.settings}.items() for word in ("-c", f"{name}={value}")]
    with server.log.open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment(),
            start_new_session=True,
            **server_user(),
        )
    if not _wait(START_LIMIT, lambda: _ready(server) or process.poll() is not None):
        raise ServerError(f"the server did not answer within {START_LIMIT:.0f} s:\n{_log_end(server)}")
    if not _ready(server):
        _refuse_taken_port(server.port)
        raise ServerError(f"the server did not start:\n{_log_end(server)}")
    # It outlives this process and nobody waits for it, which `Popen` would warn of.
    process.returncode = 0


def start_on_free_port(server: Server) -> Server:
    """Starts a server on its port, or on a free one if another program uses that; returns it as it runs."""
    while True:
        try:
            start(server)
            return replace(server, port=int(_pid_file(server)[3]))
        except PortTaken:
            server = replace(server, port=free_port())


def stop(server: Server) -> bool:
    """Stops a server and ends its sessions; False if it did not run."""
    pid = pid_of(server)
    for how in (signal.SIGINT, signal.SIGQUIT):
        if not pid:
            return False
        os.kill(pid, how)
        if _wait(STOP_LIMIT, lambda: not pid_of(server)):
            return True
    raise ServerError(f"the server (process {pid}) did not stop within {2 * STOP_LIMIT:.0f} s:\n{_log_end(server)}")


def pid_of(server: Server) -> int | None:
    """The process of a folder's cluster; None if there is none, also if a stale pid file names one."""
    match _pid_file(server):
        case [pid, data, *_] if pid.isdigit() and data in command_of(int(pid)):
            # Also for a folder that was moved while it was served; not for a copy of a served one.
            served = Path(data)
            return int(pid) if not served.exists() or served.samefile(server.data) else None
    return None


def _ready(server: Server) -> bool:
    lines = _pid_file(server)
    return len(lines) >= 8 and lines[7].strip() == "ready" and pid_of(server) is not None


def _pid_file(server: Server) -> list[str]:
    try:
        return (server.data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return []


def _refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        # As the server itself does: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise PortTaken(f"port {port} of {HOST} is taken by another program") from error


def _own_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    give_to_server_user(folder)


def _log_end(server: Server) -> str:
    return "\n".join(server.log.read_text(errors="replace").splitlines()[-20:])


def _wait(limit: float, condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def server_user() -> dict[str, Any]:
    """Arguments of `subprocess` for the server's user: ours or, because PostgreSQL refuses root, `nobody`."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}


def reachable(folder: Path) -> bool:
    """True where the server's user can enter a folder."""
    return subprocess.run(["test", "-x", str(folder)], check=False, **server_user()).returncode == 0


def give_to_server_user(path: Path) -> None:
    """Changes the owner of a file or folder, and of everything in it."""
    if user := server_user():
        for entry in [path, *path.rglob("*")]:
            os.chown(entry, user["user"], user["group"], follow_symlinks=False)


def runnable(bin_dir: Path, folder: Path) -> Path:
    """The binaries or, if the server's user cannot run them, a copy of them."""
    copy = folder / "binaries"
    if (copy / "bin" / "postgres").exists():
        return copy / "bin"
    try:
        subprocess.run([bin_dir / "postgres", "--version"], check=True, capture_output=True, **server_user())
    except PermissionError:
        half_made = folder / "binaries.new"
        shutil.rmtree(half_made, ignore_errors=True)
        shutil.copytree(bin_dir.parent, half_made, symlinks=True)
        give_to_server_user(half_made)
        half_made.rename(copy)
        return copy / "bin"
    return bin_dir


def run(command: list[str]) -> None:
    """Runs one of PostgreSQL's tools as the server's user.

    :raises ServerError: with what the tool said, when it fails.
    """
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment(), **server_user())
    if done.returncode:
        raise ServerError(f"{Path(command[0]).name} failed: {done.stderr.strip()}")


def environment() -> dict[str, str]:
    """The environment without PostgreSQL's variables (PGDATA, PGPORT, PGOPTIONS), and with messages in English."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
