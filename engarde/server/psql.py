"""Opens psql as a role of the stack."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from typing import NoReturn

from engarde.errors import Unreachable
from engarde.server.binaries import embedded
from engarde.server.credentials import Access


def psql(login: Access, arguments: Sequence[str]) -> NoReturn:
    """Becomes psql, with the credentials in its environment and the arguments as given.

    :raises Unreachable: there is no psql on this machine.
    """
    program = _program()
    # It looks for its own files from where it is called, and a wheel's is on no PATH.
    os.execve(program, [program, *arguments], login.environment(os.environ))


def _program() -> str:
    found = shutil.which("psql")
    if found:
        return found
    try:
        return str(embedded() / "psql")
    except FileNotFoundError:
        raise Unreachable("no psql on PATH; install PostgreSQL's client, or requirements-dev.txt") from None
