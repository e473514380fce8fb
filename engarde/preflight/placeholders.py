"""Roles that have nothing and cannot log in: there for names that the state still has, and the server no more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from engarde.server.catalog.rows import Existing
from engarde.server.credentials import Access
from engarde.server.role_settings import changing_roles
from engarde.util.quoting import statement


def make(admin: Access, names: Iterable[str]) -> None:
    """Makes those that the server does not have.

    :raises Unreachable: the server could not be asked.
    :raises Refused: it does not make one of them, and so none.
    """
    wanted = sorted(set(names))
    with changing_roles(admin) as asked:
        there = {each.name for each in asked.rows("existing", Existing, roles=wanted, schemas=[])}
        for name in wanted:
            if name not in there:
                asked.change(statement("CREATE ROLE {} NOLOGIN", name))


def drop(admins: Sequence[Access], name: str) -> None:
    """Drops one; `admins` are logins to every database of the server in which it may have been granted something.

    :raises Unreachable: the server could not be asked.
    :raises Refused: the server does not drop it.
    """
    for place, admin in enumerate(admins, 1):
        with changing_roles(admin) as asked:
            # What is revoked from PUBLIC for it stays as default privileges of its own, which an admin that is no
            # superuser drops as one of its members only.
            asked.change(statement("GRANT {} TO CURRENT_USER", name))
            asked.change(statement("DROP OWNED BY {}", name))
            if place == len(admins):
                asked.change(statement("DROP ROLE {}", name))
