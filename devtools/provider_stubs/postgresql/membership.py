"""Acting with the rights of other roles where the connected user is no superuser."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from psycopg.sql import SQL, Identifier

from devtools.provider_stubs.postgresql.catalog import PRESENT_ROLE, exists, is_member, is_superuser
from devtools.provider_stubs.postgresql.connection import Transaction


@contextmanager
def member_of(transaction: Transaction, roles: Iterable[str]) -> Iterator[None]:
    """Makes the user a member of roles for the block, where it is none yet.

    PostgreSQL has no circles: a role that is a member of the user stops to be one for the block.
    A block that fails leaves the rest to the transaction's end.
    """
    user = transaction.value("SELECT current_user")
    if is_superuser(transaction, user):
        yield
        return
    others = [role for role in roles if role != user and not is_superuser(transaction, role)]
    granted, revoked = [], []
    for role in others:
        if is_member(transaction, role, user):
            _revoke(transaction, user, role)
            revoked.append(role)
        if not is_member(transaction, user, role):
            _grant(transaction, role, user)
            granted.append(role)
    yield
    for role in granted:
        _revoke(transaction, role, user)
    for role in revoked:
        if exists(transaction, PRESENT_ROLE, role):
            _grant(transaction, user, role)


def _grant(transaction: Transaction, role: str, member: str) -> None:
    statement = SQL("GRANT {} TO {}").format(Identifier(role), Identifier(member))
    transaction.change(statement, f"error granting role {role} to {member}")


def _revoke(transaction: Transaction, role: str, member: str) -> None:
    statement = SQL("REVOKE {} FROM {}").format(Identifier(role), Identifier(member))
    transaction.change(statement, f"error revoking role {role} from {member}")
