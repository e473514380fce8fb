"""A state that knows less than there is, or of work half done, as a killed run leaves it."""

import json
from pathlib import Path
from typing import Any


def forget(state_file: Path, service: str, *kept: str) -> dict[str, Any]:
    """Takes all of a service but its password out of the state, as before the run that made it; returns its role."""
    file = json.loads(state_file.read_text())
    latest = file["checkpoint"]["latest"]
    names = {each["urn"]: each["urn"].split("::", 3)[3].replace('"', "") for each in latest["resources"]}
    gone = {urn for urn, name in names.items() if name.startswith(f"{service}-") or name.endswith(f"-{service}")}
    gone -= {urn for urn, name in names.items() if name in (f"{service}-password", *kept)}
    (role,) = [each for each in latest["resources"] if names[each["urn"]] == f"{service}-role"]
    latest["resources"] = [each for each in latest["resources"] if each["urn"] not in gone]
    for each in latest["resources"]:
        for needed in [each.get("dependencies", []), *each.get("propertyDependencies", {}).values()]:
            needed[:] = [urn for urn in needed or [] if urn not in gone]
        if each.get("deletedWith") in gone:
            del each["deletedWith"]
    state_file.write_text(json.dumps(file))
    return dict(role)


def leave(state_file: Path, operation: str, resource: dict[str, Any]) -> None:
    """Makes the state that of a run that was killed while it did this to the resource."""
    file = json.loads(state_file.read_text())
    latest = file["checkpoint"]["latest"]
    latest["resources"] += [] if operation == "creating" else [resource]
    latest["pending_operations"] = [{"type": operation, "resource": resource}]
    state_file.write_text(json.dumps(file))
