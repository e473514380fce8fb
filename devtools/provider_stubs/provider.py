"""Answers Pulumi's requests with the resource types of a package."""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Generic, TypeVar

from pulumi.provider.experimental import provider as api
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import CheckFailure, DiffResponse, PropertyDiff, PropertyDiffKind
from pulumi.runtime.rpc import UNKNOWN

from devtools.provider_stubs.resource import (
    DEFAULTS,
    Backend,
    Kind,
    Package,
    Property,
    ResourceType,
    emptied,
    plan,
    settle,
)
from devtools.provider_stubs.values import Failure, HalfDone, Plain, Properties, listed, plain_map, wrapped_map

Answer = TypeVar("Answer")


class StandIn(api.Provider, Generic[Backend]):
    """Serves one package; operations run in threads, as many at once as their backend allows."""

    def __init__(self, package: Package[Backend]) -> None:
        self.package = package
        self.types = {resource.name: resource for resource in package.resources}
        self.backend: Backend | None = None
        self.workers: ThreadPoolExecutor | None = None

    async def check_config(self, request: api.CheckRequest) -> api.CheckResponse:
        settings = {setting.name: setting for setting in self.package.settings}
        # The engine's own input says which plugin it wants.
        given = {name: value for name, value in request.new_inputs.items() if name != "version"}
        failures = list(faults(settings.values(), plain_map(given)))
        inputs = {
            name: value.with_secret(value.is_secret or (name in settings and settings[name].secret))
            for name, value in request.new_inputs.items()
        }
        return api.CheckResponse(inputs, failures)

    async def configure(self, request: api.ConfigureRequest) -> api.ConfigureResponse:
        values = plain_map(request.args)
        for setting in self.package.settings:
            # The SDKs send settings that are not texts as JSON.
            if setting.kind is not Kind.TEXT and isinstance(text := values.get(setting.name), str):
                values[setting.name] = json.loads(text)
        self.backend = self.package.connect(Properties(values))
        self.workers = ThreadPoolExecutor(self.backend.parallel)
        return api.ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def check(self, request: api.CheckRequest) -> api.CheckResponse:
        resource = self._type(request.urn)
        inputs = plain_map(request.new_inputs)
        values = completed(resource, inputs, plain_map(request.old_inputs))
        return api.CheckResponse(wrapped_map(values, resource.secrets), list(faults(resource.properties, inputs)))

    async def diff(self, request: api.DiffRequest) -> api.DiffResponse:
        resource = self._type(request.urn)
        prior = _known(resource, request.resource_id, request.old_state)
        return difference(resource, prior, _planned(resource, request.new_inputs, prior, request.ignore_changes))

    async def create(self, request: api.CreateRequest) -> api.CreateResponse:
        resource = self._type(request.urn)
        planned = _planned(resource, request.properties, Properties({}), ())
        if request.preview:
            return api.CreateResponse(None, wrapped_map(planned.values, resource.secrets))
        recorded = await self._run(_create, resource, request.urn, planned)
        return api.CreateResponse(str(recorded["id"].value), dict(recorded))

    async def read(self, request: api.ReadRequest) -> api.ReadResponse:
        resource = self._type(request.urn)
        importing = not request.properties
        if importing and not resource.importable:
            return api.ReadResponse()
        known = _known(resource, request.resource_id, request.properties)
        with listing(f"refreshing {request.urn}: "):
            found = await self._run(resource.read, known)
        if found is None:
            return api.ReadResponse()
        values = settle(resource, found, found)
        inputs = imported(resource, found) if importing else refreshed(plain_map(request.inputs), values)
        return api.ReadResponse(
            found.text("id"), wrapped_map(values, resource.secrets), wrapped_map(inputs, resource.secrets)
        )

    async def update(self, request: api.UpdateRequest) -> api.UpdateResponse:
        resource = self._type(request.urn)
        prior = _known(resource, request.resource_id, request.olds)
        planned = _planned(resource, request.news, prior, request.ignore_changes)
        if request.preview:
            return api.UpdateResponse(wrapped_map(planned.values, resource.secrets))
        recorded = await self._run(_update, resource, request.urn, prior, planned)
        return api.UpdateResponse(dict(recorded))

    async def delete(self, request: api.DeleteRequest) -> None:
        resource = self._type(request.urn)
        known = _known(resource, request.resource_id, request.properties)
        with listing(f"deleting {request.urn}: "):
            await self._run(resource.delete, known)

    async def cancel(self) -> None:
        if self.backend is not None:
            self.backend.interrupt()

    def _type(self, urn: str) -> ResourceType[Backend]:
        # The third part: the SDK counts from the end, where a resource's name may hold colons. Inside a component it
        # names the types of the parents, too.
        own = urn.split("::", 3)[2].rpartition("$")[2]
        if own not in self.types:
            raise Failure(f"the provider stub has no resource type {own}")
        return self.types[own]

    async def _run(self, operation: Callable[..., Answer], *arguments: object) -> Answer:
        """Runs an operation without blocking other requests."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.workers, operation, self.backend, *arguments)


def _known(resource: ResourceType[Backend], id_: str, recorded: Mapping[str, PropertyValue]) -> Properties:
    """What is recorded of a resource, without what other plugins keep beside its properties.

    The id among the properties is the newer one: an update may change it, but not the engine's own.
    """
    values = plain_map(recorded)
    names = [prop.name for prop in resource.properties if prop.name in values]
    return Properties({name: values[name] for name in names} | {"id": values.get("id", id_)})


def _planned(
    resource: ResourceType[Backend],
    inputs: Mapping[str, PropertyValue],
    prior: Properties,
    ignored: Sequence[str],
) -> Properties:
    names = frozenset(path.split(".")[0].split("[")[0] for path in ignored)
    return plan(resource, plain_map(inputs), prior, names)


# What a worker thread does where an operation takes two steps, and what is kept when one of them fails.


@contextmanager
def listing(task: str) -> Iterator[None]:
    """Phrases a failure as the official plugins do."""
    try:
        yield
    except Failure as failure:
        raise Failure(f"{task}{listed(failure)}") from failure


def _create(
    backend: Backend, resource: ResourceType[Backend], urn: str, planned: Properties
) -> Mapping[str, PropertyValue]:
    """Makes a resource; if it is made but cannot be read back, it is recorded as planned."""
    with listing(""):
        made = resource.create(backend, planned)
    try:
        found = resource.read(backend, made)
    except Failure as failure:
        raise HalfDone(f"creating {urn}: {listed(failure)}", _recorded(resource, made, planned)) from failure
    if found is None:
        raise Failure(f"what was made is not there: {urn}")
    return _recorded(resource, found, planned)


def _update(
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


def _recorded(resource: ResourceType[Backend], found: Properties, planned: Properties) -> Mapping[str, PropertyValue]:
    return wrapped_map(settle(resource, found, planned), resource.secrets)


# A resource's inputs, which a program gives, a refresh corrects and an import finds; and what differs then.


def faults(properties: Iterable[Property], inputs: Mapping[str, Plain]) -> Iterator[CheckFailure]:
    """The faults in the program's inputs."""
    known = {prop.name: prop for prop in properties if prop.given}
    for name in inputs.keys() - known.keys() - {DEFAULTS}:
        yield CheckFailure(name, f"the provider stub has no property {name}")
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
    """Of a collection, only what the program wrote is kept."""
    if isinstance(old, list) and isinstance(new, list):
        return new[: len(old)]
    if isinstance(old, dict) and isinstance(new, dict):
        return {name: new[name] for name in old if name in new}
    return new


def imported(resource: ResourceType[Backend], state: Properties) -> dict[str, Plain]:
    """The inputs that would make a resource as it was found: those that are required or differ from the defaults."""
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
    """Whether a resource changes, in which properties, and whether it must be replaced."""
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
