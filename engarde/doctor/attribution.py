"""Whom an error is about: the role or service that its text names."""

import re
from urllib.parse import unquote

from engarde.declaration.databases import database_of, databases, restrict_to
from engarde.declaration.model import Analytics, DatabaseStack, Declarations, Service, Stack
from engarde.declaration.names import ANALYTICS
from engarde.doctor.model import LONGEST_NAME, MatchedError
from engarde.pulumi_cli.logins import ADMIN
from engarde.util.masking import MASK

_ROLES = (
    re.compile(r'\b(?:for user|role|user)\s+"([^"]+)"'),
    re.compile(r"""\b(?:db_?)?user(?:_?name)?["']?\s*[=:]\s*["']?([^\s"',;&)]+)""", re.IGNORECASE),
    re.compile(r"\bPGUSER=(\S+)"),
    re.compile(rf"://([^\s:/@]+)(?::{re.escape(MASK)}|@)"),
)
_SERVICE = r"(?:^|\bservice[\"']?\s*[=:]\s*[\"']?|\[){}(?:[\"'\]:,\s]|$)"


def suspects(stack: Declarations, error: MatchedError) -> tuple[Service | Analytics, ...]:
    """The logins of the stack that an error may be about: one where the text says which, else all of them.

    None where it names a role that is not the stack's.
    """
    if named := role(stack, error):
        return tuple(login for login in stack.logins if login.role == named)
    return stack.logins


def role(stack: Declarations, error: MatchedError) -> str | None:
    """The role that the text says it was; None when it does not say."""
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
    for name, login in _named(stack).items():
        if _stands(name, _SERVICE.format(re.escape(name)), error):
            return login.role
    return found[0] if found else None


def _stands(name: str, pattern: str, error: MatchedError) -> bool:
    # A look for the name alone takes next to no time, even in a long text.
    return any(name in line and re.search(pattern, line) for line in error.lines)


def concerned(stack: Stack, error: MatchedError) -> DatabaseStack:
    """The database that an error is about: where its service works, or what it names, or the shared one."""
    named = role(stack, error)
    if service := next((service for service in stack.services if service.role == named), None):
        return database_of(stack, service)
    schema = (error.named.object or "").partition(".")[0]
    for database in databases(stack):
        if schema in database.schemas or error.named.database in (database.label, database.server.database):
            return database
    return restrict_to(stack, None)


def _named(stack: Declarations) -> dict[str, Service | Analytics]:
    services: dict[str, Service | Analytics] = {service.name: service for service in stack.services}
    return services | ({ANALYTICS: stack.analytics} if stack.analytics else {})


def is_admin(stack: DatabaseStack, name: str) -> bool:
    """Whether a role or a word of the tool means the admin."""
    return name in (stack.server.user, ADMIN)
