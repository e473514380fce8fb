"""What leads to an object past its own access list: views, parents, and functions with their owners' rights."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from engarde.declaration.privileges import EXECUTE, SELECT, USAGE
from engarde.explain.access_paths import held, identities
from engarde.explain.facts import OWNER, Facts, Reading, Thing, rights_on

_THROUGH_VIEWS = (SELECT, "INSERT", "UPDATE", "DELETE")
_THROUGH_PARENTS = (*_THROUGH_VIEWS, "TRUNCATE")


@dataclass(frozen=True, slots=True)
class Through:
    """Something that a role may use, and what of the object it has by that."""

    thing: Thing
    path: tuple[Thing, ...]
    """what lies between it and the object"""
    rights: tuple[str, ...]
    """on the object; for all of them the role needs the same right on the thing, for a function EXECUTE"""
    acting: str
    """with whose rights the object is read, written or called"""
    set_role: str | None
    """whom the role has to act as first"""
    certain: bool
    """whether it surely reads or writes the object"""

    @property
    def needed(self) -> tuple[str, ...]:
        """The rights on the thing that it takes."""
        return (EXECUTE,) if self.thing.group == "function" else self.rights


@dataclass(frozen=True, slots=True)
class Base:
    """Something that a view reads or writes."""

    thing: Thing
    acting: str
    """with whose rights"""
    allowed: bool
    """whether that role may"""
    own: bool
    """whether the role could do so without the view"""
    certain: bool
    """whether the view surely reads or writes it"""


@dataclass(frozen=True, slots=True)
class _At:
    """Where a reading has come to: who asks, and as whom this is checked; nobody below a parent."""

    thing: Thing
    asking: str
    checked: str | None
    last: str
    """the last role that anything was checked as"""


def leaks(facts: Facts, role: str) -> tuple[Through, ...]:
    """Everything by which a role gets at the object in a way that it has no right for itself."""
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
    """How the object is reached from `top` as somebody else than who asks: what is between, as whom, whether surely."""
    start = _At(top, identity, identity, identity)
    came: dict[_At, tuple[_At | None, bool]] = {start: (None, True)}
    waiting = [start]
    for at in waiting:
        if at.thing == facts.target:
            # What its view was given, or its own right without the schema's USAGE, which nobody asks for in a view.
            if at.checked != identity or not _may_use(facts, identity, at.thing, right):
                return _between(came, at), at.checked or at.last, came[at][1]
            continue
        readings = [reading for reading in facts.readings if reading.reader == at.thing.oid]
        for reading in readings:
            below = _below(facts, at, reading, right)
            if below is None or below in came:
                continue
            if below.checked is None or held(facts, below.checked, below.thing, right):
                # Of several relations in a view only one is written to, and the catalog does not say which.
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
    # Its owner has read it at the last refresh, with everything below.
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
    """What the object reads or writes, if it is a view, with whose rights, down to the last table."""
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
