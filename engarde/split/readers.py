"""The role of analytics on a server that no service is on any more: it owns nothing, and goes with the last of them."""

from __future__ import annotations

from engarde.declaration.names import ANALYTICS
from engarde.errors import Unfinished
from engarde.pulumi_cli.process import engine
from engarde.pulumi_cli.resource_names import on_server
from engarde.pulumi_cli.state import ROLE, state
from engarde.split.move import Move


def unprotect_reader(way: Move) -> None:
    """Lets `up` drop the role of analytics on the server that the last service leaves, where the stack is protected.

    :raises Unfinished: the engine does not.
    """
    label, stack = way.source, way.after.name
    if label is None or not way.old.elsewhere or any(each.database == label for each in way.after.services):
        return
    name = on_server(f"{ANALYTICS}-role", way.old)
    for each in state(stack).resources:
        if each.type == ROLE and each.name == name:
            done = engine("state", "unprotect", each.urn, "--yes", "--stack", stack)
            if done.returncode:
                raise Unfinished(f"the engine does not unprotect {each.name}:\n{done.stderr.strip()}")
