"""Runs the make targets; `down` and `clean` need nothing but Python."""

import os
import sys

from engarde.errors import INTERRUPTED, EngardeError
from engarde.util.processes import unforeseen
from engarde.util.terminal import begin_command, exit_code, tell

# They lead libpq, the server and the engine elsewhere; only where the user's engine lives is the user's to say.
MISLEADING = ("PG", "PULUMI_")
KEPT = {"PGBIN", "PULUMI_HOME"}


def main(target: str) -> int:
    for name in list(os.environ):
        if name.startswith(MISLEADING) and name not in KEPT:
            del os.environ[name]
    try:
        # Each imports what it needs: without .venv there is no third-party package.
        match target:
            case "up":
                from devtools.local.up import up as run
            case "demo":
                from devtools.local.demo import demo as run
            case "engine":
                from devtools.local.up import obtain_anew as run
            case "down":
                from devtools.local.clean import down as run
            case _:
                from devtools.local.clean import clean as run
        run()
    except EngardeError as fault:
        tell(f"error: {fault}")
        return fault.exit_code
    except KeyboardInterrupt:
        tell("error: interrupted; run `make up` again to resume")
        return INTERRUPTED
    except Exception as fault:
        return unforeseen(fault)
    return 0


if __name__ == "__main__":
    begin_command()
    # Here 1 is no finding: it has failed, and a lost result says no more.
    sys.exit(main(sys.argv[1]) or exit_code(0))
