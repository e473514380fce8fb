"""Reads and writes a backup's files: definitions and rows of a dump, through pg_restore, and large objects.

Large objects are in no schema; a backup has those of the service's role.
"""

import os
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, Any, Literal

from engarde.backup.clients import Client, running
from engarde.backup.inventory import LargeObject
from engarde.errors import Unfinished
from engarde.server.copy_in import ROUTINES, NotRun, attempt, run
from engarde.server.session import Session
from engarde.util.masking import masked
from engarde.util.quoting import literal

LEFT_OUT = re.compile(r"\d+; \d+ \d+ (SCHEMA|SEQUENCE SET|BLOB|BLOBS|BLOB METADATA|BLOB COMMENTS) ")
"""The schema exists already, the manifest has the sequences' values, and another file has the large objects."""

FIRST_ENTRY = "\n--\n-- Name: "
SEARCH_PATH = "SELECT pg_catalog.set_config("
NOT_TAKEN = (
    *("SET statement_timeout", "SET lock_timeout", "SET idle_in_transaction_session_timeout"),
    *("SET transaction_timeout", SEARCH_PATH, "\\restrict"),
)
"""Lines above the first entry that would lift our session's limits, that some servers do not know, that our session
sets otherwise, or that are psql's."""

LAST_ENTRY = "\n--\n-- PostgreSQL database dump complete"
BETWEEN_TABLES = (b"--", b"SET ", SEARCH_PATH.encode(), b"\\restrict", b"\\unrestrict", b"\n")
FROM = b" FROM stdin;\n"
END_OF_ROWS = b"\\.\n"
PART, LARGE_PART = 1 << 18, 1 << 20
"""How much is read at a time, of rows and of large objects [bytes]."""

KNOWN_OPTIONS = frozenset({"n_distinct", "n_distinct_inherited"})
"""The options of a column that every release from 13 on knows."""

UNKNOWN_OPTION = "22023"

_TOKENS = re.compile(
    r"""
      (?P<comment>--[^\n]*)
    | (?P<text>"(?:[^"]|"")*" | [eE]'(?:[^'\\]|''|\\.)*' | '(?:[^']|'')*' | \$(?P<tag>(?:[^\W\d]\w*)?)\$.*?\$(?P=tag)\$)
    | (?P<word>[\w$]+)
    | (?P<sign>[();])
    | [^\w$"'();-]+ | .
    """,
    re.VERBOSE | re.DOTALL,
)
"""Tokens as the server reads them with standard_conforming_strings; a dump has no other comments."""

_NAME = r'(?:[^\W\d][\w$]*|"(?:[^"]|"")+")'
_FOREIGN_KEY = re.compile(
    rf"ALTER TABLE (?:ONLY )?{_NAME}\.{_NAME}\s+ADD CONSTRAINT {_NAME}"
    rf" FOREIGN KEY \({_NAME}(?:, (?:PERIOD )?{_NAME})*\) REFERENCES ({_NAME}\.{_NAME})\("
)
_OF_COLUMN = re.compile(
    rf"(?P<start>ALTER (?:FOREIGN )?TABLE ONLY {_NAME}\.{_NAME} ALTER COLUMN {_NAME} SET) \((?P<options>.*)\)",
    re.DOTALL,
)
_OPTION = re.compile(r"(?P<name>\w+)=(?:'(?:[^']|'')*'|[^,]*)")


@dataclass(frozen=True, slots=True)
class Archive:
    """A dump, and the programs that read it."""

    folder: Path
    client: Client
    entries: Path
    """the list of the entries to load"""

    def definitions(self, section: Literal["pre-data", "post-data"]) -> list[str]:
        """The statements of a section, for any server that is not older than the dump's."""
        text = "".join(_printed(self._command(f"--section={section}")))
        head, entry, rest = text.partition(FIRST_ENTRY)
        if not entry:
            return []
        kept = [line for line in head.splitlines() if not line.startswith(NOT_TAKEN)]
        return list(split("\n".join(kept) + entry + rest.rpartition(LAST_ENTRY)[0]))

    @contextmanager
    def rows(self) -> Iterator[Iterator[tuple[str, Iterator[bytes]]]]:
        """The COPY of each table and its rows, one after another; they have to be read before the next.

        :raises Unfinished: pg_restore failed.
        """
        with _running(self._command("--section=data")) as stream:
            yield _tables(stream)

    def _command(self, section: str) -> list[str]:
        return [*_pg_restore(self.client), section, f"--use-list={self.entries}", "--file=-", str(self.folder)]


@contextmanager
def opened(folder: Path, client: Client) -> Iterator[Archive]:
    """A dump, without the entries that are not loaded.

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
        running(command, os.environ, stdout=subprocess.PIPE, stderr=complaints) as process,
    ):
        assert process.stdout
        yield process.stdout
        if process.wait():
            complaints.seek(0)
            said = masked(complaints.read().decode(errors="replace").strip())
            raise Unfinished(f"pg_restore failed with exit code {process.returncode}: {said}")


def _tables(stream: IO[bytes]) -> Iterator[tuple[str, Iterator[bytes]]]:
    for line in stream:
        if line.startswith(b"COPY "):
            parts = _rows(stream)
            yield _statement(line, stream), parts
            assert next(parts, None) is None, "rows were left unread"
        elif not line.startswith(BETWEEN_TABLES):
            raise Unfinished(
                f"pg_restore printed a line that belongs to no table: {line[:80].decode(errors='replace').strip()}"
            )


def _statement(line: bytes, stream: IO[bytes]) -> str:
    """A COPY statement; a name in it may have several lines, one of which may look like its end."""
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


# ---- Definitions.


def split(text: str) -> Iterator[str]:
    """Each statement, without the semicolon and the comments around it."""
    kept: list[str] = []
    parentheses = blocks = 0
    before = ""
    for token in _TOKENS.finditer(text):
        if token["comment"]:
            continue
        if token["word"]:
            word = token["word"].upper()
            if blocks:
                blocks += (word == "CASE") - (word == "END")
            elif word == "ATOMIC" and before == "BEGIN" and "".join(kept).lstrip().startswith(ROUTINES):
                # Its body has several statements, and no parentheses around them.
                blocks = 1
            before = word
        elif token["sign"]:
            parentheses += (token["sign"] == "(") - (token["sign"] == ")")
            if token["sign"] == ";" and not parentheses and not blocks:
                yield "".join(kept).strip()
                kept = []
                continue
        kept.append(token[0])
    if last := "".join(kept).strip():
        yield last


def referenced(statement: str) -> str | None:
    """The table that a foreign key references, as the statement names it; None if it creates no foreign key."""
    found = _FOREIGN_KEY.match(statement)
    return found[1] if found else None


def options(statement: str) -> frozenset[str]:
    """The names of the options that the statement sets for a column."""
    found = _OF_COLUMN.fullmatch(statement)
    return frozenset(option["name"] for option in _OPTION.finditer(found["options"])) if found else frozenset()


def without(statement: str, names: Collection[str]) -> str:
    """The statement without these options of a column; empty if no other option is left."""
    found = _OF_COLUMN.fullmatch(statement)
    if not found:
        return statement
    kept = [option[0] for option in _OPTION.finditer(found["options"]) if option["name"] not in names]
    return f"{found['start']} ({', '.join(kept)})" if kept else ""


def run_definitions(asked: Session, what: str, statements: Iterable[str]) -> None:
    """Runs statements in this order, without options that the server does not know; an error calls them `what`.

    :raises NotRun: one of them fails.
    """
    known, unknown = set(KNOWN_OPTIONS), set[str]()
    waiting: list[str] = []
    for statement in statements:
        named = options(statement)
        for name in sorted(named - known - unknown):
            _together(asked, what, waiting)
            waiting = []
            (known if _takes(asked, without(statement, named - {name})) else unknown).add(name)
        if left := without(statement, unknown):
            waiting.append(left)
    _together(asked, what, waiting)


def _takes(asked: Session, statement: str) -> bool:
    """Whether the server knows the option that the statement sets; if so, the statement has run."""
    try:
        attempt(asked, "an option of a column", statement)
    except NotRun as refusal:
        if refusal.sqlstate == UNKNOWN_OPTION:
            return False
        raise
    return True


def _together(asked: Session, what: str, statements: list[str]) -> None:
    """Runs all in one message, since a server may be far away; if one fails, runs them one by one to find it."""
    if not statements:
        return
    try:
        attempt(asked, what, ";\n".join(statements))
    except NotRun:
        for statement in statements:
            attempt(asked, what, statement)


# ---- Large objects.


class _LargeObject(RawIOBase):
    """A large object as a file that can be read once."""

    def __init__(self, asked: Session, number: int) -> None:
        self._asked, self._number, self._at = asked, number, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        wanted = {"number": self._number, "at": self._at, "size": len(buffer)}
        [content] = self._asked.values("backup_large_object_part", **wanted)
        length = len(content)
        buffer[:length] = content
        self._at += length
        return length


def write_large_objects(asked: Session, found: Sequence[LargeObject], file: Path) -> None:
    """Writes the large objects that the session sees, each under its number."""
    with tarfile.open(file, "w") as archive:
        for item in found:
            member = tarfile.TarInfo(str(item.number))
            member.size, member.mode = item.length, 0o600
            archive.addfile(member, BufferedReader(_LargeObject(asked, item.number), LARGE_PART))


def load_large_objects(asked: Session, file: Path, wanted: Sequence[LargeObject]) -> None:
    """Creates the large objects again under their numbers, in the session's transaction and as its role."""
    with tarfile.open(file) as archive:
        for item in wanted:
            content = archive.extractfile(str(item.number))
            assert content is not None
            asked.execute_file("backup_put_large_object", number=item.number, at=-1, content=b"")
            at = 0
            while part := content.read(LARGE_PART):
                asked.execute_file("backup_put_large_object", number=item.number, at=at, content=part)
                at += len(part)
    comments = [f"COMMENT ON LARGE OBJECT {item.number} IS {literal(item.comment)}" for item in wanted if item.comment]
    run(asked, "comments on large objects", *comments)
