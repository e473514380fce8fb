"""What came of a move."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moved:
    """What came of a command."""

    service: str
    source: str
    target: str
    dry_run: bool
    undone: bool = False
    """the service is where it was before, for it had not been moved yet"""
    returned: bool = False
    folder: str | None = None
    """the safety copy"""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
