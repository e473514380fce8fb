"""Whose lock a killed engine's is, and whose it is not."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools.local import state
from engarde.errors import Refused


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(state, "ENGINE_LOCKS", tmp_path)
    monkeypatch.setattr(state, "PATIENCE", 0.3)
    return tmp_path / "lock.json"


@pytest.fixture
def engine() -> Iterator[subprocess.Popen[bytes]]:
    """A process that looks like an engine at work; a byte ends it."""
    program = "print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "pulumi", "up"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        process.stdout.read(1)
        yield process
        if process.poll() is None:
            process.communicate(b"\n")


def write(lock: Path, pid: int, hostname: str | None = None) -> None:
    lock.write_text(json.dumps({"pid": pid, "username": "me", "hostname": hostname or socket.gethostname()}))


def test_a_dead_engines_lock_goes(lock: Path, engine: subprocess.Popen[bytes]) -> None:
    write(lock, engine.pid)
    engine.communicate(b"\n")
    state.clear_stale_engine_locks()
    assert not lock.exists()


def test_a_lock_whose_process_id_another_program_has_by_now_goes(lock: Path) -> None:
    write(lock, os.getppid())
    state.clear_stale_engine_locks()
    assert not lock.exists()


def test_a_working_engines_lock_stays(lock: Path, engine: subprocess.Popen[bytes]) -> None:
    write(lock, engine.pid)
    with pytest.raises(Refused, match=f"process {engine.pid}.*pulumi cancel"):
        state.clear_stale_engine_locks()
    assert lock.exists()


def test_an_engine_that_ends_in_time_is_waited_for(
    lock: Path, engine: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(lock, engine.pid)
    monkeypatch.setattr(state, "PATIENCE", 30)
    monkeypatch.setattr("devtools.local.state.time.sleep", lambda seconds: engine.communicate(b"\n"))
    state.clear_stale_engine_locks()
    assert not lock.exists()


def test_another_machines_lock_stays(lock: Path) -> None:
    write(lock, 1, "elsewhere.example.org")
    with pytest.raises(Refused, match="elsewhere"):
        state.clear_stale_engine_locks()
    assert lock.exists()


def test_a_half_written_lock_is_of_a_killed_engine(lock: Path) -> None:
    lock.write_text("")
    state.clear_stale_engine_locks()
    assert not lock.exists()
