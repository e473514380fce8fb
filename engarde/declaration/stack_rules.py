"""Rules for the whole stack: faults between sections that are valid by themselves."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from engarde.declaration.address import Address, Elsewhere, Server, SharedServer
from engarde.declaration.grants import parts_of_function
from engarde.declaration.model import Accepted, Analytics, Declarations, OutsideRole, Service
from engarde.declaration.names import COMMAND_WORDS, PUBLIC, ROLE_SUFFIX, complaint, split_table
from engarde.declaration.parameters import SUPERUSERS
from engarde.declaration.validation import ValidationFault, join, key

NO_SECRET = "must not be a secret; only the admin's password is one"  # noqa: S105 - what is said of one
_ONE = ": PostgreSQL reads and calls only within one database; remove it, and ask the service that has it"
_MYSQL = re.compile(r"(mysql|mariadb)[\w+]*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections(Declarations):
    """The sections of a stack file that could be read."""

    server: SharedServer | None
    address: Address | None
    """of the shared server, for services"""
    unpooled: Address | None
    databases: tuple[Elsewhere, ...]
    shut_out: tuple[str, ...]
    accepted: tuple[Accepted, ...]
    values: Mapping[str, object]
    """as they are stated, including faulty ones"""

    @property
    def servers(self) -> dict[str, Server]:
        """Path -> server."""
        shared = {"engarde:server": self.server} if self.server else {}
        return {**shared, **{join("engarde:databases", database.name): database for database in self.databases}}

    @property
    def by_path(self) -> dict[str, Service | Analytics]:
        """Path -> login."""
        services = {join("engarde:services", service.name): service for service in self.services}
        return {**services, **({"engarde:analytics": self.analytics} if self.analytics else {})}

    def section(self, name: str) -> dict[str, object]:
        """A map as it was stated."""
        return _map(self.values.get(name))

    def entry(self, section: str, name: str) -> dict[str, object]:
        """What was stated under a name in a map."""
        return _map(self.section(section).get(name))


def _map(stated: object) -> dict[str, object]:
    return stated if isinstance(stated, dict) else {}


def forbidden_values(tree: Mapping[str, object]) -> Iterator[ValidationFault]:
    """A MySQL address or a secret anywhere in the configuration, also in keys."""
    for path, value in tree.items():
        if isinstance(value, str) and _MYSQL.search(value):
            yield ValidationFault(path, "is a MySQL address; only PostgreSQL is managed, never the scheduler's MySQL")
        if isinstance(value, dict):
            if value.keys() == {"secure"}:
                yield ValidationFault(path, NO_SECRET)
            inner = {join(path, name): inner for name, inner in value.items()}
            yield from (ValidationFault(path, f.wrong) for f in forbidden_values({path: list(value)}) if value)
            yield from forbidden_values(inner)
        if isinstance(value, list):
            yield from forbidden_values({join(path, place): inner for place, inner in enumerate(value)})


def rules(stated: Sections) -> Iterator[ValidationFault]:
    """Every fault between the sections; a fault names keys, never values."""
    declared, analytics = _declared_schemas(stated), stated.analytics
    yield from _names(stated)
    yield from _schemas(stated)
    yield from _used(stated, declared)
    yield from _roles(stated)
    yield from _renamed(stated)
    yield from _shut_out(stated)
    yield from _settings(stated)
    for schema in (analytics.schemas if analytics else None) or ():
        if schema not in declared:
            path = _item("engarde:analytics.schemas", stated.section("analytics").get("schemas"), schema)
            yield ValidationFault(path, f"is not a declared schema; {_choice(declared)}")
    if analytics and analytics.status and analytics.status.size is not None:
        yield ValidationFault("engarde:analytics.status.size", "analytics owns no schema, so it has no size; remove it")
    shared = {**{name: key(name) for name in stated.section("existingSchemas")}, PUBLIC: PUBLIC}
    for extension in stated.extensions:
        path = join("engarde:extensions", extension.name, "schema")
        if extension.schema_ in declared.keys() - shared.keys():
            yield ValidationFault(
                path,
                "is a service's schema: the service could choose what CREATE EXTENSION runs with the admin's"
                f" privileges; {_choice(shared)}",
            )
        elif extension.schema_ not in shared:
            yield ValidationFault(path, f"is not a declared schema; {_choice(shared)}")
    for role in stated.outside_roles:
        for schema in role.schemas.keys() - {e.name for e in stated.existing_schemas}:
            path = join("engarde:outsideRoles", role.name, "schemas", schema)
            yield ValidationFault(path, "is not an existing schema of the stack; declare it in engarde:existingSchemas")
    seen = set()
    for accepted in stated.accepted:
        # Which reason and which date would hold?
        if (finding := f"{accepted.check}: {accepted.subject}") in seen:
            yield ValidationFault("engarde:accepted", f"accepts the same finding twice: {finding}")
        seen.add(finding)


def _declared_schemas(stated: Sections) -> dict[str, str]:
    """Every schema in the file, also of faulty entries, so that one fault causes no other -> its name in faults."""
    declared = {name: key(name) for name in stated.section("existingSchemas")}
    for name in stated.section("services"):
        schema = stated.entry("services", name).get("schema")
        declared[name if schema is None else str(schema)] = key(name) if schema is None else f"that of {key(name)}"
    return declared


def _choice(declared: Mapping[str, str]) -> str:
    return f"allowed: {', '.join(sorted(declared.values()))}" if declared else "no schema is declared"


def _item(path: str, stated: object, item: object) -> str:
    """The path of the first such item in a list as it was stated, with its faulty items."""
    return join(path, stated.index(item)) if isinstance(stated, list) and item in stated else path


def _names(stated: Sections) -> Iterator[ValidationFault]:
    for name in stated.section("services"):
        path, entry = join("engarde:services", name), stated.entry("services", name)
        wrong = complaint(name, suffix="" if "role" in entry else ROLE_SUFFIX)
        # If the name is also the schema's, the schema already has the fault.
        if wrong and (complaint(name) is None or "schema" in entry):
            yield ValidationFault(path, f"invalid name: {wrong}")
        if name in COMMAND_WORDS:
            yield ValidationFault(
                path, f"reserved name: {' and '.join(sorted(COMMAND_WORDS))} are words of the tool's commands"
            )


def _schemas(stated: Sections) -> Iterator[ValidationFault]:
    owners: dict[str, str] = {e.name: "engarde:existingSchemas" for e in stated.existing_schemas}
    for service in stated.services:
        path = join("engarde:services", service.name)
        taken = owners.setdefault(service.schema_, path)
        if taken != path:
            yield ValidationFault(join(path, "schema"), f"{taken} declares the same schema")


def _table(stated: object) -> tuple[str, str] | None:
    text = stated.get("table") if isinstance(stated, dict) else stated
    return split_table(text) if isinstance(text, str) else None


_USES: Mapping[str, tuple[Callable[[object], object], str, str]] = {
    "reads": (_table, "read", "is listed twice; list the table once, with all its columns"),
    "executes": (lambda stated: parts_of_function(str(stated)), "declaration", "is listed twice"),
}
"""Key -> the parser of its items, the word for one of them, and the fault of a repeated one."""


def _used(stated: Sections, declared: Mapping[str, str]) -> Iterator[ValidationFault]:
    """What services and outside roles read and call in other schemas."""
    databases: dict[str, str | None] = {schema.name: None for schema in stated.existing_schemas}
    databases |= {service.schema_: service.database for service in stated.services}
    users: list[tuple[str, Service | OutsideRole]] = [("services", service) for service in stated.services]
    for section, user in (*users, *(("outsideRoles", role) for role in stated.outside_roles)):
        used: dict[str, list[tuple[str, ...]]] = {"reads": [(read.schema_, read.table) for read in user.reads]}
        own, database, what = None, None, "the role"
        if isinstance(user, Service):
            own, database, what = user.schema_, user.database, "the service"
            used["executes"] = [(execute.schema_, execute.function, execute.types) for execute in user.executes]
        for name, things in used.items():
            parts_of, needless, twice = _USES[name]
            listed = stated.entry(section, user.name).get(name)
            names = [parts_of(item) for item in listed] if isinstance(listed, list) else []
            for place, thing in enumerate(things):
                schema, path = thing[0], _item(join(f"engarde:{section}", user.name, name), names, thing)
                if schema == own:
                    yield ValidationFault(path, f"is in the service's own schema, which needs no {needless}; remove it")
                elif schema not in declared:
                    yield ValidationFault(path, f"its schema is not declared; {_choice(declared)}")
                elif databases.get(schema, database) != database:
                    yield ValidationFault(
                        path, f"is in {_where(databases[schema])}, but {what} is in {_where(database)}{_ONE}"
                    )
                if thing in things[:place]:
                    yield ValidationFault(path, twice)


def _where(database: str | None) -> str:
    return f"database {key(database)}" if database else "the shared database"


def _renamed(stated: Sections) -> Iterator[ValidationFault]:
    names = {login.role for login in stated.logins} | {service.name for service in stated.services}
    for path, login in stated.by_path.items():
        if login.formerly in names:
            yield ValidationFault(
                join(path, "formerly"), "is a declared key or role; state the former one, which is no longer declared"
            )


def _roles(stated: Sections) -> Iterator[ValidationFault]:
    made: dict[str, str] = {}
    for path, login in stated.by_path.items():
        taken = made.setdefault(login.role, path)
        if taken != path:
            yield ValidationFault(join(path, "role"), f"{taken} declares the same role")
    server = stated.server
    if server and server.user in made:
        yield ValidationFault(
            "engarde:server.user", "is also a role that the stack creates; the admin must be another role"
        )
    for other in stated.outside_roles:
        path = join("engarde:outsideRoles", other.name)
        if other.name in made:
            yield ValidationFault(path, "the stack creates this role itself; list only roles that it does not create")
        if other.name == PUBLIC:
            yield ValidationFault(path, "PUBLIC is everybody; name the roles that keep their access")
        if server and other.name == server.user:
            yield ValidationFault(path, "the admin keeps its access without a grant; remove it")


def _shut_out(stated: Sections) -> Iterator[ValidationFault]:
    made = {login.role for login in stated.logins}
    admins = {server.user for server in stated.servers.values()}
    kept = {outside_role.name for outside_role in stated.outside_roles}
    for place, role in enumerate(stated.shut_out):
        path = join("engarde:shutOut", place)
        if role in made:
            yield ValidationFault(path, "the stack creates this role itself; list only roles that it does not create")
        elif role in admins:
            yield ValidationFault(path, "is an admin's role, which is never shut out; remove it")
        elif role in kept:
            yield ValidationFault(
                path, "is also one of engarde:outsideRoles, which keep their access; remove it from one of the two"
            )


def _settings(stated: Sections) -> Iterator[ValidationFault]:
    """Settings that the admin of the login's server (for analytics: of the shared one) may not set."""
    others: dict[str | None, Server] = {database.name: database for database in stated.databases}
    for path, login in stated.by_path.items():
        server = others.get(login.database if isinstance(login, Service) else None, stated.server)
        if server and not server.superuser:
            for name in sorted(SUPERUSERS & login.settings.stated(superuser=True).keys()):
                yield ValidationFault(join(path, "settings", name), "needs an admin that is a superuser")
