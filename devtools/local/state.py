"""What the state of stack `local` holds, read from its file: also without an engine, in milliseconds."""

import json
from typing import Any

from launcher.paths import STATE

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
