"""Changes to roles beyond the provider's `Role`: settings that it does not support, and placeholders."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType

from engarde.declaration.address import Server
from engarde.declaration.model import Analytics, DatabaseStack, Service
from engarde.declaration.parameters import COMPARED, SUPERUSERS, kilobytes, switched_on
from engarde.server.catalog import Existing
from engarde.server.credentials import Access
from engarde.server.session import Session, session
from engarde.util.quoting import literal, quoted, statement

READ_ONLY = "default_transaction_read_only"
TEMPORARY_FILES = "temp_file_limit"

_READ: Mapping[str, Callable[[str], object]] = MappingProxyType(
    {READ_ONLY: switched_on, TEMPORARY_FILES: kilobytes, **COMPARED}
)


def declared(login: Service | Analytics, server: Server) -> dict[str, str]:
    """Setting -> value, as declared for the role on the server."""
    settings = {READ_ONLY: "on"} if isinstance(login, Analytics) else {}
    if server.superuser and login.temp_file_limit:
        settings[TEMPORARY_FILES] = f"{login.temp_file_limit}MB"
    return settings | login.settings.stated(superuser=server.superuser)


def managed(server: Server) -> tuple[str, ...]:
    """The settings that the stack manages, declared or not; setting or removing the limit needs a superuser."""
    return (READ_ONLY, TEMPORARY_FILES) if server.superuser else (READ_ONLY,)


def same(name: str, one: str | None, other: str | None) -> bool:
    """Whether both values of the setting mean the same to the server; None is no value."""
    if one is None or other is None:
        return one == other
    read = _READ[name]
    return read(one) == read(other)


def changes(
    login: Service | Analytics, server: Server, found: Mapping[str, str], before: Collection[str] = ()
) -> list[str]:
    """The statements that change the role from what is found to what is declared.

    A setting that is not declared, and was not `before`, is kept: a role that is taken over may have it, and `verify`
    names it.
    """
    wanted = declared(login, server)
    given_up = [name for name in COMPARED if name in before and (server.superuser or name not in SUPERUSERS)]
    return [
        assignment(login.role, name, wanted.get(name))
        for name in dict.fromkeys((*managed(server), *wanted, *given_up))
        if not same(name, found.get(name), wanted.get(name))
    ]


def assignment(role: str, name: str, value: str | None) -> str:
    """The statement that sets the role's setting, or takes it back."""
    change = f"RESET {name}" if value is None else f"SET {name} = {literal(value)}"
    return f"ALTER ROLE {quoted(role)} {change}"


def apply(stack: DatabaseStack, password: str, wanted: Mapping[str, Sequence[str]]) -> None:
    """Runs each role's statements as the admin of the database's server; roles that do not exist are skipped.

    :raises Unreachable: no connection to the server.
    :raises Refused: the server refused a statement; nothing was changed.
    """
    server = stack.server
    access = Access(server, server.database, server.user, password)
    with changing_roles(access) as admin:
        for role in admin.query("existing", Existing, roles=sorted(wanted), schemas=[]):
            for statement in wanted[role.name]:
                admin.execute_or_refuse(statement)


@contextmanager
def changing_roles(access: Access) -> Iterator[Session]:
    """A session of the admin that changes roles; it commits at the end of the block, or changes nothing.

    :raises Unreachable: no connection to the server.
    """
    with session(access, read_only=False, one_snapshot=False) as admin:
        # A service may hold a lock on its own role for any time.
        admin.execute("SET LOCAL lock_timeout = '60s'", "SET LOCAL statement_timeout = '60s'")
        yield admin
        admin.commit()


def make_placeholders(admin: Access, names: Iterable[str]) -> None:
    """Makes roles without privileges and login, for names that are in the state and no longer on the server.

    :raises Unreachable: no connection to the server.
    :raises Refused: the server refused one of them; none was made.
    """
    wanted = sorted(set(names))
    with changing_roles(admin) as asked:
        there = {existing.name for existing in asked.query("existing", Existing, roles=wanted, schemas=[])}
        for name in wanted:
            if name not in there:
                asked.execute_or_refuse(statement("CREATE ROLE {} NOLOGIN", name))


def drop_placeholder(admins: Sequence[Access], name: str) -> None:
    """Drops a placeholder; `admins` are logins to all databases of the server in which it may have privileges.

    :raises Unreachable: no connection to the server.
    :raises Refused: the server refused to drop it.
    """
    for place, admin in enumerate(admins, 1):
        with changing_roles(admin) as asked:
            # A privilege that was revoked from PUBLIC for it stays as its default privileges, which an admin without
            # superuser can only drop as its member.
            asked.execute_or_refuse(statement("GRANT {} TO CURRENT_USER", name))
            asked.execute_or_refuse(statement("DROP OWNED BY {}", name))
            if place == len(admins):
                asked.execute_or_refuse(statement("DROP ROLE {}", name))
