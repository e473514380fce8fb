"""`make demo`: the four services of `examples/services` at work in stack `local`."""

import subprocess

from psycopg import sql
from rich.console import Group

from devtools.local import database, stack_file
from devtools.local.state import alone, remembered
from devtools.local.up import CommandFailed, run_program
from engarde.declaration.model import Stack
from engarde.declaration.names import ANALYTICS
from engarde.errors import Refused
from engarde.output.layout import Table, Text
from engarde.output.show import console
from engarde.pulumi_cli import stacks
from engarde.pulumi_cli.logins import access
from engarde.server.connect import connect
from engarde.util.terminal import step, tell
from launcher.paths import PROJECT

SERVICES = PROJECT / "examples/services"
EXTENSIONS = ("citext", "pg_trgm")
"""The extensions that their migrations use."""

# Seen from the service's folder, where it is run.
COMMAND = ("../../../.venv/bin/python", "-m", "alembic")
USERS = """
INSERT INTO public.users (email, name) SELECT 'user' || n || '@example.org', 'User ' || n FROM generate_series(1, 3) n
WHERE NOT EXISTS (SELECT FROM public.users)
"""
TABLES = """
SELECT nspname, relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace
WHERE nspname = ANY(%s) AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1, 2
"""


def demo() -> None:
    """Declares what is missing, brings it up, migrates, shows what analytics sees, and runs `verify`.

    :raises Refused: nothing was brought up yet, the stack has none of the services, or there is nothing to read.
    """
    admin = remembered()
    if not admin:
        raise Refused("stack local does not exist yet: run `make up` first")
    with alone():
        stack = stacks.read(PROJECT, "local")
        ours = sorted(folder.name for folder in SERVICES.iterdir() if folder.is_dir())
        names = [name for name in ours if name in {service.name for service in stack.services}]
        if not names:
            raise Refused(f"Pulumi.local.yaml has none of the services {', '.join(ours)}")
        with database.connected(admin, stack.server.database) as session:
            if database.lacks_backend(session):
                raise Refused("the demo reads public.users, but this server has no tables of a production backend")
            if admin.embedded:
                # Rows for madansara to read; on a server of the user's they are the user's own.
                session.execute(USERS)
        paths = {name: {"path": f"examples/services/{name}", "command": list(COMMAND)} for name in names}
        stack_file.declare({name: {"migrations": path} for name, path in paths.items()}, EXTENSIONS)
        with step("Bringing up what the services need"):
            run_program(())
    _tool("migrate", *names, "--jobs", "2")
    if stack.analytics:
        _show(stack)
    _tool("verify")
    _tool("doctor")
    tell("Next: bin/engarde migrate status, bin/engarde psql analytics -c '\\dt *.*' (examples/services/README.md)")


def _tool(*words: str) -> None:
    command = ["bin/engarde", *words, "--stack", "local"]
    tell(" ".join(command))
    if subprocess.run([PROJECT / command[0], *command[1:]], check=False, cwd=PROJECT).returncode:
        raise CommandFailed(f"`{' '.join(command)}` failed; see its output above")


def _show(stack: Stack) -> None:
    """Every table of the services, and how many rows analytics counts in it."""
    shown = Table(["schema", "table", "rows"], figures=[2])
    with connect(access(stack, ANALYTICS), "look") as session:
        session.execute(b"SET search_path = pg_catalog, pg_temp")
        for schema, table in session.execute(TABLES, [[service.schema_ for service in stack.services]]).fetchall():
            counted = session.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table)))
            shown.add_row(schema, table, str(*(counted.fetchone() or ())))
    console().print(Group(Text("What analytics sees", "bold"), shown))
