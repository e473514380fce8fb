"""Derives the whole explanation from plain values, and compares it with what the server says itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import PUBLIC
from engarde.explain import declared
from engarde.explain.access_paths import Way, ways
from engarde.explain.facts import CONNECT, OF_COLUMNS, OWNER, USAGE, Facts, Thing, rights_on
from engarde.explain.indirect import Base, Through, bases, leaks
from engarde.explain.lines import Line, line, remarks
from engarde.explain.rows import Rows, rows


@dataclass(frozen=True, slots=True)
class Passage:
    """Something else that leads to the object, why the role may use it, and whether that is declared."""

    through: Through
    ways: tuple[Way, ...]
    declared: str
    undeclared: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one role can, or cannot, do what it can to one object."""

    role: str
    target: Thing
    lines: tuple[Line, ...]
    """what it takes to get at the object, then the rights on it"""
    passages: tuple[Passage, ...]
    bases: tuple[Base, ...]
    rows: Rows | None
    notes: tuple[str, ...]
    disagreements: tuple[str, ...]
    """where the server says something else than this explanation"""

    @property
    def as_declared(self) -> bool:
        """Whether the role can do nothing that is not declared, and everything that it can do is explained."""
        undeclared = [answer.undeclared for answer in self.lines] + [passage.undeclared for passage in self.passages]
        return not self.disagreements and not any(undeclared)


def explanation(facts: Facts, stack: DatabaseStack, role: str) -> Explanation:
    """Everything that there is to say of a role and the object."""
    target = facts.target
    lines = [line(facts, stack, role, thing, right) for thing, right in _requirements(facts, role)]
    for right in (*rights_on(target, facts.major), OWNER):
        answer = line(facts, stack, role, target, right)
        lines.append(replace(answer, remarks=tuple(remarks(facts, role, answer))))
    passages = tuple(_passage(facts, stack, role, through) for through in leaks(facts, role))
    disagreements = tuple(_disagreements(facts, lines))
    return Explanation(
        role,
        target,
        tuple(lines),
        passages,
        bases(facts, role),
        rows(facts, role),
        tuple(_notes(facts, stack, role)),
        disagreements,
    )


def _requirements(facts: Facts, role: str) -> Iterator[tuple[Thing, str]]:
    """What it takes to get at the object at all; PUBLIC is no one who could connect."""
    if role != PUBLIC and facts.target.group != "database":
        yield facts.database, CONNECT
    if schema := facts.schema_of(facts.target):
        yield schema, USAGE


def _passage(facts: Facts, stack: DatabaseStack, role: str, through: Through) -> Passage:
    using = {right: ways(facts, role, through.thing, right) for right in through.needed}
    by = [declared.covered(stack, role, through.thing, right, found) for right, found in using.items()]
    undeclared = declared.judged(stack, role) and None in by
    said = "not declared" if undeclared else ", ".join(dict.fromkeys(reason for reason in by if reason))
    shown = tuple(dict.fromkeys(way for found in using.values() for way in found))
    return Passage(through, shown, said if declared.judged(stack, role) else "", undeclared)


def _notes(facts: Facts, stack: DatabaseStack, role: str) -> Iterator[str]:
    if limit := declared.limit(stack, role, facts.target):
        yield limit
    known = facts.roles.get(role)
    if known is None:
        return
    if not known.login:
        yield "it cannot log in (NOLOGIN): only roles that are in it can do what it can"
    if known.expired:
        yield "its password is no longer valid (VALID UNTIL)"
    if known.connection_limit == 0:
        yield "it may have no connections (CONNECTION LIMIT 0)"
    if known.createrole and not known.superuser and facts.major < 16:
        yield "CREATEROLE, before PostgreSQL 16: it may give any role but superusers a new password and log in as it"


def _disagreements(facts: Facts, lines: Sequence[Line]) -> Iterator[str]:
    said = {(answer.on, answer.right, answer.column): answer.held for answer in facts.answers}
    for compared in lines:
        asked: list[tuple[str | None, bool]] = [(None, compared.state == "yes")]
        if compared.on == "object" and facts.columns and compared.right in OF_COLUMNS:
            asked += [(column, compared.state == "yes" or column in compared.columns) for column in facts.columns]
        for column, derived in asked:
            if said.get((compared.on, compared.right, column)) != derived:
                where = f"{compared.thing.called}, column {column}" if column else compared.thing.called
                yield (
                    f"{compared.right} on {where}: the server itself says {'no' if derived else 'yes'},"
                    " so what stands here of it is wrong"
                )
