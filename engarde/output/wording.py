"""Amounts as people read them."""

from collections.abc import Iterable, Sequence

from engarde.declaration.declared import UNITS


def first_few(items: Sequence[str], most: int, between: str = ", ", last: str = " and ") -> str:
    """The first of many, and how many more there are: `a, b and 3 more`."""
    more = len(items) - most
    return between.join(items[:most]) + (f"{last}{more} more" if more > 0 else "")


def indented(items: Iterable[object]) -> str:
    """Each on a line of its own, for a message whose first line says what they are."""
    return "\n".join(f"  {item}" for item in items)


def of_bytes(number: int | None) -> str:
    """`12.3 GB`, in PostgreSQL's units."""
    if number is None:
        return "-"
    unit = next((name for name in reversed(UNITS) if number >= UNITS[name]), "B")
    return f"{number} B" if unit == "B" else f"{number / UNITS[unit]:.1f} {unit}"
