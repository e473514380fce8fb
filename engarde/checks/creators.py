"""Who makes tables in a schema that analytics reads, against the declaration."""

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
        "roles that make tables where analytics would not see them",
        "edit",
        "the role goes under `creators`; what a superuser has made goes to a creator (sql)",
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
                    f"among its creators, so that {stack.analytics.role if stack.analytics else ''} sees what it makes",
                    why,
                    _heal(stack, schema, catalog, role),
                    frozenset({role, schema.name}),
                )


def _heal(stack: DatabaseStack, schema: ExistingSchema, catalog: Catalog, role: str) -> Remedy:
    admin, known = admin_capabilities(stack, catalog), catalog.roles.get(role)
    # Who may act as a superuser is one: what one has made goes to a creator instead.
    if known and known.superuser and not admin.superuser:
        owned = (relation for relation in catalog.relations if (relation.schema, relation.owner) == (schema.name, role))
        tables = [relation.identity for relation in owned if relation.kind == "table"]
        give = [f"ALTER TABLE {table} OWNER TO {quoted(schema.creators[0])}" for table in tables]
        return admin.sql(Verb.PLACE, *give, of=(role,))
    steps = [
        f"engarde:existingSchemas.{schema.name}.creators: [{', '.join([*schema.creators, role])}]",
        *([] if admin.may(role) else [f"as a superuser: GRANT {quoted(role)} TO {quoted(stack.server.user)};"]),
        f"then bin/pulumi up --stack {stack.name}",
    ]
    return Remedy("edit", "\n".join(steps))


def _who_creates(stack: DatabaseStack, schema: str, catalog: Catalog) -> dict[str, str]:
    # An owner that is a superuser or stands for the database's is the admin in other words.
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
            # Who gets there by a role of the stack is an intruder, to be shut out and not to be declared.
            and (others := members.acts_as(role.name) & found.keys() - {role.name, *stack.roles})
        ):
            found.setdefault(role.name, f"may do what {min(others)} may")
    return found
