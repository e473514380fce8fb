"""Who runs a PostgreSQL server of ours, and what that user can reach and run."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import TypedDict

from engarde.errors import EngardeError


class ServerError(EngardeError):
    """A server of ours could not be made, started or stopped; the message holds what it said."""

    exit_code = 1


class RunAs(TypedDict, total=False):
    """Arguments of `subprocess` that make a child run as another user."""

    user: int
    group: int
    extra_groups: list[int]
    cwd: str


def server_user() -> RunAs:
    """Who runs the server: ourselves or, because PostgreSQL refuses root, `nobody`."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}


def reachable(folder: Path) -> bool:
    """True where the server's user can enter a folder."""
    return subprocess.run(["test", "-x", str(folder)], check=False, **server_user()).returncode == 0


def give_to_server_user(path: Path) -> None:
    """Changes the owner of something we made, and of all that is in it."""
    if user := server_user():
        for each in [path, *path.rglob("*")]:
            os.chown(each, user["user"], user["group"], follow_symlinks=False)


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


def run(command: list[str]) -> None:
    """Runs one of PostgreSQL's tools as the server's user.

    :raises ServerError: with what the tool said, when it fails.
    """
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment(), **server_user())
    if done.returncode:
        raise ServerError(f"{Path(command[0]).name} failed: {done.stderr.strip()}")


def environment() -> dict[str, str]:
    """Ours without what PostgreSQL would read (PGDATA, PGPORT, PGOPTIONS), and with messages in English."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}
