"""`make down` stops the server and keeps its data; `make clean` removes all that the make targets made."""

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

from devtools.local import embedded, state
from devtools.local.state import STACK_FILE, alone, is_derived, remembered
from devtools.local.venv import VENV, is_ours
from engarde.errors import Refused
from engarde.util.terminal import tell
from launcher.paths import PRIVATE, PROJECT, cache

CACHES = (".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", "__pycache__")
PACKAGES = ("components", "devtools", "engarde", "examples", "launcher", "tests")


def down() -> None:
    """Stops the embedded server."""
    stopped = False
    if PRIVATE.exists():
        with alone():
            stopped = embedded.stop()
    tell("PostgreSQL stopped; `make up` starts it again" if stopped else "PostgreSQL is not running")


def clean() -> None:
    """Removes what the make targets made in the project, the server's data too.

    :raises Refused: while the state holds resources on a server of the user's.
    """
    with alone() if PRIVATE.exists() else nullcontext():
        server = remembered()
        if server and not server.embedded and state.holds_resources():
            raise Refused(
                f"the state still has resources on your server {server}. Nothing was removed."
                " Run `bin/pulumi destroy --stack local` first"
            )
        if embedded.stop():
            tell("PostgreSQL stopped")
        for path in _made():
            if state.remove(path) and path.name not in CACHES:
                tell(f"Removed {path}")
    if cache().exists():
        tell(f"Kept {cache()}, which all your clones use")


def _made() -> Iterator[Path]:
    """The folder of this run's own lock comes last."""
    known = embedded.recorded()
    if known and known.outside:
        yield known.path
    if is_derived():
        yield STACK_FILE
    yield from (PROJECT / name for name in CACHES)
    for package in PACKAGES:
        yield from list((PROJECT / package).rglob("__pycache__"))
    if is_ours(VENV):
        yield VENV
    yield PRIVATE
