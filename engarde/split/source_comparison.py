"""Compares what a service has left with its copy, as a login that reads what it may: the service itself is kept out.

The admin's own session is not for that: a reader's plan runs functions of the service's, which could make themselves
the admin again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from engarde.backup.diff import Difference, contents
from engarde.backup.inspect import inspect
from engarde.backup.inventory import Inventory
from engarde.backup.proof import make_login
from engarde.declaration.model import DatabaseStack
from engarde.errors import Unfinished, Unreachable
from engarde.pulumi_cli.logins import login_of_admin
from engarde.server.catalog import Existing
from engarde.server.credentials import Access
from engarde.server.session import session
from engarde.util.quoting import quoted
from engarde.util.terminal import Say

SHOWN = 5
"""How many differences or findings are told."""


def differences(database: DatabaseStack, role: str, wanted: Inventory, say: Say) -> tuple[Difference, ...]:
    """Where what the role owns in the database is other than in an inventory.

    :raises Unfinished: a role that was made for that may be left.
    """
    with _reader(database, role) as login, session(login, "copy") as asked:
        asked.execute(f"SET LOCAL ROLE {quoted(role)}")
        return contents(wanted, inspect(asked, wanted.schema, say))


@contextmanager
def _reader(database: DatabaseStack, role: str) -> Iterator[Access]:
    dismiss(database, role)
    try:
        yield make_login(login_of_admin(database), _name(database, role), role, "CONNECT")
    finally:
        try:
            dismiss(database, role)
        except Unreachable as lost:
            raise Unfinished(
                f"{lost}\nRole {_name(database, role)}, which was made to compare with, may be left: the same command"
                " drops it"
            ) from None


def dismiss(database: DatabaseStack, role: str) -> None:
    """Drops what a look, or a killed one, has left."""
    name = _name(database, role)
    with session(login_of_admin(database), read_only=False) as asked:
        if asked.query("existing", Existing, roles=[name], schemas=[]):
            asked.execute_or_refuse(
                f"REVOKE CONNECT ON DATABASE {quoted(database.server.database)} FROM {quoted(name)}"
            )
            asked.execute_or_refuse(f"DROP ROLE {quoted(name)}")
            asked.commit()


def _name(database: DatabaseStack, role: str) -> str:
    # The same in each run of a stack, so that the next one finds it.
    return f"engarde_split_{sha256(f'{database.name} {role}'.encode()).hexdigest()[:12]}"
