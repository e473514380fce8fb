"""The result of a rotation, or of its dry run."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import Group, RenderableType

from engarde.declaration.resource_names import login_name
from engarde.declaration.stack_names import file_name
from engarde.errors import EngardeError, Unfinished
from engarde.output.layout import Text
from engarde.output.show import Result
from engarde.rotate.delivery import Login
from engarde.util.quoting import word


@dataclass(frozen=True, slots=True)
class Rotation:
    """One login's change from one password to the next."""

    login: Login
    before: int
    """the state's counter"""
    target: int
    continued: bool
    """begun by an earlier run, or by hand"""

    @property
    def name(self) -> str:
        return login_name(self.login)

    @property
    def bump(self) -> bool:
        """Whether the stack file still has to be changed."""
        return self.login.rotation < self.target


@dataclass(frozen=True, slots=True)
class Rotated:
    """A login that has its password, or would have it after a dry run."""

    plan: Rotation
    seconds: float = 0.0
    delivered: str | None = None
    """what was done to deliver it, if it was delivered"""
    warnings: tuple[str, ...] = ()

    def data(self) -> dict[str, object]:
        return {
            "login": self.plan.name,
            "role": self.plan.login.role,
            "rotationBefore": self.plan.before,
            "rotationAfter": self.plan.target,
            "resumed": self.plan.continued,
            "seconds": round(self.seconds, 1),
            "delivery": self.delivered,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class Report(Result):
    stack: str
    dry_run: bool
    reapplied: bool
    """the state's passwords were set again, and no new ones were made"""
    declares_places: bool
    """whether the stack file names the platform on which services run"""
    rotated: tuple[Rotated, ...]
    failed: tuple[str, EngardeError] | None
    """the login at which it stopped, and why"""
    left: tuple[str, ...]
    """the logins after that, which were not started"""
    kept_in_git: bool = True
    """whether the stack file is shared in Git"""
    shut: bool = False
    """logins are locked out first, and their sessions ended"""

    @property
    def to_commit(self) -> str | None:
        """The file that has changed, for Git."""
        changed = self.kept_in_git and not self.dry_run and not self.reapplied
        begun = self.rotated or (self.failed and self.failed[1].exit_code == Unfinished.exit_code)
        return file_name(self.stack) if changed and begun else None

    @property
    def exit_code(self) -> int:
        """0 if everything is done; a login that could not be started does not undo those before it."""
        if self.failed and self.rotated and not self.dry_run:
            return Unfinished.exit_code
        return self.failed[1].exit_code if self.failed else 0

    @property
    def complaint(self) -> str:
        return str(self.failed[1]) if self.failed else ""

    def data(self) -> dict[str, object]:
        return dict(
            stack=self.stack,
            dryRun=self.dry_run,
            reapplied=self.reapplied,
            rotated=[rotated.data() for rotated in self.rotated],
            failed={"login": self.failed[0], "reason": self.complaint} if self.failed else None,
            notStarted=list(self.left),
            fileToCommit=self.to_commit,
        )

    def text(self) -> RenderableType:
        return Group(*map(Text, self._lines()))

    def _lines(self) -> Iterator[str]:
        for rotated in self.rotated:
            yield f"{rotated.plan.name} ({rotated.plan.login.role}): {self._about(rotated)}"
            yield from (f"  warning: {warning}" for warning in rotated.warnings)
        if not self.rotated and not self.failed:
            yield f"the logins of stack {self.stack} already have the state's passwords; nothing to do"
        if self.failed:
            yield f"{self.failed[0]}: failed; standard error has the reason"
        if self.left:
            yield f"not started: {', '.join(self.left)}"
        if self.to_commit:
            yield f"commit {self.to_commit}"

    def _about(self, rotated: Rotated) -> str:
        counter = f"counter {rotated.plan.before} -> {rotated.plan.target}"
        if self.reapplied:
            return f"the state's password {'would be' if self.dry_run else 'is'} set again"
        if self.dry_run:
            sessions = (
                "It would be locked out first, and its sessions ended" if self.shut else "Open sessions would stay open"
            )
            return (
                f"{counter}. `up` would set its new password, and its URL would be delivered. {sessions}. New"
                " connections with the old password would fail from the end of `up` until the new URL is deployed"
            )
        begun = ", started by an earlier run" if rotated.plan.continued else ""
        why = "names no Railway service for it" if self.declares_places else "has no engarde:railway"
        command = f"bin/engarde url {word(rotated.plan.name)} --stack {self.stack} --from service"
        left = f"not delivered: the stack file {why}. Set its new URL where it runs; `{command}` prints it"
        return f"{counter} in {rotated.seconds:.0f} s{begun}; {rotated.delivered or left}"
