"""Causes of `permission denied for table`, for a view and for a sequence."""

from collections.abc import Iterator

from engarde.declaration.model import Analytics, Service
from engarde.declaration.names import spelled
from engarde.declaration.privileges import creators
from engarde.declaration.resource_names import login_name
from engarde.doctor import failed_statement, remedies
from engarde.doctor.facts import Facts, Relation, RelationRight, owns, read_of
from engarde.doctor.model import Answer, Cause, as_found, bring_back, confirmed, ruled_out, unknown
from engarde.output.findings import Finding, Remedy
from engarde.util.quoting import statement


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


def _tries(facts: Facts) -> Iterator[tuple[Service | Analytics, Relation, RelationRight]]:
    """Each login with a relation that it may have been refused, and its privileges there."""
    for relation in refused(facts):
        rights = facts.rights_on(relation, [login.role for login in facts.suspects])
        for login in facts.suspects:
            # Without USAGE on the schema, the error would name the schema.
            if (right := rights.get(login.role)) and facts.may_use(login.role, relation.schema):
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


def _is_refused(facts: Facts, finding: Finding) -> bool:
    """Whether a finding is about something that the error may be about."""
    names = {(relation.schema, relation.name) for relation in refused(facts)}
    return any(
        (known.schema, known.name) in names for known in facts.catalog.relations if known.identity in finding.things
    )


def _made_by(facts: Facts, finding: Finding) -> list[Relation]:
    """The relations that a role created and analytics may not read, if a finding misses the role among the creators."""
    return [
        relation
        for login, relation, right in _tries(facts)
        if isinstance(login, Analytics)
        and not right.reads
        and finding.subject == f"{relation.owner} in {relation.schema}"
    ]


def _known_creator(facts: Facts, finding: Finding) -> Remedy:
    made = _made_by(facts, finding)[0]
    known = (*creators(facts.stack, made.schema), made.owner)
    return remedies.edit("engarde:existingSchemas", made.schema, "creators", value=known)


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
    because="{what} is {actual}; expected: {expected}",
    otherwise="every table of this name in a service's schema belongs to the service",
    so=lambda facts, finding: (
        any(service.schema_ in finding.concerns for service in facts.services) and _is_refused(facts, finding)
    ),
    heal=as_found,
)
OWNER_LOST = Cause.of_check(
    "the table's owner has revoked its own privileges",
    "owner's right",
    because="{who} has revoked privileges from itself on {what}; expected: {expected}",
    otherwise="every owner has all privileges on its tables",
    so=lambda facts, finding: facts.is_suspected(finding) and _is_refused(facts, finding),
    heal=as_found,
)
NOT_DECLARED = Cause("the stack file does not declare this read", _never_declared, _declare)
OTHER_COLUMNS = Cause("the stack file declares only some of its columns", _other_columns, _declare)
NOT_GRANTED = Cause.of_check(
    "the read is declared but not granted, or the table was created again",
    "grant",
    because="{who} lacks {expected} on {what}, which is declared",
    otherwise="every declared read of it is granted",
    so=lambda facts, finding: facts.is_suspected(finding) and _is_refused(facts, finding),
)
WRITES = Cause(
    "the statement writes to a table of others, where the stack file can give only SELECT",
    _writes,
    remedies.ASK_ITS_SERVICE,
)
CREATORS = Cause.of_check(
    "the role that created it is not among the schema's creators",
    "default privileges",
    because="{subject}: {actual}, but is not among the schema's creators",
    otherwise="analytics may read it, or the role that created it is among the creators",
    so=lambda facts, finding: bool(_made_by(facts, finding)),
    heal=_known_creator,
)
FOREIGN_KEY = Cause("a foreign key points at it, but only reading it is declared", _foreign_key, _declare)
VIEW = Cause("a view reads it as the view's owner, which lacks SELECT", _view_cannot_read, bring_back)
