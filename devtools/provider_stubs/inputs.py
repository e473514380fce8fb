"""A resource's inputs: given by the program, corrected by a refresh, found by an import; and what differs then."""

from collections.abc import Iterable, Iterator, Mapping

from pulumi.provider.experimental.provider import CheckFailure, DiffResponse, PropertyDiff, PropertyDiffKind
from pulumi.runtime.rpc import UNKNOWN

from devtools.provider_stubs.resource import DEFAULTS, Backend, Property, ResourceType
from devtools.provider_stubs.values import Plain, Properties


def faults(properties: Iterable[Property], inputs: Mapping[str, Plain]) -> Iterator[CheckFailure]:
    """Whatever of the program's inputs cannot be served."""
    known = {prop.name: prop for prop in properties if prop.given}
    for name in inputs.keys() - known.keys() - {DEFAULTS}:
        yield CheckFailure(name, f"the stand-in plugin does not know the property {name}")
    for name, prop in known.items():
        value = inputs.get(name)
        if value is None and prop.required:
            yield CheckFailure(name, f"the property {name} is required")
        if prop.allowed and value not in (None, UNKNOWN, *prop.allowed):
            yield CheckFailure(name, f"{name} must be one of {', '.join(prop.allowed)}; it is {value}")


def completed(
    resource: ResourceType[Backend], inputs: Mapping[str, Plain], old: Mapping[str, Plain]
) -> dict[str, Plain]:
    """The program's inputs with the defaults for the rest; a default given once stays."""
    values: dict[str, Plain] = {name: value for name, value in inputs.items() if value is not None and name != DEFAULTS}
    filled: list[str] = []
    reusable = Properties(old).listed(DEFAULTS) if DEFAULTS in old else list(old)
    for prop in resource.properties:
        if prop.default is not None and prop.name not in values:
            kept = old.get(prop.name) if prop.name in reusable else None
            values[prop.name] = prop.default if kept is None else kept
            filled.append(prop.name)
    return values | ({} if resource.newer_framework else {DEFAULTS: [*sorted(filled)]})


def refreshed(old: Mapping[str, Plain], state: Mapping[str, Plain]) -> dict[str, Plain]:
    """The inputs that are recorded, with the values that the server has now."""
    values: dict[str, Plain] = {name: _updated(value, state[name]) for name, value in old.items() if name in state}
    still = [name for name in Properties(old).listed(DEFAULTS) if values.get(name) == old[name]]
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
        prop.name: state.values.get(prop.name)
        for prop in resource.inputs
        if prop.required or not _usual(prop, state.values.get(prop.name))
    }
    return values | ({} if resource.newer_framework else {DEFAULTS: []})


def _usual(prop: Property, value: Plain) -> bool:
    usual = prop.otherwise if prop.default is None else prop.default
    return value == usual if usual is not None else value in (None, prop.kind.zero)


def difference(resource: ResourceType[Backend], prior: Properties, planned: Properties) -> DiffResponse:
    """Whether a resource is to change, by which properties, and whether that takes a new one."""
    different = _different(resource, prior, planned)
    replacing = sorted(prop.name for prop in different if prop.replaces)
    return DiffResponse(
        changes=bool(different),
        replaces=replacing,
        stables=sorted(prop.name for prop in resource.properties if prop.replaces and prop.name not in replacing),
        delete_before_replace=bool(replacing) and resource.delete_before_replace,
        diffs=sorted(prop.name for prop in different),
        detailed_diff={prop.name: PropertyDiff(_kind(prop, prior, planned), False) for prop in different},
    )


def _different(resource: ResourceType[Backend], prior: Properties, planned: Properties) -> list[Property]:
    """The properties that change, and with them those whose zero was not recorded yet; without them, none."""
    changed, recorded_first = [], []
    for prop in resource.inputs:
        before, after = prior.values.get(prop.name), planned.values.get(prop.name)
        if prop.comparable(before) != prop.comparable(after):
            changed.append(prop)
        elif _unset(before) and not _unset(after):
            recorded_first.append(prop)
    return changed + recorded_first if changed else []


def _kind(prop: Property, prior: Properties, planned: Properties) -> PropertyDiffKind:
    if _unset(prior.values.get(prop.name)):
        name = "ADD"
    elif _unset(planned.values.get(prop.name)):
        name = "DELETE"
    else:
        name = "UPDATE"
    return PropertyDiffKind[f"{name}_REPLACE" if prop.replaces else name]


def _unset(value: Plain) -> bool:
    return value is None or value == [] or value == {}
