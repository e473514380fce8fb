"""Our own server: made whole, started, found again, moved off a taken port, stopped; the folder around it untouched."""

import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from devtools import server
from devtools.server import HOST, NOT_DURABLE, PortTaken, Server, ServerError, reachable
from engarde.server.libpq import binaries

PASSWORD = "AdminsPasswordInTests"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder that the server's user can enter."""
    made = Path(tempfile.mkdtemp(prefix="engarde-server-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="module")
def template(folder: Path) -> Server:
    """A stopped server that others are copied from."""
    bin_dir = server.runnable(binaries(), folder)
    server.initialise(bin_dir, folder / "template", PASSWORD)
    return Server(bin_dir, folder / "template", 0, NOT_DURABLE)


@pytest.fixture
def stopped(template: Server, folder: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """A server of the test's own."""
    own = Server(template.bin_dir, folder / request.node.name, server.free_port(), template.settings)
    server.copy(template.folder, own.folder)
    yield own
    server.stop(own)


def logs_in(to: Server, password: str = PASSWORD) -> bool:
    try:
        psycopg.connect(host=HOST, port=to.port, user="postgres", password=password, dbname="postgres").close()
    except psycopg.OperationalError:
        return False
    return True


def test_it_asks_for_the_password(stopped: Server) -> None:
    server.start(stopped)
    assert logs_in(stopped)
    assert not logs_in(stopped, "another")


def test_started_again_it_is_the_same_one(stopped: Server) -> None:
    server.start(stopped)
    pid = server.pid_of(stopped)
    server.start(stopped)
    assert server.pid_of(stopped) == pid


def test_stopped_it_is_gone_and_stopping_again_says_so(stopped: Server) -> None:
    server.start(stopped)
    with psycopg.connect(host=HOST, port=stopped.port, user="postgres", password=PASSWORD, dbname="postgres"):
        assert server.stop(stopped)
    assert not logs_in(stopped)
    assert not server.stop(stopped)


def test_a_crash_is_recovered_from(stopped: Server) -> None:
    server.start(stopped)
    pid = server.pid_of(stopped)
    assert pid
    os.kill(pid, 9)
    while server.pid_of(stopped):
        time.sleep(0.01)
    # Its processes have its port until they have seen that it is gone.
    with suppress(ConnectionRefusedError):
        while True:
            socket.create_connection((HOST, stopped.port)).close()
            time.sleep(0.01)
    server.start(stopped)
    assert server.pid_of(stopped) not in {None, pid}
    assert logs_in(stopped)


def test_a_taken_port_is_said_or_left(stopped: Server) -> None:
    with socket.create_server((HOST, stopped.port)):
        with pytest.raises(PortTaken, match=str(stopped.port)):
            server.start(stopped)
        running = server.start_on_free_port(stopped)
    assert running.port != stopped.port
    assert logs_in(running)


def test_one_that_runs_elsewhere_than_recorded_is_found_where_it_runs(stopped: Server) -> None:
    server.start(stopped)
    elsewhere = Server(stopped.bin_dir, stopped.folder, stopped.port + 1, stopped.settings)
    assert server.start_on_free_port(elsewhere).port == stopped.port


def test_one_that_cannot_start_shows_its_log(stopped: Server) -> None:
    broken = Server(stopped.bin_dir, stopped.folder, stopped.port, {"shared_buffers": "nonsense"})
    with pytest.raises(ServerError, match="shared_buffers"):
        server.start(broken)


def test_a_half_made_folder_is_made_anew_and_a_whole_one_stays(template: Server, folder: Path) -> None:
    own = folder / "half-made"
    (own / "data.new-left/base").mkdir(parents=True)
    (own / "password.new-left").write_text("left")
    server.initialise(template.bin_dir, own, PASSWORD)
    assert [each.name for each in own.iterdir()] == ["data"]
    marker = own / "data/marker"
    marker.touch()
    server.initialise(template.bin_dir, own, PASSWORD)
    assert marker.exists()


def test_binaries_that_the_servers_user_cannot_run_are_copied(template: Server, folder: Path) -> None:
    closed = Path(tempfile.mkdtemp(prefix="engarde-closed-"))
    try:
        shutil.copytree(template.bin_dir.parent, closed / "postgresql", symlinks=True)
        found = server.runnable(closed / "postgresql/bin", folder / "copies")
        assert closed.stat().st_mode & 0o777 == 0o700
        # Nobody steps down but root.
        assert (found == closed / "postgresql/bin") == reachable(closed)
        assert server.runnable(closed / "postgresql/bin", folder / "copies") == found
        server.initialise(found, folder / "copied", PASSWORD)
    finally:
        shutil.rmtree(closed)
