"""Memberships, and the chains through which a role has, or can get, another role's privileges."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from engarde.declaration.model import DatabaseStack
from engarde.server.catalog import Catalog, Membership, Role

LIMIT = 8
"""Chains shown from one role to another; more of them say nothing new."""
DATABASE_OWNER = "pg_database_owner"


@dataclass(frozen=True, slots=True)
class Step:
    """From a member to a role that it is in."""

    member: str
    role: str
    inherits: bool
    """the member has all that the role has"""
    may_set: bool
    """the member may act as the role"""
    admin: bool
    """the member may grant the role to others, and to itself"""
    implied: bool = False
    """the database's owner, in pg_database_owner: nobody granted it"""


Chain = tuple[Step, ...]
Follow = Mapping[str, tuple[Step, ...]]


@dataclass(frozen=True, slots=True)
class Members:
    """The server's roles and every step between them."""

    roles: dict[str, Role]
    steps: tuple[Step, ...]
    inheriting: Follow = field(repr=False, compare=False)
    """member -> the steps through which it inherits a role's privileges"""
    setting: Follow = field(repr=False, compare=False)
    """member -> the steps through which it may act as a role"""
    using: Follow = field(repr=False, compare=False)
    """member -> both; without the memberships of a role's creator, which only let it grant the role"""
    granted: Follow = field(repr=False, compare=False)
    """member -> all steps that somebody granted"""

    def inherited(self, role: str) -> frozenset[str]:
        """The roles whose privileges a role inherits, itself included."""
        return frozenset(_reached(self.inheriting, role))

    def acting(self, role: str) -> tuple[str, ...]:
        """The roles that a role may act as after SET ROLE, nearest first, without itself."""
        return tuple(name for name in _reached(self.setting, role) if name != role)

    def acts_as(self, role: str) -> frozenset[str]:
        """The role and all roles whose privileges it can use, inherited or by SET ROLE, through any number of steps."""
        return frozenset(_reached(self.using, role))

    def shortest(self, role: str, ends: Container[str]) -> Chain:
        """The shortest chain of memberships to one of these roles; empty if there is none."""
        chains: list[Chain] = [()]
        seen: set[str] = set()
        for chain in chains:
            last = chain[-1].role if chain else role
            if chain and last in ends:
                return chain
            if last not in seen:
                seen.add(last)
                chains += [(*chain, step) for step in self.granted.get(last, ())]
        return ()

    def at_once(self, role: str, holder: str) -> Iterator[Chain]:
        """The chains through which a role inherits what the holder has."""
        return _chains(self.inheriting, role, holder)

    def after_set_role(self, role: str, holder: str) -> Iterator[tuple[str, Chain]]:
        """The chains that need a SET ROLE: the role to switch to, and the whole chain."""
        reachable = _reached(self.setting, role)
        leading = _reached(_reversed(self.inheriting), holder)
        for last in self.steps:
            # The role to switch to is behind the last step that does not inherit: all further steps do.
            if last.may_set and not last.inherits and last.member in reachable and last.role in leading:
                for before in _chains(self.setting, role, last.member):
                    for after in self.at_once(last.role, holder):
                        yield last.role, (*before, last, *after)

    def switches(self, role: str, other: str) -> Iterator[Chain]:
        """The chains through which a role may act as another."""
        return _chains(self.setting, role, other)


def members(
    roles: dict[str, Role], memberships: Iterable[Membership], database_owner: str | None, major: int
) -> Members:
    """The steps between roles; several grants of one membership count as one with the options of all of them."""
    found: dict[tuple[str, str], Step] = {}
    for membership in memberships:
        before = found.get((membership.member, membership.role))
        found[membership.member, membership.role] = Step(
            membership.member,
            membership.role,
            membership.inherit or bool(before and before.inherits),
            membership.may_set or bool(before and before.may_set),
            membership.admin or bool(before and before.admin),
        )
    if database_owner is not None and database_owner in roles and DATABASE_OWNER in roles:
        # From 16 on the owner's own NOINHERIT no longer matters here.
        inherits = major >= 16 or roles[database_owner].inherit
        found[database_owner, DATABASE_OWNER] = Step(database_owner, DATABASE_OWNER, inherits, True, False, True)
    steps = tuple(found[pair] for pair in sorted(found))
    return Members(
        roles,
        steps,
        inheriting=_followed(step for step in steps if step.inherits),
        setting=_followed(step for step in steps if step.may_set),
        using=_followed(step for step in steps if step.inherits or step.may_set),
        granted=_followed(step for step in steps if not step.implied),
    )


def closure(stack: DatabaseStack, catalog: Catalog) -> Members:
    """Which roles can use which roles' privileges in the stack's database."""
    database = catalog.databases.get(stack.server.database)
    return members(catalog.roles, catalog.memberships, database.owner if database else None, catalog.major)


def _followed(steps: Iterable[Step]) -> Follow:
    found: dict[str, tuple[Step, ...]] = {}
    for step in steps:
        found[step.member] = (*found.get(step.member, ()), step)
    return found


def _reversed(follow: Follow) -> Follow:
    return _followed(
        Step(step.role, step.member, step.inherits, step.may_set, step.admin)
        for steps in follow.values()
        for step in steps
    )


def _reached(follow: Follow, start: str) -> dict[str, None]:
    """Every role that these steps lead to, nearest first, the start included."""
    found = {start: None}
    waiting = [start]
    for role in waiting:
        for step in follow.get(role, ()):
            if step.role not in found:
                found[step.role] = None
                waiting.append(step.role)
    return found


def _chains(follow: Follow, start: str, goal: str) -> Iterator[Chain]:
    """Up to `LIMIT` chains of these steps; only through roles that lead to the goal."""
    leading = _reached(_reversed(follow), goal)

    def onward(role: str, before: Chain) -> Iterator[Chain]:
        if role == goal:
            yield before
            return
        for step in follow.get(role, ()):
            if step.role in leading:
                yield from onward(step.role, (*before, step))

    found = islice(onward(start, ()), LIMIT) if start in leading else ()
    yield from sorted(found, key=len)
