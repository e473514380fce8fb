"""Whose locks fill the server's lock table: once it is full nobody gets another lock, nor a new session."""

from dataclasses import dataclass

from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.output.findings import Finding, Remedy
from engarde.util.quoting import script

CHECK = "lock table"


@dataclass(frozen=True, slots=True)
class LockHolder:
    """A session of a role that holds over half of the server's lock table; the numbers are the role's."""

    process: int
    role: str
    locks: int
    advisory: int
    sessions: int

    def __str__(self) -> str:
        return f"{self.role} holds {self.locks} locks in {self.sessions} sessions, {self.advisory} of them advisory"


def holders(observed: Observed) -> list[LockHolder]:
    """The first question of a session: one that has locked more needs room that may not be there."""
    return observed.session.query("lock_holders", LockHolder)


def ending(stack: DatabaseStack, held: list[LockHolder]) -> Remedy:
    """Ends the sessions of the stack's own roles; what somebody else's are for is not known here."""
    ours = [holder for holder in held if holder.role in stack.roles]
    if ours:
        return Remedy("sql", script(f"SELECT pg_terminate_backend({holder.process})" for holder in ours))
    return Remedy(
        "code",
        "wait until that is done, or ask who runs it: it is no service of this stack\n"
        "if it has to run again, raise max_locks_per_transaction; a dump locks each table that it copies",
    )


@check(
    Question(
        CHECK,
        "whether a role holds over half of the server's lock table: once it is full nobody gets another lock, nor a new"
        " session",
        "sql",
        "ends the sessions that hold them, where they are the stack's",
    ),
    group="server",
    needs=("sessions",),
    scope="server",
    stage=Stage.FIRST,
)
def findings(stack: DatabaseStack, observed: Observed) -> list[Finding]:
    """A finding for each role that holds over half of it."""
    held = holders(observed) if stack.server_wide else []
    return [
        Finding(
            CHECK,
            role,
            "at most half of the locks that the server has room for",
            str(of_role[0]),
            ending(stack, of_role),
            frozenset({role}),
        )
        for role in dict.fromkeys(holder.role for holder in held)
        if (of_role := [holder for holder in held if holder.role == role])
    ]
