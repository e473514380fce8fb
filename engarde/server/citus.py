"""Citus keeps rows on several servers, and the tool looks at one: what it would say of such a database is not so."""

from __future__ import annotations

from engarde.backup.inventory import Extension
from engarde.errors import Refused
from engarde.server.session import Session

EXTENSION = "citus"
UNKNOWN = "the database has the extension citus: its rows are on other servers, which are not looked at"


def has_citus(asked: Session) -> bool:
    """Whether the session's database is a part of a cluster of Citus's."""
    return any(each.name == EXTENSION for each in asked.rows("backup_extensions", Extension))


def refuse_citus(asked: Session) -> None:
    """Several servers have no snapshot in common, and do not take a dump's definitions.

    :raises Refused: the database has the extension.
    """
    if has_citus(asked):
        raise Refused(f"{UNKNOWN}, so that no copy of them would be of one moment; nothing was done")
