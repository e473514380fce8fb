"""A plugin as data: its name, its configuration, its resource types and functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Generic

from toolchain.standins.resource import Backend, Property, ResourceType
from toolchain.standins.values import Plain, Properties


@dataclass(frozen=True, slots=True)
class Function(Generic[Backend]):
    """A function that a program may invoke: its arguments, and what answers it."""

    name: str
    arguments: tuple[Property, ...]
    answer: Callable[[Backend, Properties], Mapping[str, Plain]]


@dataclass(frozen=True, slots=True)
class Package(Generic[Backend]):
    """What a stand-in serves in one official plugin's place."""

    name: str
    connect: Callable[[Properties], Backend]
    """Makes of the configuration what every operation works on; reaches for nothing yet."""
    resources: tuple[ResourceType[Backend], ...]
    settings: tuple[Property, ...] = ()
    functions: tuple[Function[Backend], ...] = ()

    @property
    def version(self) -> str:
        """The official plugin's, which is its Python package's."""
        return metadata.version(f"pulumi-{self.name}")
