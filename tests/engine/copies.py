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


FACTS = """
    SELECT 'role', rolname::text, to_jsonb(r)::text FROM pg_authid r
    UNION ALL SELECT 'membership', concat_ws(' in ', member::regrole, roleid::regrole), to_jsonb(m)::text
      FROM pg_auth_members m
    UNION ALL SELECT 'setting', concat_ws(' in ', setrole::regrole, setdatabase), setconfig::text
      FROM pg_db_role_setting
    UNION ALL SELECT 'database', datname::text, (to_jsonb(d) - '{datfrozenxid,datminmxid}'::text[])::text
      FROM pg_database d
    UNION ALL SELECT 'schema', nspname::text, to_jsonb(n)::text FROM pg_namespace n
      WHERE nspname !~ '^pg_(toast_)?temp_'
    UNION ALL SELECT 'relation', c.oid::regclass::text, concat_ws(' ', relkind, relowner::regrole, relacl)
      FROM pg_class c WHERE relnamespace::regnamespace::text !~ '^pg_(toast|temp)'
    UNION ALL SELECT 'column', concat_ws('.', attrelid::regclass, attname), attacl::text FROM pg_attribute
      WHERE attacl IS NOT NULL
    UNION ALL SELECT 'function', p.oid::regprocedure::text, concat_ws(' ', proowner::regrole, proacl, md5(prosrc))
      FROM pg_proc p
    UNION ALL SELECT 'default', concat_ws(' ', defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype),
      defaclacl::text FROM pg_default_acl
    UNION ALL SELECT 'extension', extname::text, to_jsonb(e)::text FROM pg_extension e
"""
"""Of a database and its server: whatever a test of somebody else's could stumble upon, rows aside."""


def brought_up(project: Project) -> None:
    """Does no more than that."""
    project.succeeds(project.up())


@contextmanager
def untouched(project: Project) -> Iterator[Project]:
    """A stack that many tests look at: none of them may leave it otherwise than it was."""
    before = _facts(project)
    yield project
    changed = _facts(project) ^ before
    assert not changed, f"a test has changed what others look at, too: {sorted(changed)}"


def _facts(project: Project) -> set[tuple[str, ...]]:
    # A refresh writes them anew, whatever it finds.
    resources = {("resource", name) for name in project.resources()}
    return {*project.database.rows(FACTS), *resources, (STACK_FILE, (project.folder / STACK_FILE).read_text())}


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
