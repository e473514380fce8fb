"""A service's role and its empty schema on a server of their own, without a stack."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from devtools import server as servers
from engarde.declaration.address import Address
from engarde.server.connect import connect
from engarde.server.credentials import Access
from tests.engine import rich_schema
from tests.engine.admins import PASSWORD

SCHEMA, ROLE = 'Sch"ema 1', 'Ro"le'
QUOTED = {"schema": '"Sch""ema 1"', "role": '"Ro""le"'}
MAKING = (
    "CREATE ROLE {role} LOGIN PASSWORD 'the role''s'",
    "CREATE SCHEMA {schema} AUTHORIZATION {role}",
    "ALTER ROLE {role} SET search_path = {schema}, public",
    *(f"CREATE EXTENSION {each}" for each in rich_schema.EXTENSIONS),
)


@contextmanager
def server(bin_dir: Path, settings: Mapping[str, str] = servers.NOT_DURABLE) -> Iterator[Access]:
    """A server with a role and its empty schema; the role's login there."""
    with tempfile.TemporaryDirectory(prefix="engarde-engine-") as made:
        folder = Path(made)
        folder.chmod(0o755)
        runnable = servers.runnable(bin_dir, folder)
        servers.initialise(runnable, folder, PASSWORD)
        running = servers.Server(runnable, folder, servers.free_port(), settings)
        try:
            running = servers.start_on_free_port(running)
            address = Address(host=servers.HOST, port=running.port)
            with connect(Access(address, "postgres", servers.ADMIN, PASSWORD), "look") as admin:
                for each in MAKING:
                    admin.execute(each.format(**QUOTED).encode())
            yield Access(address, "postgres", ROLE, "the role's")
        finally:
            servers.stop(running)
