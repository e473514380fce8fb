"""Which pg_dump and pg_restore are taken: never such as are older than the server or the dump."""

from __future__ import annotations

from pathlib import Path

import pytest

from engarde.backup import clients
from engarde.backup.clients import VARIABLE, client, major
from engarde.errors import Refused


def programs(folder: Path, version: str, restore: str | None = None, *, tls: bool = True) -> Path:
    """Programs that only say who they are."""
    folder.mkdir(parents=True)
    refused = "" if tls else 'echo "sslmode value require invalid when SSL support is not compiled in"'
    for name, said in (("pg_dump", version), ("pg_restore", restore or version)):
        script = (
            f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{name} (PostgreSQL) {said}"; else {refused or ":"}; fi\n'
        )
        (folder / name).write_text(script)
        (folder / name).chmod(0o700)
    return folder


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With nothing on it; `path` in it is on PATH, `debian` is where Debian's packages are."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}/path")
    monkeypatch.setattr(clients, "DEBIAN", tmp_path / "debian")
    monkeypatch.setattr(clients, "WHEELS", ())
    return tmp_path


def test_the_first_that_is_not_older_than_the_server(machine: Path) -> None:
    programs(machine / "path", "15.4 (Debian 15.4-1)")
    programs(machine / "debian/9/bin", "9.6.1")
    programs(machine / "debian/17/bin", "17.2")
    programs(machine / "debian/18/bin", "18beta1")
    assert client(None, 15).version == "15.4"
    assert client(None, 16).folder == machine / "debian/17/bin"
    assert client(None, 18).version == "18beta1"
    with pytest.raises(Refused) as refused:
        client(None, 19)
    said = str(refused.value)
    assert "the server is PostgreSQL 19" in said
    assert f"{machine}/path: 15.4 is older than 19" in said
    assert "postgresql-client-19" in said
    assert "apt.postgresql.org" in said


def test_a_named_folder_is_the_only_one(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(machine / "path", "18.1")
    old = programs(machine / "old", "13.2")
    assert client(str(old), 13).version == "13.2"
    with pytest.raises(Refused, match="older than 14"):
        client(str(old), 14)
    monkeypatch.setenv(VARIABLE, str(old))
    with pytest.raises(Refused, match="older than 14"):
        client(None, 14)
    assert client(str(machine / "path"), 14).version == "18.1"


def test_a_dump_of_a_later_release_needs_that(machine: Path) -> None:
    programs(machine / "path", "15.4")
    assert client(None, 13, 15).version == "15.4"
    with pytest.raises(Refused, match="the dump was made by pg_dump 16"):
        client(None, 13, 16)


def test_what_is_no_pair_of_programs(machine: Path) -> None:
    with pytest.raises(Refused, match="none on this machine"):
        client(None, 13)
    programs(machine / "path", "17.1", "15.1")
    with pytest.raises(Refused, match="no pg_dump and pg_restore that run"):
        client(None, 13)
    (machine / "path/pg_restore").unlink()
    with pytest.raises(Refused, match="no pg_dump and pg_restore that run"):
        client(None, 13)


def test_a_server_over_tls_needs_programs_that_speak_it(machine: Path) -> None:
    programs(machine / "path", "18.1", tls=False)
    assert client(None, 17).folder == machine / "path"
    with pytest.raises(Refused, match=r"18\.1 has no TLS"):
        client(None, 17, encrypted=True)
    spoken = programs(machine / "debian/18/bin", "18.1")
    assert client(None, 17, encrypted=True).folder == spoken


@pytest.mark.parametrize(("version", "number"), [("17.10", 17), ("18beta1", 18), ("9.6.1", 9), ("devel", 0)])
def test_majors(version: str, number: int) -> None:
    assert major(version) == number
