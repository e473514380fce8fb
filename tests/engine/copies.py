"""Copies of a stack that is up: bringing one up takes some seconds, a copy of its server's data and its state none."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from devtools.server import Server
from launcher.engine import Engine
from tests.engine import blank as blanks
from tests.engine import database as databases
from tests.engine import program
from tests.engine import state as states
from tests.engine.admins import Admin
from tests.engine.leaks import assert_none
from tests.engine.program import STACK_FILE, Project


@dataclass(frozen=True, slots=True)
class Original:
    """A stack as it was left, with its server stopped: nothing runs in it, and nothing is changed any more."""

    server: Server
    folder: Path
    passwords: frozenset[str]


def brought_up(project: Project) -> None:
    """Does no more than that."""
    project.succeeds(project.up())


@contextmanager
def original(project: Project, folder: Path) -> Iterator[Original]:
    """What copies of a stack are made from for as long as the block lasts; the folder is not there yet."""
    project.outputs()
    assert_none(project)
    shutil.copytree(project.folder, folder, symlinks=True)
    with databases.kept(project.database.server) as server:
        yield Original(server, folder, frozenset(project.passwords))


@contextmanager
def copied(original: Original, folder: Path, engine: Engine, admin: Admin) -> Iterator[Project]:
    """A running copy, which is as far as anybody can tell the stack itself at another port."""
    with databases.copied(original.server, admin) as database:
        project = blanks.copied(original.folder, folder, engine, database)
        project.passwords.update(original.passwords)
        ports = original.server.port, database.server.port
        file = project.folder / STACK_FILE
        document = json.loads(file.read_text())
        document["config"]["engarde:server"]["port"] = ports[1]
        file.write_text(json.dumps(document, indent=2))
        state = json.loads(project.state_file.read_text())
        project.state_file.write_text(json.dumps(states.at_another_port(state, program.PASSPHRASE, *ports)))
        yield project
        assert_none(project)
