"""Files that are none, or have no end: they are refused at once, whoever reads them."""

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engarde.alembic import init
from engarde.alembic.project import project
from engarde.alembic.scripts import graph
from engarde.backup import manifest
from engarde.declaration.loader import parse
from engarde.errors import ConfigError, EngardeError, Refused
from engarde.pulumi_cli.stacks import read
from engarde.util.files import read_bytes, read_text


def fifo(file: Path) -> None:
    os.mkfifo(file)


def endless(file: Path) -> None:
    file.symlink_to("/dev/zero")


def folder(file: Path) -> None:
    file.mkdir()


def listening(file: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(file))


def large(file: Path) -> None:
    with file.open("wb") as made:
        made.truncate(1 << 40)


NO_FILES = [fifo, endless, folder, listening, large]


@pytest.mark.parametrize("made", NO_FILES)
def test_what_is_no_file_to_read(tmp_path: Path, made: Callable[[Path], None]) -> None:
    made(tmp_path / "x")
    with pytest.raises(OSError, match=r"regular file|longer than|No such device|not supported"):
        read_bytes(tmp_path / "x")


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_what_is_read_counts_and_not_the_size() -> None:
    file = Path("/proc/self/maps")
    assert file.stat().st_size == 0
    with pytest.raises(OSError, match="longer than 100 bytes"):
        read_bytes(file, 100)


def test_lines_end_as_in_python(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"a\r\nb\rc\n\xc3\xa9")
    assert read_text(tmp_path / "x") == (tmp_path / "x").read_text(encoding="utf-8") == "a\nb\nc\né"


@pytest.mark.parametrize("made", NO_FILES)
def test_a_stack_file(tmp_path: Path, made: Callable[[Path], None]) -> None:
    made(tmp_path / "Pulumi.local.yaml")
    with pytest.raises(ConfigError, match=r"Pulumi\.local\.yaml: cannot be read: "):
        read(tmp_path, "local")


@pytest.mark.parametrize("made", NO_FILES)
def test_a_manifest(tmp_path: Path, made: Callable[[Path], None]) -> None:
    made(tmp_path / manifest.NAME)
    with pytest.raises(Refused, match="cannot be read"):
        manifest.whole(tmp_path)


@pytest.mark.parametrize("made", NO_FILES)
@pytest.mark.parametrize("place", ["alembic.ini", "pyproject.toml", "migrations/versions/1.py", "migrations/env.py"])
def test_an_alembic_project(tmp_path: Path, place: str, made: Callable[[Path], None]) -> None:
    values = {"server": {"host": "h", "database": "d"}, "services": {"a": None}}
    service = parse("local", values, {"adminPassword"}).services[0]
    (tmp_path / "migrations/versions").mkdir(parents=True)
    (tmp_path / "alembic.ini").write_text("[alembic]\nscript_location = migrations\n")
    (tmp_path / "migrations/versions/2.py").write_text("revision = '2'\ndown_revision = None\n")
    (tmp_path / place).unlink(missing_ok=True)
    made(tmp_path / place)

    def looked_at() -> None:
        graph(project(tmp_path))
        init.changes(tmp_path, service, None)

    try:
        looked_at()
    except EngardeError as error:
        assert place.rpartition("/")[2] in str(error)
    else:
        # What is no file is none of Alembic's either.
        assert place in ("pyproject.toml", "migrations/versions/1.py")
        assert made is not large
