"""Which roles create tables in a schema that analytics reads, compared with the declared creators."""

from collections.abc import Iterator

from engarde.checks.admin_capabilities import admin_capabilities
from engarde.checks.closure import closure
from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack, ExistingSchema
from engarde.declaration.names import PUBLIC
from engarde.output.findings import Finding, Remedy, Verb
from engarde.server.catalog import Catalog
from engarde.util.quoting import quoted


@check(
    Question(
        "default privileges",
        "a role that creates tables which analytics could not read",
        "edit",
        "add the role to `creators`; a superuser's tables get a creator as owner (sql)",
    ),
    group="isolation",
    stage=Stage.PRIVILEGES,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    catalog = observed.then
    for schema in stack.existing_schemas:
        if schema.name not in stack.analytics_schemas or schema.name not in catalog.schemas:
            continue
        known = {*schema.creators, stack.server.user, *stack.roles, PUBLIC}
        for role, why in sorted(_who_creates(stack, schema.name, catalog).items()):
            if role not in known:
                yield Finding(
                    "default privileges",
                    f"{role} in {schema.name}",
                    f"one of its creators, so that {stack.analytics.role if stack.analytics else ''} reads its tables",
                    why,
                    _heal(stack, schema, catalog, role),
                    frozenset({role, schema.name}),
                )


def _heal(stack: DatabaseStack, schema: ExistingSchema, catalog: Catalog, role: str) -> Remedy:
    admin, known = admin_capabilities(stack, catalog), catalog.roles.get(role)
    # The admin may not act as a superuser: the superuser's tables get a creator as owner instead.
    if known and known.superuser and not admin.superuser:
        owned = (relation for relation in catalog.relations if (relation.schema, relation.owner) == (schema.name, role))
        tables = [relation.identity for relation in owned if relation.kind == "table"]
        give = [f"ALTER TABLE {table} OWNER TO {quoted(schema.creators[0])}" for table in tables]
        return admin.sql(Verb.PLACE, *give, of=(role,))
    line = f"engarde:existingSchemas.{schema.name}.creators: [{', '.join([*schema.creators, role])}]"
    grant = Remedy("sql", f"GRANT {quoted(role)} TO {quoted(stack.server.user)};", by_superuser=True)
    first = None if admin.may(role) else grant
    return Remedy("edit", f"{line}\nthen bin/pulumi up --stack {stack.name}", first=first)


def _who_creates(stack: DatabaseStack, schema: str, catalog: Catalog) -> dict[str, str]:
    # An owner that is a superuser or pg_database_owner counts as the admin.
    owner = catalog.roles.get(catalog.schemas[schema].owner)
    found = {owner.name: "owns the schema"} if owner and not (owner.superuser or owner.predefined) else {}
    for entry in catalog.entries:
        if entry.kind == "schema" and entry.schema == schema and entry.right == "CREATE":
            found[entry.grantee] = "may create in it"
    for relation in catalog.relations:
        if relation.schema == schema and not relation.provided:
            found[relation.owner] = f"owns {relation.identity}"
    members = closure(stack, catalog)
    for role in catalog.roles.values():
        if (
            role.login
            and not role.superuser
            # A role that gets there through a role of the stack is an intruder: it must not be declared.
            and (others := members.acts_as(role.name) & found.keys() - {role.name, *stack.roles})
        ):
            found.setdefault(role.name, f"has the privileges of {min(others)}")
    return found
