"""Causes of `permission denied for table`, for a view and for a sequence."""

from collections.abc import Iterator

from engarde.declaration.model import Analytics, Service
from engarde.declaration.names import spelled
from engarde.declaration.privileges import creators
from engarde.declaration.resource_names import login_name
from engarde.doctor import failed_statement, remedies
from engarde.doctor.facts import Facts, Relation, RelationRight, is_of, owns, read_of
from engarde.doctor.model import Answer, Cause, as_found, bring_back, confirmed, ruled_out, unknown
from engarde.output.findings import Finding, Remedy
from engarde.util.quoting import statement

_READING, _WRITING = ("SELECT", "WITH"), ("INSERT", "UPDATE", "DELETE", "MERGE")
"""Words with which a statement begins."""


def refused(facts: Facts) -> list[Relation]:
    """The relations that the error may be about: those of its name that the statement has, or else all of its name;
    without a name, every declared read."""
    if facts.named.object is None:
        reads = {(read.schema_, read.table) for service in facts.stack.services for read in service.reads}
        found = facts.relations_called([table for _, table in reads])
        return [table for table in found if (table.schema, table.name) in reads]
    names = {relation.name for relation in facts.exact}
    written = {schema for schema, name in failed_statement.tables(facts.error.lines) if name in names}
    return [relation for relation in facts.exact if relation.schema in written] or facts.exact


def _tries(
    facts: Facts, finding: Finding | None = None
) -> Iterator[tuple[Service | Analytics, Relation, RelationRight]]:
    """Each login at a relation that it may have been refused, and its privileges there; of a finding, only its own."""
    for relation in refused(facts):
        if finding and relation.identity not in finding.things:
            continue
        rights = facts.rights_on(relation, [login.role for login in facts.suspects])
        for login in facts.suspects:
            # Without USAGE on the schema, the error would name the schema.
            right = rights.get(login.role)
            if right and facts.may_use(login.role, relation.schema) and (finding is None or is_of(login, finding)):
                yield login, relation, right


def _never_declared(facts: Facts) -> Answer:
    relations = refused(facts)
    if facts.named.object is None:
        return unknown("the text does not name the table")
    if not relations:
        return unknown("no table has this name now")
    tries = list(_tries(facts))
    for relation in relations:
        closed = [login for login, tried, right in tries if tried == relation and not right.some]
        lacking = [
            login
            for login in closed
            if not (owns(login, relation.schema) or facts.sees(login, relation.schema, relation.name))
        ]
        if lacking and relation.kind == "sequence":
            because = f"{remedies.named(lacking)} writes into {relation.schema}, which belongs to others"
            return confirmed(because, remedies.ASK_ITS_SERVICE)
        if lacking:
            because = f"the stack file declares no read of {relation.place} by {remedies.named(lacking)}"
            return confirmed(because, remedies.declaring(facts, lacking, relation.schema, relation.name))
    return ruled_out("the role may read it, or the stack file declares the read")


def _other_columns(facts: Facts) -> Answer:
    for login, relation, right in _tries(facts):
        read = read_of(login, relation.schema, relation.name)
        if len(facts.suspects) == 1 and read and read.columns and right.some and not right.reads:
            who, columns = login_name(login), ", ".join(read.columns)
            remedy = remedies.edit("engarde:services", who, "reads", value=(spelled(read.schema_, read.table),))
            return confirmed(f"{who} may read only {columns} of {relation.place}", remedy)
    return ruled_out("no declared read of it is limited to columns")


def _foreign_key(facts: Facts) -> Answer:
    if not failed_statement.makes_foreign_key(facts.error.lines):
        return ruled_out("the text quotes no statement that creates a foreign key")
    for login, relation, right in _tries(facts):
        anothers = isinstance(login, Service) and not owns(login, relation.schema)
        if anothers and right.some and not right.refers:
            because = f"{login.role} may read {relation.place}, but may not point a foreign key at it"
            return confirmed(because, remedies.declaring(facts, [login], relation.schema, relation.name))
    return ruled_out("every role in question that may read it may point foreign keys at it, too")


def _writes(facts: Facts) -> Answer:
    for login, relation, right in _tries(facts):
        said = failed_statement.more_than_reading(facts.error.lines, relation.schema, relation.name)
        if said and not owns(login, relation.schema) and not right.writes:
            return confirmed(f"{said} on {relation.place}: the stack file can give others only SELECT there")
    return ruled_out("the statement writes to no table of others")


def _is_anothers(facts: Facts, finding: Finding) -> bool:
    """Whether a finding is about another role's relation in a service's schema, or about the table of its sequence."""
    tables = facts.catalog.belongs_to
    return any(
        owns(service, relation.schema)
        and relation.owner != service.role
        and finding.things & {relation.identity, tables.get(relation.identity)}
        for relation in refused(facts)
        for service in facts.services
    )


def _owner_is_refused(facts: Facts, finding: Finding) -> bool:
    """Whether an owner lacks, in effect, a privilege on its table that the statement may need."""
    return any(
        entry.identity == relation.identity
        and entry.right in _needed(facts, relation)
        and entry.right not in right.held
        for _, relation, right in _tries(facts, finding)
        for entry in facts.catalog.lost
    )


def _needed(facts: Facts, relation: Relation) -> frozenset[str]:
    """The privileges on a relation that the statement may need."""
    lines = facts.error.lines
    verb = failed_statement.verb(lines)
    if relation.kind == "sequence":
        return frozenset({"SELECT", "UPDATE", "USAGE"})
    if verb in _READING and not failed_statement.more_than_reading(lines, relation.schema, relation.name):
        return frozenset({"SELECT"})
    usual = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
    # Few statements need more: if none is quoted, the text has to name the owner.
    more = verb not in (*_READING, *_WRITING) if verb else facts.login
    return usual | {"TRUNCATE", "REFERENCES", "TRIGGER"} if more else usual


def _reader_is_refused(facts: Facts, finding: Finding) -> bool:
    """Whether a login lacks, in effect, a privilege that a finding misses."""
    return any({*finding.expected.split(", ")} - {*right.held} for _, _, right in _tries(facts, finding))


def _made_by_another(facts: Facts) -> Answer:
    for login, relation, right in _tries(facts):
        schema, maker, known = relation.schema, relation.owner, creators(facts.stack, relation.schema)
        is_read = isinstance(login, Analytics) and facts.sees(login, schema, relation.name)
        # The admin counts, too: `up` gives analytics nothing on its later tables unless it is a creator.
        if is_read and not (right.reads or facts.service_of(schema) or maker in (*known, *facts.stack.roles)):
            because = f"{maker} created {relation.place}, but is not among the creators of {schema}"
            remedy = remedies.edit("engarde:existingSchemas", schema, "creators", value=(*known, maker))
            return confirmed(because, remedy)
    return ruled_out("analytics may read it, or the role that created it is among the creators")


def _view_cannot_read(facts: Facts) -> Answer:
    places = {(relation.schema, relation.name): relation for relation in refused(facts)}
    for view in facts.catalog.views:
        if not view.invoker and (base := places.get((view.base_schema, view.base_name))):
            right = facts.rights_on(base, [view.owner]).get(view.owner)
            if right and not right.some:
                sql = statement("GRANT SELECT ON {}.{} TO {}", base.schema, base.name, view.owner)
                because = f"view {view.identity} reads it as {view.owner}, which lacks SELECT on it"
                return confirmed(because, remedies.sql(facts, sql, base.owner))
    return ruled_out("no view reads it as an owner that lacks SELECT on it")


def _declare(facts: Facts) -> Remedy:
    found = [table for table in failed_statement.tables(facts.error.lines) if table[0]]
    schema, table = found[0] if found else (None, facts.guesses[-1] if facts.guesses else None)
    return remedies.declaring(facts, facts.suspects, schema or "SCHEMA", table)


OWNER = Cause.of_check(
    "a table in the service's own schema belongs to another role",
    "owner",
    "inheritance",
    because="{what} is {actual}; expected: {expected}",
    otherwise="every table of this name in a service's schema belongs to the service",
    so=_is_anothers,
    heal=as_found,
)
OWNER_LOST = Cause.of_check(
    "the table's owner has revoked its own privileges",
    "owner's right",
    because="{who} has revoked privileges from itself on {what}; expected: {expected}",
    otherwise="every owner has all privileges on its tables",
    so=_owner_is_refused,
    heal=as_found,
)
NOT_DECLARED = Cause("the stack file does not declare this read", _never_declared, _declare)
OTHER_COLUMNS = Cause("the stack file declares only some of its columns", _other_columns, _declare)
NOT_GRANTED = Cause.of_check(
    "the read is declared but not granted, or the table was created again",
    "grant",
    because="{who} lacks {expected} on {what}, which is declared",
    otherwise="every declared read of it is granted",
    so=_reader_is_refused,
)
WRITES = Cause(
    "the statement writes to a table of others, where the stack file can give only SELECT",
    _writes,
    remedies.ASK_ITS_SERVICE,
)
CREATORS = Cause("the role that created it is not among the schema's creators", _made_by_another, bring_back)
FOREIGN_KEY = Cause("a foreign key points at it, but only reading it is declared", _foreign_key, _declare)
VIEW = Cause("a view reads it as the view's owner, which lacks SELECT", _view_cannot_read, bring_back)
