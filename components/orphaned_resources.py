"""What a service has in a database that it has moved out of: marked in one run, and let go of in a later one.

A run that deletes or replaces goes by what the state says of the old resource, so `retain_on_delete` has to be there
before. What is marked can be told by a property that only this run gives it.
"""

from collections.abc import Iterable, Iterator

from components.engine import Recorded
from engarde.declaration.databases import databases, restrict_to
from engarde.declaration.model import DatabaseStack, Service, Stack
from engarde.errors import ConfigError
from engarde.pulumi_cli.resource_names import base_name, database_label, in_database, on_server, place_of
from engarde.pulumi_cli.state import ROLE, SCHEMA


def places(stack: Stack, recorded: Iterable[Recorded]) -> tuple[DatabaseStack, ...]:
    """Every database of the stack, and after them those in which only the state still has something to look after.

    :raises ConfigError: one of those is on a server that the stack file names no more.
    """
    declared = databases(stack)
    labels = {place: found.name for found in recorded if not marked(found) and (place := database_label(found.name))}
    known = {place_of(database) for database in declared}
    return (*declared, *(_former(stack, *place, labels[place]) for place in sorted(labels.keys() - known)))


def _former(stack: Stack, label: str, elsewhere: bool, resource: str) -> DatabaseStack:
    on_others = {server.name for server in stack.other_servers}
    if elsewhere != (label in on_others):
        server = "another server" if elsewhere else "the shared server"
        what = f"put engarde:databases.{label} back" if elsewhere else f"give engarde:databases.{label} another key"
        raise ConfigError(
            f"Pulumi.{stack.name}.yaml: the state has {resource}, which was made in database {label} of {server}:"
            f" {what}, at least until no service is there and `up` has run twice. Nothing was changed"
        )
    return restrict_to(stack, label)


def marked(found: Recorded) -> bool:
    """Whether it may leave the state by now; what is neither a schema nor a role goes by itself."""
    if found.type == SCHEMA:
        return found.outputs.get("ifNotExists") is False
    return found.type != ROLE or found.outputs.get("login") is False


def left(service: Service, home: DatabaseStack, recorded: Iterable[Recorded]) -> Iterator[Recorded]:
    """The service's roles and schemas in the state that are not where it is now, and are not let go of yet."""
    here = {
        SCHEMA: in_database(f"{service.name}-schema", home),
        ROLE: on_server(f"{service.name}-role", home),
    }
    for found in recorded:
        now = here.get(found.type)
        if now and found.name != now and base_name(found.name) == base_name(now) and not marked(found):
            yield found
