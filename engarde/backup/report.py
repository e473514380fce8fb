"""The results of backups, restores and their dry runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group, RenderableType

from engarde.backup.inventory import Grant, Held, Inventory
from engarde.backup.manifest import Manifest
from engarde.backup.proof import NOTHING, Proof
from engarde.declaration.declared import of_bytes
from engarde.errors import EngardeError, Unfinished
from engarde.output.layout import Table, Text, grid
from engarde.output.show import Result
from engarde.util.terminal import indented


class _Proved(Result):
    """A result with the test of a backup's definitions."""

    __slots__ = ()
    proof: Proof

    @property
    def exit_code(self) -> int:
        """Not 0 if the backup could not be restored."""
        return Unfinished.exit_code if self.proof.faults else 0

    def _unloadable(self, what: str) -> str:
        lines = [line for fault in self.proof.faults for line in fault.split("\n")]
        return f"{what}\n{indented(lines)}" if lines else ""

    def _not_proven(self) -> Iterator[Text]:
        for why in self.proof.unproven:
            yield Text(f"not tested whether it can be restored: {why}", style="yellow")


@dataclass(frozen=True, slots=True)
class Made(_Proved):
    """A backup that was made, or would be."""

    service: str
    folder: Path
    client: str
    """the version of its pg_dump"""
    seconds: float
    size: int = 0
    """the size of its files together [bytes]"""
    inventory: Inventory | None = None
    """None in a dry run"""
    proof: Proof = NOTHING
    """`NOTHING` if its definitions were loaded, or the caller loads them"""

    def text(self) -> RenderableType:
        if self.inventory is None:
            return Text(f"{self.service} would be copied to {self.folder} with pg_dump {self.client}")
        facts = _facts(self.inventory, size=of_bytes(self.size), seconds=f"{self.seconds:.1f}")
        notes = [Text(f"not in this backup: {edge}", style="yellow") for edge in self.inventory.needed_by]
        heading = Text(f"{self.service} was copied to {self.folder}")
        return Group(heading, facts, *notes, *self._not_proven())

    def data(self) -> dict[str, object]:
        return dict(
            service=self.service,
            folder=str(self.folder),
            dryRun=self.inventory is None,
            pgDumpVersion=self.client,
            contents=_held(self.inventory) if self.inventory else None,
            notIncluded=list(map(str, self.inventory.needed_by)) if self.inventory else [],
            errors=list(self.proof.faults),
            notProven=list(self.proof.unproven),
            bytes=self.size,
            seconds=round(self.seconds, 1),
        )

    @property
    def complaint(self) -> str:
        return self._unloadable(f"{self.folder} is complete and was kept, but it cannot be restored now:")


@dataclass(frozen=True, slots=True)
class Backups(Result):
    """The backups of a whole stack."""

    made: Sequence[Made]
    failed: Mapping[str, EngardeError]
    """service or schema -> why it has no backup"""

    def text(self) -> RenderableType:
        return Group(*(one.text() for one in self.made))

    def data(self) -> dict[str, object]:
        failed = [{"service": name, "reason": str(fault)} for name, fault in self.failed.items()]
        return {"backups": [one.data() for one in self.made], "failed": failed}

    @property
    def exit_code(self) -> int:
        """The worst one; 4 if some backups were made and others failed."""
        codes = [fault.exit_code for fault in self.failed.values()]
        if codes and self.made:
            return Unfinished.exit_code
        return max([*codes, *(one.exit_code for one in self.made)], default=0)

    @property
    def complaint(self) -> str:
        failed = [f"no backup of {name}: {fault}" for name, fault in self.failed.items()]
        return "\n".join([*filter(None, (one.complaint for one in self.made)), *failed])


@dataclass(frozen=True, slots=True)
class Restored(_Proved):
    """A backup that was restored, or would be."""

    service: str
    folder: Path
    manifest: Manifest
    replaced: Held
    seconds: float
    not_granted: tuple[Grant, ...] = ()
    """privileges at the time of the backup that the stack does not declare"""
    dry_run: bool = False
    proof: Proof = NOTHING
    """in a dry run: the test of its definitions"""

    def text(self) -> RenderableType:
        if self.proof.faults:
            return ""
        verb = "would be restored from" if self.dry_run else "was restored from"
        heading = Text(f"{self.service} {verb} {self.folder} ({self.manifest.made})")
        replaced = {"replaces" if self.dry_run else "replaced": str(self.replaced) or "nothing"}
        facts = _facts(self.manifest.inventory, **replaced, seconds=f"{self.seconds:.1f}")
        notes = [
            Text(f"not declared, so not granted again: {grant.right} on {grant.on} to {grant.grantee}")
            for grant in self.not_granted
        ]
        return Group(heading, facts, *notes, *self._not_proven())

    def data(self) -> dict[str, object]:
        return dict(
            service=self.service,
            folder=str(self.folder),
            dryRun=self.dry_run,
            backupTime=self.manifest.made,
            contents=_held(self.manifest.inventory),
            replacedObjects=len(self.replaced.owned),
            replacedLargeObjects=self.replaced.large_objects,
            notGranted=[
                {"object": grant.on, "role": grant.grantee, "privilege": grant.right} for grant in self.not_granted
            ],
            errors=list(self.proof.faults),
            notProven=list(self.proof.unproven),
            seconds=round(self.seconds, 1),
        )

    @property
    def complaint(self) -> str:
        return self._unloadable(f"{self.folder} cannot be restored now. Nothing was changed. These statements fail:")


_NAMES = {"largeObjects": "large objects", "serverVersion": "server"}


def _facts(inventory: Inventory, **more: str) -> Table:
    held = {_NAMES.get(name, name): f"{value}" for name, value in _held(inventory).items()}
    return grid({**held, **more})


def _held(inventory: Inventory) -> dict[str, int | str]:
    return {
        "schema": inventory.schema,
        "serverVersion": inventory.server.version,
        "tables": len(inventory.tables),
        "rows": inventory.rows,
        "sequences": len(inventory.sequences),
        "largeObjects": len(inventory.large_objects),
    }
