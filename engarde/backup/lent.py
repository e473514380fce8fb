"""A login that has a service's rights for as long as something is tried, and may make schemas besides."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from engarde.access import Access
from engarde.backup.rows import Lent
from engarde.database import Session, session
from engarde.quoting import literal, quoted
from engarde.scram import verifier

PREFIX = "engarde_proof_"
"""Of its role's name; none but these are ever dropped."""

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
    name, password = f"{PREFIX}{secrets.token_hex(8)}", secrets.token_hex(16)
    database = quoted(admin.database)
    with session(admin, read_only=False) as asked:
        found = asked.rows("backup_lent", Lent, prefix=PREFIX)
        for each in found:
            if each.role:
                _drop(asked, each.role, each.databases)
        until = literal(found[0].until)
        asked.change(f"CREATE ROLE {quoted(name)} LOGIN CONNECTION LIMIT {SESSIONS} VALID UNTIL {until}")
        asked.set_verifier(name, verifier(password, secrets.token_bytes(16)))
        asked.change(f"GRANT {quoted(role)} TO {quoted(name)}")
        asked.change(f"GRANT CREATE ON DATABASE {database} TO {quoted(name)}")
        asked.commit()
    try:
        yield Access(admin.address, admin.database, name, password)
    finally:
        with session(admin, read_only=False) as asked:
            _drop(asked, name, [admin.database])
            asked.commit()


def _drop(asked: Session, name: str, databases: list[str]) -> None:
    for each in databases:
        asked.change(f"REVOKE ALL ON DATABASE {quoted(each)} FROM {quoted(name)}")
    asked.change(f"DROP ROLE {quoted(name)}")
