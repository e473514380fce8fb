"""What earlier runs have left: the server that stack `local` is on, and its state, also read without an engine."""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from devtools.local import files
from launcher.paths import PRIVATE, STATE

FILE = STATE / ".pulumi/stacks/engarde/local.json"
ROLE = "postgresql:index/role:Role"
ON_SERVER = "postgresql:"


def exists() -> bool:
    """Whether the stack has been initialised."""
    return FILE.exists()


def resources() -> list[dict[str, Any]]:
    """Every resource whose operation came to its end."""
    return list(_latest().get("resources") or [])


def pending() -> list[dict[str, Any]]:
    """Every resource whose operation a killed run has left open."""
    return [operation["resource"] for operation in _latest().get("pending_operations") or []]


def holds_resources() -> bool:
    """Whether anything on the server is known to the state, or was about to be."""
    return any(resource["type"].startswith(ON_SERVER) for resource in resources() + pending())


def roles() -> set[str]:
    """The roles that the state knows."""
    return {resource["id"] for resource in resources() if resource["type"] == ROLE}


def pending_roles() -> set[str]:
    """The roles that a killed run was about to make or to change."""
    return {resource["inputs"]["name"] for resource in pending() if resource["type"] == ROLE}


def _latest() -> dict[str, Any]:
    if not FILE.exists():
        return {}
    return dict(json.loads(FILE.read_text())["checkpoint"].get("latest") or {})


RECORD = PRIVATE / "server.json"


@dataclass(frozen=True, slots=True)
class Admin:
    """An address and a login."""

    embedded: bool
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str | None = None
    """None for the one that the stack file names"""

    sslmode: str | None = None
    superuser: bool = True

    def __str__(self) -> str:
        """Which server it is; ours stays the same one on another port."""
        return "the embedded server" if self.embedded else f"{self.host}:{self.port}/{self.database}"


def remembered() -> Admin | None:
    """What the stack file was last written for."""
    return Admin(**json.loads(RECORD.read_text())) if RECORD.exists() else None


def remember(admin: Admin) -> None:
    files.write(RECORD, json.dumps(asdict(admin)))
