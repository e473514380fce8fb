"""Access lists against the declaration, both ways."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass

from engarde.catalog import Catalog
from engarde.catalog.rows import Entry
from engarde.findings import Finding, Remedy
from engarde.model import Stack
from engarde.names import PUBLIC
from engarde.privileges import OTHER_DATABASES
from engarde.quoting import quoted
from engarde.verify.hands import Hands, acting_as, hands
from engarde.verify.names import called, grantee, provided_schemas, some
from engarde.verify.owners import left_schemas
from engarde.verify.wanted import Right, right_of, tolerated, wanted

ROUTINE = {"function": "ROUTINE"}
"""GRANT's word where it is not the kind's own: it covers functions, procedures and aggregates."""
OF_SERVERS = ("database", "tablespace", "parameter")
OF_OWNERS = ("REFERENCES", "TRIGGER")
"""By which somebody has code of his own run with the rights of a table's owner, or of whoever writes to it."""


@dataclass(frozen=True, slots=True)
class _Same:
    """What rights have in common that one statement can give or take."""

    kind: str
    schema: str | None
    grantee: str
    rights: tuple[tuple[str, str | None], ...]
    """each with its column"""
    owner: str
    grantor: str | None = None
    """another than the owner"""

    @property
    def as_sql(self) -> str:
        return ", ".join(right + (f" ({quoted(column)})" if column else "") for right, column in self.rights)

    def __str__(self) -> str:
        return ", ".join(right + (f" ({column})" if column else "") for right, column in self.rights)


def findings(stack: Stack, catalog: Catalog) -> Iterator[Finding]:
    """What is not granted and should be, what is granted and should not be, and what may be granted on."""
    due, admin = wanted(stack, catalog), hands(stack, catalog)
    there = {right_of(entry) for entry in catalog.entries}
    yield from _missing(due - there, admin)
    allowed, provided = due | tolerated(stack, catalog), provided_schemas(stack, catalog)
    left = left_schemas(stack, catalog).keys()
    undue = (each for each in catalog.entries if right_of(each) not in allowed)
    trusted = catalog.trusted(stack.server.user)
    ours = (
        each for each in undue if each.schema in left or _is_ours(stack, each) or _lends(stack, catalog, each, trusted)
    )
    # An extension keeps parts of a service's tables in a schema of its own, with the rights that the tables have.
    yield from _undeclared((entry for entry in ours if entry.schema not in provided), due, admin)
    yield from _grantable((entry for entry in catalog.entries if entry.grantable and right_of(entry) in due), admin)
    yield from _lost(catalog.lost, admin)


def warnings(stack: Stack, catalog: Catalog) -> Iterator[str]:
    """Roles that nobody declared and that may do something in a schema that is not the stack's to manage."""
    existing = {schema.name for schema in stack.existing_schemas}
    known = {stack.server.user, PUBLIC, *stack.roles, *(role.name for role in stack.outside_roles)}
    known |= {creator for schema in stack.existing_schemas for creator in schema.creators}
    strangers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for entry in catalog.entries:
        if entry.schema in existing and entry.grantee not in known:
            strangers[entry.grantee, entry.schema or ""].add(entry.right)
    for (who, schema), rights in sorted(strangers.items()):
        yield f"{who}, which is not declared, has {', '.join(sorted(rights))} in {schema}"


def _is_ours(stack: Stack, entry: Entry) -> bool:
    """Whether an undeclared grant is the stack's business: what its roles may do, and who gets at its things."""
    if entry.grantee == stack.server.user:
        return False
    services = {service.schema_ for service in stack.services}
    outside = {role.name: role for role in stack.outside_roles}
    if (entry.kind == "database" and entry.name == stack.server.database) or entry.schema in services:
        return True
    # Another part of the stack looks after those.
    if entry.kind in OF_SERVERS and (not stack.server_wide or entry.name in stack.siblings):
        return False
    if entry.grantee == PUBLIC:
        # Functions are everybody's unless their owner says otherwise; what that can do is looked at by itself.
        if entry.kind == "function":
            return entry.guarded
        closed = OTHER_DATABASES if stack.server.close_other_databases else ()
        return entry.kind != "database" or entry.name in closed
    # Files, passwords and settings of the server's: nobody's but those that are declared.
    if entry.guarded and (entry.schema == "pg_catalog" or entry.kind == "parameter"):
        return entry.grantee not in outside
    if entry.kind == "schema" and entry.grantee in outside:
        return entry.schema in outside[entry.grantee].schemas
    return entry.grantee in stack.roles


def _lends(stack: Stack, catalog: Catalog, entry: Entry, trusted: Container[str]) -> bool:
    """Whether somebody has code run by it with the rights of the admin, of a superuser or of a role of the stack."""
    if entry.kind != "table" or entry.right not in OF_OWNERS or entry.grantee in trusted:
        return False
    powerful = entry.owner in trusted or entry.owner in stack.roles
    return powerful and entry.owner not in acting_as(entry.grantee, stack, catalog)


def _missing(rights: Iterable[Right], admin: Hands) -> Iterator[Finding]:
    by_object: dict[tuple[str, str | None, str, str, str], list[Right]] = defaultdict(list)
    for right in rights:
        by_object[right.kind, right.schema, right.identity, right.grantee, right.owner].append(right)
    same: dict[_Same, list[str]] = defaultdict(list)
    for (kind, schema, identity, who, owner), all_of in by_object.items():
        same[_Same(kind, schema, who, _sorted((each.right, each.column) for each in all_of), owner)].append(identity)
    for group, identities in same.items():
        names = sorted(identities)
        yield Finding(
            "grant",
            _subject(group, names),
            str(group),
            "not granted",
            _heal(group, f"GRANT {group.as_sql} ON {_on(group, names)} TO {grantee(group.grantee)}", admin),
            _concerns(group),
        )


def _undeclared(entries: Iterable[Entry], due: frozenset[Right], admin: Hands) -> Iterator[Finding]:
    on_columns: dict[tuple[str, str], list[Right]] = defaultdict(list)
    for right in sorted((each for each in due if each.column), key=str):
        on_columns[right.identity, right.grantee].append(right)
    for group, names, granted_on in _grouped(entries):
        revoke = f"REVOKE {group.as_sql} ON {_on(group, names)} FROM {grantee(group.grantee)}"
        actual = f"{group}, granted by {group.grantor}" if group.grantor else str(group)
        again = [each for name in names for each in _columns_again(group, on_columns[name, group.grantee])]
        yield Finding(
            "undeclared grant",
            _subject(group, names),
            "nothing more than declared",
            actual + (", and may grant it on" if granted_on else ""),
            _heal(group, "; ".join([revoke + (" CASCADE" if granted_on else ""), *again]), admin),
            _concerns(group),
        )


def _columns_again(group: _Same, on_columns: Iterable[Right]) -> Iterator[str]:
    """A REVOKE on a table takes the right on its columns, too, of which some may be declared."""
    whole = {right for right, column in group.rights if column is None}
    for each in on_columns:
        if each.column and each.right in whole:
            yield f"GRANT {each.right} ({quoted(each.column)}) ON TABLE {each.identity} TO {grantee(group.grantee)}"


def _grantable(entries: Iterable[Entry], admin: Hands) -> Iterator[Finding]:
    for group, names, _ in _grouped(entries):
        revoke = f"REVOKE GRANT OPTION FOR {group.as_sql} ON {_on(group, names)} FROM {grantee(group.grantee)} CASCADE"
        yield Finding(
            "grant option",
            _subject(group, names),
            f"{group}",
            f"{group}, and may grant it on",
            _heal(group, revoke, admin),
            _concerns(group),
        )


def _lost(entries: Iterable[Entry], admin: Hands) -> Iterator[Finding]:
    for group, names, _ in _grouped(entries):
        yield Finding(
            "owner's right",
            _subject(group, names),
            f"{group}, as its owner",
            "taken away",
            _heal(group, f"GRANT {group.as_sql} ON {_on(group, names)} TO {grantee(group.grantee)}", admin),
            _concerns(group),
        )


def _grouped(entries: Iterable[Entry]) -> Iterator[tuple[_Same, list[str], bool]]:
    """What one statement can take away: the group, what it is on, and whether any of it may be granted on."""
    by_object: dict[tuple[str, str | None, str, str, str, str | None], list[Entry]] = defaultdict(list)
    for entry in entries:
        grantor = entry.grantor if entry.grantor != entry.owner else None
        by_object[entry.kind, entry.schema, entry.identity, entry.grantee, entry.owner, grantor].append(entry)
    same: dict[tuple[_Same, bool], list[str]] = defaultdict(list)
    for (kind, schema, identity, who, owner, grantor), all_of in by_object.items():
        rights = _sorted((each.right, each.column) for each in all_of)
        grantable = any(each.grantable for each in all_of)
        same[_Same(kind, schema, who, rights, owner, grantor), grantable].append(identity)
    for (group, grantable), identities in same.items():
        yield group, sorted(identities), grantable


def _sorted(rights: Iterable[tuple[str, str | None]]) -> tuple[tuple[str, str | None], ...]:
    return tuple(sorted(set(rights), key=lambda each: (each[0], each[1] or "")))


def _heal(group: _Same, statement: str, admin: Hands) -> Remedy:
    whose = group.grantor or group.owner
    return admin.sql(*admin.granting(statement, group.owner, group.grantor), of=(whose,))


def _on(group: _Same, identities: list[str]) -> str:
    return f"{ROUTINE.get(group.kind, group.kind.upper().replace('-', ' '))} {', '.join(identities)}"


def _subject(group: _Same, identities: list[str]) -> str:
    return f"{called(group.grantee)} on {group.kind} {some(identities)}"


def _concerns(group: _Same) -> frozenset[str]:
    return frozenset({group.grantee} | ({group.schema} if group.schema else set()))
