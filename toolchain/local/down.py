"""`make down`: the server stops, its data stay."""

from toolchain.local import embedded
from toolchain.local.locks import alone
from toolchain.paths import PRIVATE
from toolchain.progress import say


def down() -> None:
    """Stops the embedded server."""
    stopped = False
    if PRIVATE.exists():
        with alone():
            stopped = embedded.stop()
    say("PostgreSQL stopped; `make up` starts it again" if stopped else "PostgreSQL is not running")
