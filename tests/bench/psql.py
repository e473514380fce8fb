"""The floor under the clock: psql and one script in one transaction."""

from pathlib import Path

from devtools import server as servers
from devtools.server import environment
from engarde.server.libpq import binaries
from tests.bench.floor import Floor
from tests.bench.tool import Command, Phase, Tool
from tests.engine.admins import PASSWORD
from tests.engine.database import NAME, Database

NAMED = "psql floor"


def psql(database: Database, floor: Floor, folder: Path) -> Tool:
    """The floor's scripts on a server; there is nothing to preview."""
    words = (
        str(binaries() / "psql"),
        *("-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=terse"),
        *("-h", servers.HOST, "-p", str(database.server.port), "-U", servers.ADMIN, "-d", NAME, "-f", "-"),
    )
    commands = {Phase.UP: Command(words, floor.make), Phase.DESTROY: Command(words, floor.drop)}
    return Tool(NAMED, folder, environment() | {"PGPASSWORD": PASSWORD}, commands, lambda: floor.things)
