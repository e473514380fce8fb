"""The way in of the make targets; `down` and `clean` need nothing but Python."""

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
        _run(target)
    except EngardeError as fault:
        return _report(fault, fault.exit_code)
    except KeyboardInterrupt:
        return _report("interrupted; `make up` again goes on from here", INTERRUPTED)
    except Exception as fault:
        return unforeseen(fault)
    return 0


def _run(target: str) -> None:
    # Each imports what it needs: without .venv there is no third-party package.
    if target == "up":
        from devtools.local.up import up

        up()
    elif target == "demo":
        from devtools.local.demo import demo

        demo()
    elif target == "engine":
        from devtools.local.engine import obtain

        obtain(anew=True)
    elif target == "down":
        from devtools.local.clean import down

        down()
    else:
        from devtools.local.clean import clean

        clean()


def _report(fault: object, code: int) -> int:
    tell(f"error: {fault}")
    return code


if __name__ == "__main__":
    begin_command()
    # Here 1 is no finding: it has failed, and a lost result says no more.
    sys.exit(main(sys.argv[1]) or exit_code(0))
