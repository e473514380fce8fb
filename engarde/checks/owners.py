"""Owners, compared with the declaration: a service owns its schema and everything in it, and nothing else."""

from collections import defaultdict
from collections.abc import Iterator

from engarde.checks.admin_capabilities import AdminCapabilities
from engarde.checks.naming import about, up
from engarde.checks.observed import Observed
from engarde.checks.placement import left_schemas, misplaced, place
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.output.findings import Finding, Notice, Placed, Remedy, Verb
from engarde.server.catalog import Catalog
from engarde.util.quoting import quoted


@check(
    Question(
        "inheritance",
        "a partition or an inheriting table that is in another schema than its parent",
        "sql",
        "`SET SCHEMA`, `DETACH PARTITION` or `NO INHERIT`",
    ),
    group="isolation",
    stage=Stage.PLACING,
)
def of_parts(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Partitions and inheriting tables in another schema than their parent: their owner has the rows."""
    services, catalog = {service.schema_ for service in stack.services}, observed.catalog
    for part in catalog.inherits:
        if not services & {part.child_schema, part.parent_schema}:
            continue
        verb, placed, thing = Verb.END, None, ""
        if part.child_owner == part.parent_owner:
            heal = f"ALTER TABLE {part.child} SET SCHEMA {quoted(part.parent_schema)}"
            verb, thing = Verb.PLACE, catalog.relocated(part.child, part.parent_schema)
            placed = Placed("table", part.child, part.child_owner, part.parent_schema)
        elif part.partition:
            heal = f"ALTER TABLE {part.parent} DETACH PARTITION {part.child}"
        else:
            heal = f"ALTER TABLE {part.child} NO INHERIT {part.parent}"
        yield Finding(
            "inheritance",
            f"table {part.child}",
            f"in schema {part.parent_schema}, as part of {part.parent}",
            f"in schema {part.child_schema}, owned by {part.child_owner}",
            observed.admin.sql(verb, heal, of=(part.child_owner, part.parent_owner), placed=placed, thing=thing),
            frozenset({part.child_schema, part.parent_schema, part.child_owner, part.parent_owner}),
            things=frozenset({part.child}),
        )


@check(
    Question(
        "schema",
        "a declared schema that does not exist, or has another name",
        "command",
        "`bin/pulumi up --refresh` creates it",
    ),
    Question(
        "owner",
        "a schema, or an object in a service's schema, with another owner than declared; anything that a service owns"
        " elsewhere, also foreign servers, publications and the like",
        "sql",
        "`OWNER TO` or `SET SCHEMA`; a decision for code that would run with its new owner's privileges",
        safe=True,
    ),
    group="isolation",
    stage=Stage.PLACING,
)
def of_owners(stack: DatabaseStack, observed: Observed) -> Iterator[Finding | Notice]:
    """Schemas that are missing, and objects with another owner than declared."""
    catalog, admin = observed.catalog, observed.admin
    yield from _schemas(stack, catalog, admin)
    yield from _databases(stack, catalog, admin)
    for schema, service in sorted(left_schemas(stack, catalog).items()):
        left = f"schema {schema} was left here when {service} moved to another database: nobody else may read it"
        yield Notice(left, frozenset({schema}))
    for owned in misplaced(stack, catalog):
        there = place(stack, catalog, admin, owned)
        subject, concerned = (
            f"{owned.kind} {owned.identity}",
            frozenset({owned.schema, owned.owner, there.owner} - {""}),
        )
        expected = f"in schema {there.schema}" if there.schema else f"owned by {there.owner}"
        things = frozenset({owned.identity})
        yield Finding("owner", subject, expected, f"owned by {owned.owner}", there.remedy, concerned, things=things)


def _schemas(stack: DatabaseStack, catalog: Catalog, admin: AdminCapabilities) -> Iterator[Finding]:
    renamed = renamed_schemas(stack, catalog)
    for service in stack.services:
        found, concerned = catalog.schemas.get(service.schema_), about(service)
        subject = f"schema {service.schema_}"
        if was := renamed.get(service.schema_):
            rename = f"ALTER SCHEMA {quoted(was)} RENAME TO {quoted(service.schema_)}"
            heal = admin.sql(Verb.HOLD, rename, of=(service.role,))
            yield Finding("schema", subject, "exists", f"is called {was}", heal, concerned | {was})
        elif found is None:
            yield Finding("schema", subject, "exists", "does not exist", up(stack), concerned)
        elif found.owner != service.role and service.role in catalog.roles:
            # The admin and superusers lose nothing: they may do what the new owner may.
            safe = found.owner in catalog.trusted(stack.server.user)
            placed = Placed("schema", found.identity, service.role)
            yield _owner(service.schema_, found.owner, placed, concerned, admin, safe=safe)
    declared = {service.schema_ for service in stack.services} | left_schemas(stack, catalog).keys()
    roles = set(stack.roles)
    for name, found in catalog.schemas.items():
        if name not in declared and found.owner in roles:
            placed = Placed("schema", found.identity, stack.server.user)
            yield _owner(name, found.owner, placed, frozenset({name, found.owner}), admin)
    for existing in stack.existing_schemas:
        if existing.name not in catalog.schemas:
            subject = f"schema {existing.name}"
            heal = Remedy("sql", f"CREATE SCHEMA {quoted(existing.name)};", verb=Verb.HOLD)
            yield Finding("schema", subject, "exists", "does not exist", heal, frozenset({existing.name}))
    yield from _existing(stack, catalog, admin)


def renamed_schemas(stack: DatabaseStack, catalog: Catalog) -> dict[str, str]:
    """Missing declared schema -> the only undeclared schema of its role: the same schema under another name."""
    owned: dict[str, list[str]] = defaultdict(list)
    for schema in catalog.schemas.values():
        if schema.name not in stack.schemas:
            owned[schema.owner].append(schema.name)
    missing = [service for service in stack.services if service.schema_ not in catalog.schemas]
    return {service.schema_: owned[service.role][0] for service in missing if len(owned[service.role]) == 1}


def _existing(stack: DatabaseStack, catalog: Catalog, admin: AdminCapabilities) -> Iterator[Finding]:
    """Schemas that the stack does not manage and an undeclared role owns."""
    trusted = {stack.server.user, *(role.name for role in stack.outside_roles), *(login.role for login in stack.logins)}
    trusted |= {creator for existing in stack.existing_schemas for creator in existing.creators}
    for existing in stack.existing_schemas:
        found = catalog.schemas.get(existing.name)
        owner = catalog.roles.get(found.owner) if found else None
        if found and owner and not (owner.superuser or owner.predefined or owner.name in trusted):
            placed = Placed("schema", found.identity, stack.server.user)
            yield _owner(existing.name, owner.name, placed, frozenset({existing.name, owner.name}), admin)


def _databases(stack: DatabaseStack, catalog: Catalog, admin: AdminCapabilities) -> Iterator[Finding]:
    roles = set(stack.roles) if stack.server_wide else set()
    trusted = {stack.server.user, *(role.name for role in stack.outside_roles), *stack.roles}
    for found in catalog.databases.values():
        owner = catalog.roles[found.owner]
        stranger = found.name == stack.server.database and owner.name not in trusted and not owner.superuser
        if found.owner in roles or stranger:
            placed = Placed("database", found.identity, stack.server.user)
            yield _owner(found.name, found.owner, placed, frozenset({found.owner}), admin)


def _owner(
    name: str, actual: str, placed: Placed, concerned: frozenset[str], admin: AdminCapabilities, *, safe: bool = False
) -> Finding:
    alter = f"ALTER {placed.kind.upper()} {placed.identity} OWNER TO {quoted(placed.owner)}"
    heal = admin.sql(Verb.HOLD, alter, of=(actual, placed.owner), safe=safe, placed=placed, thing=placed.identity)
    subject, things = f"{placed.kind} {name}", frozenset({placed.identity})
    return Finding("owner", subject, f"owned by {placed.owner}", f"owned by {actual}", heal, concerned, things=things)
