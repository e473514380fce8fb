"""The plan of a move, and its result."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Group, RenderableType

from engarde.backup.inventory import Held
from engarde.declaration.databases import display_name
from engarde.declaration.declared import of_bytes
from engarde.declaration.stack_names import file_name
from engarde.output.findings import Remedy
from engarde.output.layout import Text, grid, lines, to_copy
from engarde.output.show import Result, remedy_data
from engarde.split.inspect import Contents, Target, create
from engarde.split.move import Edit, Move


@dataclass(frozen=True, slots=True)
class MovePlan(Result):
    """One move that was not begun."""

    move: Move
    contents: Contents
    target: Target
    obstacles: tuple[str, ...]
    edits: tuple[Edit, ...]

    @property
    def makes(self) -> str | None:
        """The statement that creates the database, if it does not exist."""
        return None if self.target.there else create(self.contents, self.move.new.server.database)

    @property
    def extensions(self) -> tuple[str, ...]:
        """Those that are created in the new database."""
        there = {extension.name for extension in self.target.extensions}
        return tuple(extension.name for extension in self.contents.extensions if extension.name not in there)

    @property
    def exit_code(self) -> int:
        """1 if there are obstacles."""
        return 1 if self.obstacles else 0

    def text(self) -> RenderableType:
        move, held = self.move, self.contents
        facts = {
            "tables": len(held.tables),
            "rows": f"about {held.source.rows}",
            "size": of_bytes(held.source.bytes),
            "sequences": held.sequences,
            **dict(held.kinds),
            "large objects": len(held.source.large_objects),
            "extensions": ", ".join(extension.name for extension in held.extensions) or "none",
            "version table": held.version_table or "none",
        }
        heading = f"{move.service.name}: schema {held.schema} from {display_name(move.old)} to {display_name(move.new)}"
        blocked = Text("obstacles, to be removed before the move:", "bold")
        verdict = blocked if self.obstacles else Text("no obstacles", "green")
        return Group(
            Text(heading, style="bold"),
            grid({name: str(value) for name, value in facts.items()}),
            *self._done(),
            verdict,
            *(lines(f"  {obstacle}", "red") for obstacle in self.obstacles),
        )

    def _done(self) -> Iterator[RenderableType]:
        if self.makes:
            yield Text("creates the database:")
            yield to_copy(self.makes)
        if self.extensions:
            yield Text(f"creates extensions in it: {', '.join(self.extensions)}")
        if self.move.other_server:
            yield Text(f"creates role {self.move.service.role} on its server")
        if self.move.new.analytics:
            yield Text(f"afterwards, analytics reads the schema in {display_name(self.move.new)}, with another URL")
        yield Text(f"changes {file_name(self.move.before.name)}:")
        yield from (to_copy(str(edit)) for edit in self.edits)

    def data(self) -> dict[str, object]:
        held, move = self.contents, self.move
        return {
            "service": move.service.name,
            "schema": held.schema,
            "fromDatabase": display_name(move.old),
            "toDatabase": display_name(move.new),
            "tables": len(held.tables),
            "tableNames": list(held.tables),
            "rows": held.source.rows,
            "bytes": held.source.bytes,
            "sequences": held.sequences,
            "otherObjects": dict(held.kinds),
            "largeObjects": len(held.source.large_objects),
            "extensions": [extension.name for extension in held.extensions],
            "versionTable": held.version_table,
            "createDatabase": self.makes,
            "createExtensions": list(self.extensions),
            "edits": list(map(str, self.edits)),
            "remedies": [remedy_data(Remedy("decision", obstacle)) for obstacle in self.obstacles],
        }


@dataclass(frozen=True, slots=True)
class Moved(Result):
    """The result of a move, or of a move back."""

    service: str
    source: str
    target: str
    dry_run: bool
    undone: bool = False
    """the move was undone before the service had moved"""
    returned: bool = False
    folder: str | None = None
    """the safety copy"""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    def text(self) -> RenderableType:
        if self.undone and self.dry_run:
            told = [f"the move of {self.service} would be undone: it would use {self.source} again; no data has moved"]
        elif self.undone:
            told = [f"the move of {self.service} was undone: it can use {self.source} again; no data has moved"]
        elif self.dry_run:
            told = [f"{self.service} would move from {self.source} to {self.target}"]
        else:
            told = [f"{self.service} moved to {self.target} ({self.seconds:.0f} s). Commit the stack file"]
            told.append(f"a backup of its data in {self.source} is in {self.folder}")
            if not self.returned:
                finish = f"`bin/engarde split finish {self.service}`"
                told.append(f"its old data stays in {self.source}, closed to the service, until {finish} drops it")
        return lines("\n".join([*told, *self.notes]))

    def data(self) -> dict[str, object]:
        return {
            "service": self.service,
            "fromDatabase": self.source,
            "toDatabase": self.target,
            "dryRun": self.dry_run,
            "undone": self.undone,
            "folder": self.folder,
            "notes": list(self.notes),
            "seconds": round(self.seconds, 1),
        }


@dataclass(frozen=True, slots=True)
class Finished(Result):
    """What was dropped, or would be."""

    service: str
    database: str
    schema: str
    holds: Held
    folder: str
    """the safety copy, which stays"""
    dry_run: bool

    def text(self) -> RenderableType:
        verb = "would be dropped" if self.dry_run else "was dropped"
        gone = f"schema {self.schema} of database {self.database} {verb}: {self.holds}"
        return lines(f"{gone}\nits backup is in {self.folder}")

    def data(self) -> dict[str, object]:
        return {
            "service": self.service,
            "database": self.database,
            "schema": self.schema,
            "objects": len(self.holds.owned),
            "largeObjects": self.holds.large_objects,
            "folder": self.folder,
            "dryRun": self.dry_run,
        }
