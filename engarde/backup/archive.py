"""A dump as pg_restore reads it: scripts of definitions, and the rows of its tables."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from engarde.backup.clients import Client
from engarde.backup.statements import split
from engarde.errors import Unfinished
from engarde.util.masking import masked

Definitions = Literal["pre-data", "post-data"]

LEFT_OUT = re.compile(r"\d+; \d+ \d+ (SCHEMA|SEQUENCE SET|BLOB|BLOBS|BLOB METADATA|BLOB COMMENTS) ")
"""The schema is there already. Sequences are put where the manifest says, and large objects are in a file beside."""

FIRST_ENTRY = "\n--\n-- Name: "
SEARCH_PATH = "SELECT pg_catalog.set_config("
NOT_TAKEN = (
    *(f"SET {each}" for each in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")),
    *("SET transaction_timeout", SEARCH_PATH, "\\restrict"),
)
"""What stands above the first entry and would lift our session's limits, is not for every server, is otherwise in our
session, or is psql's."""

LAST_ENTRY = "\n--\n-- PostgreSQL database dump complete"
BETWEEN_TABLES = (b"--", b"SET ", SEARCH_PATH.encode(), b"\\restrict", b"\\unrestrict", b"\n")
FROM = b" FROM stdin;\n"
END_OF_ROWS = b"\\.\n"
PART = 1 << 18
"""At a time [bytes]."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A dump and who reads it."""

    folder: Path
    client: Client
    entries: Path
    """the list of what is taken from it"""

    def definitions(self, section: Definitions) -> list[str]:
        """The statements of a section, for any server that is not older than the dump's."""
        text = "".join(_printed(self._command(f"--section={section}")))
        head, entry, rest = text.partition(FIRST_ENTRY)
        if not entry:
            return []
        kept = [line for line in head.splitlines() if not line.startswith(NOT_TAKEN)]
        return list(split("\n".join(kept) + entry + rest.rpartition(LAST_ENTRY)[0]))

    @contextmanager
    def rows(self) -> Iterator[Iterator[Rows]]:
        """The rows of each table, one after another; each has to be read before the next.

        :raises Unfinished: pg_restore failed.
        """
        with _running(self._command("--section=data")) as stream:
            yield _tables(stream)

    def _command(self, section: str) -> list[str]:
        return [*_pg_restore(self.client), section, f"--use-list={self.entries}", "--file=-", str(self.folder)]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of one table, as COPY takes them."""

    statement: str
    parts: Iterator[bytes]


@contextmanager
def opened(folder: Path, client: Client) -> Iterator[Archive]:
    """A dump, but for what of it is not loaded.

    :raises Unfinished: pg_restore cannot read it.
    """
    with tempfile.TemporaryDirectory(prefix="engarde-restore-") as work:
        entries = Path(work, "entries")
        listed = _printed([*_pg_restore(client), "--list", str(folder)])
        entries.write_text("".join(line for line in listed if not LEFT_OUT.match(line)), encoding="utf-8")
        yield Archive(folder, client, entries)


def _pg_restore(client: Client) -> list[str]:
    return [str(client.folder / "pg_restore"), "--no-owner", "--no-privileges", "--no-tablespaces"]


def _printed(command: list[str]) -> list[str]:
    with _running(command) as stream:
        return [line.decode() for line in stream]


@contextmanager
def _running(command: list[str]) -> Iterator[IO[bytes]]:
    with (
        tempfile.TemporaryFile() as complaints,
        subprocess.Popen(
            command,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=complaints,
        ) as process,
    ):
        assert process.stdout
        try:
            yield process.stdout
        except BaseException:
            process.kill()
            raise
        if process.wait():
            complaints.seek(0)
            said = masked(complaints.read().decode(errors="replace").strip())
            raise Unfinished(f"pg_restore ended with {process.returncode}: {said}")


def _tables(stream: IO[bytes]) -> Iterator[Rows]:
    for line in stream:
        if line.startswith(b"COPY "):
            parts = _rows(stream)
            yield Rows(_statement(line, stream), parts)
            for _ in parts:
                raise AssertionError("rows were left unread")
        elif not line.startswith(BETWEEN_TABLES):
            raise Unfinished(
                f"pg_restore gives what is no row of a table: {line[:80].decode(errors='replace').strip()}"
            )


def _statement(line: bytes, stream: IO[bytes]) -> str:
    """A COPY as one sends it; a name in it may go over several lines, and look like its end."""
    while not (line.endswith(FROM) and line.count(b'"') % 2 == 0) and (more := stream.readline()):
        line += more
    return line.removesuffix(b";\n").decode()


def _rows(stream: IO[bytes]) -> Iterator[bytes]:
    kept: list[bytes] = []
    size = 0
    for line in stream:
        if line == END_OF_ROWS:
            yield b"".join(kept)
            return
        kept.append(line)
        size += len(line)
        if size >= PART:
            yield b"".join(kept)
            kept, size = [], 0
    raise Unfinished("pg_restore's output ends in the middle of a table")
