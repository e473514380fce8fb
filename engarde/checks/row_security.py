"""Row security that may hide rows from declared readers."""

from collections import defaultdict
from collections.abc import Iterator

from engarde.checks.closure import Members, closure
from engarde.checks.naming import some
from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.declaration.names import PUBLIC
from engarde.declaration.privileges import readings
from engarde.output.findings import Finding, Verb
from engarde.server.catalog import Catalog, Policy
from engarde.util.quoting import quoted


@check(
    Question(
        "row security",
        "a policy that may hide rows from a declared read or from analytics",
        "sql",
        "a policy that shows every row",
    ),
    group="isolation",
    stage=Stage.CODE,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    tables: dict[tuple[str, str], list[Policy]] = defaultdict(list)
    for policy in observed.session.query("row_security", Policy, schemas=sorted(stack.schemas)):
        tables[policy.schema, policy.name].append(policy)
    members = closure(stack, observed.catalog)
    for (schema, name), policies in tables.items():
        for reader in _readers(stack, schema, name):
            if reader in members.roles and (lacking := _lacking(reader, members, policies)):
                table, heal = policies[0], _heal(reader, stack, observed.catalog, policies)
                yield Finding(
                    "row security",
                    f"{reader} on table {table.identity}",
                    "every row",
                    lacking,
                    observed.admin.sql(Verb.SHOW, *heal, of=(table.owner,)),
                    frozenset({reader, table.schema, table.owner}),
                )


def _readers(stack: DatabaseStack, schema: str, name: str) -> Iterator[str]:
    if stack.analytics and schema in stack.analytics_schemas:
        yield stack.analytics.role
    yield from (role for role, read in readings(stack) if (read.schema_, read.table) == (schema, name))


def _lacking(reader: str, members: Members, policies: list[Policy]) -> str:
    """Why the reader may not see every row; empty if it sees all."""
    role, acting, table = members.roles[reader], members.acts_as(reader), policies[0]
    if role.superuser or role.bypassrls or (table.owner in acting and not table.forced):
        return ""
    for_it = [policy for policy in policies if (acting | {PUBLIC}) & set(policy.roles)]
    showing = [policy for policy in for_it if policy.permissive]
    if not showing:
        return "no row, because no policy applies to it"
    deciding = _hiding(for_it) or ([] if any(policy.all_rows for policy in showing) else showing)
    names = some([quoted(policy.policy or "") for policy in deciding])
    return f"the rows that {names} shows it, which may not be all" if deciding else ""


def _hiding(policies: list[Policy]) -> list[Policy]:
    return [policy for policy in policies if not policy.permissive and not policy.all_rows]


def _heal(reader: str, stack: DatabaseStack, catalog: Catalog, policies: list[Policy]) -> Iterator[str]:
    table, taken = policies[0], {policy.policy for policy in policies}
    readers = set(_readers(stack, table.schema, table.name))
    known = {entry.grantee for entry in catalog.entries if entry.kind == "table" and entry.identity == table.identity}
    others = ", ".join(quoted(role) for role in sorted({table.owner} | known - readers - {PUBLIC}))
    for policy in _hiding(policies):
        # It keeps applying to everybody except the declared readers.
        yield f"ALTER POLICY {quoted(policy.policy or '')} ON {table.identity} TO {others}"
    if not any(policy.all_rows and policy.permissive and {reader, PUBLIC} & set(policy.roles) for policy in policies):
        name = next(name for name in (reader, f"{reader[:50]}_reads", f"{reader[:50]}_reads_all") if name not in taken)
        to = quoted(reader)
        yield f"CREATE POLICY {quoted(name)} ON {table.identity} FOR SELECT TO {to} USING (true)"
