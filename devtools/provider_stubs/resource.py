"""A plugin as data: its resource types, the rules of their properties, and the functions that make, read and drop."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from pulumi.runtime.rpc import UNKNOWN

from devtools.provider_stubs.values import Failure, Plain, Properties


class Works:
    """What the operations of a plugin work on; by itself, this machine alone."""

    parallel = os.cpu_count() or 1
    """How many operations may run at a time."""

    def interrupt(self) -> None:
        """Ends running operations, so that the plugin can end."""


Backend = TypeVar("Backend", bound=Works)

DEFAULTS = "__defaults"
"""The input under which a bridged plugin lists the inputs that it filled in itself."""


class Kind(Enum):
    TEXT = "string"
    NUMBER = "integer"
    FLAG = "boolean"
    LIST = "array"
    SET = "set"
    MAP = "object"

    @property
    def zero(self) -> Plain:
        zeros: dict[Kind, Plain] = {Kind.TEXT: "", Kind.NUMBER: 0, Kind.FLAG: False, Kind.MAP: {}}
        return zeros.get(self, [])


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a resource type."""

    name: str
    kind: Kind = Kind.TEXT
    default: Plain = None
    """What the check writes into the inputs if the program gives nothing."""
    otherwise: Plain = None
    """What a plan holds if neither the program nor the check gives a value."""
    required: bool = False
    computed: bool = False
    """The server decides what the program leaves open."""
    given: bool = True
    """The program may set it; otherwise it is an output only."""
    replaces: bool = False
    """A change makes a new resource."""
    secret: bool = False
    allowed: tuple[str, ...] = ()

    def comparable(self, value: Plain) -> Plain:
        """A value in a form that can be compared: unset is zero, a set has no order."""
        if value is None:
            return self.kind.zero
        if self.kind is Kind.SET and isinstance(value, list):
            return sorted(value, key=str)
        if self.kind is Kind.MAP and isinstance(value, dict):
            return {name: str(item) for name, item in value.items()}
        return value


def flag(name: str, *, replaces: bool = False) -> Property:
    """A switch that is off unless the program says otherwise."""
    return Property(name, Kind.FLAG, otherwise=False, replaces=replaces)


def never(_backend: object, _prior: Properties, _planned: Properties) -> Properties:
    """The update of a type of which each property replaces it."""
    raise Failure("this change needs a replacement of the resource")


@dataclass(frozen=True, slots=True)
class ResourceType(Generic[Backend]):
    """One resource type of a provider stub."""

    name: str
    properties: tuple[Property, ...]
    create: Callable[[Backend, Properties], Properties]
    """Makes what is planned; returns it with its `id` and what was chosen for it."""
    read: Callable[[Backend, Properties], Properties | None]
    """Takes what is known, the `id` alone at an import; returns it as the server has it, nothing when it is gone."""
    delete: Callable[[Backend, Properties], None]
    update: Callable[[Backend, Properties, Properties], Properties] = never
    """Takes what is recorded and what is planned; returns the latter, with a new `id` where that changes."""
    importable: bool = False
    delete_before_replace: bool = False
    newer_framework: bool = False
    """Its official plugin is built on the framework that lists no defaults and records no nulls."""
    meta: str | None = None
    """The official mark of a state's version, without which a state of ours would be taken for an older one."""

    @property
    def secrets(self) -> frozenset[str]:
        return frozenset(prop.name for prop in self.properties if prop.secret)

    @property
    def inputs(self) -> tuple[Property, ...]:
        """The properties that the program may set."""
        return tuple(prop for prop in self.properties if prop.given)


@dataclass(frozen=True, slots=True)
class Package(Generic[Backend]):
    """What a stub serves in one official plugin's place."""

    name: str
    connect: Callable[[Properties], Backend]
    """Makes the backend from the configuration; connects to nothing yet."""
    resources: tuple[ResourceType[Backend], ...]
    settings: tuple[Property, ...] = ()


def plan(
    resource: ResourceType[Backend],
    inputs: Mapping[str, Plain],
    prior: Properties,
    ignored: frozenset[str],
) -> Properties:
    """The properties that a resource is to have; what only the server can say stays as it was, or unknown."""
    values: dict[str, Plain] = {"id": prior.values["id"]} if "id" in prior.values else {}
    for prop in resource.properties:
        before = prior.values.get(prop.name)
        value = before if prop.name in ignored else inputs.get(prop.name)
        if value is None and prop.computed:
            value = prior.values.get(prop.name, UNKNOWN)
        elif value is None:
            value = prop.otherwise
        if prop.kind is Kind.MAP and isinstance(value, dict):
            value = prop.comparable(value)
        values[prop.name] = _nothing_as_before(prop, value, before)
    return Properties(values)


def emptied(resource: ResourceType[Backend], prior: Properties, planned: Properties) -> Properties:
    """A plan as it is applied: a removed value becomes the zero of its kind."""
    lost = [prop for prop in resource.properties if planned.values.get(prop.name) is None]
    return planned.with_(**{prop.name: prop.kind.zero for prop in lost if prior.values.get(prop.name) is not None})


def settle(resource: ResourceType[Backend], read: Properties, planned: Properties) -> dict[str, Plain]:
    """What Pulumi records: as the server has it, but sets, and nothing for nothing, as it was planned.

    The official plugins' SDK takes a set that was applied for what there is; only a refresh reads it.
    """
    values: dict[str, Plain] = {"id": read.values["id"]}
    for prop in resource.properties:
        value, before = read.values.get(prop.name), planned.values.get(prop.name)
        if prop.kind is Kind.SET and isinstance(before, list):
            value = before
        if prop.kind in (Kind.LIST, Kind.SET):
            value = _nothing_as_before(prop, value, before)
        if prop.kind is Kind.SET and isinstance(value, list):
            value = prop.comparable(value)
        values[prop.name] = value
    if resource.newer_framework:
        values = {name: value for name, value in values.items() if value is not None}
    return values | ({"__meta": resource.meta} if resource.meta else {})


def _nothing_as_before(prop: Property, value: Plain, before: Plain) -> Plain:
    """Null stays null and zero stays zero: they are the same to the server, but not to Pulumi."""
    if prop.kind in (Kind.LIST, Kind.SET) and not value and before != UNKNOWN:
        return None if before is None else []
    return before if value is None and before == prop.kind.zero else value
