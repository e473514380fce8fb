"""How a rotation hands out new URLs, without knowing to whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from engarde.declaration.model import Analytics, Service

Login = Service | Analytics


@dataclass(frozen=True, slots=True)
class Deliverer:
    """What hands the new URLs of a login to where it runs; each call ends in an `EngardeError` where it cannot."""

    check: Callable[[Login], None]
    """whether it could, asked before anything is changed"""
    deliver: Callable[[Login], str | None]
    """pushes, deploys and waits for the end of it; a sentence on what was done, or None where a login goes nowhere"""


NOWHERE = Deliverer(check=lambda _: None, deliver=lambda _: None)
"""For a stack file that names no place where its services run."""
