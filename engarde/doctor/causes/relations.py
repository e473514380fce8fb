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
    """What the error is about: of those with its name the ones that the statement says, or all; without a name, every
    declared read."""
    if facts.named.object is None:
        reads = {(read.schema_, read.table) for service in facts.stack.services for read in service.reads}
        found = facts.relations_called([table for _, table in reads])
        return [table for table in found if (table.schema, table.name) in reads]
    names = {relation.name for relation in facts.exact}
    written = {schema for schema, name in failed_statement.tables(facts.error.lines) if name in names}
    return [relation for relation in facts.exact if relation.schema in written] or facts.exact


def _tries(facts: Facts) -> Iterator[tuple[Service | Analytics, Relation, RelationRight]]:
    """Each login at a relation that it may have been refused, and what it may do there."""
    for relation in refused(facts):
        rights = facts.rights_on(relation, [login.role for login in facts.suspects])
        for login in facts.suspects:
            # A table is only refused to whom its schema was not.
            if (right := rights.get(login.role)) and facts.may_use(login.role, relation.schema):
                yield login, relation, right


def _never_declared(facts: Facts) -> Answer:
    relations = refused(facts)
    if facts.named.object is None:
        return unknown("the text does not say on what")
    if not relations:
        return unknown("nothing has this name now")
    tries = list(_tries(facts))
    for relation in relations:
        closed = [login for login, tried, right in tries if tried == relation and not right.some]
        lacking = [
            login
            for login in closed
            if not (owns(login, relation.schema) or facts.sees(login, relation.schema, relation.name))
        ]
        if lacking and relation.kind == "sequence":
            because = f"{remedies.named(lacking)} writes into {relation.schema}, which is another's"
            return confirmed(because, remedies.ASK_ITS_SERVICE)
        if lacking:
            because = f"the stack file lets {remedies.named(lacking)} not read {relation.place}"
            return confirmed(because, remedies.declaring(facts, lacking, relation.schema, relation.name))
    return ruled_out("it may read it, or the stack file says that it may")


def _other_columns(facts: Facts) -> Answer:
    for login, relation, right in _tries(facts):
        read = read_of(login, relation.schema, relation.name)
        if len(facts.suspects) == 1 and read and read.columns and right.some and not right.reads:
            who, columns = login_name(login), ", ".join(read.columns)
            remedy = remedies.edit("engarde:services", who, "reads", value=(spelled(read.schema_, read.table),))
            return confirmed(f"{who} may read {columns} of {relation.place}, and nothing else", remedy)
    return ruled_out("no read of it is limited to columns")


def _foreign_key(facts: Facts) -> Answer:
    if not failed_statement.makes_foreign_key(facts.error.lines):
        return ruled_out("the text quotes no statement that makes a foreign key")
    for login, relation, right in _tries(facts):
        anothers = isinstance(login, Service) and not owns(login, relation.schema)
        if anothers and right.some and not right.refers:
            because = f"{login.role} may read {relation.place}, and no foreign key of its may point there"
            return confirmed(because, remedies.declaring(facts, [login], relation.schema, relation.name))
    return ruled_out("whoever may read it may point foreign keys at it, too")


def _writes(facts: Facts) -> Answer:
    for login, relation, right in _tries(facts):
        said = failed_statement.more_than_reading(facts.error.lines, relation.schema, relation.name)
        if said and not owns(login, relation.schema) and not right.writes:
            return confirmed(f"{said} on {relation.place}, of which others may be let read at most")
    return ruled_out("the statement writes nothing of another's")


def _is_refused(facts: Facts, finding: Finding) -> bool:
    """Whether a finding is about something that the error may be about."""
    names = {(relation.schema, relation.name) for relation in refused(facts)}
    return any(
        (known.schema, known.name) in names for known in facts.catalog.relations if known.identity in finding.things
    )


def _made_by(facts: Facts, finding: Finding) -> list[Relation]:
    """What a role has made that a finding misses among the creators, and analytics may not read."""
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
                because = f"view {view.identity} reads it as {view.owner}, who may not"
                return confirmed(because, remedies.sql(facts, sql, base.owner))
    return ruled_out("no view reads it for an owner who may not")


def _declare(facts: Facts) -> Remedy:
    found = [table for table in failed_statement.tables(facts.error.lines) if table[0]]
    schema, table = found[0] if found else (None, facts.guesses[-1] if facts.guesses else None)
    return remedies.declaring(facts, facts.suspects, schema or "SCHEMA", table)


OWNER = Cause.of_check(
    "a table in the service's own schema belongs to somebody else",
    "owner",
    because="{what} is {actual}, not {expected}",
    otherwise="what has this name in a service's schema is its own",
    so=lambda facts, finding: (
        any(service.schema_ in finding.concerns for service in facts.services) and _is_refused(facts, finding)
    ),
    heal=as_found,
)
OWNER_LOST = Cause.of_check(
    "the table's owner has given up its own rights",
    "owner's right",
    because="{who} has lost {expected} of its own {what}",
    otherwise="owners have all rights on their tables",
    so=lambda facts, finding: facts.is_suspected(finding) and _is_refused(facts, finding),
    heal=as_found,
)
NOT_DECLARED = Cause("reading it is not declared", _never_declared, _declare)
OTHER_COLUMNS = Cause("only some of its columns are declared", _other_columns, _declare)
NOT_GRANTED = Cause.of_check(
    "the read is declared, and was not granted or the table made anew since",
    "grant",
    because="{who} has no {expected} on {what}, which is declared",
    otherwise="every declared read of it is granted",
    so=lambda facts, finding: facts.is_suspected(finding) and _is_refused(facts, finding),
)
WRITES = Cause("the statement writes, and others may only be let read", _writes, remedies.ASK_ITS_SERVICE)
CREATORS = Cause.of_check(
    "analytics does not know the role that made it",
    "default privileges",
    because="{subject} {actual}, and is not among its creators",
    otherwise="analytics may read it, or its maker is among the creators",
    so=lambda facts, finding: bool(_made_by(facts, finding)),
    heal=_known_creator,
)
FOREIGN_KEY = Cause("a foreign key points at it, and only reading it is declared", _foreign_key, _declare)
VIEW = Cause("a view reads it with the rights of its owner", _view_cannot_read, bring_back)
