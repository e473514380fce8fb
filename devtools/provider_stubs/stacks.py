"""Which stacks a stand-in serves."""

import os

STACK = "local"
ALLOWED = "ENGARDE_ALLOW_STAND_INS"


def refusal(urn: str) -> str:
    """Why a resource is not served; empty where it is, or where there is none."""
    stack = urn.split("::")[0].rpartition(":")[2]
    if stack in ("", STACK) or os.environ.get(ALLOWED) == "1":
        return ""
    return (
        f"stand-in plugins serve the stack {STACK} only, this is {stack}: run it where the official plugins"
        f" can be had, or set {ALLOWED}=1 if you know that no production hangs on it"
    )
