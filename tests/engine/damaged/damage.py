"""One thing that goes wrong with isolation, and what verify has to call it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Damage:
    """What a superuser does by hand, and the finding that has to name it."""

    check: str
    subject: str
    by_hand: tuple[str, ...]
    undo: tuple[str, ...] = ()
    """what the healed database still has of it"""
    since: int = 13
    """the first major in which it can be done"""
    rounds: int = 1
    """how often one has to do what is printed: what is made anew may lack something that could not be missed before"""


def damage(
    check: str, subject: str, *by_hand: str, undo: tuple[str, ...] = (), since: int = 13, rounds: int = 1
) -> Damage:
    return Damage(check, subject, by_hand, undo, since, rounds)
