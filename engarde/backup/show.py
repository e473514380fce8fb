"""How backups and restores are reported: for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table

from engarde.backup.inventory import Inventory
from engarde.backup.making import Made
from engarde.backup.proving import Proof
from engarde.backup.restoring import Restored
from engarde.output.show import Text

UNITS = ("bytes", "kB", "MB", "GB")


def made(done: Made) -> RenderableType:
    """What was copied, and where to."""
    if done.inventory is None:
        return Text(f"{done.service} would be copied to {done.folder} by pg_dump {done.client}", overflow="fold")
    grid = _grid(done.inventory)
    grid.add_row("size", _size(done.size))
    grid.add_row("seconds", f"{done.seconds:.1f}")
    notes = [Text(f"not in this backup: {each}", style="yellow", overflow="fold") for each in done.left_out]
    return Group(Text(f"{done.service} is in {done.folder}", overflow="fold"), grid, *notes, *_not_proven(done.proof))


def restored(done: Restored, *, dry_run: bool) -> RenderableType:
    """What was loaded, and what it has replaced."""
    verb = "would be restored from" if dry_run else "is as it was in"
    heading = Text(f"{done.service} {verb} {done.folder} ({done.manifest.made})", overflow="fold")
    grid = _grid(done.manifest.inventory)
    grid.add_row("replaces" if dry_run else "replaced", str(done.replaced) or "nothing")
    grid.add_row("seconds", f"{done.seconds:.1f}")
    notes = [
        Text(f"not granted again, as the stack does not declare it: {each.right} on {each.on} to {each.grantee}")
        for each in done.not_granted
    ]
    return Group(heading, grid, *notes, *_not_proven(done.proof))


def unloadable(proof: Proof, what: str) -> str:
    """Why it could not be restored; `what` is said first."""
    return "\n".join([what, *(f"  {line}" for each in proof.faults for line in each.split("\n"))])


def _not_proven(proof: Proof) -> Iterator[Text]:
    for each in proof.unproven:
        yield Text(f"that it can be restored could not be proven: {each}", style="yellow", overflow="fold")


def made_data(done: Made) -> dict[str, object]:
    """The same as JSON."""
    return dict(
        service=done.service,
        folder=str(done.folder),
        dryRun=done.inventory is None,
        pgDump=done.client,
        holds=_data(done.inventory) if done.inventory else None,
        leftOut=[str(each) for each in done.left_out],
        faults=list(done.proof.faults),
        unproven=list(done.proof.unproven),
        bytes=done.size,
        seconds=round(done.seconds, 1),
    )


def restored_data(done: Restored, *, dry_run: bool) -> dict[str, object]:
    """The same as JSON."""
    return dict(
        service=done.service,
        folder=str(done.folder),
        dryRun=dry_run,
        made=done.manifest.made,
        holds=_data(done.manifest.inventory),
        replaced=len(done.replaced.owned),
        replacedLargeObjects=done.replaced.large_objects,
        notGranted=[{"on": each.on, "grantee": each.grantee, "right": each.right} for each in done.not_granted],
        faults=list(done.proof.faults),
        unproven=list(done.proof.unproven),
        seconds=round(done.seconds, 1),
    )


def _grid(held: Inventory) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", justify="right")
    grid.add_column(overflow="fold")
    for name, value in _data(held).items():
        grid.add_row({"largeObjects": "large objects"}.get(name, name), f"{value}")
    return grid


def _data(held: Inventory) -> dict[str, int | str]:
    return {
        "schema": held.schema,
        "server": held.server.version,
        "tables": len(held.tables),
        "rows": held.rows,
        "sequences": len(held.sequences),
        "largeObjects": len(held.large_objects),
    }


def _size(length: float) -> str:
    for unit in UNITS[:-1]:
        if length < 1000:
            return f"{length:.0f} {unit}"
        length /= 1000
    return f"{length:.1f} {UNITS[-1]}"
