"""Facts about a table `s.t` of `o`'s, as an explanation is derived from, in a few words."""

from __future__ import annotations

from dataclasses import replace

from engarde.checks.closure import members
from engarde.declaration.databases import restrict_to
from engarde.declaration.loader import parse
from engarde.explain.explanation import Line, line
from engarde.explain.facts import Answer, Entry, Facts, Key, Policy, Reading, Thing
from engarde.explain.show import way
from engarde.server.catalog import Membership, Role

STACK = restrict_to(
    parse(
        "prod",
        {
            "server": {"host": "proxy.example", "database": "railway"},
            "services": {
                "a": {"reads": ["public.users", {"table": "public.brands", "columns": ["id", "name"]}]},
                "b": None,
            },
            "existingSchemas": {"public": {"creators": ["backend"]}},
            "analytics": {"schemas": ["public", "b"]},
            "outsideRoles": {"backend": {"schemas": {"public": ["USAGE"]}}},
        },
        {"adminPassword"},
    ),
    None,
)


def role(name: str, **attributes: bool) -> Role:
    """A role that inherits, with no other attribute than these."""
    none = dict.fromkeys(
        ("bootstrap", "predefined", "superuser", "createrole", "createdb", "login", "replication", "bypassrls"), False
    )
    given = {**none, "inherit": True, **attributes}
    return Role(name=name, connection_limit=-1, expired=False, expires=False, **given)


def member(of: str, name: str, *, inherit: bool = True, may_set: bool = True, admin: bool = False) -> Membership:
    """A membership of `name`'s in `of`."""
    return Membership(of, name, "postgres", admin, inherit, may_set)


def thing(oid: int, kind: str, name: str, owner: str = "o", schema: str | None = "s", **more: object) -> Thing:
    """Something of `o`'s in the schema `s`."""
    group = {"function": "function", "schema": "schema", "database": "database"}.get(kind, "relation")
    flags = dict.fromkeys(("provided", "guarded", "partition", "invoker", "row_security", "forced"), False)
    identity = f"{schema}.{name}" if schema else name
    given = {**flags, "updatable": 0, **more}
    return Thing(group, oid, kind, schema, name, identity, owner, **given)  # type: ignore[arg-type]


T = thing(1, "table", "t")
S = thing(2, "schema", "s", schema=None)
RAILWAY = thing(3, "database", "railway", "postgres", schema=None)


def entry(on: Thing, right: str, to: str, *, by: str = "o", column: str | None = None, builtin: bool = False) -> Entry:
    """A right on an access list."""
    return Entry(on.group, on.oid, column, to, by, right, builtin)


def facts(
    *entries: Entry,
    memberships: tuple[Membership, ...] = (),
    roles: tuple[Role, ...] = (),
    target: Thing = T,
    things: tuple[Thing, ...] = (),
    readings: tuple[Reading, ...] = (),
    policies: tuple[Policy, ...] = (),
    answers: frozenset[Answer] = frozenset(),
    major: int = 17,
    owner: str = "postgres",
) -> Facts:
    """Facts with a role for everybody who is named."""
    named = {each.name: each for each in roles}
    mentioned = {name for membership in memberships for name in (membership.role, membership.member)}
    mentioned |= {each.grantee for each in entries} - {"public"} | {"o", "r", "postgres", owner}
    known = {name: role(name, superuser=name == "postgres") for name in sorted(mentioned)} | named
    everything = {each.key: each for each in (S, RAILWAY, T, target, *things)}
    lists: dict[Key, tuple[Entry, ...]] = {}
    for each in entries:
        lists[each.group, each.oid] = (*lists.get((each.group, each.oid), ()), each)
    return Facts(
        major=major,
        database=replace(RAILWAY, owner=owner),
        members=members(known, memberships, owner, major),
        target=target,
        things=everything,
        schemas={each.name: each for each in everything.values() if each.group == "schema"},
        entries=lists,
        readings=readings,
        definers=tuple(each for each in things if each.group == "function"),
        policies=policies,
        columns=("id", "word"),
        answers=answers,
    )


def answer(known: Facts, right: str = "SELECT", who: str = "r") -> Line:
    """The answer for one right on the object."""
    return line(known, STACK, who, known.target, right)


def reasons(known: Facts, right: str = "SELECT", who: str = "r") -> list[str]:
    """Every way to one right, in words."""
    return [way(each, right) for each in answer(known, right, who).ways]
