"""What a role may give itself: roles it has the ADMIN option on, and with CREATEROLE, before 16, nearly all."""

from collections.abc import Iterator

from engarde.checks.closure import DATABASE_OWNER
from engarde.declaration.names import PUBLIC
from engarde.explain.access_paths import Granted, Way, identities, leading, sources
from engarde.explain.facts import Facts, Thing

Trail = tuple[Granted, ...]


def ways_by_granting_itself(facts: Facts, role: str, thing: Thing, right: str) -> list[Way]:
    """The shortest way for everybody who has the right, in which a role first makes itself a member of another."""
    if role == PUBLIC:
        return []
    gained = _with_createrole(facts, role) if facts.major < 16 else _with_admin_option(facts, role)
    found = []
    for source in sources(facts, thing, right):
        ways = [
            Way(role, way.source, way.chain, way.set_role, trail)
            for other, trail in gained.items()
            if source.holder != PUBLIC
            for way in leading(facts, other, source)
        ]
        found += sorted(ways, key=lambda way: (len(way.granted), len(way.chain)))[:1]
    return found


def _with_admin_option(facts: Facts, role: str) -> dict[str, Trail]:
    """The roles that a role can become a direct member of, and what it grants itself for each, in this order."""
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
    """As with the ADMIN option, which before 16 gives nothing that a member cannot take on by SET ROLE."""
    # An attribute is not inherited, so it takes to be the role that has it, or to act as it.
    makers = {other.name for other in facts.roles.values() if other.createrole}
    actor = next((identity for identity in identities(facts, role) if identity in makers), None)
    if actor is None:
        return {}
    set_role = None if actor == role else actor
    return {
        other.name: (Granted(other.name, "CREATEROLE", actor, set_role),)
        for other in facts.roles.values()
        # A role's own member cannot become its role; a superuser's membership is a superuser's to give.
        if not other.superuser and other.name != DATABASE_OWNER and role not in identities(facts, other.name)
    }
