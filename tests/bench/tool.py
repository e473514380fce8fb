"""A tool at one size on a server of its own, through its four phases."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from engarde.util.terminal import step, tell
from tests.bench import process
from tests.bench.end_state import EndState, differences, end_state, without_settings
from tests.engine.admins import PASSWORD
from tests.engine.database import Database


class Phase(StrEnum):
    """What is done, in this order."""

    UP = "up"
    PREVIEW = "preview"
    REFRESH = "preview --refresh"
    DESTROY = "destroy"


@dataclass(frozen=True, slots=True)
class Command:
    """A process and what it is given on its standard input."""

    words: tuple[str, ...]
    given: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Tool:
    """What makes and undoes an end state."""

    name: str
    folder: Path
    environment: Mapping[str, str] = field(repr=False)
    commands: Mapping[Phase, Command]
    resources: Callable[[], int]
    """how many it has made"""

    ours: bool = True
    """whether its errors are the benchmark's"""

    leaves_as_floor: bool = True
    """whether what it leaves behind has to be what the floor leaves"""


@dataclass(frozen=True, slots=True)
class Ends:
    """What stood in the catalogs after `up` and after `destroy`."""

    up: EndState
    destroy: EndState


@dataclass(frozen=True, slots=True)
class Measured:
    """One tool at one size in one round."""

    tool: str
    size: int
    resources: int
    seconds: Mapping[Phase, float]
    errors: tuple[str, ...] = ()
    ours: bool = True


def measure(tool: Tool, size: int, database: Database, floor: Ends | None) -> tuple[Measured, Ends]:
    """Times each phase of the tool; an end state other than the floor's is an error."""
    seconds: dict[Phase, float] = {}
    told: list[str] = []
    resources, up = 0, EndState()
    for phase, command in tool.commands.items():
        what = f"{tool.name}, {size} services, {phase}"
        with step(what):
            done = process.run(command.words, tool.folder, tool.environment, command.given)
        seconds[phase] = done.seconds
        told += _say(process.errors(what, done, [PASSWORD]))
        if phase is Phase.UP:
            resources, up = tool.resources(), end_state(database)
            if floor:
                told += _say(differences(what, up, floor.up if tool.ours else without_settings(floor.up)))
    ends = Ends(up, end_state(database))
    if floor and tool.leaves_as_floor:
        told += _say(differences(f"{tool.name}, {size} services, {Phase.DESTROY}", ends.destroy, floor.destroy))
    return Measured(tool.name, size, resources, seconds, tuple(told), tool.ours), ends


def _say(errors: tuple[str, ...]) -> tuple[str, ...]:
    for error in errors:
        tell(error)
    return errors
