"""Findings of `verify` that the stack file accepts, each with a reason and up to a date."""

import re
from datetime import date
from importlib import import_module
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from engarde.declaration.declared import Declared


def _known(check: str) -> str:
    # The checks are registered where they are defined; a stack file that accepts nothing need not wait for all of them.
    registry = import_module("engarde.checks.registry")
    known = registry.ids(registry.checks(*registry.VERIFIED))
    if check not in known:
        raise PydanticCustomError("check", "no check of verify; allowed: {known}", {"known": ", ".join(known)})
    return check


_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?: 00:00:00 \+0000 UTC)?")
"""What is a date to YAML, the engine hands over with its midnight."""


def _day(value: Any) -> Any:
    try:
        return date.fromisoformat(found[1]) if (found := _DAY.fullmatch(str(value))) else value
    except ValueError:
        return value


class Accepted(Declared):
    """One finding that is known, and that stays for a reason."""

    check: Annotated[str, AfterValidator(_known)]
    subject: Annotated[str, Field(min_length=1)]
    """the finding's subject, as verify prints it after the check"""
    reason: Annotated[str, Field(min_length=1)]
    """why it stays, in words"""
    until: Annotated[date, BeforeValidator(_day)]
    """the last day, YYYY-MM-DD; from the day after it is a finding again"""
    actual: Annotated[str, Field(min_length=1)] | None = None
    """what verify prints as actual; anything more or other is a finding"""
    database: str | None = None
    """the one that it is in, as the tool calls it, where the stack has more than one; default: any"""
