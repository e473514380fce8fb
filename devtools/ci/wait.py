"""Waits until no `up` is at work: a look at a stack that is half up shows what is not so."""

import sys
import time

from devtools.ci.github import call
from engarde.util.terminal import tell

UP = ".github/workflows/up.yml"
# One that waits for its approval has the status `waiting`, and is nothing to wait for: it may do so for days.
AT_WORK = "actions/runs?status=in_progress&per_page=100"

PAUSE = 20.0
PATIENCE = 1800.0
"""How long it waits (seconds)."""


def main() -> int:
    """Returns 1 where it gave up."""
    deadline = time.monotonic() + PATIENCE
    while reason := _reason_to_wait():
        if time.monotonic() > deadline:
            tell(f"error: {reason}, for {PATIENCE:.0f} s now")
            return 1
        tell(reason)
        time.sleep(PAUSE)
    return 0


def _reason_to_wait() -> str | None:
    try:
        runs = call(AT_WORK)["workflow_runs"]
    except OSError as fault:
        return f"GitHub does not say whether an `up` is at work: {fault}"
    # The path may be followed by the branch: up.yml@main.
    at_work = [run["html_url"] for run in runs if run["path"].partition("@")[0] == UP]
    return f"an `up` is at work: {at_work[0]}" if at_work else None


if __name__ == "__main__":
    sys.exit(main())
