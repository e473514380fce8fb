"""The embedded server of this project: made once, kept through `make down`, on one port of 127.0.0.1."""

import json
import secrets
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from devtools import server
from devtools.local import state
from devtools.local.state import Admin
from engarde.server.libpq import binaries
from engarde.util.terminal import step, tell
from launcher.paths import PRIVATE, PROJECT

RECORD = PRIVATE / "postgres.json"
INSIDE = "postgres"
OUTSIDE = Path("/var/tmp")


@dataclass(frozen=True, slots=True)
class Embedded:
    """What must be known before its folder exists."""

    folder: str
    """relative to `.engarde` or, if the server's user cannot enter that, absolute"""

    port: int
    password: str = field(repr=False)

    @property
    def path(self) -> Path:
        return PRIVATE / self.folder

    @property
    def outside(self) -> bool:
        """Whether the data lie outside the project."""
        return Path(self.folder).is_absolute()


def recorded() -> Embedded | None:
    """What is known of this project's embedded server; None before the first `make up`."""
    return Embedded(**json.loads(RECORD.read_text())) if RECORD.exists() else None


def bring_up() -> Admin:
    """Makes and starts the server, unless it exists and runs; returns its superuser's login."""
    ours = recorded()
    if not ours:
        # Recorded before anything is made, so that whatever is left behind is known.
        PRIVATE.mkdir(exist_ok=True)
        outside = OUTSIDE / f"engarde-{PROJECT.name}-{secrets.token_hex(8)}"
        folder = INSIDE if server.reachable(PRIVATE) else str(outside)
        ours = Embedded(folder, server.free_port(), secrets.token_urlsafe(24))
        _record(ours)
    if ours.outside:
        tell(f"The server's user cannot enter {PROJECT}, so its data are in {ours.path} (`make clean` removes them)")
    ours.path.mkdir(mode=0o700, exist_ok=True)
    bin_dir = server.runnable(binaries(), ours.path)
    if not (ours.path / "data").exists():
        with step("Making the data folder of PostgreSQL"):
            server.initialise(bin_dir, ours.path, ours.password)
    cluster = server.Server(bin_dir, ours.path, ours.port, server.PRELOADED)
    with nullcontext() if server.pid_of(cluster) else step("Starting PostgreSQL"):
        ours = replace(ours, port=server.start_on_free_port(cluster).port)
    _record(ours)
    tell(f"PostgreSQL serves on {server.HOST}:{ours.port}, log in {cluster.log}")
    return Admin(True, server.HOST, ours.port, server.ADMIN, ours.password)


def stop() -> bool:
    """Stops the server; False when it did not run."""
    ours = recorded()
    return bool(ours and server.stop(server.Server(Path(), ours.path, ours.port)))


def _record(known: Embedded) -> None:
    if known != recorded():
        state.write(RECORD, json.dumps(asdict(known)))
