"""Access lists, compared with the declaration in both directions."""

from collections import defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass

from engarde.checks.admin_capabilities import AdminCapabilities, admin_capabilities
from engarde.checks.closure import Members, closure
from engarde.checks.expected_acl import Right, right_of, tolerated, wanted
from engarde.checks.naming import called, grantee, provided_schemas, some
from engarde.checks.observed import Observed
from engarde.checks.placement import left_schemas
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack, Service
from engarde.declaration.names import PUBLIC, VERSION_TABLE
from engarde.declaration.privileges import OTHER_DATABASES, outside_schemas
from engarde.output.findings import Finding, Notice, Remedy, Verb
from engarde.server.catalog import Catalog, Entry
from engarde.util.quoting import quoted

ROUTINE = {"function": "ROUTINE"}
"""GRANT's word if it is not the kind's own: it covers functions, procedures and aggregates."""
OF_SERVERS = ("database", "tablespace", "parameter")
OF_ALL_WITHIN = ("database", "schema")
"""Without privileges on these, privileges on what they contain are of no use."""
OF_OWNERS = ("REFERENCES", "TRIGGER")
"""Whoever has one of these can run code with the privileges of the table's owner, or of those who write to it."""
WRITING = {"INSERT", "UPDATE", "DELETE"}


@dataclass(frozen=True, slots=True)
class _Same:
    """What privileges have in common that one statement can grant or revoke."""

    kind: str
    schema: str | None
    grantee: str
    rights: tuple[tuple[str, str | None], ...]
    """each with its column"""
    owner: str
    grantor: str | None = None
    """if it is not the owner"""
    thing: str = ""
    """the object that they are on or belong to, if another remedy moves it or changes its owner"""
    claimed: str = ""
    """the table that they are on or belong to, if it may be the grantee's own"""

    @property
    def as_sql(self) -> str:
        return ", ".join(right + (f" ({quoted(column)})" if column else "") for right, column in self.rights)

    def __str__(self) -> str:
        return ", ".join(right + (f" ({column})" if column else "") for right, column in self.rights)


def _strangers(stack: DatabaseStack, catalog: Catalog) -> Iterator[Notice]:
    """Undeclared roles with privileges in a schema that the stack does not manage."""
    existing = {schema.name for schema in stack.existing_schemas}
    known = {stack.server.user, PUBLIC, *stack.roles, *(role.name for role in stack.outside_roles)}
    known |= {creator for schema in stack.existing_schemas for creator in schema.creators}
    strangers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for entry in catalog.entries:
        if entry.schema in existing and entry.grantee not in known:
            strangers[entry.grantee, entry.schema or ""].add(entry.right)
    for (who, schema), rights in sorted(strangers.items()):
        text = f"{who} is not declared, but has {', '.join(sorted(rights))} in {schema}"
        yield Notice(text, frozenset({who, schema}))


@check(
    Question("grant", "a declared privilege that is not granted", "sql", "`GRANT`", safe=True),
    Question(
        "undeclared grant",
        "an undeclared privilege: of a role of the stack or PUBLIC on anything (databases, schemas, tables, columns,"
        " views, sequences, functions, types, large objects, languages, foreign servers, parameters); of any role on"
        " anything in a service's schema; REFERENCES or TRIGGER of any role on a table of a superuser, the admin or a"
        " service, because its holder can run code with the owner's privileges",
        "sql",
        "`REVOKE`; a decision if a service may depend on it",
    ),
    Question("grant option", "a declared privilege with grant option", "sql", "`REVOKE GRANT OPTION FOR`"),
    Question("owner's right", "a privilege that an owner revoked from itself", "sql", "`GRANT`", safe=True),
    group="isolation",
    stage=Stage.PRIVILEGES,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding | Notice]:
    catalog = observed.then
    due = wanted(stack, catalog)
    allowed, provided = due | tolerated(stack, catalog), provided_schemas(stack, catalog)
    left = left_schemas(stack, catalog).keys()
    undue = (entry for entry in catalog.entries if right_of(entry) not in allowed)
    trusted, members = catalog.trusted(stack.server.user), closure(stack, catalog)
    # An extension keeps parts of a service's tables in a schema of its own, with the privileges that the tables have.
    ours = [
        entry
        for entry in undue
        if entry.schema not in provided
        and (entry.schema in left or _is_ours(stack, entry) or _lends(stack, members, entry, trusted))
    ]
    granted_on = [entry for entry in catalog.entries if entry.grantable and right_of(entry) in due]
    passed_on = _passed_on(catalog.entries, [*ours, *granted_on])
    cascaded = frozenset().union(*passed_on.values())
    healing = _Healing(catalog, admin_capabilities(stack, catalog), _claims(stack, catalog), passed_on)
    there = {right_of(entry) for entry in catalog.entries if entry not in cascaded}
    services = {service.schema_ for service in stack.services}
    yield from _strangers(stack, observed.catalog)
    yield from healing.missing(due - there)
    yield from healing.undeclared((entry for entry in ours if entry not in cascaded), due)
    yield from healing.grantable(entry for entry in granted_on if entry not in cascaded)
    yield from healing.lost(entry for entry in catalog.lost if entry.schema in services)


def _passed_on(entries: Iterable[Entry], taken: Iterable[Entry]) -> dict[Right, frozenset[Entry]]:
    """Grant option that a role is about to lose -> the entries that disappear with it."""
    by_grantor: dict[tuple[str, str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.grantor != entry.owner:
            by_grantor[entry.kind, entry.identity, entry.grantor].append(entry)
    found: dict[Right, frozenset[Entry]] = defaultdict(frozenset)
    for first in (entry for entry in taken if entry.grantable):
        gone: set[Entry] = set()
        waiting = [first]
        while waiting:
            lost = waiting.pop()
            for entry in by_grantor[lost.kind, lost.identity, lost.grantee]:
                if entry.right == lost.right and lost.column in (None, entry.column) and entry not in gone:
                    gone.add(entry)
                    waiting += [entry] if entry.grantable else []
        found[right_of(first)] |= gone
    return found


def _claims(stack: DatabaseStack, catalog: Catalog) -> dict[str, Service]:
    """Table -> service: tables of the admin in an existing schema that only one service uses may be that service's."""
    existing = {existing.name for existing in stack.existing_schemas}
    read = {(read.schema_, read.table) for service in stack.services for read in service.reads}
    taken, trusted = {(found.schema, found.name) for found in catalog.relations}, catalog.trusted(stack.server.user)
    rights: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for entry in catalog.entries:
        if entry.kind == "table" and entry.schema in existing and entry.column is None:
            rights[entry.identity][entry.grantee].add(entry.right)
    found = {}
    for relation in catalog.relations:
        by_role = rights.get(relation.identity, {})
        writers = {role for role, given in by_role.items() if given & WRITING}
        service = next((service for service in stack.services if writers == {service.role}), None)
        if (
            service
            and relation.kind == "table"
            and relation.stored
            and relation.owner in trusted
            and (relation.schema, relation.name) not in read
            and by_role[service.role] >= {"SELECT", *WRITING}
            and service.schema_ in catalog.schemas
            and (service.schema_, relation.name) not in taken
        ):
            found[relation.identity] = service
    return found


def _is_ours(stack: DatabaseStack, entry: Entry) -> bool:
    """Whether an undeclared grant concerns the stack: it is to one of the stack's roles, or on the stack's objects."""
    if entry.grantee == stack.server.user:
        return False
    services = {service.schema_ for service in stack.services}
    outside = {role.name: role for role in stack.outside_roles}
    if (entry.kind == "database" and entry.name == stack.server.database) or entry.schema in services:
        return True
    # These are checked with another database of the stack.
    if entry.kind in OF_SERVERS and (not stack.server_wide or entry.name in stack.siblings):
        return False
    if entry.grantee == PUBLIC:
        # PUBLIC may execute every function by default; dangerous ones have checks of their own.
        if entry.kind == "function":
            return entry.guarded
        closed = OTHER_DATABASES if stack.server.close_other_databases else ()
        return entry.kind != "database" or entry.name in closed
    # Files, passwords and settings of the server: only declared roles may use them.
    if entry.guarded and (entry.schema == "pg_catalog" or entry.kind == "parameter"):
        return entry.grantee not in outside
    if entry.kind == "schema" and entry.grantee in outside:
        return entry.schema in outside_schemas(stack, outside[entry.grantee])
    if entry.kind == "table" and entry.grantee in outside:
        # The next run revokes everything else there.
        return any((entry.schema, entry.name) == (read.schema_, read.table) for read in outside[entry.grantee].reads)
    return entry.grantee in stack.roles


def _lends(stack: DatabaseStack, members: Members, entry: Entry, trusted: Container[str]) -> bool:
    """Whether its grantee can run code with the privileges of the admin, a superuser or a role of the stack."""
    if entry.kind != "table" or entry.right not in OF_OWNERS or entry.grantee in trusted:
        return False
    powerful = entry.owner in trusted or entry.owner in stack.roles
    return powerful and entry.owner not in members.acts_as(entry.grantee)


@dataclass(frozen=True, slots=True)
class _Healing:
    """Turns privileges into findings; one statement grants or revokes each group."""

    catalog: Catalog
    admin: AdminCapabilities
    claims: Mapping[str, Service]
    passed_on: Mapping[Right, frozenset[Entry]]
    """a right that may be granted on -> what goes with it"""

    def missing(self, rights: Iterable[Right]) -> Iterator[Finding]:
        by_object: dict[tuple[str, str | None, str, str, str], list[Right]] = defaultdict(list)
        for right in rights:
            by_object[right.kind, right.schema, right.identity, right.grantee, right.owner].append(right)
        same: dict[_Same, list[str]] = defaultdict(list)
        for (kind, schema, identity, who, owner), all_of in by_object.items():
            same[_Same(kind, schema, who, _sorted(all_of), owner, thing=self._placed(identity))].append(identity)
        for group, identities in same.items():
            names = sorted(identities)
            yield self._finding("grant", group, names, str(group), "not granted", self._grant(group, names))

    def undeclared(self, entries: Iterable[Entry], due: frozenset[Right]) -> Iterator[Finding]:
        on_columns: dict[tuple[str, str], list[Right]] = defaultdict(list)
        for right in sorted((right for right in due if right.column), key=str):
            on_columns[right.identity, right.grantee].append(right)
        for group, names, granted_on in self._grouped(entries):
            revoke = f"REVOKE {group.as_sql} ON {_on(group, names)} FROM {grantee(group.grantee)}"
            actual = f"{group}, granted by {group.grantor}" if group.grantor else str(group)
            heirs = self._heirs(group, names)
            if granted_on:
                revoke, actual = f"{revoke} CASCADE", f"{actual}{_granted_on(heirs)}"
            again = [grant for name in names for grant in _columns_again(group, on_columns[name, group.grantee])]
            heal, more = self._chosen(group, names, self._taking(group, [revoke, *again])), "nothing more than declared"
            yield self._finding("undeclared grant", group, names, more, actual, heal, heirs)

    def grantable(self, entries: Iterable[Entry]) -> Iterator[Finding]:
        for group, names, _ in self._grouped(entries):
            on = f"{_on(group, names)} FROM {grantee(group.grantee)}"
            heal = self._taking(group, [f"REVOKE GRANT OPTION FOR {group.as_sql} ON {on} CASCADE"])
            heirs = self._heirs(group, names)
            yield self._finding("grant option", group, names, f"{group}", f"{group}{_granted_on(heirs)}", heal, heirs)

    def lost(self, entries: Iterable[Entry]) -> Iterator[Finding]:
        for group, names, _ in self._grouped(entries):
            heal = self._grant(group, names)
            yield self._finding("owner's right", group, names, f"{group}, as its owner", "revoked", heal)

    def _heirs(self, group: _Same, names: list[str]) -> frozenset[str]:
        """The roles that have them from the grantee, also through others: CASCADE revokes them, too."""
        return frozenset(
            entry.grantee
            for name in names
            for right, column in group.rights
            for entry in self.passed_on.get(Right(group.kind, name, group.grantee, right, column, group.schema), ())
        )

    def _finding(
        self,
        check: str,
        group: _Same,
        names: list[str],
        expected: str,
        actual: str,
        heal: Remedy,
        heirs: frozenset[str] = frozenset(),
    ) -> Finding:
        subject = f"{called(group.grantee)} on {group.kind} {some(names)}"
        about = heirs | {group.grantee} | ({group.schema} if group.schema else set())
        return Finding(check, subject, expected, actual, heal, about, things=frozenset(names))

    def _grouped(self, entries: Iterable[Entry]) -> Iterator[tuple[_Same, list[str], bool]]:
        """What one statement can revoke: the group, the objects, and whether any of it has the grant option."""
        by_object: dict[tuple[str, str | None, str, str, str, str | None], list[Entry]] = defaultdict(list)
        for entry in entries:
            grantor = entry.grantor if entry.grantor != entry.owner else None
            by_object[entry.kind, entry.schema, entry.identity, entry.grantee, entry.owner, grantor].append(entry)
        same: dict[tuple[_Same, bool], list[str]] = defaultdict(list)
        for (kind, schema, identity, who, owner, grantor), all_of in by_object.items():
            rights = _sorted(all_of)
            grantable = any(right.grantable for right in all_of)
            thing, whole = self._placed(identity), self._whole(identity)
            claimed = whole if whole in self.claims and self.claims[whole].role == who else ""
            same[_Same(kind, schema, who, rights, owner, grantor, thing, claimed), grantable].append(identity)
        for (group, grantable), identities in same.items():
            yield group, sorted(identities), grantable

    def _whole(self, identity: str) -> str:
        return self.catalog.belongs_to.get(identity, identity)

    def _placed(self, identity: str) -> str:
        whole = self._whole(identity)
        return whole if whole in self.catalog.placed else ""

    def _grant(self, group: _Same, names: list[str]) -> Remedy:
        """A remedy that removes nobody's access."""
        grant = f"GRANT {group.as_sql} ON {_on(group, names)} TO {grantee(group.grantee)}"
        verb = Verb.OPEN if group.kind in OF_ALL_WITHIN else Verb.GRANT
        return self._sql(verb, group, [grant], safe=True, thing=group.thing)

    def _taking(self, group: _Same, statements: list[str]) -> Remedy:
        return self._sql(Verb.CLOSE if group.kind in OF_ALL_WITHIN else Verb.REVOKE, group, statements)

    def _sql(self, verb: Verb, group: _Same, statements: list[str], *, safe: bool = False, thing: str = "") -> Remedy:
        steps = self.admin.granting(statements, group.owner, group.grantor)
        of, beyond = (group.grantor or group.owner,), self.catalog.placed.get(group.thing, False)
        return self.admin.sql(verb, *steps, of=of, superusers=beyond, safe=safe, thing=thing)

    def _chosen(self, group: _Same, names: list[str], heal: Remedy) -> Remedy:
        """A decision if the grantee may own the table: the catalogs cannot tell."""
        if group.kind == "table" and VERSION_TABLE in {name.rpartition(".")[2] for name in names}:
            when = f"after the service of {group.grantee} has its revisions in a version table of its own"
            return Remedy("decision", f"-- {when} (bin/engarde doctor):\n{heal.text}", heal.by_superuser)
        if not group.claimed:
            return heal
        service = self.claims[group.claimed]
        own = [f"-- if {group.claimed} belongs to {service.name}, this moves with it: revoke nothing; if not:"]
        if group.kind == "table":
            name = next(relation.name for relation in self.catalog.relations if relation.identity == group.claimed)
            own = [
                f"-- if {group.claimed} belongs to {service.name}, move it to the service's schema:",
                f"ALTER TABLE {group.claimed} SET SCHEMA {quoted(service.schema_)};",
                f"ALTER TABLE {quoted(service.schema_, name)} OWNER TO {quoted(service.role)};",
                "-- if not:",
            ]
        return Remedy("decision", "\n".join([*own, heal.text]), not self.admin.may(group.owner, service.role))


def _columns_again(group: _Same, on_columns: Iterable[Right]) -> Iterator[str]:
    """Grants again what is declared on columns: a REVOKE on a table revokes the privilege on its columns, too."""
    whole = {right for right, column in group.rights if column is None}
    for right in on_columns:
        if right.column and right.right in whole:
            yield f"GRANT {right.right} ({quoted(right.column)}) ON TABLE {right.identity} TO {grantee(group.grantee)}"


def _sorted(rights: Iterable[Right | Entry]) -> tuple[tuple[str, str | None], ...]:
    pairs = {(right.right, right.column) for right in rights}
    return tuple(sorted(pairs, key=lambda pair: (pair[0], pair[1] or "")))


def _granted_on(heirs: Iterable[str]) -> str:
    listed = ", ".join(sorted(map(called, heirs)))
    return f", with grant option{f', granted on to {listed}' if listed else ''}"


def _on(group: _Same, identities: list[str]) -> str:
    return f"{ROUTINE.get(group.kind, group.kind.upper().replace('-', ' '))} {', '.join(identities)}"
