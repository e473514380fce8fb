"""The steps of each operation on a resource, as a worker thread takes them, and what is kept when one fails."""

from collections.abc import Mapping

from pulumi.provider.experimental.property_value import PropertyValue

from devtools.provider_stubs.errors import Failure, HalfDone, listed
from devtools.provider_stubs.resource import Backend, ResourceType, emptied, settle
from devtools.provider_stubs.values import Properties, wrapped_map


def create(
    backend: Backend, resource: ResourceType[Backend], urn: str, planned: Properties
) -> Mapping[str, PropertyValue]:
    """Makes a resource; what is made but cannot be read back is recorded as planned."""
    try:
        made = resource.create(backend, planned)
    except Failure as failure:
        raise Failure(listed(failure)) from failure
    try:
        found = resource.read(backend, made)
    except Failure as failure:
        raise HalfDone(f"creating {urn}: {listed(failure)}", _recorded(resource, made, planned)) from failure
    if found is None:
        raise Failure(f"what was made is not there: {urn}")
    return _recorded(resource, found, planned)


def read(backend: Backend, resource: ResourceType[Backend], urn: str, known: Properties) -> Properties | None:
    """Reads a resource; nothing when it is gone."""
    try:
        return resource.read(backend, known)
    except Failure as failure:
        raise Failure(f"refreshing {urn}: {listed(failure)}") from failure


def update(
    backend: Backend, resource: ResourceType[Backend], urn: str, prior: Properties, planned: Properties
) -> Mapping[str, PropertyValue]:
    """Changes a resource; one that fails is recorded as planned, as the official plugins do."""
    planned = emptied(resource, prior, planned)
    try:
        found = resource.read(backend, resource.update(backend, prior, planned))
    except Failure as failure:
        raise HalfDone(f"updating {urn}: {listed(failure)}", _recorded(resource, planned, planned)) from failure
    if found is None:
        raise Failure(f"what was to be updated is not there: {urn}")
    return _recorded(resource, found, planned)


def delete(backend: Backend, resource: ResourceType[Backend], urn: str, known: Properties) -> None:
    """Drops a resource."""
    try:
        resource.delete(backend, known)
    except Failure as failure:
        raise Failure(f"deleting {urn}: {listed(failure)}") from failure


def _recorded(resource: ResourceType[Backend], found: Properties, planned: Properties) -> Mapping[str, PropertyValue]:
    return wrapped_map(settle(resource, found, planned), resource.secrets)
