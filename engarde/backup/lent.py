"""A login that has a service's rights for as long as something is tried, and may make schemas besides."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from engarde.backup.rows import Lent
from engarde.declaration.names import PROOF
from engarde.errors import Refused, Unreachable
from engarde.server.credentials import Access
from engarde.server.role_settings import drop_placeholder
from engarde.server.scram import verifier
from engarde.server.session import session
from engarde.util.quoting import literal, quoted

SESSIONS = 2
"""The one that tries, and the one that asks whether that still gets an answer."""


@contextmanager
def lent(admin: Access, role: str) -> Iterator[Access]:
    """A new login to the admin's database, a member of the role, with a password that only this process knows.

    It is gone with the block. Of one whose process was killed the password is void after an hour, and the next one
    takes it away.

    :raises Refused: the admin may not make one.
    :raises Unreachable: the admin was not let in.
    """
    name, password = f"{PROOF}{secrets.token_hex(8)}", secrets.token_hex(16)
    for each in _there(admin, PROOF):
        if each.role and each.over:
            # Somebody may keep it there: of no use to anybody, and no reason to try nothing.
            with suppress(Refused, Unreachable):
                _drop(admin, each.role, each.databases)
    with session(admin, read_only=False) as asked:
        until = literal(asked.rows("backup_lent", Lent, prefix=PROOF)[0].until)
        asked.change(f"CREATE ROLE {quoted(name)} LOGIN CONNECTION LIMIT {SESSIONS} VALID UNTIL {until}")
        asked.set_verifier(name, verifier(password, secrets.token_bytes(16)))
        asked.change(f"GRANT {quoted(role)} TO {quoted(name)}")
        asked.change(f"GRANT CREATE ON DATABASE {quoted(admin.database)} TO {quoted(name)}")
        asked.commit()
    try:
        yield Access(admin.address, admin.database, name, password)
    finally:
        [made] = _there(admin, name)
        _drop(admin, name, made.databases)


def _there(admin: Access, prefix: str) -> list[Lent]:
    with session(admin) as asked:
        return asked.rows("backup_lent", Lent, prefix=prefix)


def _drop(admin: Access, name: str, databases: list[str]) -> None:
    """Any service may have granted it something meanwhile, which would keep it there."""
    others = [replace(admin, database=each) for each in databases if each != admin.database]
    drop_placeholder([*others, admin], name)
