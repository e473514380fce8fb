"""What came of a rotation, or would come."""

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

OPEN = "sessions that are open would live on"


@dataclass(frozen=True, slots=True)
class Rotation:
    """One login's way from one password to the next."""

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
        """Whether the stack file has still to be changed."""
        return self.login.rotation < self.target


@dataclass(frozen=True, slots=True)
class Rotated:
    """One login that is done, or would be in a dry run."""

    plan: Rotation
    seconds: float = 0.0
    delivered: str | None = None
    """what was done, where it was delivered"""
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
    """the state's passwords were put in force again, and no new ones made"""
    declares_places: bool
    """the stack file says where its services run"""
    rotated: tuple[Rotated, ...]
    failed: tuple[str, EngardeError] | None
    """the login at which it stopped, and why"""
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
        begun = self.rotated or (self.failed and self.failed[1].exit_code == Unfinished.exit_code)
        return file_name(self.stack) if changed and begun else None

    @property
    def exit_code(self) -> int:
        """0 where all is done; one that could not be begun leaves those before it rotated."""
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
            yield f"the state's passwords are in force in stack {self.stack}; there is nothing to put back"
        if self.failed:
            yield f"{self.failed[0]}: stopped here, as standard error says"
        if self.left:
            yield f"not begun: {', '.join(self.left)}"
        if self.to_commit:
            yield f"commit {self.to_commit}"

    def _about(self, rotated: Rotated) -> str:
        counter = f"counter {rotated.plan.before} -> {rotated.plan.target}"
        if self.reapplied:
            return "the state's password " + ("would be put" if self.dry_run else "is") + " in force again"
        if self.dry_run:
            sessions = "the login would be taken away and its sessions ended first" if self.shut else OPEN
            return (
                f"{counter}, then `up` of its password and its role, and delivery; {sessions}, and new connections with"
                " the old password fail from the end of `up` until the new URL is deployed"
            )
        begun = ", begun by an earlier run" if rotated.plan.continued else ""
        why = (
            "the stack file names no service for it" if self.declares_places else "no engarde:railway in the stack file"
        )
        command = f"bin/engarde url {word(rotated.plan.name)} --stack {self.stack} --from service"
        left = f"not delivered: {why}. Where it runs it has to get what `{command}` prints"
        return f"{counter} in {rotated.seconds:.0f} s{begun}; {rotated.delivered or left}"
