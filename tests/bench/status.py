"""`python -m tests.bench.status`: how long status asks a server with many schemas, question by question."""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from rich.console import Console
from rich.table import Table

from devtools.server import ADMIN, HOST
from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import PASSWORD_KEY, parse
from engarde.declaration.model import DatabaseStack
from engarde.pulumi_cli.logins import login_to
from engarde.server.credentials import Access
from engarde.server.session import Session
from engarde.status.collect import collect
from engarde.status.subjects import chosen
from engarde.util.terminal import step
from tests.bench.__main__ import _positive
from tests.bench.machine import facts
from tests.bench.rounds import SETTINGS
from tests.bench.table import spread
from tests.engine import database as databases
from tests.engine.admins import PASSWORD
from tests.engines import under_test

MONITOR = "monitor"
KEYS = {"serial": "tables with a serial each", "int": "tables without a sequence"}
METHODS = ("query", "tuples", "try_query", "query_template")
ALL = "all, in two sessions and, of the admin's, each service's own"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question."""

    query: str
    process: int
    """the server's"""
    start: float
    """seconds, as the next two"""
    end: float
    worked: float | None
    """by the server's processor; None where the system does not tell"""


@dataclass
class Clock:
    """When each question was asked and answered."""

    asked: list[Asked] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """From the first question to the last answer, of both sessions."""
        return max(each.end for each in self.asked) - min(each.start for each in self.asked)

    def worked(self) -> float | None:
        """Of the session that had more to do: what all would take on a machine with two idle cores (seconds)."""
        by_process: dict[int, float] = defaultdict(float)
        for each in self.asked:
            if each.worked is None:
                return None
            by_process[each.process] += each.worked
        return max(by_process.values())

    @contextmanager
    def running(self) -> Iterator[None]:
        """Notes every question of the block."""
        with ExitStack() as patches:
            for name in METHODS:
                patches.enter_context(patch.object(Session, name, self._timed(getattr(Session, name))))
            yield

    def _timed(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def timed(session: Session, query: str, *arguments: Any, **parameters: Any) -> Any:
            process = session._connection.info.backend_pid
            start, before = time.perf_counter(), _processor(process)
            try:
                return method(session, query, *arguments, **parameters)
            finally:
                after = _processor(process)
                worked = None if before is None or after is None else after - before
                self.asked.append(Asked(query, process, start, time.perf_counter(), worked))

        return timed


def _processor(process: int) -> float | None:
    """What a process has had of a processor so far (seconds)."""
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return None


def main(words: list[str]) -> int:
    """Measures and prints."""
    parser = argparse.ArgumentParser("python -m tests.bench.status", description=__doc__)
    parser.add_argument("--schemas", type=_positive, default=50)
    parser.add_argument("--tables", type=_positive, default=100, help="in each schema")
    parser.add_argument("--rounds", type=_positive, default=10)
    asked = parser.parse_args(words)
    shown = Table("tables", "asked as", "question", "ms", "ms of the server's processor")
    for key, what in KEYS.items():
        with databases.template(settings=SETTINGS) as made, databases.copied(made) as database:
            with step(f"{asked.schemas} schemas with {asked.tables} {what}"):
                _fill(database, asked.schemas, asked.tables, key)
            stack = _stack(database, asked.schemas)
            for who in (ADMIN, MONITOR):
                rows = _measured(stack, who, asked.rounds)
                for query, (taken, worked) in rows.items():
                    shown.add_row(what, who, query, spread(taken, "{:.0f}"), spread(worked, "{:.0f}"))
                shown.add_section()
    console = Console(width=None if sys.stdout.isatty() else 160)
    for line in facts(under_test()):
        console.print(line, markup=False, highlight=False)
    console.print(shown)
    return 0


def _fill(database: databases.Database, schemas: int, tables: int, key: str) -> None:
    database.run(
        f"CREATE ROLE {MONITOR} LOGIN PASSWORD '{PASSWORD}' IN ROLE pg_monitor", "CREATE EXTENSION pg_stat_statements"
    )
    with database.session() as session:
        for schema in range(schemas):
            made = [
                f"CREATE TABLE s{schema}.t{table} (id {key} PRIMARY KEY, word text, at timestamptz);"
                f"INSERT INTO s{schema}.t{table} SELECT n, 'word' FROM generate_series(1, {table}) n;"
                for table in range(tables)
            ]
            role = f"s{schema}_user"
            session.execute(
                f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'; CREATE SCHEMA s{schema} AUTHORIZATION {role};"
                f"SET ROLE {role}; {''.join(made)} RESET ROLE".encode()
            )
        session.execute("VACUUM ANALYZE")


def _stack(database: databases.Database, schemas: int) -> DatabaseStack:
    server = {"host": HOST, "port": database.server.port, "database": databases.NAME}
    services = {f"s{schema}": None for schema in range(schemas)}
    return restrict_to(parse("local", {"server": server, "services": services}, {PASSWORD_KEY}), None)


def _measured(stack: DatabaseStack, who: str, rounds: int) -> dict[str, tuple[list[float], list[float]]]:
    """Of each question that takes long enough to be seen what it takes, and what it costs the server (milliseconds)."""
    login = Access(stack.server, stack.server.database, who, PASSWORD)
    own = {service.role: login_to(stack, service, PASSWORD) for service in stack.services}
    found: dict[str, tuple[list[float], list[float]]] = {ALL: ([], [])}
    for _ in range(rounds):
        clock = Clock()
        with clock.running():
            collect(stack, login, chosen(stack, None), True, None if who == MONITOR else lambda: own)
        rows = [(ALL, clock.seconds, clock.worked())]
        rows += [(each.query, each.end - each.start, each.worked) for each in clock.asked]
        for query, taken, worked in rows:
            times, works = found.setdefault(query, ([], []))
            times.append(taken * 1000)
            works += [] if worked is None else [worked * 1000]
    return {query: times for query, times in found.items() if min(times[0]) >= 3}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
