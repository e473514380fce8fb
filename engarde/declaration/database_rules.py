"""Rules for each server and its databases: names, limits, certificates, deliveries."""

from collections.abc import Iterator

from engarde.declaration.address import UNSTATED, Address, Elsewhere, Server
from engarde.declaration.declared import UrlFormat
from engarde.declaration.model import Analytics, Service
from engarde.declaration.names import PUBLIC, split_table
from engarde.declaration.stack_rules import Sections
from engarde.declaration.validation import ValidationFault, join, key

UNVERIFYING: dict[UrlFormat, str] = {
    "sqlalchemy+pg8000": "this form has no sslmode, and pg8000 does not verify certificates",
    "prisma": "Prisma's own engine, which runs its migrations, takes that mode for prefer and verifies no certificate",
}
"""Form -> why it does not verify certificates."""

SERVERS_OWN = ("postgres", "template0", "template1")
"""Databases that every server has, and that must stay open to everybody."""


def rules(stated: Sections) -> Iterator[ValidationFault]:
    """Every fault of the servers and their databases; a fault names keys, never values."""
    server, analytics = stated.server, stated.analytics
    there = {database.name for database in stated.databases}
    here = tuple(service for service in stated.services if service.database not in there)
    yield from _server("engarde:server", server, here, analytics)
    yield from _verified("serviceAddress.sslmode", stated.address, here, analytics)
    yield from _names(stated, there)
    yield from _left(stated)
    yield from _named_like_an_admin(stated)
    yield from _extensions(stated)
    hosts: dict[tuple[str, int], str] = {(server.host.casefold(), server.port): "engarde:server"} if server else {}
    for database in stated.databases:
        path = join("engarde:databases", database.name)
        own = tuple(service for service in stated.services if service.database == database.name)
        reader = analytics if analytics and database.name in _readable(stated, analytics) else None
        taken = hosts.setdefault((database.host.casefold(), database.port), path)
        if taken != path:
            yield ValidationFault(
                path, f"is on the server of {taken}; list one database of each other server here, and no more"
            )
        if server and database.name == server.database:
            yield ValidationFault(path, "is the name of the shared database; use another key, and state `database`")
        if any(login.role == database.user for login in stated.logins):
            yield ValidationFault(
                join(path, "user"), "is also a role that the stack creates; the admin must be another role"
            )
        yield from _server(path, database, own, reader)
        yield from _verified(f"{path}.serviceAddress.sslmode", database.services_reach, own, reader)
    yield from _deliveries(stated)


def _names(stated: Sections, there: set[str]) -> Iterator[ValidationFault]:
    for service in stated.services:
        path = join("engarde:services", service.name, "database")
        if stated.server and service.database == stated.server.database:
            yield ValidationFault(path, "is the shared database, which is the default; remove this key")
        elif service.database in SERVERS_OWN and service.database not in there:
            yield ValidationFault(path, f"is a database of the server's own; not allowed: {', '.join(SERVERS_OWN)}")


def _left(stated: Sections) -> Iterator[ValidationFault]:
    """An entry of `leaves` for the current place: it would let a later change through."""
    wrong = "is its current place; only a place that it leaves may be listed, so remove it"
    for service in stated.services:
        path = join("engarde:services", service.name, "leaves")
        here = (service.database or (stated.server.database if stated.server else None), service.schema_)
        for number, place in enumerate(service.leaves):
            if split_table(place) == here:
                yield ValidationFault(join(path, number), wrong)
    for path, server in stated.servers.items():
        if server.place in server.leaves:
            yield ValidationFault(join(path, "leaves", server.leaves.index(server.place)), wrong)


def _named_like_an_admin(stated: Sections) -> Iterator[ValidationFault]:
    """A schema with the name of an admin: `"$user"` in the admin's search_path puts its functions before others'."""
    admins = {server.user for server in stated.servers.values()}
    wrong = (
        "is the name of an admin's role, whose search_path begins with the schema of that name (`$user`): its owner"
        " could choose what runs with the admin's privileges; use another name"
    )
    for service in stated.services:
        path = join("engarde:services", service.name)
        if service.name in admins:
            yield ValidationFault(path, wrong)
        elif service.schema_ in admins:
            yield ValidationFault(join(path, "schema"), wrong)
    for schema in stated.existing_schemas:
        if schema.name in admins:
            yield ValidationFault(join("engarde:existingSchemas", schema.name), wrong)


def _extensions(stated: Sections) -> Iterator[ValidationFault]:
    own = {service.database for service in stated.services if service.database}
    shared = stated.server.database if stated.server else ""
    for extension in stated.extensions:
        path = join("engarde:extensions", extension.name)
        existing = extension.schema_ not in {PUBLIC, *(service.schema_ for service in stated.services)}
        for place, database in enumerate(extension.databases or (shared,)):
            if extension.databases and shared and database not in {*own, shared}:
                allowed = ", ".join(map(key, sorted({*own, shared})))
                wrong = f"is not a database of the stack; allowed: {allowed}"
                yield ValidationFault(join(path, "databases", place), wrong)
            elif existing and database != shared:
                yield ValidationFault(
                    join(path, "schema"), f"is not in database {key(database)}, where the extension is declared"
                )


def _server(
    path: str, server: Server | None, services: tuple[Service, ...], analytics: Analytics | None
) -> Iterator[ValidationFault]:
    if server is None:
        return
    if server.close_other_databases and not server.superuser:
        yield ValidationFault(f"{path}.closeOtherDatabases", "needs an admin that is a superuser")
    total = sum(s.connection_limit for s in services) + (analytics.connection_limit if analytics else 0)
    if server.connection_budget is not None and total > server.connection_budget:
        yield ValidationFault(
            f"{path}.connectionBudget",
            f"the connection limits add up to {total}, but the budget is {server.connection_budget};"
            " lower connectionLimit of a service or raise the budget",
        )


def _verifies(address: Address | None) -> bool:
    """Whether services must verify the server's certificate there."""
    return address is not None and address.sslmode in ("verify-ca", "verify-full")


def _verified(
    stated: str, address: Address | None, services: tuple[Service, ...], analytics: Analytics | None
) -> Iterator[ValidationFault]:
    """A driver that does not verify certificates, though services must verify the server's."""
    if address is None or not _verifies(address):
        return
    paths = {join("engarde:services", service.name): service.url_format for service in services}
    for path, form in {**paths, **({"engarde:analytics": analytics.url_format} if analytics else {})}.items():
        if form in UNVERIFYING:
            yield ValidationFault(
                join(path, "urlFormat"),
                f"{UNVERIFYING[form]}, but {stated} is {address.sslmode}; choose another form or another mode",
            )


def _deliveries(stated: Sections) -> Iterator[ValidationFault]:
    """What goes to Railway: each variable has an address, and none is set twice."""
    taken: dict[tuple[str, str], str] = {}
    others: dict[str | None, Elsewhere] = {database.name: database for database in stated.databases}
    has_railway = "railway" in stated.values
    for path, login in stated.by_path.items():
        where = join(path, "railway")
        declared = login.railway or UNSTATED
        if login.railway and not has_railway:
            yield ValidationFault(where, "needs engarde:railway, which names the project and the environment")
        if login.railway and login.railway.service is None and isinstance(login, Analytics):
            yield ValidationFault(join(where, "service"), "missing; analytics has no default Railway service")
        for name, spec in declared.variables.items():
            at = join(where, "variables", name)
            # A database of the shared server has no addresses of its own.
            if there := others.get(login.database if isinstance(login, Service) else spec.database):
                place = f"{join('engarde:databases', there.name)}."
                # Stated, even if it has faults.
                has_unpooled = "unpooledAddress" in stated.entry("databases", there.name)
                address = there.unpooled_address if spec.unpooled else there.services_reach
            else:
                place, has_unpooled = "engarde:", "unpooledAddress" in stated.values
                address = stated.unpooled if spec.unpooled else stated.address
            if spec.database and (isinstance(login, Service) or spec.database not in _readable(stated, login)):
                yield ValidationFault(
                    join(at, "database"), "is only for analytics, and only a service's own database that it reads"
                )
            if spec.unpooled and not has_unpooled:
                yield ValidationFault(join(at, "unpooled"), f"needs {place}unpooledAddress")
            if spec.url_format in UNVERIFYING and _verifies(address):
                yield ValidationFault(join(at, "urlFormat"), UNVERIFYING[spec.url_format])
        # If nothing is delivered, names that only differ in case are no fault.
        for service in login.on_railway if login.railway or has_railway else ():
            for name in declared.variables:
                first = taken.setdefault((service.casefold(), name), where)
                if first != where:
                    yield ValidationFault(where, f"{first} already sets {key(name)} of the same Railway service")


def _readable(stated: Sections, analytics: Analytics) -> set[str | None]:
    schemas = analytics.schemas
    return {service.database for service in stated.services if schemas is None or service.schema_ in schemas}
