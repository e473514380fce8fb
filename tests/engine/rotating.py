"""`bin/engarde rotate` on a test's stack, and what is in force and known beside it."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from engarde.pulumi_cli.state import PASSWORD
from engarde.server.credentials import scram_matches
from tests.engine.admins import BACKEND
from tests.engine.in_process import tool_here
from tests.engine.program import STACK_FILE, Project

JOURNAL = ".engarde/rotation.local.json"
VERIFIERS = "SELECT rolname, rolpassword FROM pg_authid WHERE rolname = ANY (%s)"

Done = subprocess.CompletedProcess[str]


def rotate(project: Project, *words: str) -> Done:
    """Runs the command; what it prints is searched for passwords at the end of the test."""
    remember(project)
    done = tool_here(project, "rotate", *words)
    project.printed += done.stdout + done.stderr
    remember(project)
    return done


def rotated(project: Project, *words: str) -> dict[str, Any]:
    """Runs the command, which has to end well; what it reports to machines."""
    done = rotate(project, *words, "--output", "json")
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["version"] == 2
    return report


def remember(project: Project) -> None:
    """Makes every password in the state one that may stand nowhere in clear."""
    project.passwords.update(password for _, password in known(project))


def known(project: Project) -> list[tuple[str, str]]:
    """Every password in the state, by resource, those on their way out included."""
    return [
        (each["urn"].split("::", 3)[3], each["outputs"]["result"])
        for each in project.in_clear()["resources"]
        if each["type"] == PASSWORD
    ]


def strangers(project: Project) -> set[str]:
    """The roles in force with a password that the state does not know."""
    passwords = [password for _, password in known(project)]
    roles = [each["outputs"]["name"] for name, each in project.resources().items() if name.endswith("-role")]
    stored = dict(project.database.rows(VERIFIERS, roles))
    return {role for role in roles if not any(scram_matches(password, stored[role] or "") for password in passwords)}


def counters(project: Project) -> dict[str, int]:
    """The state's counters by login."""
    passwords = {name: each for name, each in project.resources().items() if each["type"] == PASSWORD}
    return {
        name.removesuffix("-password"): int(each["outputs"]["keepers"]["rotation"]) for name, each in passwords.items()
    }


def by_hand(project: Project, text: str) -> None:
    """Puts these lines in place of the stack file's sections, comments included; server and secrets stay."""
    found = json.loads((project.folder / STACK_FILE).read_text())
    kept = {name: found["config"][f"engarde:{name}"] for name in ("server", "adminPassword")}
    (project.folder / STACK_FILE).write_text(
        f"# Whose database this is.\nencryptionsalt: {found['encryptionsalt']}\nconfig:\n"
        f"  engarde:server: {json.dumps(kept['server'])}\n"
        f"{text}  engarde:shutOut: [{BACKEND}]\n"
        f"  engarde:adminPassword:\n    secure: {kept['adminPassword']['secure']}\n"
    )


@contextmanager
def arguments_seen() -> Iterator[set[str]]:
    """What stands in the process list while the block runs."""
    seen: set[str] = set()
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(0.01):
            for each in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(each.read_text(errors="replace"))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        ended.set()
        looking.join()
