"""What came of a rotation, or would come."""

from __future__ import annotations

from dataclasses import dataclass

from engarde.errors import Unfinished


@dataclass(frozen=True, slots=True)
class Rotated:
    """One login that is done, or would be in a dry run."""

    name: str
    role: str
    before: int
    after: int
    continued: bool
    """an earlier run had begun it"""
    seconds: float = 0.0
    delivered: str | None = None
    """what was done, where it was delivered"""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """The login at which it stopped."""

    name: str
    reason: str
    exit_code: int


@dataclass(frozen=True, slots=True)
class Report:
    """Every login that was asked for."""

    stack: str
    dry_run: bool
    reapplied: bool
    """the state's passwords were put in force again, and no new ones made"""
    declares_places: bool
    """the stack file says where its services run"""
    rotated: tuple[Rotated, ...]
    failed: Failed | None
    left: tuple[str, ...]
    """not begun"""
    kept_in_git: bool = True
    """whether the stack file is anybody else's, too"""
    shut: bool = False
    """logins are shut out first, and their sessions ended"""

    @property
    def to_commit(self) -> str | None:
        """The file that has changed."""
        changed = self.kept_in_git and not self.dry_run and not self.reapplied
        begun = self.rotated or (self.failed and self.failed.exit_code == Unfinished.exit_code)
        return f"Pulumi.{self.stack}.yaml" if changed and begun else None

    @property
    def exit_code(self) -> int:
        """0 where all is done; one that could not be begun leaves those before it rotated."""
        if self.failed and self.rotated and not self.dry_run:
            return Unfinished.exit_code
        return self.failed.exit_code if self.failed else 0
