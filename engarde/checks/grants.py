"""Access lists against the declaration, both ways."""

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
"""GRANT's word where it is not the kind's own: it covers functions, procedures and aggregates."""
OF_SERVERS = ("database", "tablespace", "parameter")
OF_ALL_WITHIN = ("database", "schema")
"""Without rights on these one may do nothing with what is in them."""
OF_OWNERS = ("REFERENCES", "TRIGGER")
"""By which somebody has code of his own run with the rights of a table's owner, or of whoever writes to it."""
WRITING = {"INSERT", "UPDATE", "DELETE"}


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
    thing: str = ""
    """the one thing that they are on or go with, where it is placed by another remedy"""
    claimed: str = ""
    """the table that they are on or go with, where it may be the grantee's own"""

    @property
    def as_sql(self) -> str:
        return ", ".join(right + (f" ({quoted(column)})" if column else "") for right, column in self.rights)

    def __str__(self) -> str:
        return ", ".join(right + (f" ({column})" if column else "") for right, column in self.rights)


def _strangers(stack: DatabaseStack, catalog: Catalog) -> Iterator[Notice]:
    """Roles that nobody declared and that may do something in a schema that is not the stack's to manage."""
    existing = {schema.name for schema in stack.existing_schemas}
    known = {stack.server.user, PUBLIC, *stack.roles, *(role.name for role in stack.outside_roles)}
    known |= {creator for schema in stack.existing_schemas for creator in schema.creators}
    strangers: dict[tuple[str, str], set[str]] = defaultdict(set)
    for entry in catalog.entries:
        if entry.schema in existing and entry.grantee not in known:
            strangers[entry.grantee, entry.schema or ""].add(entry.right)
    for (who, schema), rights in sorted(strangers.items()):
        text = f"{who}, which is not declared, has {', '.join(sorted(rights))} in {schema}"
        yield Notice(text, frozenset({who, schema}))


@check(
    Question("grant", "a declared privilege that is not granted", "sql", "`GRANT`", safe=True),
    Question(
        "undeclared grant",
        "on the database, other databases, schemas, tables and their columns, views, sequences, functions, types, large"
        " objects, languages, foreign servers, parameters; to the stack's roles and PUBLIC anywhere, and to anybody in"
        " a service's schema; REFERENCES and TRIGGER to anybody, where the table is a superuser's, the admin's or a"
        " service's, and it is not declared: with these he runs code with the owner's rights",
        "sql",
        "`REVOKE`; a decision, where a service may live by it",
    ),
    Question("grant option", "a declared privilege that may be granted on", "sql", "`REVOKE GRANT OPTION FOR`"),
    Question("owner's right", "what an owner took away from itself", "sql", "`GRANT`", safe=True),
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
    # An extension keeps parts of a service's tables in a schema of its own, with the rights that the tables have.
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
    """What goes with each right to grant it on that somebody is about to lose."""
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
    """Tables of the admin's in a schema that exists which one service alone reads and writes: they may be its own."""
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
        return entry.schema in outside_schemas(stack, outside[entry.grantee])
    if entry.kind == "table" and entry.grantee in outside:
        # Nothing but what is declared outlasts the next run there.
        return any((entry.schema, entry.name) == (read.schema_, read.table) for read in outside[entry.grantee].reads)
    return entry.grantee in stack.roles


def _lends(stack: DatabaseStack, members: Members, entry: Entry, trusted: Container[str]) -> bool:
    """Whether somebody has code run by it with the rights of the admin, of a superuser or of a role of the stack."""
    if entry.kind != "table" or entry.right not in OF_OWNERS or entry.grantee in trusted:
        return False
    powerful = entry.owner in trusted or entry.owner in stack.roles
    return powerful and entry.owner not in members.acts_as(entry.grantee)


@dataclass(frozen=True, slots=True)
class _Healing:
    """Rights in groups of which one statement gives or takes each, as findings."""

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
            yield self._finding("owner's right", group, names, f"{group}, as its owner", "taken away", heal)

    def _heirs(self, group: _Same, names: list[str]) -> frozenset[str]:
        """Whom it has granted them on to, and they others: by CASCADE these lose them, too."""
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
        """What one statement can take away: the group, what it is on, and whether any of it may be granted on."""
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
        """What takes nothing from anybody."""
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
        """What a service lives by may be its own: that is not for the catalogs to say."""
        if group.kind == "table" and VERSION_TABLE in {name.rpartition(".")[2] for name in names}:
            when = f"once the revisions of {group.grantee}'s service are in a version table of its own"
            return Remedy("decision", f"-- {when} (bin/engarde doctor):\n{heal.text}", heal.by_superuser)
        if not group.claimed:
            return heal
        service = self.claims[group.claimed]
        own = [f"-- it goes with {group.claimed}, if that is {service.name}'s own; if not:"]
        if group.kind == "table":
            name = next(relation.name for relation in self.catalog.relations if relation.identity == group.claimed)
            own = [
                f"-- if {group.claimed} is {service.name}'s own, it goes to its schema:",
                f"ALTER TABLE {group.claimed} SET SCHEMA {quoted(service.schema_)};",
                f"ALTER TABLE {quoted(service.schema_, name)} OWNER TO {quoted(service.role)};",
                "-- if it is not:",
            ]
        return Remedy("decision", "\n".join([*own, heal.text]), not self.admin.may(group.owner, service.role))


def _columns_again(group: _Same, on_columns: Iterable[Right]) -> Iterator[str]:
    """A REVOKE on a table takes the right on its columns, too, of which some may be declared."""
    whole = {right for right, column in group.rights if column is None}
    for right in on_columns:
        if right.column and right.right in whole:
            yield f"GRANT {right.right} ({quoted(right.column)}) ON TABLE {right.identity} TO {grantee(group.grantee)}"


def _sorted(rights: Iterable[Right | Entry]) -> tuple[tuple[str, str | None], ...]:
    pairs = {(right.right, right.column) for right in rights}
    return tuple(sorted(pairs, key=lambda pair: (pair[0], pair[1] or "")))


def _granted_on(heirs: Iterable[str]) -> str:
    listed = ", ".join(sorted(map(called, heirs)))
    return f", and may grant it on{f', as it has to {listed}' if listed else ''}"


def _on(group: _Same, identities: list[str]) -> str:
    return f"{ROUTINE.get(group.kind, group.kind.upper().replace('-', ' '))} {', '.join(identities)}"
