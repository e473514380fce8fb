"""A stack of any number of services that meet on shared access lists."""

from typing import Any


def neighbours(count: int) -> dict[str, Any]:
    """The sections of a stack whose services all read one table, and each a table of its neighbour's."""
    names = [f"s{number:02}" for number in range(count)]
    reads = {
        # One service alone would be its own neighbour, and its own schema needs no read.
        name: ["public.users"] + [f"{neighbour}.shared"] * (neighbour != name)
        for name, neighbour in zip(names, names[1:] + names[:1], strict=True)
    }
    return {
        "services": {name: {"connectionLimit": 1, "reads": reads[name]} for name in names},
        "existingSchemas": {"public": None},
        "analytics": {},
    }
