"""The packages (rooms), the imports between them (arrows), and whether all imports lead downwards.

A room is a package or a module on the top two levels, where `engarde` is opened and the others are one room each.
"""

import sys
import tomllib
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from pathlib import Path

import grimp

from launcher.paths import PROJECT

MOST_ROOMS = 25
"""A new command group may need one more: then this number is raised, and the commit says for what."""

PACKAGES = ("components", "devtools", "engarde", "launcher")
PROGRAM = "__main__"


def main() -> int:
    """Prints the figures; returns 1 if there are too many rooms, or an import leads upwards or in a circle."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    # What only a type needs is not imported when the module is.
    typed = grimp.build_graph(*PACKAGES, cache_dir=None, exclude_type_checking_imports=True)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    rooms = {name: found for name in graph.modules if (found := room(name))}
    arrows = {
        (rooms[name], rooms[imported])
        for name, found in imports.items()
        for imported in found
        if name in rooms and imported in rooms and rooms[name] != rooms[imported]
    }
    faults = [
        *upwards(arrows, layers()),
        *circles("rooms", {importer: [to for of, to in arrows if of == importer] for importer, _ in arrows}),
        *circles("modules", {name: typed.find_modules_directly_imported_by(name) for name in typed.modules}),
        *loose(rooms.values()),
    ]
    files = [file for package in PACKAGES for file in Path(PROJECT, package).rglob("*.py")]
    lines = sum(len(file.read_text().splitlines()) for file in files)
    # The program beside the packages is a room of its own.
    count = len({*rooms.values(), PROGRAM})
    print(f"{count} rooms (at most {MOST_ROOMS}), {len(arrows)} arrows between them")
    print(f"{len(files)} modules, {lines} lines")
    if count > MOST_ROOMS:
        faults.append(f"{count} rooms are too many: {', '.join(sorted({*rooms.values(), PROGRAM}))}")
    print(*(faults or ["no import leads upwards, and none in a circle"]), sep="\n")
    return 1 if faults else 0


def room(module: str) -> str | None:
    """The room that a module is in; none for `engarde` itself, which only holds rooms."""
    top, *rest = module.split(".")
    if top != "engarde":
        return top
    return f"engarde.{rest[0]}" if rest else None


def layers() -> list[set[str]]:
    """The rooms of each layer, the highest first, as the linter of imports has them."""
    settings = tomllib.loads(Path(PROJECT, "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = (found for found in settings["contracts"] if found["type"] == "layers")
    return [{name.strip() for name in layer.split("|")} for layer in contract["layers"]]


def upwards(arrows: Iterable[tuple[str, str]], layers: list[set[str]]) -> list[str]:
    """A line for each arrow that leads to a higher room, or to one beside it, and for each room without a layer."""
    rank = {name: number for number, layer in enumerate(layers) for name in layer}
    known = [pair for pair in arrows if not {*pair} - {*rank}]
    unknown = sorted({name for pair in arrows for name in pair} - {*rank})
    higher = [(importer, imported) for importer, imported in sorted(known) if rank[importer] >= rank[imported]]
    return [f"upwards: {importer} imports {imported}" for importer, imported in higher] + [
        f"no layer: {name}" for name in unknown
    ]


def circles(what: str, imports: Mapping[str, Iterable[str]]) -> list[str]:
    """A line for a circle of imports, if there is one."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        links = [f"{imported} is imported by {importer}" for imported, importer in pairwise(error.args[1])]
        return [f"circle of {what}: {', '.join(links)}"]
    return []


def loose(rooms: Iterable[str]) -> list[str]:
    """A line for each module that lies in `engarde` by itself: it holds packages, and its errors."""
    modules = sorted({name for name in rooms if Path(PROJECT, *name.split(".")).with_suffix(".py").exists()})
    return [f"loose: {name}" for name in modules if name.startswith("engarde.") and name != "engarde.errors"]


if __name__ == "__main__":
    sys.exit(main())
