"""Default privileges against the declaration, and who makes tables that nobody declared to make any."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from engarde.catalog import Catalog
from engarde.catalog.rows import Default
from engarde.database import quoted
from engarde.findings import Finding, Remedy
from engarde.model import Stack
from engarde.names import PUBLIC
from engarde.privileges import On, expected
from engarde.verify.hands import Hands, hands
from engarde.verify.names import called, grantee

OBJECTS = {On.FUTURE_TABLES: "TABLES", On.FUTURE_SEQUENCES: "SEQUENCES", On.FUTURE_FUNCTIONS: "FUNCTIONS"}
OWNERS = {
    "TABLES": {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"},
    "SEQUENCES": {"SELECT", "UPDATE", "USAGE"},
    "FUNCTIONS": {"EXECUTE"},
    "TYPES": {"USAGE"},
}
"""What an owner has by itself, and loses with a list that does not hold it."""

_Same = tuple[str, str | None, str, str]
"""creator, schema, objects, grantee"""


def findings(stack: Stack, catalog: Catalog) -> Iterator[Finding]:
    """What is made later and is not as readable as declared, or more so."""
    wanted = {
        Default(row.creator or "", row.schema, OBJECTS[row.on], row.grantee, right, False)
        for row in expected(stack)
        if row.on in OBJECTS and _possible(row.creator, row.schema, row.grantee, catalog)
        for right in row.rights
    }
    there, admin = set(catalog.defaults), hands(stack, catalog)
    yield from _missing(wanted - there, admin)
    yield from _undeclared((each for each in there - wanted if _is_ours(stack, each)), admin)
    yield from _functions(stack, catalog, admin)
    yield from _lost(stack, catalog, admin)
    yield from _creators(stack, catalog, admin)


def _possible(creator: str | None, schema: str | None, grantee: str, catalog: Catalog) -> bool:
    """Whether what it is about exists; what does not is found by itself."""
    known = creator in catalog.roles and (grantee == PUBLIC or grantee in catalog.roles)
    return known and (schema is None or schema in catalog.schemas)


def _is_ours(stack: Stack, default: Default) -> bool:
    if default.grantee in (None, default.creator, stack.server.user):
        return False
    services = {service.role for service in stack.services}
    if default.grantee == PUBLIC and default.schema is None and default.objects in ("FUNCTIONS", "TYPES"):
        # Built in; a service's functions are looked at by themselves.
        return default.grantable
    theirs = {service.schema_ for service in stack.services}
    logins = {login.role for login in stack.logins}
    return default.creator in services or default.schema in theirs or default.grantee in logins | {PUBLIC}


def _missing(defaults: Iterable[Default], admin: Hands) -> Iterator[Finding]:
    for (creator, schema, objects, who), rights, _ in _grouped(defaults):
        yield Finding(
            "default privileges",
            f"{called(who)} on {objects.lower()} that {creator} makes{_in(schema)}",
            rights,
            "not granted",
            admin.sql(f"{_alter(creator, schema)} GRANT {rights} ON {objects} TO {grantee(who)}", of=(creator,)),
            frozenset({creator, who, schema or creator}),
        )


def _undeclared(defaults: Iterable[Default], admin: Hands) -> Iterator[Finding]:
    for (creator, schema, objects, who), rights, _ in _grouped(defaults):
        yield Finding(
            "undeclared default privileges",
            f"{called(who)} on {objects.lower()} that {creator} makes{_in(schema)}",
            "nothing more than declared",
            rights,
            admin.sql(f"{_alter(creator, schema)} REVOKE {rights} ON {objects} FROM {grantee(who)}", of=(creator,)),
            frozenset({creator, who, schema or creator}),
        )


def _functions(stack: Stack, catalog: Catalog, admin: Hands) -> Iterator[Finding]:
    """Functions that services make are everybody's to execute unless a list says otherwise."""
    for service in stack.services:
        lists = [
            each
            for each in catalog.defaults
            if each.creator == service.role and each.objects == "FUNCTIONS" and each.schema is None
        ]
        if service.role in catalog.roles and (not lists or any(each.grantee == PUBLIC for each in lists)):
            yield Finding(
                "default privileges",
                f"PUBLIC on functions that {service.role} makes",
                "nothing",
                "EXECUTE",
                admin.sql(f"{_alter(service.role, None)} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC", of=(service.role,)),
                frozenset({service.role, service.schema_}),
            )


def _lost(stack: Stack, catalog: Catalog, admin: Hands) -> Iterator[Finding]:
    lists: dict[tuple[str, str], set[str]] = defaultdict(set)
    services = {service.role: service.schema_ for service in stack.services}
    for each in catalog.defaults:
        if each.creator in services and each.schema is None and each.objects in OWNERS:
            lists[each.creator, each.objects] |= {each.right or ""} if each.grantee == each.creator else set()
    for (creator, objects), rights in lists.items():
        if lost := OWNERS[objects] - rights:
            named = ", ".join(sorted(lost))
            yield Finding(
                "default privileges",
                f"{creator} on {objects.lower()} that it makes itself",
                f"{named}, as their owner",
                "taken away",
                admin.sql(f"{_alter(creator, None)} GRANT {named} ON {objects} TO {grantee(creator)}", of=(creator,)),
                frozenset({creator, services[creator]}),
            )


def _creators(stack: Stack, catalog: Catalog, admin: Hands) -> Iterator[Finding]:
    """Roles that make tables in a schema that analytics reads, and whose tables it would not see."""
    for schema in stack.existing_schemas:
        if schema.name not in stack.analytics_schemas or schema.name not in catalog.schemas:
            continue
        known = {*schema.creators, stack.server.user, *(login.role for login in stack.logins), PUBLIC}
        for role, why in sorted(_who_creates(schema.name, catalog).items()):
            if role not in known:
                listed = ", ".join([*schema.creators, role])
                acting = f"GRANT {quoted(role)} TO {quoted(stack.server.user)};"
                steps = [
                    f"engarde:existingSchemas.{schema.name}.creators: [{listed}]",
                    *([] if admin.may(role) else [f"as a superuser: {acting}"]),
                    f"then bin/pulumi up --stack {stack.name}",
                ]
                yield Finding(
                    "default privileges",
                    f"{role} in {schema.name}",
                    f"among its creators, so that {stack.analytics.role if stack.analytics else ''} sees what it makes",
                    why,
                    Remedy("edit", "\n".join(steps)),
                    frozenset({role, schema.name}),
                )


def _who_creates(schema: str, catalog: Catalog) -> dict[str, str]:
    # An owner that is a superuser or stands for the database's is the admin in other words.
    owner = catalog.roles.get(catalog.schemas[schema].owner)
    found = {owner.name: "owns the schema"} if owner and not (owner.superuser or owner.predefined) else {}
    for entry in catalog.entries:
        if entry.kind == "schema" and entry.schema == schema and entry.right == "CREATE":
            found[entry.grantee] = "may create in it"
    for relation in catalog.relations:
        if relation.schema == schema and not relation.provided:
            found[relation.owner] = f"owns {relation.identity}"
    return found


def _grouped(defaults: Iterable[Default]) -> Iterator[tuple[_Same, str, bool]]:
    same: dict[_Same, list[Default]] = defaultdict(list)
    for each in defaults:
        same[each.creator, each.schema, each.objects, each.grantee or ""].append(each)
    for group, all_of in same.items():
        yield group, ", ".join(sorted({each.right or "" for each in all_of})), any(each.grantable for each in all_of)


def _alter(creator: str, schema: str | None) -> str:
    inside = f" IN SCHEMA {quoted(schema)}" if schema else ""
    return f"ALTER DEFAULT PRIVILEGES FOR ROLE {quoted(creator)}{inside}"


def _in(schema: str | None) -> str:
    return f" in {schema}" if schema else ""
