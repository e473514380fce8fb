"""Rules over the whole stack, where each part may be right and the whole is not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from engarde.declaration.accepted import Accepted
from engarde.declaration.address import Server
from engarde.declaration.executes import parts_of
from engarde.declaration.model import Analytics, ExistingSchema, Extension, OutsideRole, Service
from engarde.declaration.names import COMMAND_WORDS, PUBLIC, ROLE_SUFFIX, complaint, split_table
from engarde.declaration.parameters import SUPERUSERS
from engarde.declaration.validation import Fault, join, key

_ONE = ": PostgreSQL reads in one database at a time, and calls in one; leave it out, and ask the service that has it"
_MYSQL = re.compile(r"(mysql|mariadb)[\w+]*:", re.IGNORECASE)


def forbidden_values(tree: Mapping[str, object]) -> Iterator[Fault]:
    """A MySQL address or a secret anywhere in the configuration, keys included."""
    for path, value in tree.items():
        if isinstance(value, str) and _MYSQL.search(value):
            yield Fault(path, "a MySQL address; the scheduler's MySQL stays out, only PostgreSQL is managed")
        if isinstance(value, dict):
            if value.keys() == {"secure"}:
                yield Fault(path, "must not be a secret; only the admin's password is")
            inner = {join(path, name): inner for name, inner in value.items()}
            yield from (Fault(path, f.wrong) for f in forbidden_values({path: list(value)}) if value)
            yield from forbidden_values(inner)
        if isinstance(value, list):
            yield from forbidden_values({join(path, place): inner for place, inner in enumerate(value)})


def rules(
    server: Server | None,
    services: tuple[Service, ...],
    existing: tuple[ExistingSchema, ...],
    analytics: Analytics | None,
    extensions: tuple[Extension, ...],
    outside: tuple[OutsideRole, ...],
    values: Mapping[str, object],
) -> Iterator[Fault]:
    """Every fault between the parts, told by keys and never by values.

    `values` names also the entries that are themselves at fault.
    """
    declared = _declared_schemas(values)
    yield from _names(values)
    yield from _schemas(services, existing)
    yield from _reads(services, existing, outside, declared, values)
    yield from _executes(services, existing, declared, values)
    yield from _roles(server, services, analytics, outside)
    yield from _renamed(services, analytics)
    for schema in (analytics.schemas if analytics else None) or ():
        if schema not in declared:
            path = _item("engarde:analytics.schemas", _section(values, "analytics").get("schemas"), schema)
            yield Fault(path, f"no declared schema; {_choice(declared)}")
    if analytics and analytics.status and analytics.status.size is not None:
        yield Fault("engarde:analytics.status.size", "analytics owns no schema; a size is of a service's")
    shared = {**{name: key(name) for name in _section(values, "existingSchemas")}, PUBLIC: PUBLIC}
    for extension in extensions:
        path = join("engarde:extensions", extension.name, "schema")
        if extension.schema_ in declared.keys() - shared.keys():
            yield Fault(
                path,
                "a service's schema: the service could choose what CREATE EXTENSION runs with the admin's privileges;"
                f" {_choice(shared)}",
            )
        elif extension.schema_ not in shared:
            yield Fault(path, f"no declared schema; {_choice(shared)}")
    for role in outside:
        for schema in role.schemas.keys() - {e.name for e in existing}:
            path = join("engarde:outsideRoles", role.name, "schemas", schema)
            yield Fault(path, "no existing schema of the stack; declare it in engarde:existingSchemas")


def _section(values: Mapping[str, object], name: str) -> dict[str, object]:
    section = values.get(name)
    return section if isinstance(section, dict) else {}


def _declared_schemas(values: Mapping[str, object]) -> dict[str, str]:
    """Every schema somebody meant to declare, so that one fault does not cause a second, and how a fault names it."""
    declared = {name: key(name) for name in _section(values, "existingSchemas")}
    for name, entry in _section(values, "services").items():
        stated = entry.get("schema") if isinstance(entry, dict) else None
        declared[name if stated is None else str(stated)] = key(name) if stated is None else f"that of {key(name)}"
    return declared


def _choice(declared: Mapping[str, str]) -> str:
    return f"allowed: {', '.join(sorted(declared.values()))}" if declared else "none is declared"


def _item(path: str, stated: object, item: object) -> str:
    """The path of the first such item in a list as it was stated, faulty items included."""
    return join(path, stated.index(item)) if isinstance(stated, list) and item in stated else path


def _names(values: Mapping[str, object]) -> Iterator[Fault]:
    for name, entry in _section(values, "services").items():
        path = join("engarde:services", name)
        stated = entry if isinstance(entry, dict) else {}
        wrong = complaint(name, suffix="" if "role" in stated else ROLE_SUFFIX)
        # A name that is also the schema's is faulted as the schema already.
        if wrong and (complaint(name) is None or "schema" in stated):
            yield Fault(path, f"invalid name: {wrong}")
        if name in COMMAND_WORDS:
            yield Fault(path, f"reserved name: {' and '.join(sorted(COMMAND_WORDS))} mean roles of the tool's own")


def _schemas(services: tuple[Service, ...], existing: tuple[ExistingSchema, ...]) -> Iterator[Fault]:
    owners: dict[str, str] = {e.name: "engarde:existingSchemas" for e in existing}
    for service in services:
        path = join("engarde:services", service.name)
        taken = owners.setdefault(service.schema_, path)
        if taken != path:
            yield Fault(join(path, "schema"), f"the same schema is declared by {taken}")


def _reads(
    services: tuple[Service, ...],
    existing: tuple[ExistingSchema, ...],
    outside: tuple[OutsideRole, ...],
    declared: Mapping[str, str],
    values: Mapping[str, object],
) -> Iterator[Fault]:
    databases = _databases(services, existing)
    readers: list[tuple[str, Service | OutsideRole]] = [("services", each) for each in services]
    for section, reader in (*readers, *(("outsideRoles", each) for each in outside)):
        seen = set()
        stated = _section(_section(values, section), reader.name).get("reads")
        tables = [_table(each) for each in stated] if isinstance(stated, list) else []
        for read in reader.reads:
            table = (read.schema_, read.table)
            path = _item(join(f"engarde:{section}", reader.name, "reads"), tables, table)
            if isinstance(reader, Service) and read.schema_ == reader.schema_:
                yield Fault(path, "its own schema needs no read, the service owns it")
            else:
                yield from _reached(path, read.schema_, reader, declared, databases)
            if table in seen:
                yield Fault(path, "the same table twice; state it once, with all its columns")
            seen.add(table)


def _executes(
    services: tuple[Service, ...],
    existing: tuple[ExistingSchema, ...],
    declared: Mapping[str, str],
    values: Mapping[str, object],
) -> Iterator[Fault]:
    databases = _databases(services, existing)
    for service in services:
        seen = set()
        stated = _section(_section(values, "services"), service.name).get("executes")
        texts = [parts_of(str(each)) for each in stated] if isinstance(stated, list) else []
        for each in service.executes:
            path = _item(
                join("engarde:services", service.name, "executes"), texts, (each.schema_, each.function, each.types)
            )
            if each.schema_ == service.schema_:
                yield Fault(path, "its own schema needs no declaration, the service owns it")
            else:
                yield from _reached(path, each.schema_, service, declared, databases)
            if each in seen:
                yield Fault(path, "the same function twice")
            seen.add(each)


def _databases(services: tuple[Service, ...], existing: tuple[ExistingSchema, ...]) -> dict[str, str | None]:
    return {each.name: None for each in existing} | {each.schema_: each.database for each in services}


def _reached(
    path: str,
    schema: str,
    who: Service | OutsideRole,
    declared: Mapping[str, str],
    databases: Mapping[str, str | None],
) -> Iterator[Fault]:
    """Something in another schema that a service or an outside role is to get at."""
    database, what = (who.database, "the service") if isinstance(who, Service) else (None, "the role")
    if schema not in declared:
        yield Fault(path, f"its schema is not declared; {_choice(declared)}")
    elif databases.get(schema, database) != database:
        yield Fault(path, f"in {_where(databases[schema])}, {what} is in {_where(database)}{_ONE}")


def _where(database: str | None) -> str:
    return f"database {key(database)}" if database else "the shared database"


def _table(stated: object) -> tuple[str, str] | None:
    text = stated.get("table") if isinstance(stated, dict) else stated
    return split_table(text) if isinstance(text, str) else None


def _renamed(services: tuple[Service, ...], analytics: Analytics | None) -> Iterator[Fault]:
    logins: list[tuple[str, Service | Analytics]] = [(join("engarde:services", each.name), each) for each in services]
    logins += [("engarde:analytics", analytics)] if analytics else []
    names = {name for _, each in logins for name in (each.role, each.name if isinstance(each, Service) else None)}
    for path, login in logins:
        if login.formerly in names - {None}:
            yield Fault(join(path, "formerly"), "a key or a role that is declared; state the one that it had before")


def _roles(
    server: Server | None,
    services: tuple[Service, ...],
    analytics: Analytics | None,
    outside: tuple[OutsideRole, ...],
) -> Iterator[Fault]:
    made: dict[str, str] = {}
    logins = [(join("engarde:services", service.name), service.role) for service in services]
    for path, role in logins + ([("engarde:analytics", analytics.role)] if analytics else []):
        taken = made.setdefault(role, path)
        if taken != path:
            yield Fault(join(path, "role"), f"the same role is declared by {taken}")
    if server and server.user in made:
        yield Fault("engarde:server.user", "also a role that the stack makes; the admin is not one of its own")
    for other in outside:
        path = join("engarde:outsideRoles", other.name)
        if other.name in made:
            yield Fault(path, "the stack makes this role itself; only roles outside of it stand here")
        if other.name == PUBLIC:
            yield Fault(path, "PUBLIC is everybody; name the roles that keep their access")
        if server and other.name == server.user:
            yield Fault(path, "the admin keeps its access without a grant; leave it out")


def of_accepted(path: str, accepted: tuple[Accepted, ...]) -> Iterator[Fault]:
    """No finding is accepted twice: which reason and which date would hold?"""
    seen = set()
    for each in accepted:
        if (each.check, each.subject) in seen:
            yield Fault(path, f"accepts the same finding twice: {each.check}: {each.subject}")
        seen.add((each.check, each.subject))


def of_settings(servers: Mapping[str | None, Server], logins: Mapping[str, Service | Analytics]) -> Iterator[Fault]:
    """Settings that the admin of the login's server may not set; by path, analytics' on the shared server."""
    for path, login in logins.items():
        server = servers.get(login.database if isinstance(login, Service) else None, servers.get(None))
        if server and not server.superuser:
            for name in sorted(SUPERUSERS & login.settings.stated(superuser=True).keys()):
                yield Fault(join(path, "settings", name), "takes an admin that is a superuser")
