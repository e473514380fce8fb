"""Names in the text of an error, and the role and the database that it is about."""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from engarde.declaration.databases import database_of, databases, restrict_to
from engarde.declaration.model import DatabaseStack, Declarations, Stack
from engarde.declaration.resource_names import login_name
from engarde.util.masking import MASK

LONGEST_NAME = 256
"""Of a name in an error [characters]: schema and object have 63 bytes each, and there may be quotes."""

_ROLES = (
    re.compile(r'\b(?:for user|role|user)\s+"([^"]+)"'),
    re.compile(r"""\b(?:db_?)?user(?:_?name)?["']?\s*[=:]\s*["']?([^\s"',;&)]+)""", re.IGNORECASE),
    re.compile(r"\bPGUSER=(\S+)"),
    re.compile(rf"://([^\s:/@]+)(?::{re.escape(MASK)}|@)"),
)
_SERVICE = r"(?:^|\bservice[\"']?\s*[=:]\s*[\"']?|\[){}(?:[\"'\]:,\s]|$)"


@dataclass(frozen=True, slots=True)
class Named:
    """The names in an error; a name without quotes may include the rest of the line, so each is a first guess."""

    kind: str | None = None
    """`table`, `schema`, `function`, ... in the server's words"""
    object: str | None = None
    role: str | None = None
    database: str | None = None
    host: str | None = None
    port: str | None = None
    revision: str | None = None
    detail: str | None = None
    """anything else that the pattern captures"""


@dataclass(frozen=True, slots=True)
class ErrorText:
    """A text in which an error was found."""

    line: str
    """the line with the error"""
    named: Named
    lines: tuple[str, ...]
    """of the text, secrets masked"""
    text: str
    """all of it, secrets included: never printed"""


def role(stack: Declarations, error: ErrorText) -> str | None:
    """The role that the text names; None if it names none."""
    if error.named.role:
        return error.named.role
    own = {login.role for login in stack.logins}
    written = [match[1] for line in error.lines for pattern in _ROLES for match in pattern.finditer(line)]
    found = [unquote(name) for name in written if len(name) <= LONGEST_NAME]
    if exact := [name for name in found if name in own]:
        return exact[0]
    for login in stack.logins:
        if _stands(login.role, rf"(?<![\w.]){re.escape(login.role)}(?![\w.])", error):
            return login.role
    for login in stack.logins:
        if _stands(login_name(login), _SERVICE.format(re.escape(login_name(login))), error):
            return login.role
    return found[0] if found else None


def _stands(name: str, pattern: str, error: ErrorText) -> bool:
    # The search for the bare name is fast even in a long text.
    return any(name in line and re.search(pattern, line) for line in error.lines)


def concerned(stack: Stack, error: ErrorText) -> DatabaseStack:
    """The database that an error is about: its service's, or the one that it names, or the shared one."""
    named = role(stack, error)
    if service := next((service for service in stack.services if service.role == named), None):
        return database_of(stack, service)
    schema = (error.named.object or "").partition(".")[0]
    for database in databases(stack):
        if schema in database.schemas or error.named.database in (database.label, database.server.database):
            return database
    return restrict_to(stack, None)
