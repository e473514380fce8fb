"""Finds pg_dump and pg_restore on this machine that are not older than the server."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from engarde.errors import Refused
from engarde.server.libpq import DEBIAN, WHEELS
from engarde.util.terminal import indented

VARIABLE = "ENGARDE_PG_BIN"
TOOLS = ("pg_dump", "pg_restore")
LIMIT = 30
"""How long a program has to print its version [seconds]."""


@dataclass(frozen=True, slots=True)
class Client:
    """One installation of PostgreSQL's client programs."""

    folder: Path
    version: str


def client(given: str | None, server: int, dump: int = 0, *, encrypted: bool = False) -> Client:
    """The programs in the given folder, else the first ones on this machine that fit.

    :param server: the server's major.
    :param dump: the major of the pg_dump whose dump is to be read.
    :param encrypted: whether the server is reached over TLS, so that the programs need TLS, too.
    :raises Refused: there are none, or only older ones.
    """
    least = max(server, dump)
    reason = f"the server is PostgreSQL {server}" if server >= dump else f"the dump was made by pg_dump {dump}"
    seen = []
    for folder in _folders(given):
        found = _client(folder)
        if found is None:
            seen.append(f"{folder}: no pg_dump and pg_restore that run")
        elif major(found.version) < least:
            seen.append(f"{folder}: {found.version} is older than {least}")
        elif encrypted and not _speaks_tls(folder):
            seen.append(f"{folder}: {found.version} has no TLS, but the connection to this server uses TLS")
        else:
            return found
    raise Refused(
        f"{reason}, but no pg_dump and pg_restore of that or a later release were found:\n"
        f"{indented(seen or ['none on this machine'])}\n"
        f"Install postgresql-client-{least} of Debian or Ubuntu (from apt.postgresql.org if the release does not have"
        f" it), or install them otherwise and name their folder with --pg-bin DIR or {VARIABLE}"
    )


def _folders(given: str | None) -> Iterator[Path]:
    if named := given or os.environ.get(VARIABLE):
        yield Path(named)
        return
    if found := shutil.which("pg_dump"):
        yield Path(found).parent
    installed = [folder for folder in DEBIAN.glob("*/bin") if folder.parent.name.isdigit()]
    yield from sorted(installed, key=lambda folder: int(folder.parent.name))
    for wheel in WHEELS:
        if spec := find_spec(wheel):
            yield Path(str(spec.origin)).parent / "pginstall/bin"


def _client(folder: Path) -> Client | None:
    try:
        versions = {_said([str(folder / tool), "--version"], {}) for tool in TOOLS}
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = {parts[1] for said in versions if (parts := re.search(r"\(PostgreSQL\) (\d+\S*)", said))}
    return Client(folder, found.pop()) if len(found) == 1 else None


def _speaks_tls(folder: Path) -> bool:
    # Without TLS it fails before it connects, and nothing listens at this address.
    said = _said([str(folder / "pg_dump")], {"PGHOST": "127.0.0.1", "PGPORT": "1", "PGSSLMODE": "require"})
    return "not compiled in" not in said


@contextmanager
def running(command: list[str], environment: Mapping[str, str], **streams: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Runs one of these programs, with messages in English; an exception in the block kills it."""
    given = {**environment, "LC_ALL": "C"}
    with subprocess.Popen(command, env=given, stdin=subprocess.DEVNULL, **streams) as process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise


def _said(command: list[str], more: Mapping[str, str]) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    done = subprocess.run(
        command,
        env={**kept, "LC_ALL": "C", **more},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        timeout=LIMIT,
    )
    return done.stdout


def major(version: str) -> int:
    """The major of a version such as `17.10` or `18beta1`."""
    digits = re.match(r"\d+", version)
    return int(digits[0]) if digits else 0
