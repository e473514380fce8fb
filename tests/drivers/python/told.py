"""What every program here has in common: URLs come in, what each login finds goes out."""

import json
import os
import sys
from collections.abc import Callable

QUERY = os.environ["QUERY"]
ROUNDS = range(int(os.environ["ROUNDS"]))
"""How often a session asks: often enough for the drivers that prepare a statement only once it has proved popular."""

POOLED = "POOLED" in os.environ
"""Whether the program is to be set up for a transaction pooler."""


def tell(login: Callable[[str], str]) -> None:
    """Answers each line of stdin, a URL, by a line that holds what the login has found or why there was none."""
    for line in sys.stdin:
        try:
            told = {"found": json.loads(login(line.strip()))}
        except Exception as fault:
            told = {"refused": f"{type(fault).__name__}: {fault}"}
        sys.stdout.write(json.dumps(told) + "\n")
