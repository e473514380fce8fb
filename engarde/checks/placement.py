"""Which owner and schema each object should have: a service owns everything in its schema, and nothing else."""

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
    """The owner and the schema that an object should have."""

    owner: str
    schema: str
    """empty if it should stay in its own"""
    remedy: Remedy


def place(stack: DatabaseStack, catalog: Catalog, admin: AdminCapabilities, owned: Owned) -> Place:
    """Where a misplaced object belongs, and the remedy, which is the same in all commands.

    Code that runs with its owner's privileges is not given to a role that did not write it. An object of a service is
    moved to the service's schema, unless a read of it is declared where it is.
    """
    at_home = next((service for service in stack.services if service.schema_ == owned.schema), None)
    writer = next((service for service in stack.services if service.role == owned.owner), None)
    creators = (existing.creators[0] for existing in stack.existing_schemas if existing.name == owned.schema)
    owner = at_home.role if at_home else next(creators, stack.server.user)
    stranger = owned.owner not in catalog.trusted(stack.server.user)
    view = stranger and owned.kind in RUN_AS_OWNER and owned.kind != "routine"
    # A partition stays with its parent, too.
    reads = {(read.schema_, read.table) for service in stack.services for read in service.reads}
    declared = owned.of_another or (owned.schema, owned.name) in reads
    if writer and owned.schema and not (at_home or declared):
        return Place(owned.owner, writer.schema_, _moved(stack, catalog, admin, owned, writer))
    if view:
        # It reads with its owner's privileges: another owner would show its readers what that owner may read.
        anew = f"read its definition; if it is needed, create it again as {owner}; then drop the one of {owned.owner}"
        move = _moved(stack, catalog, admin, owned, writer) if writer and at_home else None
        if move is None or move.kind != "sql":
            return Place(owner, "", Remedy("code", anew))
        choices = f"-- if it belongs to {owned.owner}, move it to its schema:\n{move.text}\n-- if not, {anew}"
        return Place(owner, "", Remedy("decision", choices, move.by_superuser))
    if stranger and owned.definer and owned.kind != "routine":
        rules = f"read the rules that {owned.owner} wrote: they would run with the privileges of {owner}"
        return Place(owner, "", Remedy("code", f"{rules}. Drop them, then give the table to {owner}"))
    return Place(owner, "", _given(stack, admin, owned, owner, stranger=stranger))


def _moved(stack: DatabaseStack, catalog: Catalog, admin: AdminCapabilities, owned: Owned, writer: Service) -> Remedy:
    if owned.name == VERSION_TABLE:
        return Remedy("command", f"bin/engarde doctor --stack {stack.name}")
    if writer.schema_ not in catalog.schemas:
        return up(stack)
    if owned.taken:
        named = f"schema {writer.schema_} already has {owned.name}, or an object that belongs to it"
        return Remedy("code", f"{named}: drop or rename one of the two")
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
        # Outside of schemas, a change of owner needs more than ownership: for a server, USAGE on its wrapper.
        superusers=not owned.schema,
        # The admin and superusers lose nothing: they may do what the new owner may.
        safe=bool(owned.schema)
        and owner in stack.roles
        and not (stranger or owned.definer or owned.kind in RUN_AS_OWNER | FOR_ALL),
        placed=Placed(owned.kind, owned.identity, owner),
        thing=owned.identity,
    )


def left_schemas(stack: DatabaseStack, catalog: Catalog) -> dict[str, str]:
    """Schema -> service that moved to another database and left it here with its contents."""
    services = [login for login in stack.neighbours if isinstance(login, Service) and login.schema_ in catalog.schemas]
    return {found.schema_: found.name for found in services if catalog.schemas[found.schema_].owner == found.role}


def misplaced(stack: DatabaseStack, catalog: Catalog) -> Iterator[Owned]:
    """Objects of other owners in a service's schema, and objects that roles of the stack own elsewhere."""
    # Parts of a service's tables that an extension keeps in a schema of its own belong there. A partition that is only
    # in another schema than its parent is moved back (`inheritance`).
    left = left_schemas(stack, catalog)
    elsewhere = provided_schemas(stack, catalog) | left.keys()
    # Large objects are in no schema; these belong to the schema that was left.
    gone = {login.role for login in stack.neighbours if isinstance(login, Service) and login.name in left.values()}
    moved = {part.child for part in catalog.inherits if part.child_owner == part.parent_owner}
    for owned in catalog.strangers:
        of_left = owned.kind == "large object" and owned.owner in gone
        declared = bool(owned.schema) and stack.lets_make(owned.schema, owned.owner)
        if owned.schema not in elsewhere and owned.identity not in moved and not of_left and not declared:
            yield owned


@check(
    Question("owner", "an object in a service's schema that another role owns", "sql", "`OWNER TO`", safe=True),
    Question("place", "an object that a service owns outside of its schema", "sql", "`SET SCHEMA`"),
    group="objects",
    stage=Stage.OBJECTS,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """Each object whose owner and schema do not belong together; `version table` covers Alembic's tables."""
    at_home = {service.schema_ for service in stack.services}
    services, catalog = {service.role for service in stack.services}, observed.catalog
    for owned in misplaced(stack, catalog):
        if owned.name == VERSION_TABLE and owned.owner in services:
            continue
        there = place(stack, catalog, observed.admin, owned)
        # A role or a schema that does not exist yet is created first.
        known = there.owner in catalog.roles and (not there.schema or there.schema in catalog.schemas)
        if known and (owned.schema in at_home or (owned.schema and owned.owner in services)):
            yield Finding(
                "place" if there.schema else "owner",
                f"{owned.kind} {owned.identity}",
                f"in schema {there.schema}, because {there.owner} owns it" if there.schema else there.owner,
                f"in schema {owned.schema}" if there.schema else owned.owner,
                there.remedy,
                frozenset({owned.owner, owned.schema, there.owner, there.schema} - {""}),
            )
