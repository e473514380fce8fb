"""Causes of `permission denied for schema`, and of names that lead to another schema."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from engarde.declaration.model import Analytics, Service
from engarde.declaration.names import PUBLIC
from engarde.doctor import failed_statement, remedies
from engarde.doctor.facts import Facts, is_of, owns
from engarde.doctor.model import Answer, Cause, as_found, bring_back, confirmed, ruled_out, unknown
from engarde.output.findings import Finding, Remedy
from engarde.preflight.admin_privileges import moving
from engarde.server.catalog import in_force


def _named(facts: Facts) -> list[str]:
    """The schema that the error names."""
    if facts.named.kind != "schema":
        return []
    # A declared schema is known without a server.
    known = facts.known_as(facts.stack.schemas) or facts.known_as(facts.catalog.schemas)
    return [known] if known else []


def denied(facts: Facts) -> list[str]:
    """The schemas that the error may be about: the one it names, or else every declared one."""
    return _named(facts) if facts.named.kind == "schema" else [*facts.stack.schemas]


def _never_declared(facts: Facts) -> Answer:
    if facts.named.kind != "schema":
        return unknown("the text does not name the schema")
    for schema in _named(facts):
        lacking = [
            login
            for login in facts.suspects
            if not (owns(login, schema) or facts.enters(login, schema) or facts.may_use(login.role, schema))
        ]
        if lacking and _holds_extensions(facts).mark == "confirmed":
            return ruled_out(f"{schema} has no table to read")
        if lacking:
            table = failed_statement.table_in(facts.error.lines, schema)
            because = f"the stack file declares no read in {schema} by {remedies.named(lacking)}"
            return confirmed(because, remedies.declaring(facts, lacking, schema, table))
        return ruled_out(f"the role has USAGE on {schema}, or the stack file declares it")
    return unknown(f"database {facts.stack.server.database} has no schema of this name")


def _writes(facts: Facts) -> Answer:
    for schema in _named(facts):
        said = failed_statement.more_than_reading(facts.error.lines, schema)
        if said and not any(owns(login, schema) for login in facts.suspects):
            return confirmed(f"{said} in {schema}: the stack file can give others only SELECT there")
    return ruled_out("the statement writes to no schema of others")


def _holds_extensions(facts: Facts) -> Answer:
    for schema in _named(facts):
        held = dict(facts.session.tuples("extensions_in", schema=schema))
        lacking = any(not facts.may_use(login.role, schema) for login in facts.suspects)
        if held and lacking and facts.service_of(schema) is None:
            because = f"{schema} contains {', '.join(held)}, and the stack file cannot give a service USAGE on it"
            return confirmed(because, _to_public(facts, held))
    return ruled_out("no extension is in this schema")


def _to_public(facts: Facts, held: Mapping[str, bool]) -> Remedy:
    """Moves extensions to `public`, where every role may use them.

    :param held: the extensions, and whether each can be moved.
    """
    if fixed := [name for name, relocatable in held.items() if not relocatable]:
        # It was created for one schema, and has to be created again.
        return remedies.code(f"create {', '.join(fixed)} again in {PUBLIC}: it cannot be moved there")
    declared = {extension.name for extension in facts.stack.extensions}
    if undeclared := [name for name in held if name not in declared]:
        move = [moving(name, PUBLIC) for name in undeclared]
        return Remedy("sql", "\n".join(move), by_superuser=True)
    name = next(iter(held))
    declare = remedies.edit("engarde:extensions", name, "schema", value=PUBLIC)
    if facts.observed.admin.superuser or name not in facts.observed.rights.fixed:
        return declare
    return replace(declare, first=Remedy("sql", moving(name, PUBLIC), by_superuser=True))


def _own(facts: Facts) -> list[str]:
    """The schemas of suspected services that the error may be about."""
    return [schema for schema in denied(facts) if facts.service_of(schema) in facts.suspects]


def _about(facts: Facts, finding: Finding) -> Iterator[tuple[str, str]]:
    """The roles and schemas that both the error and a finding may be about."""
    for schema in denied(facts):
        found = facts.catalog.schemas.get(schema)
        for login in facts.suspects if found and found.identity in finding.things else ():
            if is_of(login, finding):
                yield login.role, schema


def _owner_is_refused(facts: Facts, finding: Finding) -> bool:
    """Whether an owner lacks, in effect, a privilege on its schema that the statement may need."""
    makes = facts.named.kind == "schema" and failed_statement.verb(facts.error.lines) in (None, "CREATE", "ALTER")
    return any(
        not facts.may_use(role, schema) or (makes and not facts.may_create(role, schema))
        for role, schema in _about(facts, finding)
    )


def _is_shut_out(facts: Facts, finding: Finding) -> bool:
    """Whether a login lacks, in effect, the USAGE that a finding misses."""
    return any(not facts.may_use(role, schema) for role, schema in _about(facts, finding))


def _whose_path(facts: Facts) -> Sequence[Service | Analytics]:
    if any(failed_statement.table_in(facts.error.lines, schema) for schema in _named(facts)):
        return ()  # The statement names the schema itself.
    return facts.suspects


def _creates_elsewhere(facts: Facts) -> Answer:
    said = failed_statement.verb(facts.error.lines)
    written = failed_statement.tables(facts.error.lines)
    if said == "CREATE" and written and not any(schema for schema, _ in written):
        return ruled_out("the statement names no schema")
    for schema in _named(facts):
        outsiders = [login for login in facts.suspects if not owns(login, schema)]
        making = said == "CREATE" or (said is None and schema == PUBLIC)
        if making and outsiders and not any(facts.may_create(login.role, schema) for login in outsiders):
            return confirmed(f"only the owner of {schema} may create objects in it")
    return ruled_out("the statement creates nothing in a schema of others")


def _without_schema(facts: Facts) -> Remedy:
    own = facts.service.schema_ if facts.service else None
    return remedies.code(
        f"in CREATE, name no schema or {own or 'its own schema'}: without one, PostgreSQL uses the service's own",
        f'Alembic: context.configure(version_table_schema="{own or "SCHEMA"}")',
    )


def _declare(facts: Facts) -> Remedy:
    schema = facts.known_as([service.schema_ for service in facts.stack.services]) or "SCHEMA"
    return remedies.declaring(facts, facts.suspects, schema, failed_statement.table_in(facts.error.lines, schema))


def search_path_changed(says: str, whose: Callable[[Facts], Sequence[Service | Analytics]]) -> Cause:
    """The cause that a role's search_path is not the one that the stack sets."""
    return Cause.of_check(
        says,
        "setting",
        because="{what} starts with search_path {actual}; expected: {expected}",
        otherwise="every search_path is as declared",
        when=lambda facts: bool(whose(facts)),
        so=lambda facts, finding: any(
            isinstance(login, Service)
            and finding.subject == f"search_path of {login.role}"
            and facts.search_path(login.role) != (login.schema_, PUBLIC)
            for login in whose(facts)
        ),
        heal=_in_this_database,
    )


def _in_this_database(facts: Facts, finding: Finding) -> Remedy | None:
    found = in_force(facts.catalog.settings, "search_path", finding.subject.removeprefix("search_path of "))
    return remedies.reset_in_database(facts, found) if found and found.role and found.database else None


OWNER = Cause.of_check(
    "the service's own schema belongs to another role",
    "owner",
    because="{subject} is {actual}; expected: {expected}",
    otherwise="every service's schema belongs to the service's role",
    when=lambda facts: bool(_own(facts)),
    so=lambda facts, finding: finding.subject in {f"schema {schema}" for schema in _own(facts)},
    heal=as_found,
)
OWNER_LOST = Cause.of_check(
    "the schema's owner has revoked its own privileges",
    "owner's right",
    because="{who} has revoked privileges from itself on {what}; expected: {expected}",
    otherwise="every owner has all privileges on its schema",
    when=lambda facts: bool(_own(facts)),
    so=_owner_is_refused,
    heal=as_found,
)
SEARCH_PATH = search_path_changed("the role's search_path leads to another schema", _whose_path)
WRITES = Cause(
    "the statement writes to a table of others, where the stack file can give only SELECT",
    _writes,
    remedies.ASK_ITS_SERVICE,
)
EXTENSION = Cause("an extension is in a schema of its own", _holds_extensions, bring_back)
NOT_DECLARED = Cause("the stack file declares no read in this schema", _never_declared, _declare)
NOT_GRANTED = Cause.of_check(
    "USAGE is declared, but was not granted or was revoked",
    "grant",
    because="{who} lacks {expected} on {what}, which is declared",
    otherwise="every declared USAGE is granted",
    when=lambda facts: any(
        facts.enters(login, schema) and not owns(login, schema) for schema in denied(facts) for login in facts.suspects
    ),
    so=_is_shut_out,
)
CREATES = Cause("the service creates something outside its own schema", _creates_elsewhere, _without_schema)
