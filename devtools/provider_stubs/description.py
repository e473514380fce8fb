"""A package as the engine wants it described when it writes the program for what it imported."""

import json
from typing import Any

from devtools.provider_stubs.package import Package
from devtools.provider_stubs.resource import Backend, Kind, Property, ResourceType

TEXTS = {"type": "string"}
MODULES = "(.*)(?:/[^/]*)"
"""How a type's name holds its module: what follows the slash is the type once more."""


def description(package: Package[Backend]) -> str:
    """The package's schema, of its resource types alone."""
    return json.dumps(
        {
            "name": package.name,
            "version": package.version,
            "meta": {"moduleFormat": MODULES},
            "resources": {each.name: _resource(each) for each in package.resources},
        }
    )


def _resource(resource: ResourceType[Backend]) -> dict[str, Any]:
    inputs = [each for each in resource.properties if each.given]
    return {
        "properties": {each.name: _property(each) for each in resource.properties},
        "required": [each.name for each in resource.properties if each.required],
        "inputProperties": {each.name: _property(each) for each in inputs},
        "requiredInputs": [each.name for each in inputs if each.required],
    }


def _property(each: Property) -> dict[str, Any]:
    match each.kind:
        case Kind.LIST | Kind.SET:
            form: dict[str, Any] = {"type": "array", "items": TEXTS}
        case Kind.MAP:
            form = {"type": "object", "additionalProperties": TEXTS}
        case scalar:
            form = {"type": scalar.value}
    return form | {"secret": each.secret}
