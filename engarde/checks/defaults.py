"""Default privileges, compared with the declaration."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from engarde.checks.admin_capabilities import AdminCapabilities, admin_capabilities
from engarde.checks.naming import about, called, grantee
from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import PUBLIC
from engarde.declaration.privileges import On, expected
from engarde.output.findings import Finding, Verb
from engarde.server.catalog import Catalog, Default
from engarde.util.quoting import quoted

OBJECTS = {On.FUTURE_TABLES: "TABLES", On.FUTURE_SEQUENCES: "SEQUENCES", On.FUTURE_FUNCTIONS: "FUNCTIONS"}
OWNERS = {
    "TABLES": {"SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"},
    "SEQUENCES": {"SELECT", "UPDATE", "USAGE"},
    "FUNCTIONS": {"EXECUTE"},
    "TYPES": {"USAGE"},
}
"""What an owner has by itself, and loses if the access list does not name it."""


@check(
    Question(
        "default privileges",
        "a declared privilege on objects created later that is not granted",
        "sql",
        "`ALTER DEFAULT PRIVILEGES`",
        safe=True,
    ),
    Question(
        "undeclared default privileges",
        "an undeclared privilege on objects created later",
        "sql",
        "`ALTER DEFAULT PRIVILEGES … REVOKE`",
    ),
    Question(
        "grant option",
        "a declared privilege on objects created later that has a grant option",
        "sql",
        "`ALTER DEFAULT PRIVILEGES … REVOKE GRANT OPTION FOR`",
    ),
    group="isolation",
    stage=Stage.PRIVILEGES,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    catalog = observed.then
    grantees = {PUBLIC, *catalog.roles}
    # Roles and schemas that do not exist have findings of their own.
    wanted = {
        Default(row.creator or "", row.schema, OBJECTS[row.on], row.grantee, right, False)
        for row in expected(stack)
        if row.on in OBJECTS and row.creator in catalog.roles and row.grantee in grantees
        if row.schema is None or row.schema in catalog.schemas
        for right in row.rights
    }
    admin = admin_capabilities(stack, catalog)
    plain = {replace(default, grantable=False): default for default in catalog.defaults}
    undue = [plain[right] for right in plain.keys() - wanted if _is_ours(stack, plain[right])]
    on = [default for right, default in plain.items() if default.grantable and right in wanted]
    more = "nothing more than declared"
    yield from _granted("default privileges", wanted - plain.keys(), admin, "GRANT", actual="not granted")
    yield from _granted("undeclared default privileges", undue, admin, "REVOKE", more)
    yield from _granted("grant option", on, admin, "REVOKE GRANT OPTION FOR", actual="{}, with grant option")
    yield from _functions(stack, catalog, admin)
    yield from _lost(stack, catalog, admin)


def _is_ours(stack: DatabaseStack, default: Default) -> bool:
    if default.grantee in (None, default.creator, stack.server.user):
        return False
    if default.grantee == PUBLIC and default.schema is None and default.objects in ("FUNCTIONS", "TYPES"):
        # Built in; a service's functions are checked by `_functions`.
        return default.grantable
    of_service = any(default.creator == service.role or default.schema == service.schema_ for service in stack.services)
    return of_service or default.grantee in {*stack.roles, PUBLIC}


def _granted(
    check: str,
    defaults: Iterable[Default],
    admin: AdminCapabilities,
    change: str,
    expected: str | None = None,
    actual: str = "{}",
) -> Iterator[Finding]:
    """One finding for each statement; `{}` stands for the privileges, which are also the default of `expected`."""
    same: dict[tuple[str, str | None, str, str], list[Default]] = defaultdict(list)
    for default in defaults:
        same[default.creator, default.schema, default.objects, default.grantee or ""].append(default)
    gives = change == "GRANT"
    for (creator, schema, objects, who), all_of in same.items():
        rights = ", ".join(sorted({default.right or "" for default in all_of}))
        subject = f"{called(who)} on {objects.lower()} that {creator} makes" + (f" in {schema}" if schema else "")
        alter = f"{_alter(creator, schema)} {change} {rights} ON {objects} {'TO' if gives else 'FROM'} {grantee(who)}"
        heal = admin.sql(Verb.PROMISE if gives else Verb.REVOKE, alter, of=(creator,), safe=gives)
        concerned = frozenset({creator, who, schema or creator})
        yield Finding(check, subject, expected or rights, actual.format(rights), heal, concerned)


def _functions(stack: DatabaseStack, catalog: Catalog, admin: AdminCapabilities) -> Iterator[Finding]:
    """Functions that services create: PUBLIC may execute them unless an access list says otherwise."""
    for service in stack.services:
        lists = [
            default
            for default in catalog.defaults
            if default.creator == service.role and default.objects == "FUNCTIONS" and default.schema is None
        ]
        if service.role in catalog.roles and (not lists or any(default.grantee == PUBLIC for default in lists)):
            subject = f"PUBLIC on functions that {service.role} makes"
            revoke = f"{_alter(service.role)} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"
            heal = admin.sql(Verb.REVOKE, revoke, of=(service.role,))
            yield Finding("default privileges", subject, "nothing", "EXECUTE", heal, about(service))


def _lost(stack: DatabaseStack, catalog: Catalog, admin: AdminCapabilities) -> Iterator[Finding]:
    lists: dict[tuple[str, str], set[str]] = defaultdict(set)
    services = {service.role: service.schema_ for service in stack.services}
    for default in catalog.defaults:
        if default.creator in services and default.schema is None and default.objects in OWNERS:
            own = {default.right or ""} if default.grantee == default.creator else set()
            lists[default.creator, default.objects] |= own
    for (creator, objects), rights in lists.items():
        if lost := OWNERS[objects] - rights:
            named, subject = ", ".join(sorted(lost)), f"{creator} on {objects.lower()} that it makes itself"
            grant = f"{_alter(creator)} GRANT {named} ON {objects} TO {grantee(creator)}"
            heal, concerned = admin.sql(Verb.PROMISE, grant, of=(creator,), safe=True), {creator, services[creator]}
            of_owner = f"{named}, as their owner"
            yield Finding("default privileges", subject, of_owner, "revoked", heal, frozenset(concerned))


def _alter(creator: str, schema: str | None = None) -> str:
    inside = f" IN SCHEMA {quoted(schema)}" if schema else ""
    return f"ALTER DEFAULT PRIVILEGES FOR ROLE {quoted(creator)}{inside}"
