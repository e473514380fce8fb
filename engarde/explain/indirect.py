"""Indirect access to an object: through views, parents, and functions with their owners' privileges."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from engarde.declaration.privileges import EXECUTE, SELECT, USAGE
from engarde.explain.access_paths import held, identities
from engarde.explain.facts import OWNER, Facts, Reading, Thing, rights_on

_THROUGH_VIEWS = (SELECT, "INSERT", "UPDATE", "DELETE")
_THROUGH_PARENTS = (*_THROUGH_VIEWS, "TRUNCATE")


@dataclass(frozen=True, slots=True)
class Through:
    """An object that a role may use, and the access that this gives to the target."""

    thing: Thing
    path: tuple[Thing, ...]
    """the objects between it and the target"""
    rights: tuple[str, ...]
    """on the target; the role needs the same ones on the thing, or EXECUTE on a function"""
    acting: str
    """the role whose privileges are used on the target"""
    set_role: str | None
    """the role to act as first"""
    certain: bool
    """whether it certainly reads or writes the target"""

    @property
    def needed(self) -> tuple[str, ...]:
        """The privileges on the thing that this needs."""
        return (EXECUTE,) if self.thing.group == "function" else self.rights


@dataclass(frozen=True, slots=True)
class Base:
    """A relation that a view reads or writes."""

    thing: Thing
    acting: str
    """the role whose privileges are used"""
    allowed: bool
    """whether that role has the privilege"""
    own: bool
    """whether the explained role has the privilege without the view"""
    certain: bool
    """whether the view certainly reads or writes it"""


@dataclass(frozen=True, slots=True)
class _At:
    """A step on the way down from a reader: the role that asks, and the role whose privileges are checked."""

    thing: Thing
    asking: str
    checked: str | None
    """None below a parent"""
    last: str
    """the last role that was checked"""


def leaks(facts: Facts, role: str) -> tuple[Through, ...]:
    """Everything that gives a role access to the target which its own privileges do not give."""
    found: dict[Through, tuple[str, ...]] = {}
    for through in (*_by_reading(facts, role), *_by_calling(facts, role)):
        alike = replace(through, rights=())
        found[alike] = (*found.get(alike, ()), *through.rights)
    return tuple(replace(base, rights=rights) for base, rights in found.items())


def _by_reading(facts: Facts, role: str) -> Iterator[Through]:
    if facts.target.group != "relation":
        return
    readers = {reading.reader for reading in facts.readings} - {facts.target.oid}
    for right in _THROUGH_PARENTS:
        if _has_by_itself(facts, role, right):
            continue
        for oid in sorted(readers):
            top = facts.things["relation", oid]
            for identity in identities(facts, role):
                found = _down(facts, identity, top, right) if _may_use(facts, identity, top, right) else None
                if found:
                    path, acting, certain = found
                    yield Through(top, path, (right,), acting, None if identity == role else identity, certain)
                    break


def _has_by_itself(facts: Facts, role: str, right: str) -> bool:
    return held(facts, role, facts.target, right).whole and _may_use(facts, role, facts.target, right)


def _may_use(facts: Facts, role: str, thing: Thing, right: str) -> bool:
    schema = facts.schema_of(thing)
    return bool(held(facts, role, thing, right)) and (schema is None or bool(held(facts, role, schema, USAGE)))


def _down(facts: Facts, identity: str, top: Thing, right: str) -> tuple[tuple[Thing, ...], str, bool] | None:
    """How `top` reaches the target with other privileges: the objects between, the role used, whether certain."""
    start = _At(top, identity, identity, identity)
    came: dict[_At, tuple[_At | None, bool]] = {start: (None, True)}
    waiting = [start]
    for at in waiting:
        if at.thing == facts.target:
            # With a view's privileges, or its own without USAGE on the schema, which is not checked in a view.
            if at.checked != identity or not _may_use(facts, identity, at.thing, right):
                return _between(came, at), at.checked or at.last, came[at][1]
            continue
        readings = [reading for reading in facts.readings if reading.reader == at.thing.oid]
        for reading in readings:
            below = _below(facts, at, reading, right)
            if below is None or below in came:
                continue
            if below.checked is None or held(facts, below.checked, below.thing, right):
                # A view of several relations writes to one only, and the catalog does not say which.
                certain = came[at][1] and (right == SELECT or reading.parent or len(readings) == 1)
                came[below] = (at, certain)
                waiting.append(below)
    return None


def _below(facts: Facts, at: _At, reading: Reading, right: str) -> _At | None:
    base = facts.things["relation", reading.base]
    if reading.parent:
        routed = right != "INSERT" or base.partition
        return _At(base, at.asking, None, at.last) if routed and right in _THROUGH_PARENTS else None
    if right not in _THROUGH_VIEWS or (right != SELECT and not at.thing.writes_through(right)):
        return None
    # Its owner has read everything below at the last refresh.
    asking = at.thing.owner if at.thing.kind == "materialized view" else at.asking
    checked = asking if at.thing.invoker else at.thing.owner
    return _At(base, asking, checked, checked)


def _between(came: dict[_At, tuple[_At | None, bool]], end: _At) -> tuple[Thing, ...]:
    path: list[Thing] = []
    before = came[end][0]
    while before is not None:
        path.insert(0, before.thing)
        before = came[before][0]
    return tuple(path[1:])


def _by_calling(facts: Facts, role: str) -> Iterator[Through]:
    rights = (*rights_on(facts.target, facts.major), OWNER)
    lacking = [right for right in rights if not _has_by_itself(facts, role, right)]
    for function in facts.definers:
        if function == facts.target:
            continue
        gained = tuple(right for right in lacking if held(facts, function.owner, facts.target, right))
        user = next(
            (identity for identity in identities(facts, role) if _may_use(facts, identity, function, EXECUTE)), None
        )
        if gained and user:
            yield Through(function, (), gained, function.owner, None if user == role else user, False)


def bases(facts: Facts, role: str, right: str = SELECT) -> tuple[Base, ...]:
    """The relations that the target reads or writes if it is a view, down to the last table."""
    found: dict[tuple[Thing, str], Base] = {}
    waiting = [(_At(facts.target, role, role, role), True)]
    for at, certain in waiting:
        readings = [reading for reading in facts.readings if reading.reader == at.thing.oid and not reading.parent]
        for reading in readings:
            below = _below(facts, at, reading, right)
            if below is None or below.checked is None or (below.thing, below.checked) in found:
                continue
            surely = certain and (right == SELECT or len(readings) == 1)
            allowed = bool(held(facts, below.checked, below.thing, right))
            own = _may_use(facts, role, below.thing, right)
            found[below.thing, below.checked] = Base(below.thing, below.checked, allowed, own, surely)
            waiting.append((below, surely))
    return tuple(found.values())
