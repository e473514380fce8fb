"""Runs a driver's program on exported URLs, and keeps those out of every report."""

import json
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field

from devtools.server import environment
from launcher.paths import PROJECT
from tests.drivers.runtimes import NOWHERE
from tests.drivers.table import Driver

QUERY = """SELECT json_build_object(
    'role', current_user,
    'schemas', current_schemas(false),
    'marker', (SELECT word FROM marker),
    'encrypted', (SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()))::text"""

ROUNDS = 7
"""More than the 5 after which psycopg and pgjdbc prepare a statement on the server."""

LIMIT = 60
"""Of one program (seconds)."""

PASSWORD = re.compile(r"\b[A-Za-z0-9]{32}\b")


@dataclass(frozen=True, slots=True)
class Url:
    """An exported URL, which no failing test shows."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Found:
    """What a login sees of itself."""

    role: str
    schemas: tuple[str, ...]
    marker: str
    """the row of the table that exists under the same name in every schema"""

    encrypted: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """Why there was no login, in the driver's words."""

    why: str


def answers(driver: Driver, urls: Sequence[Url], *, pooled: bool = False) -> list[Found | Refused]:
    """What one run of the driver's program says of each URL; none of them is in an argument."""
    given = {"HOME": NOWHERE, "LC_ALL": "C.UTF-8", "QUERY": QUERY, "ROUNDS": str(ROUNDS)}
    try:
        done = subprocess.run(
            driver.runtime.command(driver.program),
            input="".join(f"{url.text}\n" for url in urls),
            env=environment() | given | ({"POOLED": "yes"} if pooled else {}),
            cwd=PROJECT,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
    except subprocess.TimeoutExpired:
        raise AssertionError(f"{driver.name} did not answer within {LIMIT} s") from None
    assert done.returncode == 0, _hidden(done.stderr)
    told = [_answer(line) for line in done.stdout.splitlines()]
    assert len(told) == len(urls), _hidden(done.stdout)
    return told


def _answer(line: str) -> Found | Refused:
    told = json.loads(line)
    if "found" not in told:
        return Refused(_hidden(told["refused"]))
    found = told["found"]
    return Found(found["role"], tuple(found["schemas"]), found["marker"], found["encrypted"])


def _hidden(text: str) -> str:
    """A driver's words without the passwords that some drivers put into their messages."""
    return PASSWORD.sub("***", text)
