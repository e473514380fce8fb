"""Reads from Pulumi's own folder which stack was selected for a project."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

LEGACY = ""
"""In place of a backend's address: releases before 3.250 keep one selection for all backends."""


def file_backend(state: Path) -> str:
    """The address of a state in files.

    Without side files: if Pulumi is killed while it writes one, the file stays empty, and no state can be read.
    """
    return f"file://{state}?metadata=skip"


def selections(home: Path, name: str, project: Path) -> Mapping[str, str]:
    """Address of a backend -> the stack that `stack select` has chosen there for the project in this folder."""
    digest = hashlib.sha1(str(project / "Pulumi.yaml").encode(), usedforsecurity=False).hexdigest()
    try:
        kept = json.loads((home / f"workspaces/{name}-{digest}-workspace.json").read_text())
        return {LEGACY: str(kept.get("stack") or ""), **kept.get("stacks", {})}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
