"""What the engine knows of a stack: its outputs and its admin's password. The only engine access."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engarde.errors import Unreachable
from engarde.stackfile import PASSWORD_KEY

# Not resolved: a folder whose program is a link to another's has a stack file and an engine of its own.
FOLDER = Path(__file__).absolute().parent.parent
"""The project: stack files, `bin/pulumi`."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """The stack's secret outputs as the last run left them."""

    database_urls: Mapping[str, str]
    """service -> URL at the address that services use"""
    analytics_url: str | None
    passwords: Mapping[str, str]
    """role -> password"""


def outputs(stack: str) -> Outputs:
    """The outputs of the stack's last run.

    :raises Unreachable: no engine, no passphrase, no such stack, or nothing brought up yet.
    """
    found: dict[str, Any] = json.loads(_engine("stack", "output", "--json", "--show-secrets", "--stack", stack))
    if "passwords" not in found:
        raise Unreachable(f"stack {stack} has no outputs yet; bring it up with `bin/pulumi up --stack {stack}`")
    return Outputs(found["database_urls"], found.get("analytics_url"), found["passwords"])


def admin_password(stack: str) -> str:
    """The password of the admin's role, from the stack file by way of the engine.

    :raises Unreachable: no engine or no passphrase.
    """
    return _engine("config", "get", PASSWORD_KEY, "--stack", stack).removesuffix("\n")


def _engine(*arguments: str) -> str:
    try:
        done = subprocess.run(
            [FOLDER / "bin" / "pulumi", *arguments, "--non-interactive"],
            cwd=FOLDER,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise Unreachable(f"no engine: {error}; get one with `make up`") from None
    if done.returncode:
        said = done.stderr.strip() or "it said nothing"
        raise Unreachable(f"the engine does not answer `pulumi {' '.join(arguments)}`:\n{said}")
    return done.stdout
