"""Roles that the program changes itself: settings that the provider's `Role` cannot carry, and placeholders."""

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
    """What the role starts with on the server, by the setting's name."""
    settings = {READ_ONLY: "on"} if isinstance(login, Analytics) else {}
    if server.superuser and login.temp_file_limit:
        settings[TEMPORARY_FILES] = f"{login.temp_file_limit}MB"
    return settings | login.settings.stated(superuser=server.superuser)


def managed(server: Server) -> tuple[str, ...]:
    """The settings that are the stack's to set, declared or not; the limit takes a superuser, its removal too."""
    return (READ_ONLY, TEMPORARY_FILES) if server.superuser else (READ_ONLY,)


def same(name: str, one: str | None, other: str | None) -> bool:
    """Whether the server reads both values of the setting alike; None where there is none."""
    if one is None or other is None:
        return one == other
    read = _READ[name]
    return read(one) == read(other)


def changes(
    login: Service | Analytics, server: Server, found: Mapping[str, str], before: Collection[str] = ()
) -> list[str]:
    """The statements that bring the role from what is found to what is declared.

    What is neither declared nor was `before` is somebody else's: a role that is taken over keeps it, and `verify` names
    it.
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
    """Runs each role's statements as the admin of the database's server; a role that is lost has none.

    :raises Unreachable: the server could not be asked.
    :raises Refused: it runs one of them not, and so none.
    """
    server = stack.server
    access = Access(server, server.database, server.user, password)
    with changing_roles(access) as admin:
        for role in admin.query("existing", Existing, roles=sorted(wanted), schemas=[]):
            for statement in wanted[role.name]:
                admin.execute_or_refuse(statement)


@contextmanager
def changing_roles(access: Access) -> Iterator[Session]:
    """A session of the admin's that changes roles: what is done in the block stays at its end, or nothing of it.

    :raises Unreachable: the server could not be asked.
    """
    with session(access, read_only=False, one_snapshot=False) as admin:
        # A service may hold its own role for as long as it likes.
        admin.execute("SET LOCAL lock_timeout = '60s'", "SET LOCAL statement_timeout = '60s'")
        yield admin
        admin.commit()


def make_placeholders(admin: Access, names: Iterable[str]) -> None:
    """Makes roles that have nothing and cannot log in: there for names that the state still has, the server no more.

    :raises Unreachable: the server could not be asked.
    :raises Refused: it does not make one of them, and so none.
    """
    wanted = sorted(set(names))
    with changing_roles(admin) as asked:
        there = {existing.name for existing in asked.query("existing", Existing, roles=wanted, schemas=[])}
        for name in wanted:
            if name not in there:
                asked.execute_or_refuse(statement("CREATE ROLE {} NOLOGIN", name))


def drop_placeholder(admins: Sequence[Access], name: str) -> None:
    """Drops one; `admins` are logins to every database of the server in which it may have been granted something.

    :raises Unreachable: the server could not be asked.
    :raises Refused: the server does not drop it.
    """
    for place, admin in enumerate(admins, 1):
        with changing_roles(admin) as asked:
            # What is revoked from PUBLIC for it stays as default privileges of its own, which an admin that is no
            # superuser drops as one of its members only.
            asked.execute_or_refuse(statement("GRANT {} TO CURRENT_USER", name))
            asked.execute_or_refuse(statement("DROP OWNED BY {}", name))
            if place == len(admins):
                asked.execute_or_refuse(statement("DROP ROLE {}", name))
