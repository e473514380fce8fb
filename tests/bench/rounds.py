"""Every tool at every size, side by side on one machine, round after round."""

import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from devtools import server as servers
from engarde.declaration.model import Stack, Table
from engarde.pulumi_cli.stacks import read
from engarde.util.terminal import step
from launcher.engine import Engine
from tests.bench import floor as floors
from tests.bench.program import program, warm
from tests.bench.psql import psql
from tests.bench.terraform import Terraform, terraform
from tests.bench.terraform_config import configuration
from tests.bench.tool import Ends, Measured, Tool, measure
from tests.engine import blank as blanks
from tests.engine import database as databases
from tests.engine.neighbours import neighbours
from tests.engine.program import STACK, Project

SETTINGS = servers.PRELOADED
"""As production has it: durable, and no statement logged."""

TABLES = "select schemaname, tablename from pg_tables where schemaname !~ '^pg_'"


@dataclass(frozen=True, slots=True)
class Bed:
    """A stack that is declared and not brought up, on a fresh server."""

    project: Project
    stack: Stack
    floor: floors.Floor
    tables: frozenset[Table]
    verifiers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Beds:
    """Where beds come from: a stopped server and an empty stack to be copied."""

    engine: Engine
    template: servers.Server
    folder: Path

    @property
    def blank(self) -> Path:
        return self.folder / "blank"

    @contextmanager
    def bed(self, size: int) -> Iterator[Bed]:
        """A fresh server and a fresh stack of so many services."""
        with databases.copied(self.template) as database, _folder(self.folder) as own:
            project = blanks.copied(self.blank, own / "project", self.engine, database)
            project.declare(**neighbours(size))
            stack = read(project.folder, STACK)
            tables, verifiers = frozenset(database.rows(TABLES)), floors.verifiers(stack)
            yield Bed(project, stack, floors.floor(stack, tables, verifiers), tables, verifiers)


Prepared = Callable[[Bed], Tool]


def measured(sizes: Sequence[int], rounds: int, engine: Engine, rival: Terraform | None) -> Generator[Measured]:
    """Each tool at each size as soon as it is measured; the floor first, which the others are compared with.

    :raises ToolchainError: where a server or the program does not start at all.
    """
    with _beds(engine) as beds:
        with step("reading everything once, untimed"), beds.bed(1) as bed:
            warm(program(bed.project))
        for _ in range(rounds):
            for size in sizes:
                yield from _side_by_side(beds, size, rival)


def _side_by_side(beds: Beds, size: int, rival: Terraform | None) -> Generator[Measured]:
    floor: Ends | None = None
    for prepared in (_floor, _program, *_rivals(rival)):
        with beds.bed(size) as bed:
            found, ends = measure(prepared(bed), size, bed.project.database, floor)
        floor = floor or ends
        yield found


def _floor(bed: Bed) -> Tool:
    return psql(bed.project.database, bed.floor, bed.project.folder)


def _program(bed: Bed) -> Tool:
    return program(bed.project)


def _rivals(rival: Terraform | None) -> list[Prepared]:
    """Terraform at its default parallelism, and at the one where no two grants collide."""
    return [partial(_terraform, rival, parallelism) for parallelism in (None, 1)] if rival else []


def _terraform(rival: Terraform, parallelism: int | None, bed: Bed) -> Tool:
    document = configuration(bed.stack, bed.tables, {} if rival.makes_passwords else bed.verifiers)
    return terraform(rival, bed.project.folder.with_name("terraform"), document, parallelism)


@contextmanager
def _beds(engine: Engine) -> Iterator[Beds]:
    with databases.template(settings=SETTINGS) as template, _folder() as folder:
        beds = Beds(engine, template, folder)
        with step("making an empty stack"):
            blanks.make_blank(engine, beds.blank, databases.Database(template))
        yield beds


@contextmanager
def _folder(within: Path | None = None) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="engarde-bench-", dir=within))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
