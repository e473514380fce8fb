"""What differs between a resource as it is recorded and as the program wants it."""

from pulumi.provider.experimental.provider import DiffResponse, PropertyDiff, PropertyDiffKind

from devtools.provider_stubs.resource import Backend, Property, ResourceType
from devtools.provider_stubs.values import Plain, Properties


def difference(resource: ResourceType[Backend], prior: Properties, planned: Properties) -> DiffResponse:
    """Whether a resource is to change, by which properties, and whether that takes a new one."""
    different = _different(resource, prior, planned)
    replacing = sorted(each.name for each in different if each.replaces)
    return DiffResponse(
        changes=bool(different),
        replaces=replacing,
        stables=sorted(each.name for each in resource.properties if each.replaces and each.name not in replacing),
        delete_before_replace=bool(replacing) and resource.delete_before_replace,
        diffs=sorted(each.name for each in different),
        detailed_diff={each.name: PropertyDiff(_kind(each, prior, planned), False) for each in different},
    )


def _different(resource: ResourceType[Backend], prior: Properties, planned: Properties) -> list[Property]:
    """The properties that change, and with them those whose zero was not recorded yet; without them, none."""
    changed, recorded_first = [], []
    for each in (each for each in resource.properties if each.given):
        before, after = prior.values.get(each.name), planned.values.get(each.name)
        if each.comparable(before) != each.comparable(after):
            changed.append(each)
        elif _unset(before) and not _unset(after):
            recorded_first.append(each)
    return changed + recorded_first if changed else []


def _kind(each: Property, prior: Properties, planned: Properties) -> PropertyDiffKind:
    if _unset(prior.values.get(each.name)):
        name = "ADD"
    elif _unset(planned.values.get(each.name)):
        name = "DELETE"
    else:
        name = "UPDATE"
    return PropertyDiffKind[f"{name}_REPLACE" if each.replaces else name]


def _unset(value: Plain) -> bool:
    return value is None or value == [] or value == {}
