"""Which server runs, whichever pid file a crash, a move or a copy has left behind."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.server import Server, environment, pid_of
from engarde.server.libpq import binaries
from engarde.util.processes import command_of


@pytest.fixture
def server(tmp_path: Path) -> Server:
    (tmp_path / "data").mkdir()
    return Server(tmp_path, tmp_path, 5432)


@pytest.fixture
def serving(server: Server) -> Iterator[int]:
    """A process whose command line is that of a server of the folder."""
    program = [sys.executable, "-c", "input(input())", "-D", str(server.data)]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        # Its command line can be read once it has answered.
        process.stdin.write(".\n")
        process.stdin.flush()
        process.stdout.read(1)
        yield process.pid
        process.communicate("\n")


def write_pid_file(server: Server, pid: int, data: Path) -> None:
    (server.data / "postmaster.pid").write_text(f"{pid}\n{data}\n1700000000\n5432\n")


def test_no_server_without_a_pid_file(server: Server) -> None:
    assert pid_of(server) is None


def test_a_serving_process_is_known(server: Server, serving: int) -> None:
    write_pid_file(server, serving, server.data)
    assert pid_of(server) == serving


def test_a_process_id_that_another_program_has_by_now_is_no_server(server: Server) -> None:
    write_pid_file(server, os.getpid(), server.data)
    assert pid_of(server) is None


def test_a_dead_process_is_no_server(server: Server) -> None:
    with subprocess.Popen([sys.executable, "-c", "", "-D", str(server.data)]) as process:
        process.wait()
    write_pid_file(server, process.pid, server.data)
    assert pid_of(server) is None


def test_an_unfinished_pid_file_is_no_server(server: Server) -> None:
    (server.data / "postmaster.pid").write_text("")
    assert pid_of(server) is None


def test_a_folder_that_was_moved_while_it_was_served_still_has_its_server(
    server: Server, serving: int, tmp_path: Path
) -> None:
    write_pid_file(server, serving, server.data)
    moved = server.data.rename(tmp_path / "moved")
    (tmp_path / "elsewhere").mkdir()
    moved.rename(tmp_path / "elsewhere/data")
    assert pid_of(Server(tmp_path, tmp_path / "elsewhere", 5432)) == serving


def test_a_copy_of_a_served_folder_has_no_server(server: Server, serving: int, tmp_path: Path) -> None:
    copy = Server(tmp_path, tmp_path / "copy", 5432)
    copy.data.mkdir(parents=True)
    write_pid_file(copy, serving, server.data)
    assert pid_of(copy) is None


def test_a_process_that_nobody_has_reaped_has_no_command() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.read()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert command_of(process.pid) == ""


def test_the_server_is_not_told_what_the_users_environment_says_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATA", "/somewhere")
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=1")
    assert not [name for name in environment() if name.startswith("PG")]


def test_binaries_named_by_the_user_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PGBIN", str(tmp_path))
    assert binaries() == tmp_path


def test_the_wheel_has_the_server_and_its_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PGBIN", raising=False)
    assert {"postgres", "initdb", "psql"} <= {each.name for each in binaries().iterdir()}


def test_without_a_wheel_the_newest_of_debian_serves(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PGBIN", raising=False)
    monkeypatch.setattr("engarde.server.libpq.WHEELS", ())
    monkeypatch.setattr("engarde.server.libpq.DEBIAN", tmp_path)
    with pytest.raises(FileNotFoundError, match="PGBIN"):
        binaries()
    for major in ("9", "15"):
        (tmp_path / major / "bin").mkdir(parents=True)
        (tmp_path / major / "bin/postgres").touch()
    assert binaries() == tmp_path / "15/bin"
