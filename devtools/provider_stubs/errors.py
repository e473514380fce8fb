"""What a stand-in reports to the engine; no message ever holds a statement."""

from collections.abc import Mapping

from pulumi.provider.experimental.property_value import PropertyValue


class Failure(Exception):
    """An operation that changed nothing that the engine has to record."""


class HalfDone(Failure):
    """An operation that failed on a resource that exists: the engine records the properties, id included."""

    def __init__(self, reason: str, properties: Mapping[str, PropertyValue]) -> None:
        super().__init__(reason)
        self.properties = dict(properties)


def listed(failure: Failure) -> str:
    """A message laid out as by the official plugins, for those who read their output by program."""
    return f"1 error occurred:\n\t* {failure}\n\n"
