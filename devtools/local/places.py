"""The files of stack `local` in the project, and how to know those that we made."""

from engarde.util import bounded
from launcher.paths import PRIVATE, PROJECT

STACK_FILE = PROJECT / "Pulumi.local.yaml"
DERIVED = "Derived from Pulumi.prod.yaml by `make up`"
"""Begins a stack file of our making."""

LOCK = PRIVATE / "lock"
SERVER = PRIVATE / "server.json"
POSTGRES = PRIVATE / "postgres.json"


def is_derived() -> bool:
    """False for a stack file that somebody wrote without us."""
    return STACK_FILE.exists() and DERIVED in bounded.text(STACK_FILE).partition("\n")[0]
