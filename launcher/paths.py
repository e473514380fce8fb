"""Where the launcher keeps things: in the project, and once per user."""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PRIVATE = PROJECT / ".engarde"
"""Everything that the make targets make inside the project, apart from `.venv` and `Pulumi.local.yaml`."""

STATE = PRIVATE / "state"
PASSPHRASE = PRIVATE / "passphrase"
STAND_INS_HOME = PRIVATE / "pulumi-home"
"""The PULUMI_HOME that may hold stand-ins for the vendor's plugins: one of ours, which never serves other projects."""

GO_MODULE = PROJECT / "launcher/gomodule"


def cache() -> Path:
    """The folder that all clones of one user share."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "engarde"


def pulumi_home() -> Path:
    """The engine's folder as the user has it, also below a run of ours that led its children elsewhere."""
    given = Path(os.environ.get("PULUMI_HOME", ""))
    ours = given.parts[-2:] == STAND_INS_HOME.parts[-2:]
    return Path.home() / ".pulumi" if ours or not given.parts else given
