"""Ways around the access lists: views and functions that run with their owner's privileges."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from engarde.checks.admin_capabilities import admin_capabilities
from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack, Table
from engarde.declaration.names import PUBLIC
from engarde.output.findings import Finding, Remedy, Verb
from engarde.server.catalog import Catalog, View


@check(
    Question(
        "security definer",
        "a function, also one of a trigger, that PUBLIC may execute with its owner's privileges",
        "sql",
        "`REVOKE EXECUTE`",
    ),
    Question(
        "view",
        "a declared read of a view that shows another service's tables with its owner's privileges",
        "edit",
        "remove the read from the stack file",
    ),
    group="isolation",
    stage=Stage.PRIVILEGES,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    yield from _functions(stack, observed.then)
    yield from _views(stack, observed.then)


def _functions(stack: DatabaseStack, catalog: Catalog) -> Iterator[Finding]:
    services, admin = {service.schema_ for service in stack.services}, admin_capabilities(stack, catalog)
    open_to_all = {entry.identity for entry in catalog.entries if entry.kind == "function" and entry.grantee == PUBLIC}
    used_by_all = {entry.schema for entry in catalog.entries if entry.kind == "schema" and entry.grantee == PUBLIC}
    used_by_all |= {"pg_catalog", "information_schema"}
    for function in catalog.definers:
        # In a service's schema PUBLIC may call none; that is a finding of `undeclared grant`.
        if function.identity in open_to_all and function.schema in used_by_all - services:
            revoke = f"REVOKE EXECUTE ON ROUTINE {function.identity} FROM PUBLIC"
            yield Finding(
                "security definer",
                f"PUBLIC on function {function.identity}",
                "not executable by PUBLIC",
                f"executable by PUBLIC, with the privileges of {function.owner}",
                admin.sql(Verb.REVOKE, revoke, of=(function.owner,)),
                frozenset({PUBLIC, function.schema}),
            )


def _views(stack: DatabaseStack, catalog: Catalog) -> Iterator[Finding]:
    """Declared reads of views that show another service's tables."""
    owners = {service.schema_: service.role for service in stack.services}
    views: dict[Table, list[View]] = defaultdict(list)
    for view in catalog.views:
        # A service may show others what it may read itself.
        if view.owner not in owners.values() and not view.invoker:
            views[view.schema, view.name].append(view)
    for service in stack.services:
        reads = [(read.schema_, read.table) for read in service.reads]
        for read in reads:
            for base in sorted(_bases(read, views) - set(reads)):
                if owners.get(base[0], service.role) == service.role:
                    continue
                edit = f"remove {'.'.join(read)} from engarde:services.{service.name}.reads"
                yield Finding(
                    "view",
                    f"{service.role} on view {'.'.join(read)}",
                    f"no access to {'.'.join(base)}, which it is not declared to read",
                    f"reads it with the privileges of {views[read][0].owner}",
                    Remedy("edit", f"{edit}\nthen bin/pulumi up --stack {stack.name}"),
                    frozenset({service.role, read[0], base[0]}),
                )


def _bases(table: Table, views: Mapping[Table, list[View]]) -> set[Table]:
    """Everything that a view reads, also through other views."""
    found: set[Table] = set()
    waiting = [table]
    while waiting:
        for view in views.get(waiting.pop(), ()):
            base = (view.base_schema, view.base_name)
            if base not in found:
                found.add(base)
                waiting.append(base)
    return found
