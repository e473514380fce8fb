"""How a preview shows the settings that the program sets itself, and how the state remembers them.

They stand in the inputs of the component that a role belongs to, so that another declaration is a change of the
component. Where the declaration is the state's and the server has something else, the number of repairs goes up, which
is a change as well: in a preview as in the `up` that repairs it, and in none after that.
"""

from __future__ import annotations

from collections.abc import Iterable

from components.database import Database
from components.engine import Recorded
from engarde.declaration.model import Analytics, Service
from engarde.pulumi_cli.resource_names import placed_on_server
from engarde.pulumi_cli.state import READER, TENANT
from engarde.server import role_settings

SETTINGS = "roleSettings"
REPAIRS = "roleSettingsRepairs"


def shown(
    name: str, declared: Service | Analytics, databases: Iterable[Database], recorded: Iterable[Recorded], kind: str
) -> dict[str, object]:
    """The inputs of the component of this name and kind, whose role is on the servers of these databases."""
    there = list(databases)
    settings = {
        placed_on_server(f"{name}-role", each.stack): role_settings.declared(declared, each.stack.server)
        for each in there
    }
    before = next((each.outputs for each in recorded if (each.name, each.type) == (name, kind)), None)
    if before is None:
        return {SETTINGS: settings, REPAIRS: 0}
    # A run that did not end has left no outputs, whatever it has set.
    drifted = before.get(SETTINGS, settings) == settings and any(_drifted(declared, each) for each in there)
    return {SETTINGS: settings, REPAIRS: int(before.get(REPAIRS) or 0) + drifted}


def before(name: str, database: Database) -> frozenset[str]:
    """The settings that the last run has set for the role of the component of this name, on the database's server."""
    place = placed_on_server(f"{name}-role", database.stack)
    return frozenset(
        setting
        for each in database.recorded
        if each.name == name and each.type in (TENANT, READER)
        for setting in (each.outputs.get(SETTINGS) or {}).get(place) or {}
    )


def _drifted(declared: Service | Analytics, database: Database) -> bool:
    found = database.found
    return declared.role in found.roles and bool(
        role_settings.changes(declared, database.stack.server, found.settings.get(declared.role, {}))
    )
