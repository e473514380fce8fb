"""Whose a thing is to be and where: a service owns all that is in its schema, and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass

from engarde.checks.admin_capabilities import AdminCapabilities
from engarde.checks.naming import provided_schemas, up
from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack, Service
from engarde.declaration.names import VERSION_TABLE
from engarde.output.findings import Finding, Placed, Remedy, Verb
from engarde.server.catalog import FOR_ALL, RUN_AS_OWNER, Catalog, Owned
from engarde.util.quoting import quoted


@dataclass(frozen=True, slots=True)
class Place:
    """Where one thing is to be."""

    owner: str
    schema: str
    """empty where it is to stay in its own"""
    remedy: Remedy


def place(stack: DatabaseStack, catalog: Catalog, admin: AdminCapabilities, owned: Owned) -> Place:
    """What puts right a thing that is another's or elsewhere: the same, whichever command prints it.

    What runs with its owner's rights is given to nobody as what somebody else wrote. A service's own goes to its
    schema, unless it is declared to be where it is.
    """
    at_home = next((service for service in stack.services if service.schema_ == owned.schema), None)
    writer = next((service for service in stack.services if service.role == owned.owner), None)
    creators = (existing.creators[0] for existing in stack.existing_schemas if existing.name == owned.schema)
    owner = at_home.role if at_home else next(creators, stack.server.user)
    stranger = owned.owner not in catalog.trusted(stack.server.user)
    view = stranger and owned.kind in RUN_AS_OWNER and owned.kind != "routine"
    # Nor does a part leave the table that it is a part of.
    reads = {(read.schema_, read.table) for service in stack.services for read in service.reads}
    declared = owned.of_another or (owned.schema, owned.name) in reads
    if writer and owned.schema and not (at_home or declared):
        return Place(owned.owner, writer.schema_, _moved(stack, catalog, admin, owned, writer))
    if view:
        # It reads what its owner may read, for whoever may read it: as another's it would read what that one may.
        anew = f"read its definition: {owner} makes it anew if it is wanted, and {owned.owner}'s is dropped"
        move = _moved(stack, catalog, admin, owned, writer) if writer and at_home else None
        if move is None or move.kind != "sql":
            return Place(owner, "", Remedy("code", anew))
        choices = f"-- if it is {owned.owner}'s, it goes to its schema:\n{move.text}\n-- if it is not, {anew}"
        return Place(owner, "", Remedy("decision", choices, move.by_superuser))
    if stranger and owned.definer and owned.kind != "routine":
        rules = f"read the rules that {owned.owner} wrote, which would do what {owner} may"
        return Place(owner, "", Remedy("code", f"{rules}: without them it is {owner}'s"))
    return Place(owner, "", _given(stack, admin, owned, owner, stranger=stranger))


def _moved(stack: DatabaseStack, catalog: Catalog, admin: AdminCapabilities, owned: Owned, writer: Service) -> Remedy:
    if owned.name == VERSION_TABLE:
        return Remedy("command", f"bin/engarde doctor --stack {stack.name}")
    if writer.schema_ not in catalog.schemas:
        return up(stack)
    if owned.taken:
        named = f"schema {writer.schema_} has a {owned.name} already, or something that goes with it"
        return Remedy("code", f"{named}: one of the two is dropped or renamed")
    move = f"ALTER {owned.kind.upper()} {owned.identity} SET SCHEMA {quoted(writer.schema_)}"
    placed = Placed(owned.kind, owned.identity, owned.owner, writer.schema_)
    thing = catalog.relocated(owned.identity, writer.schema_)
    return admin.sql(Verb.PLACE, move, of=(owned.owner,), placed=placed, thing=thing)


def _given(stack: DatabaseStack, admin: AdminCapabilities, owned: Owned, owner: str, *, stranger: bool) -> Remedy:
    given = [f"ALTER {owned.kind.upper()} {owned.identity} OWNER TO {quoted(owner)}"]
    if owned.definer and stranger:
        given.insert(0, f"ALTER ROUTINE {owned.identity} SECURITY INVOKER")
    return admin.sql(
        Verb.PLACE,
        *given,
        of=(owned.owner, owner),
        # What lies in no schema takes more than ownership to hand over: a server, USAGE on its wrapper.
        superusers=not owned.schema,
        # The admin and superusers do what its new owner may, and live by no right of their own.
        safe=bool(owned.schema)
        and owner in stack.roles
        and not (stranger or owned.definer or owned.kind in RUN_AS_OWNER | FOR_ALL),
        placed=Placed(owned.kind, owned.identity, owner),
        thing=owned.identity,
    )


def left_schemas(stack: DatabaseStack, catalog: Catalog) -> dict[str, str]:
    """Schema -> service that has moved to another database and left it here, with whatever is in it."""
    services = [login for login in stack.neighbours if isinstance(login, Service) and login.schema_ in catalog.schemas]
    return {found.schema_: found.name for found in services if catalog.schemas[found.schema_].owner == found.role}


def misplaced(stack: DatabaseStack, catalog: Catalog) -> Iterator[Owned]:
    """What is another's in a service's schema, and what roles of the stack own elsewhere."""
    # What an extension keeps of a service's in a schema of its own is where it belongs; what is only in the wrong place
    # goes back there, and not to another owner.
    left = left_schemas(stack, catalog)
    elsewhere = provided_schemas(stack, catalog) | left.keys()
    # They are in no schema, and belong to what was left.
    gone = {login.role for login in stack.neighbours if isinstance(login, Service) and login.name in left.values()}
    moved = {part.child for part in catalog.inherits if part.child_owner == part.parent_owner}
    for owned in catalog.strangers:
        of_left = owned.kind == "large object" and owned.owner in gone
        declared = bool(owned.schema) and stack.lets_make(owned.schema, owned.owner)
        if owned.schema not in elsewhere and owned.identity not in moved and not of_left and not declared:
            yield owned


@check(
    Question("owner", "objects that are another's in a service's schema", "sql", "`OWNER TO`", safe=True),
    Question("place", "a service's objects outside of its schema", "sql", "`SET SCHEMA`"),
    group="objects",
    stage=Stage.OBJECTS,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Each object whose owner and schema do not belong together; what is Alembic's is told by its own check."""
    at_home = {service.schema_ for service in stack.services}
    services, catalog = {service.role for service in stack.services}, observed.catalog
    for owned in misplaced(stack, catalog):
        if owned.name == VERSION_TABLE and owned.owner in services:
            continue
        there = place(stack, catalog, observed.admin, owned)
        # What a role or a schema that is not there yet is to have can be given to it once it is.
        known = there.owner in catalog.roles and (not there.schema or there.schema in catalog.schemas)
        if known and (owned.schema in at_home or (owned.schema and owned.owner in services)):
            yield Finding(
                "place" if there.schema else "owner",
                f"{owned.kind} {owned.identity}",
                f"in schema {there.schema}, for it is {there.owner}'s" if there.schema else there.owner,
                f"in schema {owned.schema}" if there.schema else owned.owner,
                there.remedy,
                frozenset({owned.owner, owned.schema, there.owner, there.schema} - {""}),
            )
