"""`python -m tests.bench.backup`: how long a backup and its restore take beside pg_dump and pg_restore alone."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from engarde.backup.backup import dump
from engarde.backup.clients import Client, client
from engarde.backup.inventory import Inventory, Owned
from engarde.backup.manifest import DUMP, files
from engarde.backup.proof import begin
from engarde.backup.restore import clear, load
from engarde.server.connect import connect
from engarde.server.credentials import Access
from engarde.server.libpq import binaries
from engarde.server.session import session
from engarde.util.terminal import step
from tests.bench.__main__ import _positive
from tests.bench.machine import facts
from tests.bench.rounds import SETTINGS
from tests.bench.table import spread
from tests.engine.lone_service import SCHEMA, server
from tests.engines import under_test
from tests.inventories import inventory

MAKING = (
    "CREATE TABLE events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, whose int NOT NULL, at timestamptz,"
    " kind text, amount numeric(12, 2), note text)",
    "INSERT INTO events (whose, at, kind, amount, note) SELECT n % 1000, timestamptz '2026-01-01' + n * interval '1 s',"
    " (ARRAY['seen', 'sold', 'lost'])[1 + n % 3], n / 7.0, repeat(md5(n::text), 1 + n % 3)"
    " FROM generate_series(1, {rows}) n",
    "CREATE INDEX events_by_whose ON events (whose, at)",
    "CREATE TABLE parts (n int, word text) PARTITION BY HASH (n)",
    "CREATE TABLE parts_0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0)",
    "CREATE TABLE parts_1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
    "INSERT INTO parts SELECT n, md5(n::text) FROM generate_series(1, {rows} / 10) n",
)


def main(words: list[str]) -> int:
    """Measures and prints; 1 where something did not come back as it was."""
    parser = argparse.ArgumentParser("python -m tests.bench.backup", description=__doc__)
    parser.add_argument("--rows", type=_positive, default=1_000_000, help="of the largest table")
    parser.add_argument("--rounds", type=_positive, default=3, help="how often each is measured")
    asked = parser.parse_args(words)
    with server(binaries(), SETTINGS) as login, tempfile.TemporaryDirectory(prefix="engarde-bench-") as made:
        with connect(login, "copy") as maker, step(f"{asked.rows} rows"):
            for each in MAKING:
                maker.execute(each.format(rows=asked.rows).encode())
        with session(login) as looking:
            programs = client(None, looking.major)
        seconds: dict[str, list[float]] = {}
        for number in range(asked.rounds):
            with step(f"round {number + 1}"):
                for what, taken in _round(login, programs, Path(made, str(number))):
                    seconds.setdefault(what, []).append(taken)
        size = sum(file.size for file in files(Path(made, "0")))
    shown = Table("what", "seconds", "rows per second")
    for what, found in seconds.items():
        shown.add_row(what, spread(found, "{:.2f}"), f"{asked.rows * 1.1 / min(found):,.0f}")
    console = Console(width=None if sys.stdout.isatty() else 160)
    for line in (*facts(under_test()), f"{asked.rows * 11 // 10:,} rows, {size / 1e6:.0f} MB of dump"):
        console.print(line, markup=False, highlight=False)
    console.print(shown)
    return 0


def _round(login: Access, programs: Client, folder: Path) -> list[tuple[str, float]]:
    one, two, alone = folder / "1", folder / "2", folder / "alone"
    for each in (one, two, alone):
        each.mkdir(parents=True)
    found: list[Inventory] = []
    return [
        ("rows and checksums", _timed(lambda: found.append(inventory(login, SCHEMA, _silent)))),
        ("pg_dump alone, 2 jobs", _timed(lambda: _pg_dump(login, programs, alone))),
        ("backup, 1 job", _timed(lambda: found.append(dump(login, SCHEMA, one, programs, 1, _silent)))),
        ("backup, 2 jobs", _timed(lambda: found.append(dump(login, SCHEMA, two, programs, 2, _silent)))),
        ("pg_restore alone, 1 job", _timed(lambda: _pg_restore(login, programs, alone))),
        ("restore", _timed(lambda: _restore(login, programs, two, found[-1]))),
    ]


def _timed(what: Callable[[], object]) -> float:
    start = time.monotonic()
    what()
    return time.monotonic() - start


def _silent(line: str) -> None:
    assert line


def _pg_dump(login: Access, programs: Client, folder: Path) -> None:
    _run(login, [programs.folder / "pg_dump", "--format=directory", "--jobs=2", f"--file={folder / DUMP}", "postgres"])


def _pg_restore(login: Access, programs: Client, folder: Path) -> None:
    _cleared(login)
    words = ["--single-transaction", "--no-owner", "--no-privileges", "--schema", SCHEMA, "--dbname=postgres"]
    _run(login, [programs.folder / "pg_restore", *words, folder / DUMP])


def _restore(login: Access, programs: Client, folder: Path, wanted: Inventory) -> None:
    with session(login, read_only=False, one_snapshot=False) as asked:
        begin(asked, SCHEMA)
        clear(asked, asked.query("backup_contents", Owned, schema=SCHEMA))
        load(asked, SCHEMA, folder, wanted, programs, _silent)
        asked.commit()


def _cleared(login: Access) -> None:
    with session(login, read_only=False, one_snapshot=False) as asked:
        begin(asked, SCHEMA)
        clear(asked, asked.query("backup_contents", Owned, schema=SCHEMA))
        asked.commit()


def _run(login: Access, command: Sequence[str | Path]) -> None:
    subprocess.run(command, env=login.environment(os.environ), check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
