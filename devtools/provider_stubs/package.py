"""A plugin as data: its name, its configuration and its resource types."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Generic

from devtools.provider_stubs.resource import Backend, Property, ResourceType
from devtools.provider_stubs.values import Properties


@dataclass(frozen=True, slots=True)
class Package(Generic[Backend]):
    """What a stand-in serves in one official plugin's place."""

    name: str
    connect: Callable[[Properties], Backend]
    """Makes of the configuration what every operation works on; reaches for nothing yet."""
    resources: tuple[ResourceType[Backend], ...]
    settings: tuple[Property, ...] = ()

    @property
    def version(self) -> str:
        """The official plugin's, which is its Python package's."""
        return metadata.version(f"pulumi-{self.name}")
