"""A stack's databases and servers: the shared ones, and services' own ones."""

from collections.abc import Sequence

from engarde.declaration.address import Elsewhere
from engarde.declaration.model import Analytics, DatabaseStack, Login, ServerStack, Service, Stack
from engarde.util.unknown import UnknownName


def databases(stack: Stack) -> tuple[DatabaseStack, ...]:
    """The shared database, then the others by name."""
    labels = sorted({service.database for service in stack.services if service.database})
    return (restrict_to(stack, None), *(restrict_to(stack, label) for label in labels))


def database_of(stack: Stack, login: Login) -> DatabaseStack:
    """The database in which a login works: a service's own or the shared one, where analytics is at home."""
    return restrict_to(stack, login.database if isinstance(login, Service) else None)


def display_name(database: DatabaseStack) -> str:
    """What the tool calls a database."""
    return database.label or database.server.database


def find(stack: Stack, name: str | None) -> DatabaseStack:
    """The database with this name in the tool; without a name the shared one.

    :raises UnknownName: there is no such database.
    """
    known = {display_name(database): database for database in databases(stack)}
    if name is None:
        return next(iter(known.values()))
    if name not in known:
        raise UnknownName(f"stack {stack.name}", "database", [name], known)
    return known[name]


def of_login(stack: Stack, word: str) -> DatabaseStack:
    """The database of the login with this name or role; else the shared one."""
    found = next((service for service in stack.services if word in (service.name, service.role)), None)
    return database_of(stack, found) if found else restrict_to(stack, None)


def managing(stack: Stack, role: str) -> tuple[DatabaseStack, ...]:
    """The databases with which a role of the stack is managed: one of each server that has the role."""
    return tuple(
        database
        for database in databases(stack)
        if role not in database.guests and role in {login.role for login in database.logins}
    )


def restrict_to(stack: Stack, label: str | None) -> DatabaseStack:
    """What the stack has in one database: in the shared one without a label."""
    there = next((server for server in stack.other_servers if server.name == label), None)
    shared = stack.server.database
    own = {"database": label, "connection_budget": None, "close_other_databases": False} if label else {}
    services = tuple(service for service in stack.services if service.database == label)
    existing_schemas = () if label else stack.existing_schemas
    schemas = {*(service.schema_ for service in services), *(schema.name for schema in existing_schemas)}
    analytics = _reading(stack.analytics, schemas, shared=label is None)
    return DatabaseStack(
        stack=stack,
        server_stack=_server_stack(stack, there, services, analytics),
        # The server's other databases are managed with the shared one.
        server=there or stack.server.model_copy(update=own),
        label=label,
        services=services,
        existing_schemas=existing_schemas,
        analytics=analytics,
        extensions=tuple(
            extension for extension in stack.extensions if (label or shared) in (extension.databases or (shared,))
        ),
        outside_roles=() if label else stack.outside_roles,
    )


def _server_stack(
    stack: Stack, there: Elsewhere | None, services: tuple[Service, ...], analytics: Analytics | None
) -> ServerStack:
    """Another server with its one database, or the shared server with all of its databases."""
    if there is None:
        others = {server.name for server in stack.other_servers}
        services = tuple(service for service in stack.services if service.database not in others)
        analytics = stack.analytics
    names = {there.database} if there else {stack.server.database, *(service.database or "" for service in services)}
    return ServerStack(
        stack=stack,
        server=there or stack.server,
        service_address=there.services_reach if there else stack.service_address,
        unpooled_address=there.unpooled_address if there else stack.unpooled_address,
        logins=(*services, *((analytics,) if analytics else ())),
        databases=frozenset(names - {""}),
        shared=there is None,
    )


def _reading(analytics: Analytics | None, schemas: set[str], *, shared: bool) -> Analytics | None:
    """Analytics with those of the schemas that it reads; in the shared database it is present in any case."""
    if analytics is None or (analytics.schemas is None and schemas):
        return analytics
    read = tuple(schema for schema in analytics.schemas or () if schema in schemas)
    return analytics.model_copy(update={"schemas": read}) if read or shared else None


def services_of(stack: Stack, names: Sequence[str]) -> list[Service]:
    """The declared services with these names, each once.

    :raises UnknownName: a name has no service.
    """
    found = {service.name: service for service in stack.services}
    if unknown := sorted(set(names) - found.keys()):
        raise UnknownName(f"stack {stack.name}", "service", unknown, found)
    return [found[name] for name in dict.fromkeys(names)]


def service_of(stack: Stack, name: str) -> Service:
    """The declared service with this name.

    :raises UnknownName: there is no such service.
    """
    [found] = services_of(stack, [name])
    return found
