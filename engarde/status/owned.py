"""What services may change, and so is asked of their own logins: how far sequences got, and Alembic's revisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from engarde.declaration.model import DatabaseStack
from engarde.errors import Unreachable
from engarde.server import version_tables
from engarde.server.catalog import VersionTable
from engarde.server.credentials import Access
from engarde.server.session import Session
from engarde.server.version_tables import Logins, NotRead, ask_logins
from engarde.status import rows

NEAR = 0.8
"""How much of a sequence is used when its end is near."""

PARTLY = "locked now, or owned by somebody else than the service and the admin"
ANOTHER_LOGIN = "its owner's login alone may be asked, and --login gives no other"


@dataclass(frozen=True, slots=True)
class Owned:
    """What was read, and why the rest was not."""

    sequences: tuple[rows.Sequence, ...]
    versions: tuple[VersionTable, ...]
    unread: Mapping[str, str]
    """schema -> why its sequences, or some of them, were not read"""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many sequences of a schema come to an end some day."""

    schema: str
    count: int


def read(
    stack: DatabaseStack,
    asked: Session,
    counted: Sequence[Counted],
    versions: Sequence[VersionTable],
    logins: Logins | None,
) -> Owned:
    """Asks each service's login for what is its own, and the admin's session for what nobody else may change."""
    if logins is None:
        return _nothing(counted, versions, ANOTHER_LOGIN)
    try:
        known = logins()
    except Unreachable as error:
        return _nothing(counted, versions, str(error))
    homes = {service.schema_: service.role for service in stack.services}
    there = {each.schema for each in counted}
    chosen = {role for schema, role in homes.items() if schema in there} | {version.owner for version in versions}

    def own(session: Session, login: Access) -> tuple[list[rows.Sequence], list[VersionTable]]:
        schemas = [schema for schema in there if homes.get(schema) == login.role]
        tables = [version for version in versions if version.owner == login.role and not version.trusted]
        return near(session, schemas), [version_tables.filled(table, session) for table in tables]

    answers = ask_logins((known[role] for role in sorted(chosen) if role in known), own)

    sequences, unread = near(asked, [schema for schema in there if schema not in homes]), dict[str, str]()
    for each in counted:
        if each.schema in homes:
            answer = answers.get(homes[each.schema], NotRead(version_tables.unknown(homes[each.schema])))
            if isinstance(answer, NotRead):
                unread[each.schema] = answer.reason
                sequences.append(_unread(each))
            else:
                sequences += [found for found in answer[0] if found.schema == each.schema]
    partly = {sequence.schema: PARTLY for sequence in sequences if sequence.unread}
    tables = {role: NotRead(a.reason) if isinstance(a, NotRead) else a[1] for role, a in answers.items()}
    found = version_tables.together(version_tables.of_trusted(versions, asked), tables)
    return Owned(tuple(sequences), tuple(found), partly | unread)


def near(asked: Session, schemas: list[str]) -> list[rows.Sequence]:
    """Those of the sequences near their end, and how many could not be read."""
    if not schemas:
        return []
    asked.execute_file("own_sequences_given", schemas=schemas, near=str(NEAR))
    asked.execute_file("own_sequences_read")
    return asked.query("own_sequences", rows.Sequence)


def _nothing(counted: Sequence[Counted], versions: Sequence[VersionTable], reason: str) -> Owned:
    return Owned(
        tuple(map(_unread, counted)),
        tuple(replace(version, unread=reason) for version in versions),
        {each.schema: reason for each in counted},
    )


def _unread(counted: Counted) -> rows.Sequence:
    return rows.Sequence(counted.schema, None, None, None, None, None, counted.count)
