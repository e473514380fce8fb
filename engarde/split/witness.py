"""A role that reads what a service may, for as long as it takes to look: where the service itself is kept out.

The admin's own session is not for that: a reader's plan runs functions of the service's, which could make themselves
the admin again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

from engarde.backup.comparing import Difference, contents
from engarde.backup.inventory import Inventory
from engarde.backup.taking import taken
from engarde.declaration.model import DatabaseStack
from engarde.errors import Unfinished, Unreachable
from engarde.server.catalog.rows import Existing
from engarde.server.credentials import Access, login_of_admin
from engarde.server.scram import verifier
from engarde.server.session import session
from engarde.util.quoting import quoted

Say = Callable[[str], None]


def differences(database: DatabaseStack, role: str, wanted: Inventory, say: Say) -> tuple[Difference, ...]:
    """Where what the role owns in the database is other than in an inventory.

    :raises Unfinished: a role that was made for that may be left.
    """
    with _witness(database, role) as login, session(login, "copy") as asked:
        asked.run(f"SET LOCAL ROLE {quoted(role)}")
        return contents(wanted, taken(asked, wanted.schema, say))


@contextmanager
def _witness(database: DatabaseStack, role: str) -> Iterator[Access]:
    admin, database_name = login_of_admin(database), quoted(database.server.database)
    name, password = _name(database, role), secrets.token_hex(16)
    dismiss(database, role)
    try:
        with session(admin, read_only=False) as asked:
            asked.change(f"CREATE ROLE {quoted(name)} LOGIN")
            asked.set_verifier(name, verifier(password, secrets.token_bytes(16)))
            asked.change(f"GRANT {quoted(role)} TO {quoted(name)}")
            asked.change(f"GRANT CONNECT ON DATABASE {database_name} TO {quoted(name)}")
            asked.commit()
        yield Access(admin.address, admin.database, name, password)
    finally:
        _dismiss_at_last(database, role)


def _dismiss_at_last(database: DatabaseStack, role: str) -> None:
    try:
        dismiss(database, role)
    except Unreachable as lost:
        raise Unfinished(
            f"{lost}\nRole {_name(database, role)}, which was made to compare with, may be left: the same command drops"
            " it"
        ) from None


def dismiss(database: DatabaseStack, role: str) -> None:
    """Drops what a look, or a killed one, has left."""
    name = _name(database, role)
    with session(login_of_admin(database), read_only=False) as asked:
        if asked.rows("existing", Existing, roles=[name], schemas=[]):
            asked.change(f"REVOKE CONNECT ON DATABASE {quoted(database.server.database)} FROM {quoted(name)}")
            asked.change(f"DROP ROLE {quoted(name)}")
            asked.commit()


def _name(database: DatabaseStack, role: str) -> str:
    # The same in each run of a stack, so that the next one finds it.
    return f"engarde_split_{sha256(f'{database.name} {role}'.encode()).hexdigest()[:12]}"
