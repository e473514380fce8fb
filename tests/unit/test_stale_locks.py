"""Locks that nobody holds any more, and files that nobody has filled."""

from __future__ import annotations

import json
import os
import socket
import time
from pathlib import Path
from unittest.mock import patch

import pytest

from engarde.pulumi_cli.stale_locks import holder, locks, remove_locks, torn

HERE = socket.gethostname()


def lock(folder: Path, pid: int, *, host: str = HERE, age: float = 120) -> None:
    file = folder / f".pulumi/locks/organization/engarde/prod/{pid}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"pid": pid, "username": "u", "hostname": host, "timestamp": "then"}))
    os.utime(file, times=(time.time() - age, time.time() - age))


def found(backend: str, stack: str = "prod") -> list[int]:
    commands = {1: "pulumi up", 2: "something else"}
    with patch("engarde.pulumi_cli.stale_locks.command_of", lambda pid: commands.get(pid, "")):
        return [lock.pid for lock in locks(backend, stack) if lock.since == "then"]


def test_only_what_is_old_and_of_an_engine_that_ended_here(tmp_path: Path) -> None:
    lock(tmp_path, 1)
    lock(tmp_path, 2)
    lock(tmp_path, 3)
    lock(tmp_path, 4, age=1)
    lock(tmp_path, 5, host="elsewhere")
    (tmp_path / ".pulumi/locks/organization/engarde/prod/torn.json").write_text("{")
    for address in (f"file://{tmp_path}", f"file://{tmp_path}?metadata=skip"):
        assert found(address) == [2, 3]
    assert found(f"file://{tmp_path}", "staging") == []


def test_of_all_locks_only_a_dead_ones_is_removed(tmp_path: Path) -> None:
    backend, commands = f"file://{tmp_path}", {1: "pulumi up"}
    with patch("engarde.pulumi_cli.stale_locks.command_of", lambda pid: commands.get(pid, "")):
        lock(tmp_path, 2, age=1)
        assert holder(backend, "prod") is None
        lock(tmp_path, 1)
        assert holder(backend, "prod") == "process 1"
        lock(tmp_path, 5, host="elsewhere")
        assert remove_locks(backend, "prod")
        assert not remove_locks(backend, "prod")
        commands.clear()
        assert remove_locks(backend, "prod")
        assert holder(backend, "prod") == "process 5 on elsewhere"


@pytest.mark.parametrize("backend", ["https://api.pulumi.com", "s3://bucket", "", "file:///nowhere"])
def test_other_backends_say_nothing(backend: str) -> None:
    assert found(backend) == []
    assert list(torn(backend, "prod")) == []


def test_an_empty_side_file_of_this_stacks_state(tmp_path: Path) -> None:
    folder = tmp_path / ".pulumi/stacks/engarde"
    folder.mkdir(parents=True)
    for name, content in {
        "prod.json": "",
        "prod.json.attrs": "",
        "prod.json.bak.attrs": "{}",
        "staging.json.attrs": "",
    }.items():
        (folder / name).write_text(content)
    assert list(torn(f"file://{tmp_path}", "prod")) == [folder / "prod.json.attrs"]
