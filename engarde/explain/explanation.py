"""Derives the whole explanation from plain values, and compares it with the server's own answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import PUBLIC
from engarde.declaration.privileges import CONNECT, USAGE
from engarde.explain import declared
from engarde.explain.access_paths import GUARDED, Held, Way, held, identities, ways, ways_by_granting_itself
from engarde.explain.facts import OF_COLUMNS, OWNER, Facts, Policy, Thing, rights_on
from engarde.explain.indirect import Base, Through, bases, leaks

State = Literal["yes", "columns", "after SET ROLE", "can grant itself", "no"]
COMMANDS = ("SELECT", "INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True)
class Line:
    """The answer for one privilege."""

    on: Literal["object", "schema", "database"]
    thing: Thing
    right: str
    state: State
    columns: tuple[str, ...]
    """which ones, in state `columns`"""
    ways: tuple[Way, ...]
    declared: str
    """what the stack file says about it; may be empty"""
    undeclared: bool
    """the role has it, and the stack file does not declare it"""
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rows:
    """How row-level security limits a role's privileges."""

    exempt: str | None
    """why no policy applies to it"""
    policies: tuple[Policy, ...]
    """those that apply to it"""
    none: tuple[str, ...]
    """the commands that no policy allows for any row"""
    exempt_after: tuple[str, ...]
    """the roles to act as so that no policy applies, and why"""


@dataclass(frozen=True, slots=True)
class Passage:
    """An indirect access to the object, why the role may use it, and whether that is declared."""

    through: Through
    ways: tuple[Way, ...]
    declared: str
    undeclared: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why one role has, or lacks, each privilege on one object."""

    role: str
    target: Thing
    lines: tuple[Line, ...]
    """the privileges that access needs at all, then those on the object"""
    passages: tuple[Passage, ...]
    bases: tuple[Base, ...]
    rows: Rows | None
    notes: tuple[str, ...]
    disagreements: tuple[str, ...]
    """where the server's own answer differs from this explanation"""

    @property
    def as_declared(self) -> bool:
        """Whether the role has no undeclared privilege, and the server agrees with the explanation."""
        undeclared = [answer.undeclared for answer in self.lines] + [passage.undeclared for passage in self.passages]
        return not self.disagreements and not any(undeclared)


def explanation(facts: Facts, stack: DatabaseStack, role: str) -> Explanation:
    """The whole explanation of a role and the object."""
    lines = [line(facts, stack, role, thing, right) for thing, right in _requirements(facts, role)]
    for right in (*rights_on(facts.target, facts.major), OWNER):
        answer = line(facts, stack, role, facts.target, right)
        lines.append(replace(answer, remarks=tuple(remarks(facts, role, answer))))
    return Explanation(
        role=role,
        target=facts.target,
        lines=tuple(lines),
        passages=tuple(_passage(facts, stack, role, through) for through in leaks(facts, role)),
        bases=bases(facts, role),
        rows=rows(facts, role),
        notes=tuple(_notes(facts, stack, role)),
        disagreements=tuple(_disagreements(facts, lines)),
    )


def _requirements(facts: Facts, role: str) -> Iterator[tuple[Thing, str]]:
    """The privileges that access to the object needs at all; PUBLIC cannot connect by itself."""
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
        yield "it cannot log in (NOLOGIN): only its members can use its privileges"
    if known.expired:
        yield "its password is no longer valid (VALID UNTIL)"
    if known.connection_limit == 0:
        yield "it may not connect (CONNECTION LIMIT 0)"
    if known.createrole and not known.superuser and facts.major < 16:
        yield "CREATEROLE before PostgreSQL 16: it may set the password of any role but a superuser, and log in as it"


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
                    " so this explanation is wrong"
                )


def line(facts: Facts, stack: DatabaseStack, role: str, thing: Thing, right: str) -> Line:
    """The answer for one privilege on any known object."""
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
        # The stack does not declare everything that such a role may do.
        return (by if by and declared.declarations(stack, role, thing, right) else ""), False
    if by is None:
        return "not declared", True
    if waiting and not declared.enough(stack, role, thing, right, _at_once(found)):
        return waiting, False
    return by, False


def remarks(facts: Facts, role: str, answer: Line) -> Iterator[str]:
    """Why a privilege on the object does not work, and other ways to it."""
    thing, right = answer.thing, answer.right
    schema = facts.schema_of(thing)
    has = answer.state in ("yes", "columns")
    if schema and has and not held(facts, role, schema, USAGE):
        yield _without_usage(facts, role, answer, schema)
    # The owner of a materialized view has read its rows at the last refresh.
    for base in bases(facts, role, right) if has and thing.kind == "view" else ():
        if not base.allowed:
            where = "" if base.certain else ", if the view writes to it"
            yield f"still denied with 42501: {base.acting} lacks {right} on {base.thing.identity}{where}"
    if right == OWNER and schema and not answer.ways and held(facts, role, schema, OWNER):
        yield f"may DROP it, as the owner of schema {schema.identity}"
    if right != OWNER and answer.state != "yes" and held(facts, role, thing, OWNER):
        yield "has the owner's privileges, so it may grant this to itself"
    if right in GUARDED and thing.guarded and answer.state == "no":
        yield "only superusers may write to the server's own catalogs"


def _without_usage(facts: Facts, role: str, answer: Line, schema: Thing) -> str:
    what = f"has {answer.right}, but no USAGE on schema {schema.identity}"
    for other in identities(facts, role)[1:]:
        if held(facts, other, answer.thing, answer.right) and held(facts, other, schema, USAGE):
            return f"{what}: denied with 42501 until SET ROLE {other}"
    return f"{what}: denied with 42501"


def rows(facts: Facts, role: str) -> Rows | None:
    """The policies of the object that apply to a role; None without row-level security."""
    if not facts.target.row_security:
        return None
    exempt = _exempt(facts, role)
    others = {other: _exempt(facts, other) for other in identities(facts, role)[1:]}
    named = facts.members.inherited(role) | {PUBLIC}
    policies = () if exempt else tuple(policy for policy in facts.policies if policy.role in named)
    permitted = {policy.command for policy in policies if policy.permissive}
    return Rows(
        exempt,
        policies,
        () if exempt or "ALL" in permitted else tuple(command for command in COMMANDS if command not in permitted),
        () if exempt else tuple(f"{other}, {why}" for other, why in others.items() if why),
    )


def _exempt(facts: Facts, role: str) -> str | None:
    known = facts.roles.get(role)
    if known and known.superuser:
        return "a superuser"
    if known and known.bypassrls:
        return "BYPASSRLS"
    if facts.target.owner in facts.members.inherited(role) and not facts.target.forced:
        return "it has the owner's privileges, and the policies are not forced on the owner"
    return None
