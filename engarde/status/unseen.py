"""What the role that asks cannot see, and what lets it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unseen:
    """One kind of figures that are left out; they are no zeros."""

    what: str
    why: str
    heal: str
    """statements for a superuser, or lines of the stack file"""
