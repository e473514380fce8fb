"""Event triggers whose function somebody else may change: whoever makes, changes or drops anything runs it."""

from __future__ import annotations

from engarde.errors import Refused
from engarde.server.catalog.further import EventTrigger
from engarde.server.session import Session


def listed(asked: Session, *trusted: str) -> list[EventTrigger]:
    """Those that fire, with the roles that may change their functions, apart from superusers and these."""
    return asked.rows("event_triggers", EventTrigger, trusted=list(trusted))


def refuse(asked: Session, whose: str, *trusted: str) -> None:
    """Has to hold before anything is made, changed or dropped in the session's database with the rights of a role.

    :raises Refused: another role than superusers, it and those that are `trusted` chooses what would run then.
    """
    if foreign := [each for each in listed(asked, whose, *trusted) if each.changers]:
        lines = "\n".join(
            f"  {each.disable};  -- runs {each.code}, which {', '.join(each.changers)} may change" for each in foreign
        )
        raise Refused(
            "event triggers of the database would run functions that other roles may change, with the rights of"
            f" {whose}; nothing was changed. A superuser disables them with:\n{lines}"
        )
