"""A resource's inputs: as the program gives them, as a refresh corrects them, as an import finds them."""

from collections.abc import Iterable, Iterator, Mapping

from pulumi.provider.experimental.provider import CheckFailure
from pulumi.runtime.rpc import UNKNOWN

from devtools.provider_stubs.resource import DEFAULTS, Backend, Property, ResourceType
from devtools.provider_stubs.values import Plain, Properties


def faults(properties: Iterable[Property], inputs: Mapping[str, Plain]) -> Iterator[CheckFailure]:
    """Whatever of the program's inputs cannot be served."""
    known = {each.name: each for each in properties if each.given}
    for name in inputs.keys() - known.keys() - {DEFAULTS}:
        yield CheckFailure(name, f"the stand-in plugin does not know the property {name}")
    for name, each in known.items():
        value = inputs.get(name)
        if value is None and each.required:
            yield CheckFailure(name, f"the property {name} is required")
        if each.allowed and value not in (None, UNKNOWN, *each.allowed):
            yield CheckFailure(name, f"{name} must be one of {', '.join(each.allowed)}; it is {value}")


def completed(
    resource: ResourceType[Backend], inputs: Mapping[str, Plain], old: Mapping[str, Plain]
) -> dict[str, Plain]:
    """The program's inputs with the defaults for the rest; a default given once stays."""
    values: dict[str, Plain] = {name: value for name, value in inputs.items() if value is not None and name != DEFAULTS}
    filled: list[str] = []
    reusable = Properties(old).listed(DEFAULTS) if DEFAULTS in old else list(old)
    for each in resource.properties:
        if each.default is not None and each.name not in values:
            kept = old.get(each.name) if each.name in reusable else None
            values[each.name] = each.default if kept is None else kept
            filled.append(each.name)
    return values | ({} if resource.newer_framework else {DEFAULTS: [*sorted(filled)]})


def refreshed(old: Mapping[str, Plain], state: Mapping[str, Plain]) -> dict[str, Plain]:
    """The inputs that are recorded, with the values that the server has now."""
    values: dict[str, Plain] = {name: _updated(value, state[name]) for name, value in old.items() if name in state}
    still = [each for each in Properties(old).listed(DEFAULTS) if values.get(each) == old[each]]
    return values | ({DEFAULTS: still} if still else {})


def _updated(old: Plain, new: Plain) -> Plain:
    """One value; a collection grows no further than the program wrote it."""
    if isinstance(old, list) and isinstance(new, list):
        return new[: len(old)]
    if isinstance(old, dict) and isinstance(new, dict):
        return {name: new[name] for name in old if name in new}
    return new


def imported(resource: ResourceType[Backend], state: Properties) -> dict[str, Plain]:
    """The inputs that would make a resource as it was found: what is required or not as it would be anyway."""
    values = {
        each.name: state.values.get(each.name)
        for each in resource.properties
        if each.given and (each.required or not _usual(each, state.values.get(each.name)))
    }
    return values | ({} if resource.newer_framework else {DEFAULTS: []})


def _usual(each: Property, value: Plain) -> bool:
    usual = each.otherwise if each.default is None else each.default
    return value == usual if usual is not None else value in (None, each.kind.zero)
