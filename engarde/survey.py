"""What the program asks the server before it touches anything."""

from __future__ import annotations

from dataclasses import dataclass

from engarde import foreign, rights
from engarde.access import Access
from engarde.database import Session, session
from engarde.errors import ConfigError, Refused
from engarde.model import Stack, Table
from engarde.moves import Made, moved
from engarde.names import PUBLIC


@dataclass(frozen=True, slots=True)
class Before:
    """What an earlier run left in the state."""

    read: frozenset[str] = frozenset()
    """the schemas in which it let services read"""
    retired: frozenset[str] = frozenset()
    """the schemas of services that are declared no more"""
    made: frozenset[Made] = frozenset()
    """the roles and schemas that it made"""
    taken_over: frozenset[str] = frozenset()
    """the roles that it began to make"""


def survey(stack: Stack, password: str, before: Before) -> frozenset[Table]:
    """What exists that services may read, once it is sure that the run can come to its end.

    :raises Unreachable: the server could not be asked.
    :raises ConfigError: the stack file calls the admin a superuser, and it is none.
    :raises Refused: the admin lacks a right, a schema that would have to go holds data, or something is another's.
    """
    read = {PUBLIC, *before.read, *(read.schema_ for service in stack.services for read in service.reads)}
    server = stack.server
    with session(Access(server, server.database, server.user, password)) as asked:
        _refuse_to_lose(stack, asked, before)
        _refuse_to_take(stack, asked, before)
        _check(stack, asked)
        return asked.tables(sorted(read))


def _refuse_to_lose(stack: Stack, asked: Session, before: Before) -> None:
    """The engine would find out by itself, but only after the service's grants have gone."""
    if held := asked.held(sorted(before.retired)):
        counted = ", ".join(f"{schema} ({count} objects)" for schema, count in held.items())
        raise Refused(
            f"these schemas are in the state of stack {stack.name}, declared by no service, and not empty: {counted}."
            " Nothing was changed. Declare the service again, or retire it as the README says: copy its data, drop the"
            " schema as the service, and then take it out of the stack file"
        )


def _refuse_to_take(stack: Stack, asked: Session, before: Before) -> None:
    names = {"roles": foreign.roles(stack), "schemas": sorted(service.schema_ for service in stack.services)}
    existing = asked.rows("existing", foreign.Existing, **names)
    own_roles = before.taken_over | {made.name for made in before.made if made.kind == "role"}
    if faults := [*moved(stack, before.made), *foreign.faults(stack, existing, own_roles)]:
        lines = "\n".join(f"  {each}" for each in faults)
        raise Refused(f"stack {stack.name} and its server do not fit; nothing was changed:\n{lines}")


def _check(stack: Stack, asked: Session) -> None:
    admin = rights.admin(asked)
    if admin.superuser:
        return
    if stack.server.superuser:
        raise ConfigError(
            f"Pulumi.{stack.name}.yaml: engarde:server.superuser: {admin.name} is no superuser;"
            " set it to false, or name a superuser as engarde:server.user. Nothing was changed"
        )
    if lacking := rights.missing(stack, rights.ask(stack, asked)):
        lines = "\n".join(f"  {each}" for each in lacking)
        raise Refused(
            f"{admin.name} is no superuser and lacks rights that this stack needs; nothing was changed."
            f" A superuser gives them with, in database {stack.server.database}:\n{lines}"
        )
