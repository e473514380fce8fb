"""Rules over each server and over the databases on it: names that lead somewhere, limits, certificates."""

from __future__ import annotations

from collections.abc import Iterator

from engarde.declaration.address import Address, Elsewhere, Server
from engarde.declaration.model import Analytics, ExistingSchema, Extension, Service
from engarde.declaration.names import PUBLIC, split_table
from engarde.declaration.validation import Fault, join, key

UNVERIFYING = "sqlalchemy+pg8000"
"""The form whose driver verifies no certificate."""

SERVERS_OWN = ("postgres", "template0", "template1")
"""Databases that a server comes with, and that nobody is to be shut out of."""


def rules(
    server: Server | None,
    address: Address | None,
    databases: tuple[Elsewhere, ...],
    services: tuple[Service, ...],
    existing: tuple[ExistingSchema, ...],
    analytics: Analytics | None,
    extensions: tuple[Extension, ...],
) -> Iterator[Fault]:
    """Every fault of the servers and their databases, told by keys and never by values."""
    there = {each.name for each in databases}
    here = tuple(each for each in services if each.database not in there)
    yield from _server("engarde:server", server, here, analytics)
    yield from _verified("serviceAddress.sslmode", address, here, analytics)
    yield from _names(server, there, services)
    yield from _left(server, databases, services)
    yield from _named_like_an_admin((*((server,) if server else ()), *databases), services, existing)
    yield from _extensions(server, services, extensions)
    hosts: dict[tuple[str, int], str] = {(server.host.casefold(), server.port): "engarde:server"} if server else {}
    for each in databases:
        path = join("engarde:databases", each.name)
        own = tuple(service for service in services if service.database == each.name)
        reader = analytics if _reads(analytics, own) else None
        taken = hosts.setdefault((each.host.casefold(), each.port), path)
        if taken != path:
            yield Fault(path, f"on the server of {taken}; only a database on another server stands here, one of each")
        if server and each.name == server.database:
            yield Fault(path, "the name of the shared database; give it another one, and state `database`")
        if any(login.role == each.user for login in (*services, *((analytics,) if analytics else ()))):
            yield Fault(join(path, "user"), "also a role that the stack makes; the admin is not one of its own")
        yield from _server(path, each, own, reader)
        yield from _verified(f"{path}.serviceAddress.sslmode", each.services_reach, own, reader)


def _reads(analytics: Analytics | None, services: tuple[Service, ...]) -> bool:
    schemas = analytics.schemas if analytics else ()
    return bool(services) and (schemas is None or any(each.schema_ in schemas for each in services))


def _names(server: Server | None, there: set[str], services: tuple[Service, ...]) -> Iterator[Fault]:
    for service in services:
        path = join("engarde:services", service.name, "database")
        if server and service.database == server.database:
            yield Fault(path, "the shared database, where every service is that states none; leave it out")
        elif service.database in SERVERS_OWN and service.database not in there:
            yield Fault(path, f"a database of the server's own; not {', '.join(SERVERS_OWN)}")


def _left(server: Server | None, databases: tuple[Elsewhere, ...], services: tuple[Service, ...]) -> Iterator[Fault]:
    """A word for one change that has come to where it was, and would let a later one through."""
    wrong = "where it is; this stands here only while it leaves, so take it out"
    for service in services:
        path = join("engarde:services", service.name, "leaves")
        here = (service.database or (server.database if server else None), service.schema_)
        for place, each in enumerate(service.leaves):
            if split_table(each) == here:
                yield Fault(join(path, place), wrong)
    servers = {"engarde:server": server, **{join("engarde:databases", each.name): each for each in databases}}
    for path, at in servers.items():
        if at and at.place in at.leaves:
            yield Fault(join(path, "leaves", at.leaves.index(at.place)), wrong)


def _named_like_an_admin(
    servers: tuple[Server, ...], services: tuple[Service, ...], existing: tuple[ExistingSchema, ...]
) -> Iterator[Fault]:
    """A schema that `"$user"` in an admin's search_path leads to, where its owner's functions come before others'."""
    admins = {each.user for each in servers}
    wrong = (
        "the name of an admin's role, whose search_path begins with the schema of that name (`$user`): whoever owns it"
        " could choose what runs with the admin's privileges; use another name"
    )
    for service in services:
        path = join("engarde:services", service.name)
        if service.name in admins:
            yield Fault(path, wrong)
        elif service.schema_ in admins:
            yield Fault(join(path, "schema"), wrong)
    for schema in existing:
        if schema.name in admins:
            yield Fault(join("engarde:existingSchemas", schema.name), wrong)


def _extensions(
    server: Server | None, services: tuple[Service, ...], extensions: tuple[Extension, ...]
) -> Iterator[Fault]:
    own = {service.database for service in services if service.database}
    shared = server.database if server else ""
    for extension in extensions:
        path = join("engarde:extensions", extension.name)
        existing = extension.schema_ not in {PUBLIC, *(service.schema_ for service in services)}
        for place, database in enumerate(extension.databases or (shared,)):
            if extension.databases and server and database not in {*own, shared}:
                allowed = ", ".join(map(key, sorted({*own, shared})))
                yield Fault(join(path, "databases", place), f"no database of the stack; allowed: {allowed}")
            elif existing and database != shared:
                yield Fault(join(path, "schema"), f"not in database {key(database)}, where the extension is to be")


def _server(
    path: str, server: Server | None, services: tuple[Service, ...], analytics: Analytics | None
) -> Iterator[Fault]:
    if server is None:
        return
    if server.close_other_databases and not server.superuser:
        yield Fault(f"{path}.closeOtherDatabases", "needs an admin that is a superuser")
    total = sum(s.connection_limit for s in services) + (analytics.connection_limit if analytics else 0)
    if server.connection_budget is not None and total > server.connection_budget:
        yield Fault(
            f"{path}.connectionBudget",
            f"the connection limits together are {total}, the budget is {server.connection_budget};"
            " lower connectionLimit of a service or raise the budget",
        )


def verifies(address: Address | None) -> bool:
    """Whether services are to verify the server's certificate there."""
    return address is not None and address.sslmode in ("verify-ca", "verify-full")


def _verified(
    stated: str, address: Address | None, services: tuple[Service, ...], analytics: Analytics | None
) -> Iterator[Fault]:
    """A driver that verifies no certificate, though services are to verify the server's."""
    if address is None or not verifies(address):
        return
    paths = {join("engarde:services", service.name): service.url_format for service in services}
    for path, form in {**paths, **({"engarde:analytics": analytics.url_format} if analytics else {})}.items():
        if form == UNVERIFYING:
            yield Fault(
                join(path, "urlFormat"),
                f"its URL can carry no sslmode, and pg8000 verifies no certificate by itself; {stated}"
                f" is {address.sslmode}: choose another form or another mode",
            )
