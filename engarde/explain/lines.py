"""One right on one thing: whether a role has it, every way in which it does, and what the stack file says to that."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from engarde.declaration.model import DatabaseStack
from engarde.explain import declared
from engarde.explain.access_paths import GUARDED, Held, Way, held, identities, ways
from engarde.explain.facts import OWNER, USAGE, Facts, Thing
from engarde.explain.indirect import bases
from engarde.explain.self_grants import ways_by_granting_itself

State = Literal["yes", "columns", "after SET ROLE", "can grant itself", "no"]


@dataclass(frozen=True, slots=True)
class Line:
    """The answer for one right."""

    on: Literal["object", "schema", "database"]
    thing: Thing
    right: str
    state: State
    columns: tuple[str, ...]
    """of the state `columns`: which"""
    ways: tuple[Way, ...]
    declared: str
    """what the stack file says to it; nothing where it has nothing to say"""
    undeclared: bool
    """the role can do it, and nothing in the stack file gives it leave"""
    remarks: tuple[str, ...] = ()


def line(facts: Facts, stack: DatabaseStack, role: str, thing: Thing, right: str) -> Line:
    """The answer for one right on anything that is known."""
    found = ways(facts, role, thing, right)
    at_once = _at_once(found)
    if not at_once.whole:
        found += ways_by_granting_itself(facts, role, thing, right)
    state = _state(at_once, found)
    owner = facts.roles.get(thing.owner)
    trusted = thing.owner == stack.server.user or bool(owner and owner.superuser)
    said, undeclared = _verdict(stack, role, thing, right, state, found, trusted=trusted)
    on: Literal["object", "schema", "database"] = "object"
    if thing.key != facts.target.key:
        on = "database" if thing.group == "database" else "schema"
    columns = () if at_once.whole else tuple(sorted(at_once.columns))
    return Line(on, thing, right, state, columns, tuple(found), said, undeclared)


def _at_once(found: Sequence[Way]) -> Held:
    columns = [way.source.columns for way in found if way.at_once]
    return Held(not all(columns), frozenset(column for some in columns for column in some))


def _state(at_once: Held, found: Sequence[Way]) -> State:
    if at_once.whole:
        return "yes"
    if at_once.columns:
        return "columns"
    if any(not way.granted for way in found):
        return "after SET ROLE"
    return "can grant itself" if found else "no"


def _verdict(
    stack: DatabaseStack, role: str, thing: Thing, right: str, state: State, found: Sequence[Way], *, trusted: bool
) -> tuple[str, bool]:
    waiting = declared.not_granted_yet(stack, role, thing, right, trusted=trusted)
    if state == "no":
        return waiting or declared.how_to_declare(stack, role, thing, right) or "", False
    by = declared.covered(stack, role, thing, right, found)
    if not declared.judged(stack, role):
        # What it may do besides is not the stack's business.
        return (by if by and declared.declarations(stack, role, thing, right) else ""), False
    if by is None:
        return "not declared", True
    if waiting and not declared.enough(stack, role, thing, right, _at_once(found)):
        return waiting, False
    return by, False


def remarks(facts: Facts, role: str, answer: Line) -> Iterator[str]:
    """What comes in between of a right on the object, and what else leads to it."""
    thing, right = answer.thing, answer.right
    schema = facts.schema_of(thing)
    has = answer.state in ("yes", "columns")
    if schema and has and not held(facts, role, schema, USAGE):
        yield _without_usage(facts, role, answer, schema)
    # A materialized view was read as its owner long ago.
    for base in bases(facts, role, right) if has and thing.kind == "view" else ():
        if not base.allowed:
            where = "" if base.certain else ", if this is what it writes to"
            yield f"denied with 42501 all the same: {base.acting} may not {right} on {base.thing.identity}{where}"
    if right == OWNER and schema and not answer.ways and held(facts, role, schema, OWNER):
        yield f"may DROP it, as the owner of schema {schema.identity}"
    if right != OWNER and answer.state != "yes" and held(facts, role, thing, OWNER):
        yield "has the owner's rights, so it may grant this to itself"
    if right in GUARDED and thing.guarded and answer.state == "no":
        yield "the server lets only superusers write to its own catalogs"


def _without_usage(facts: Facts, role: str, answer: Line, schema: Thing) -> str:
    what = f"has {answer.right}, but no USAGE on schema {schema.identity}"
    for other in identities(facts, role)[1:]:
        if held(facts, other, answer.thing, answer.right) and held(facts, other, schema, USAGE):
            return f"{what} at once: denied with 42501 until SET ROLE {other}"
    return f"{what}: denied with 42501"
