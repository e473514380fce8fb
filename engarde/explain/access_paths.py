"""The ways in which a role has a privilege, or may grant it to itself: its holder, the reason, the memberships."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from engarde.checks.closure import DATABASE_OWNER, LIMIT, Chain
from engarde.declaration.names import PUBLIC
from engarde.explain.facts import OWNER, Entry, Facts, Thing

Why = Literal["superuser", "owner", "grant", "predefined"]

_PREDEFINED = {
    ("relation", "SELECT"): ("pg_read_all_data",),
    ("relation", "INSERT"): ("pg_write_all_data",),
    ("relation", "UPDATE"): ("pg_write_all_data",),
    ("relation", "DELETE"): ("pg_write_all_data",),
    ("relation", "MAINTAIN"): ("pg_maintain",),
    ("schema", "USAGE"): ("pg_read_all_data", "pg_write_all_data"),
}
"""Privileges that predefined roles have on everything, without an access list."""
GUARDED = frozenset({"INSERT", "UPDATE", "DELETE", "TRUNCATE", "USAGE"})
"""Privileges on the server's own catalogs that only superusers have, whatever the access lists say."""


@dataclass(frozen=True, slots=True)
class Source:
    """A role that has a privilege by itself, and why."""

    holder: str
    """a role, or `public` for PUBLIC"""
    why: Why
    grantor: str | None = None
    """of an explicit grant"""
    columns: tuple[str, ...] = ()
    """if it is on these columns only"""


@dataclass(frozen=True, slots=True)
class Granted:
    """A membership that a role may grant to itself."""

    role: str
    by: Literal["ADMIN option", "CREATEROLE"]
    actor: str
    """the role that may grant it: itself, or one whose privileges it has or that it may act as"""
    set_role: str | None
    """the role to act as for that"""


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a role has a privilege."""

    role: str
    source: Source
    chain: Chain = ()
    set_role: str | None = None
    """the role to act as first"""
    granted: tuple[Granted, ...] = ()
    """the memberships to grant itself first"""

    @property
    def at_once(self) -> bool:
        """Whether it needs no SET ROLE and no grant."""
        return self.set_role is None and not self.granted


def sources(facts: Facts, thing: Thing, right: str) -> list[Source]:
    """All roles that have a privilege by themselves, superusers last."""
    superusers = [Source(role.name, "superuser") for role in facts.roles.values() if role.superuser]
    if right == OWNER:
        return [Source(thing.owner, "owner"), *superusers]
    if thing.guarded and right in GUARDED:
        return superusers
    predefined = [
        Source(name, "predefined") for name in _PREDEFINED.get((thing.group, right), ()) if name in facts.roles
    ]
    return [*_granted(thing, right, facts.entries.get(thing.key, ())), *predefined, *superusers]


def _granted(thing: Thing, right: str, entries: tuple[Entry, ...]) -> list[Source]:
    found: list[Source] = []
    on_columns: dict[Source, tuple[str, ...]] = {}
    for entry in entries:
        if entry.right != right:
            continue
        source = Source(entry.grantee, "grant", None if entry.builtin else entry.grantor)
        if entry.column is not None:
            on_columns[source] = (*on_columns.get(source, ()), entry.column)
        else:
            found.append(Source(entry.grantee, "owner") if entry.grantee == thing.owner else source)
    return found + [replace(source, columns=columns) for source, columns in on_columns.items()]


def ways(facts: Facts, role: str, thing: Thing, right: str) -> list[Way]:
    """Every way in which a role has a privilege, at once or after SET ROLE; those at once come first."""
    found = [way for source in sources(facts, thing, right) for way in leading(facts, role, source)]
    return sorted(
        found, key=lambda way: (not way.at_once, bool(way.source.columns), len(way.chain), way.source.holder == PUBLIC)
    )


def leading(facts: Facts, role: str, source: Source) -> Iterator[Way]:
    """The ways from one source to a role; only some, if there are very many."""
    if source.holder == PUBLIC or source.holder == role:
        yield Way(role, source)
    elif source.why == "superuser":
        # An attribute: no membership inherits it, but a role has it after SET ROLE.
        for chain in islice(facts.members.switches(role, source.holder), LIMIT):
            yield Way(role, source, chain, source.holder)
    else:
        for chain in facts.members.at_once(role, source.holder):
            yield Way(role, source, chain)
        for other, chain in islice(facts.members.after_set_role(role, source.holder), LIMIT):
            yield Way(role, source, chain, other)


@dataclass(frozen=True, slots=True)
class Held:
    """How much of a privilege a role has at once."""

    whole: bool
    columns: frozenset[str]

    def __bool__(self) -> bool:
        return self.whole or bool(self.columns)


def held(facts: Facts, role: str, thing: Thing, right: str) -> Held:
    """Whether a role has a privilege at once, or on which columns."""
    inherited = facts.members.inherited(role) | {PUBLIC}
    having = [
        source
        for source in sources(facts, thing, right)
        if (source.holder == role if source.why == "superuser" else source.holder in inherited)
    ]
    return Held(
        any(not source.columns for source in having),
        frozenset(column for source in having for column in source.columns),
    )


def identities(facts: Facts, role: str) -> tuple[str, ...]:
    """The roles that a role may act as: itself, then others by SET ROLE."""
    return (role, *facts.members.acting(role))


Trail = tuple[Granted, ...]


def ways_by_granting_itself(facts: Facts, role: str, thing: Thing, right: str) -> list[Way]:
    """For each source of the privilege, the shortest way in which the role first grants itself a membership."""
    if role == PUBLIC:
        return []
    gained = _with_createrole(facts, role) if facts.major < 16 else _with_admin_option(facts, role)
    found = []
    for source in (source for source in sources(facts, thing, right) if source.holder != PUBLIC):
        led = [
            replace(way, role=role, granted=trail)
            for other, trail in gained.items()
            for way in leading(facts, other, source)
        ]
        found += sorted(led, key=lambda way: (len(way.granted), len(way.chain)))[:1]
    return found


def _with_admin_option(facts: Facts, role: str) -> dict[str, Trail]:
    """The roles that a role can make itself a direct member of, and the grants for each, in order."""
    found: dict[str, Trail] = {role: ()}
    waiting = [role]
    for start in waiting:
        for granted in _grantable(facts, start):
            if granted.role not in found:
                found[granted.role] = (*found[start], granted)
                waiting.append(granted.role)
    del found[role]
    return found


def _grantable(facts: Facts, start: str) -> Iterator[Granted]:
    actors: dict[str, str | None] = {}
    for identity in identities(facts, start):
        for inherited in facts.members.inherited(identity):
            actors.setdefault(inherited, None if identity == start else identity)
    for step in facts.members.steps:
        if step.admin and step.member in actors:
            yield Granted(step.role, "ADMIN option", step.member, actors[step.member])


def _with_createrole(facts: Facts, role: str) -> dict[str, Trail]:
    """The same with CREATEROLE; before 16, the ADMIN option adds nothing to SET ROLE."""
    # An attribute is not inherited: only the role that has it can use it, or a role that acts as it.
    makers = {other.name for other in facts.roles.values() if other.createrole}
    actor = next((identity for identity in identities(facts, role) if identity in makers), None)
    if actor is None:
        return {}
    set_role = None if actor == role else actor
    return {
        other.name: (Granted(other.name, "CREATEROLE", actor, set_role),)
        for other in facts.roles.values()
        # A membership in one's own member would be a circle; only superusers grant a superuser's role.
        if not other.superuser and other.name != DATABASE_OWNER and role not in identities(facts, other.name)
    }
