"""A pooler between the admin and the server, where a pooler does harm."""

from collections.abc import Iterator

from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.declaration.stack_file_edits import lines
from engarde.output.findings import Finding, Remedy


@check(
    Question(
        "pooler",
        "a pooler at the operator's address, and URLs that a pooler refuses",
        "edit",
        "the server's own address, or another form of the URL",
    ),
    group="server",
    needs=("the admin's session",),
    stage=Stage.SERVER,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterator[Finding]:
    """The operator's address, and URLs that a pooler refuses; what is at an address of services alone is not known."""
    if not observed.pooled:
        return
    server, address = stack.server, stack.service_address
    where = f"{server.host}:{server.port}"
    remedy = Remedy("edit", lines("server", {"host": "the server's own host", "port": 5432}))
    actual = "a pooler, through which migrations and statements for one session go astray"
    yield Finding("pooler", where, "the server itself, at engarde:server", actual, remedy)
    if (address.host, address.port) != (server.host, server.port):
        return
    for service in stack.services:
        if service.url_format == "options":
            edit = Remedy("edit", lines("services", {service.name: {"urlFormat": "plain"}}))
            concerned = frozenset({service.role, service.schema_})
            yield Finding(
                "pooler",
                service.name,
                "a URL that the pooler takes",
                "urlFormat options, which it refuses",
                edit,
                concerned,
            )
