"""Causes of `permission denied for table`, for a view and for a sequence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from engarde.declaration.grants import Read
from engarde.declaration.model import Analytics, Service
from engarde.declaration.names import spelled
from engarde.declaration.privileges import REFERENCES, SELECT, creators
from engarde.doctor import failed_statement, remedies
from engarde.doctor.attribution import name_of
from engarde.doctor.declarations import declaring, named, owns, read_of, sees
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, confirmed, ruled_out, unknown
from engarde.doctor.rows import Relation, RelationRight
from engarde.output.findings import Remedy
from engarde.util.quoting import statement


@dataclass(frozen=True, slots=True)
class _Try:
    """A login at a relation that it may have been refused."""

    login: Service | Analytics
    relation: Relation
    right: RelationRight

    @property
    def place(self) -> str:
        return f"{self.relation.schema}.{self.relation.name}"

    @property
    def own(self) -> bool:
        return owns(self.login, self.relation.schema)


def refused(facts: Facts) -> list[Relation]:
    """What the error is about: of those with its name the ones that the statement says, or all; without a name, every
    declared read."""
    if facts.named.object is None:
        reads = {(read.schema_, read.table) for service in facts.stack.services for read in service.reads}
        found = facts.relations_called([table for _, table in reads])
        return [each for each in found if (each.schema, each.name) in reads]
    exact = [each for each in facts.relations if each.name in facts.guesses]
    written = failed_statement.schemas_of(facts.heard.lines, frozenset(each.name for each in exact))
    return [each for each in exact if each.schema in written] or exact


def _tries(facts: Facts) -> Iterator[_Try]:
    for relation in refused(facts):
        rights = facts.rights_on(relation, [login.role for login in facts.suspects])
        for login in facts.suspects:
            # A table is only refused to whom its schema was not.
            if (right := rights.get(login.role)) and facts.may_use(login.role, relation.schema):
                yield _Try(login, relation, right)


def _missing(facts: Facts) -> Answer:
    return unknown("the text does not say on what" if facts.named.object is None else "nothing has this name now")


def _another_owns_it(facts: Facts) -> Answer:
    for each in _tries(facts):
        if each.own and each.relation.owner != each.login.role:
            it = each.relation
            heal = remedies.owner(facts, it.schema, it.name)
            return confirmed(f"{each.place} is {it.owner}'s, not {each.login.role}'s", heal)
    return ruled_out("what has this name in a service's schema is its own")


def _owner_lost_it(facts: Facts) -> Answer:
    for each in _tries(facts):
        it = each.relation
        if each.own and it.owner == each.login.role and not (each.right.reads and each.right.writes):
            sql = statement("GRANT ALL ON {}.{} TO {}", it.schema, it.name, it.owner)
            return confirmed(
                f"{it.owner} has lost rights on its own {each.place}", remedies.sql(facts, sql, ours=it.ours, safe=True)
            )
    return ruled_out("owners have all rights on their tables")


def _never_declared(facts: Facts) -> Answer:
    if not refused(facts) or facts.named.object is None:
        return _missing(facts)
    for relation in refused(facts):
        lacking = [
            each.login
            for each in _tries(facts)
            if each.relation == relation
            and not each.own
            and not each.right.some
            and not sees(facts.stack, each.login, relation.schema, relation.name)
        ]
        if lacking and relation.kind == "sequence":
            return confirmed(
                f"{named(lacking)} writes into {relation.schema}, which is another's", remedies.ask_its_service(facts)
            )
        if lacking:
            because = f"the stack file lets {named(lacking)} not read {relation.schema}.{relation.name}"
            return confirmed(because, declaring(facts, lacking, relation.schema, relation.name))
    return ruled_out("it may read it, or the stack file says that it may")


def _other_columns(facts: Facts) -> Answer:
    for each in _tries(facts):
        read = read_of(each.login, each.relation.schema, each.relation.name)
        if len(facts.suspects) == 1 and read and read.columns and each.right.some and not each.right.reads:
            because = f"{name_of(each.login)} may read {', '.join(read.columns)} of {each.place}, and nothing else"
            item = spelled(read.schema_, read.table)
            remedy = remedies.edit("engarde:services", name_of(each.login), "reads", value=(item,))
            return confirmed(because, remedy)
    return ruled_out("no read of it is limited to columns")


def _not_granted(facts: Facts) -> Answer:
    for each in _tries(facts):
        it, read = each.relation, read_of(each.login, each.relation.schema, each.relation.name)
        if each.own or not sees(facts.stack, each.login, it.schema, it.name):
            continue
        if read and read.columns:
            absent = [] if each.right.reads else _absent(facts, each, read, SELECT)
            if absent:
                return confirmed(
                    f"{each.login.role} may not read {', '.join(map(str, absent))} of {each.place}, which is declared"
                )
        elif not each.right.reads:
            return confirmed(f"{each.login.role} may not read {each.place}, which is declared")
        if read and read.references and (absent := _absent(facts, each, read, REFERENCES)):
            where = ", ".join(column for column in absent if column)
            place = f"{where} of {each.place}" if where else each.place
            return confirmed(f"{each.login.role} may point no foreign key at {place}, which is declared")
    return ruled_out("every declared read of it is granted")


def _absent(facts: Facts, tried: _Try, read: Read, right: str) -> list[str | None]:
    """The declared columns, or None for the whole table, on which the access lists hold no such grant."""
    it = tried.relation
    granted = {
        entry.column
        for entry in facts.catalog.entries
        if (entry.schema, entry.name, entry.grantee, entry.right) == (it.schema, it.name, tried.login.role, right)
    }
    return [] if None in granted else [each for each in read.columns or (None,) if each not in granted]


def _foreign_key(facts: Facts) -> Answer:
    if not failed_statement.makes_foreign_key(facts.heard.lines):
        return ruled_out("the text quotes no statement that makes a foreign key")
    for each in _tries(facts):
        it, is_service = each.relation, isinstance(each.login, Service)
        if is_service and not each.own and each.right.some and not each.right.refers:
            return confirmed(
                f"{each.login.role} may read {each.place}, and no foreign key of its may point there",
                declaring(facts, [each.login], it.schema, it.name),
            )
    return ruled_out("whoever may read it may point foreign keys at it, too")


def _writes(facts: Facts) -> Answer:
    for each in _tries(facts):
        said = failed_statement.more_than_reading(facts.heard.lines, each.relation.schema, each.relation.name)
        if said and not each.own and not each.right.writes:
            return confirmed(f"{said} on {each.place}, of which others may be let read at most")
    return ruled_out("the statement writes nothing of another's")


def _made_by_a_stranger(facts: Facts) -> Answer:
    for each in _tries(facts):
        known = creators(facts.stack, each.relation.schema)
        existing = facts.service_of(each.relation.schema) is None
        if isinstance(each.login, Analytics) and existing and not each.right.reads and each.relation.owner not in known:
            schema, maker = each.relation.schema, each.relation.owner
            return confirmed(
                f"{each.place} was made by {maker}, who is not among the creators of {schema}",
                remedies.edit("engarde:existingSchemas", schema, "creators", value=(*known, maker)),
            )
    return ruled_out("analytics may read it, or its maker is among the creators")


def _view_cannot_read(facts: Facts) -> Answer:
    places = {(each.schema, each.name): each for each in refused(facts)}
    for view in facts.catalog.views:
        if not view.invoker and (base := places.get((view.base_schema, view.base_name))):
            right = facts.rights_on(base, [view.owner]).get(view.owner)
            if right and not right.some:
                sql = statement("GRANT SELECT ON {}.{} TO {}", base.schema, base.name, view.owner)
                because = f"view {view.identity} reads it as {view.owner}, who may not"
                return confirmed(because, remedies.sql(facts, sql, ours=base.ours))
    return ruled_out("no view reads it for an owner who may not")


def _declare(facts: Facts) -> Remedy:
    found = [each for each in failed_statement.tables(facts.heard.lines) if each[0]]
    schema, table = found[0] if found else (None, facts.guesses[-1] if facts.guesses else None)
    return declaring(facts, list(facts.suspects), schema or "SCHEMA", table)


OWNER = Cause("a table in the service's own schema belongs to somebody else", _another_owns_it, remedies.up)
OWNER_LOST = Cause("the table's owner has given up its own rights", _owner_lost_it, remedies.up)
NOT_DECLARED = Cause("reading it is not declared", _never_declared, _declare)
OTHER_COLUMNS = Cause("only some of its columns are declared", _other_columns, _declare)
NOT_GRANTED = Cause("the read is declared, and was not granted or the table made anew since", _not_granted, remedies.up)
WRITES = Cause("the statement writes, and others may only be let read", _writes, remedies.ask_its_service)
CREATORS = Cause("analytics does not know the role that made it", _made_by_a_stranger, remedies.up)
FOREIGN_KEY = Cause("a foreign key points at it, and only reading it is declared", _foreign_key, _declare)
VIEW = Cause("a view reads it with the rights of its owner", _view_cannot_read, remedies.up)
