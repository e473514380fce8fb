"""How plans and moves are reported: for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.filesize import decimal
from rich.table import Table

from engarde.declaration.databases import display_name
from engarde.output.show import Text, lines
from engarde.split.finishing import Finished
from engarde.split.planning import Plan
from engarde.split.report import Moved


def planned(found: Plan) -> RenderableType:
    """What would move, what stands in the way, and what is written into the stack file."""
    move, held = found.move, found.contents
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", justify="right")
    grid.add_column(overflow="fold")
    for name, value in _held(found).items():
        grid.add_row(name, str(value))
    heading = f"{move.service.name}: schema {held.schema} from {display_name(move.old)} to {display_name(move.new)}"
    shown: list[RenderableType] = [Text(heading, style="bold", overflow="fold"), grid]
    shown += [Text(line, overflow="fold") for line in _done(found)]
    if found.obstacles:
        shown.append(Text("in the way:", style="bold"))
        shown += [lines(f"  {each}", "red") for each in found.obstacles]
    else:
        shown.append(Text("nothing stands in the way", style="green"))
    return Group(*shown)


def _held(found: Plan) -> dict[str, object]:
    held = found.contents
    return {
        "tables": len(held.tables),
        "rows": f"about {held.source.rows}",
        "size": decimal(held.source.bytes),
        "sequences": held.sequences,
        **dict(held.kinds),
        "large objects": len(held.source.large_objects),
        "extensions": ", ".join(each.name for each in held.extensions) or "none",
        "version table": held.version_table or "none",
    }


def _done(found: Plan) -> Iterator[str]:
    if found.makes:
        yield f"makes the database: {found.makes}"
    if found.extensions:
        yield f"makes extensions there: {', '.join(found.extensions)}"
    if found.move.other_server:
        yield f"makes role {found.move.service.role} there"
    if found.move.new.analytics:
        yield f"analytics reads it in {display_name(found.move.new)} from then on, with a URL of its own"
    yield f"writes into Pulumi.{found.move.before.name}.yaml:"
    for edit in found.edits:
        yield from (f"  {line}" for line in str(edit).split("\n"))


def planned_data(found: Plan) -> dict[str, object]:
    """The same as JSON."""
    held, move = found.contents, found.move
    return dict(
        service=move.service.name,
        schema=held.schema,
        **{"from": display_name(move.old)},
        to=display_name(move.new),
        tables=list(held.tables),
        rows=held.source.rows,
        bytes=held.source.bytes,
        sequences=held.sequences,
        others=dict(held.kinds),
        largeObjects=len(held.source.large_objects),
        extensions=[each.name for each in held.extensions],
        versionTable=held.version_table,
        makesDatabase=found.makes,
        makesExtensions=list(found.extensions),
        edits=[str(each) for each in found.edits],
        obstacles=list(found.obstacles),
    )


def moved(done: Moved) -> RenderableType:
    """Where the service is now."""
    return Group(*(Text(line, overflow="fold") for line in _moved(done)))


def _moved(done: Moved) -> Iterator[str]:
    if done.undone:
        verb = "would be let into its old database again" if done.dry_run else "is let into its old database again"
        yield f"{done.service} {verb}, {done.source}; nothing of it was moved"
    elif done.dry_run:
        yield f"{done.service} would be moved from {done.source} to {done.target}"
    else:
        yield f"{done.service} is in {done.target} ({done.seconds:.0f} s); commit the stack file"
        yield f"a copy of what was in {done.source} is in {done.folder}"
        if not done.returned:
            yield f"what it left in {done.source} stays there, closed, until `bin/engarde split finish {done.service}`"
    yield from done.notes


def moved_data(done: Moved) -> dict[str, object]:
    """The same as JSON."""
    return dict(
        service=done.service,
        **{"from": done.source},
        to=done.target,
        dryRun=done.dry_run,
        undone=done.undone,
        folder=done.folder,
        notes=list(done.notes),
        seconds=round(done.seconds, 1),
    )


def finished(done: Finished) -> RenderableType:
    """What is gone."""
    verb = "would be dropped" if done.dry_run else "is dropped"
    lines = (
        f"schema {done.schema} of database {done.database} {verb}: {done.holds}",
        f"its last copy is in {done.folder}",
    )
    return Group(*(Text(line, overflow="fold") for line in lines))


def finished_data(done: Finished) -> dict[str, object]:
    """The same as JSON."""
    return dict(
        service=done.service,
        database=done.database,
        schema=done.schema,
        objects=len(done.holds.owned),
        largeObjects=done.holds.large_objects,
        folder=done.folder,
        dryRun=done.dry_run,
    )
