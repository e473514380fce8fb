"""How many bytes each relation takes: from the files where the role may see them, else one relation after another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from engarde.errors import NotAnswered
from engarde.server.session import Session
from engarde.status.rows import Bytes

TRIES = 3
"""A relation may be locked between the look at the locks and its turn."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What could be measured."""

    of: dict[int, int]
    """relation -> bytes; without those that are locked, or were rewritten meanwhile"""
    database: int | None


def parts(by_files: bool, schemas: list[str]) -> list[Callable[[Session], Sizes]]:
    """The questions that together tell the sizes of all that is stored in these schemas."""
    if by_files:
        return [partial(_by_files, schemas=schemas)]
    return [partial(_by_relations, schemas=schemas, half=half) for half in (0, 1)]


def together(found: Sequence[Sizes]) -> Sizes:
    """The answers put together; one of them has the database."""
    of = {relation: bytes_ for each in found for relation, bytes_ in each.of.items()}
    return Sizes(of, next((each.database for each in found if each.database is not None), None))


def _by_files(asked: Session, schemas: list[str]) -> Sizes:
    found = asked.rows("status_sizes_by_files", Bytes, schemas=schemas)
    return Sizes(_of(found), sum(each.bytes or 0 for each in found))


def _by_relations(asked: Session, schemas: list[str], half: int) -> Sizes:
    for _ in range(TRIES):
        try:
            found = asked.answered("status_sizes_by_relations", Bytes, schemas=schemas, half=half)
        except NotAnswered:
            continue
        return Sizes(_of(found), next((each.bytes for each in found if each.relation is None), None))
    return Sizes({}, None)


def _of(found: list[Bytes]) -> dict[int, int]:
    return {each.relation: each.bytes for each in found if each.relation is not None and each.bytes is not None}
