"""The look at the result that ends `make up`."""

import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table


def table(services: Mapping[str, Mapping[str, Any]]) -> None:
    """Every service with what is its own, the command that connects as one, and the one that looks at all."""
    shown = Table("service", "schema", "role", "limit", "reads")
    for name, each in services.items():
        reads = ", ".join(each["reads"]) or "-"
        shown.add_row(name, each["schema"], each["role"], str(int(each["connectionLimit"])), reads)
    # A pipe has no width, and half a line is of no use to a script.
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(shown)
    for name in list(services)[:1]:
        console.print(f"Connect as {name}: bin/engarde psql {name}", markup=False, highlight=False)
    console.print("Prove that it is as declared, and isolated: bin/engarde verify", markup=False, highlight=False)
    console.print("See services at work in it, small ones with migrations: make demo", markup=False, highlight=False)
