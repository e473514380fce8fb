"""What a stub works with: property values as plain Python, and failures, whose messages never hold a statement."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime.rpc import UNKNOWN

Plain: TypeAlias = "bool | int | float | str | Sequence[Plain] | Mapping[str, Plain] | None"


@dataclass(frozen=True, slots=True)
class Properties:
    """A resource's properties; one that is unset, null or not known yet reads as the zero of its kind."""

    values: Mapping[str, Plain]

    def text(self, name: str) -> str:
        value = self.values.get(name)
        return value if isinstance(value, str) and value != UNKNOWN else ""

    def number(self, name: str) -> int:
        value = self.values.get(name)
        return value if isinstance(value, int) else 0

    def flag(self, name: str) -> bool:
        return self.values.get(name) is True

    def listed(self, name: str) -> list[str]:
        """The texts of a list, in the program's order."""
        value = self.values.get(name)
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def hashed(self, name: str) -> list[str]:
        """The texts of a set, in the order that decides the official plugins' ids and statements."""
        return sorted(set(self.listed(name)), key=lambda item: str(zlib.crc32(item.encode())))

    def with_(self, **values: Plain) -> "Properties":
        return Properties({**self.values, **values})


def plain(value: PropertyValue) -> Plain:
    """A value without its secret mark and dependencies; whole numbers as int, unknowns as `UNKNOWN`."""
    match value.value:
        case None | bool() | str():
            return value.value
        case float() as number:
            return int(number) if number.is_integer() else number
        case Mapping() as items:
            return {name: plain(item) for name, item in items.items()}
        case tuple() as items:
            return [plain(item) for item in items]
        case other:
            raise TypeError(f"no property of these types takes a {type(other).__name__}")


def plain_map(values: Mapping[str, PropertyValue]) -> dict[str, Plain]:
    return {name: plain(value) for name, value in values.items()}


def wrapped(value: Plain) -> PropertyValue:
    """The reverse of `plain`."""
    match value:
        case bool() | None | str():
            return PropertyValue(value)
        case int() | float():
            return PropertyValue(float(value))
        case Sequence():
            return PropertyValue([wrapped(item) for item in value])
        case Mapping():
            return PropertyValue({name: wrapped(item) for name, item in value.items()})


def wrapped_map(values: Mapping[str, Plain], secrets: frozenset[str]) -> dict[str, PropertyValue]:
    """The reverse of `plain_map`, with the named properties marked secret."""
    return {name: wrapped(value).with_secret(name in secrets) for name, value in values.items()}


class Failure(Exception):
    """An operation failed and changed nothing that Pulumi must record."""


class HalfDone(Failure):
    """An operation failed on a resource that exists: Pulumi records the properties, with the id."""

    def __init__(self, reason: str, properties: Mapping[str, PropertyValue]) -> None:
        super().__init__(reason)
        self.properties = dict(properties)


def listed(failure: Failure) -> str:
    """A message laid out as by the official plugins, for those who read their output by program."""
    return f"1 error occurred:\n\t* {failure}\n\n"
