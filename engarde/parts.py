"""The stack as each of its databases has it: the shared one, and those that services have of their own.

A part is a stack by itself, so that whatever grants, compares or asks does it in each database alike.
"""

from __future__ import annotations

from dataclasses import replace

from engarde.address import Elsewhere, Server
from engarde.errors import ConfigError
from engarde.model import Analytics, Extension, Login, Service, Stack


def parts(stack: Stack) -> tuple[Stack, ...]:
    """The part of the shared database, then the others' by name; the stack itself where there are no others."""
    if stack.label is not None:
        return (stack,)
    labels = sorted({service.database for service in stack.services if service.database})
    return (within(stack, None), *(within(stack, label) for label in labels))


def home(stack: Stack, login: Login) -> Stack:
    """The part in which a login works: a service's own database or the shared one, where analytics is at home."""
    if stack.label is not None:
        return stack
    return within(stack, login.database if isinstance(login, Service) else None)


def called(part: Stack) -> str:
    """What the tool calls a part's database."""
    return part.label or part.server.database


def named(stack: Stack, database: str | None) -> Stack:
    """The part of the database that the tool calls so; of the shared one without a name.

    :raises ConfigError: there is none.
    """
    known = {called(part): part for part in parts(stack)}
    if database is None:
        return next(iter(known.values()))
    if database not in known:
        raise ConfigError(f"stack {stack.name} has no database {database}; it has {', '.join(known)}")
    return known[database]


def of_login(stack: Stack, word: str) -> Stack:
    """The part in which a login works that is called so, by its role or as the tool calls it; else the shared one's."""
    found = next((each for each in stack.services if word in (each.name, each.role)), None)
    return home(stack, found) if found else within(stack, None)


def keeping(stack: Stack, role: str) -> tuple[Stack, ...]:
    """The parts that look after a role of the stack's: one of each server on which it is made."""
    return tuple(
        part for part in parts(stack) if role not in part.guests and role in {login.role for login in part.logins}
    )


def within(stack: Stack, label: str | None) -> Stack:
    """The part of one database: of the shared one without a label."""
    if label is None and not any(service.database for service in stack.services):
        return stack
    there = next((each for each in stack.databases if each.name == label), None)
    part = replace(
        stack,
        server=_server(stack.server, there, label),
        service_address=there.services_reach if there else stack.service_address,
        unpooled_address=there.unpooled_address if there else stack.unpooled_address,
        services=tuple(each for each in stack.services if each.database == label),
        existing_schemas=() if label else stack.existing_schemas,
        extensions=tuple(each for each in stack.extensions if _has(stack, each, label)),
        outside_roles=() if label else stack.outside_roles,
        label=label,
        elsewhere=there is not None,
    )
    analytics = _reading(stack.analytics, part)
    part = replace(part, analytics=analytics)
    here = {login.role for login in part.logins}
    part = replace(part, neighbours=tuple(each for each in stack.logins if each.role not in here))
    if there is not None:
        return part
    databases = {each.database or stack.server.database for each in on_shared_server(stack)}
    return replace(
        part,
        guests=frozenset({analytics.role} if analytics and label else ()),
        siblings=frozenset({*databases, stack.server.database} - {part.server.database}),
    )


def on_shared_server(stack: Stack) -> tuple[Service, ...]:
    """The services in the databases of the shared server."""
    others = {each.name for each in stack.databases}
    return tuple(each for each in stack.services if each.database not in others)


def _server(shared: Server, there: Elsewhere | None, label: str | None) -> Server:
    if there is not None:
        return there
    # What the server's other databases come to is the shared one's part alone.
    own = {"database": label, "connection_budget": None, "close_other_databases": False} if label else {}
    return shared.model_copy(update=own)


def _has(stack: Stack, extension: Extension, label: str | None) -> bool:
    shared = stack.server.database
    return (label or shared) in (extension.databases or (shared,))


def _reading(analytics: Analytics | None, part: Stack) -> Analytics | None:
    """Analytics with the schemas that it reads in the part; it comes into the shared database in any case."""
    if analytics is None or (analytics.schemas is None and part.schemas):
        return analytics
    schemas = tuple(each for each in analytics.schemas or () if each in part.schemas)
    return analytics.model_copy(update={"schemas": schemas}) if schemas or part.label is None else None
