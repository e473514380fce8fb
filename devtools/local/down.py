"""`make down`: the server stops, its data stay."""

from devtools.local import embedded
from devtools.local.locks import alone
from engarde.util.progress import say
from launcher.paths import PRIVATE


def down() -> None:
    """Stops the embedded server."""
    stopped = False
    if PRIVATE.exists():
        with alone():
            stopped = embedded.stop()
    say("PostgreSQL stopped; `make up` starts it again" if stopped else "PostgreSQL is not running")
