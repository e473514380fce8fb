"""`python -m tests.bench.verify`: how long verify takes beside the least that its answers can take."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.table import Table

from engarde.util.terminal import step
from tests.bench import process
from tests.bench.__main__ import _positive
from tests.bench.machine import facts
from tests.bench.program import program
from tests.bench.rounds import SETTINGS
from tests.bench.table import spread
from tests.engine import blank as blanks
from tests.engine import database as databases
from tests.engine.admins import BACKEND
from tests.engine.neighbours import neighbours
from tests.engine.program import STACK, THE_ADMIN, Project
from tests.engines import under_test

TABLES = 5
"""That each service has made in its schema."""

LOGINS = """
import json, sys, psycopg
for url in json.load(sys.stdin):
    with psycopg.connect(url) as session:
        session.execute("SELECT 1")
"""


def main(words: list[str]) -> int:
    """Measures and prints; 1 where verify has found anything, or failed."""
    parser = argparse.ArgumentParser("python -m tests.bench.verify", description=__doc__)
    parser.add_argument("--sizes", type=_positive, nargs="+", default=[4, 50], help="numbers of services")
    parser.add_argument("--rounds", type=_positive, default=5, help="how often each is measured")
    asked = parser.parse_args(words)
    shown = Table("services", "what", "seconds", "by the floor", "exit")
    worst = 0
    for size in asked.sizes:
        with _project(size) as project, step(f"{size} services"):
            rows = dict(_measured(project, asked.rounds))
        floor = min(rows["the engine's answers, then a login per role"][0])
        for what, (seconds, exits) in rows.items():
            ratio = f"{min(seconds) / floor:.1f}"
            shown.add_row(str(size), what, spread(seconds, "{:.2f}"), ratio, ", ".join(map(str, sorted(exits))))
            worst |= int(exits != {0})
    console = Console(width=None if sys.stdout.isatty() else 160)
    for line in facts(under_test()):
        console.print(line, markup=False, highlight=False)
    console.print(shown)
    return worst


@contextmanager
def _project(size: int) -> Iterator[Project]:
    engine = under_test()
    with (
        tempfile.TemporaryDirectory(prefix="engarde-bench-") as folder,
        databases.template(settings=SETTINGS) as made,
        databases.copied(made) as database,
    ):
        blanks.make_blank(engine, Path(folder, "blank"), database)
        project = blanks.copied(Path(folder, "blank"), Path(folder, "project"), engine, database)
        project.declare(**neighbours(size) | {"existingSchemas": {"public": {"creators": [THE_ADMIN, BACKEND]}}})
        project.succeeds(project.up())
        for service in neighbours(size)["services"]:
            with project.connect(service) as session:
                for number in range(TABLES):
                    session.execute(f"CREATE TABLE table_{number} (id serial PRIMARY KEY, word text)".encode())
        # Reads between services are granted once their tables are there.
        project.succeeds(project.up())
        yield project


def _measured(project: Project, rounds: int) -> Iterator[tuple[str, tuple[list[float], set[int]]]]:
    given = program(project).environment
    known = project.outputs()
    urls = [*known["database_urls"].values(), known["analytics_url"]]
    engine = [project.engine.binary, "stack", "output", "--json", "--show-secrets", "--stack", STACK]
    logins = [sys.executable, "-c", LOGINS]
    for what, commands in {
        "the engine's answers, then a login per role": [(engine, ""), (logins, json.dumps(urls))],
        "verify --no-logins": [(project.tool_command("verify", "--no-logins"), "")],
        "verify": [(project.tool_command("verify"), "")],
    }.items():
        yield what, _times(project.folder, given, commands, rounds)


def _times(
    folder: Path, given: Mapping[str, str], commands: list[tuple[list[str], str]], rounds: int
) -> tuple[list[float], set[int]]:
    done = [[process.run(words, folder, given, said) for words, said in commands] for _ in range(rounds)]
    return [sum(each.seconds for each in one) for one in done], {each.exit for one in done for each in one}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
