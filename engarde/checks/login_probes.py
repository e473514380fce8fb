"""What services and analytics meet when they log in and try, which `verify` does for it (`engarde.verify.logins`)."""

from collections.abc import Iterable

from engarde.checks.observed import Observed
from engarde.checks.registry import Question, Stage, check
from engarde.declaration.model import DatabaseStack
from engarde.output.findings import Finding


@check(
    Question(
        "login",
        "whether a role gets in with the state's password where it works, and nowhere else on the server",
        "command",
        "`bin/pulumi up --refresh`, or a `REVOKE`",
    ),
    Question("session", "whether it is itself there, with its `search_path` and timeouts", "sql", "`ALTER ROLE`"),
    Question(
        "behaviour",
        "what it may and may not do, tried ([how](verify.md#what-is-tried))",
        "command",
        "`bin/engarde explain` says why it can",
    ),
    Question(
        "connection limit",
        "with `--probe-limits`: whether the server stops a role there",
        "sql",
        "`ALTER ROLE`",
    ),
    group="logins",
    needs=("catalogs", "state", "services' logins"),
    stage=Stage.LOGINS,
)
def findings(stack: DatabaseStack, observed: Observed) -> Iterable[Finding]:
    """What came of it; nothing where nobody has logged in."""
    return observed.tried
