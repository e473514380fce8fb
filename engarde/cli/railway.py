"""The commands that deliver to Railway: plan, push, audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engarde.cli.completion import receivers
from engarde.cli.options import Commands, OnServices, command
from engarde.declaration.loader import FOLDER
from engarde.pulumi_cli.stacks import read
from engarde.util.terminal import say

if TYPE_CHECKING:
    from engarde.output.show import Findings
    from engarde.railway.pushing import Preview, Push

_services = click.argument("services", nargs=-1, metavar="[SERVICE|analytics]...", shell_complete=receivers)


@click.group("railway", cls=Commands)
def railway_command() -> None:
    """Deliver each service's DATABASE_URL to Railway.

    The token comes from RAILWAY_TOKEN (a project token) or RAILWAY_API_TOKEN (an account or workspace token).
    """


@command("plan", cls=OnServices, group=railway_command)
@_services
def plan_command(stack: str, services: tuple[str, ...]) -> Preview:
    """Show what `push` would do, for these services or for all.

    Exit codes: 0 nothing to do, 1 something to do, 2 usage, a fault in the stack file or the token, 3 could not
    connect.
    """
    from engarde.railway.api import Api, token
    from engarde.railway.audit import left_behind
    from engarde.railway.planning import plan
    from engarde.railway.pushing import Preview

    declared = read(FOLDER, stack)
    with Api(token(), say) as api:
        found = plan(declared, api, services)
        return Preview(found, left_behind(declared, api, found, services))


@command("push", cls=OnServices, group=railway_command, short_help="Set the variables that differ, and deploy.")
@_services
@click.option("--no-deploy", is_flag=True, help="Only write the variables.")
@click.option("--no-wait", is_flag=True, help="Start the deployments, but do not wait for them.")
@click.option("--write-sealed", is_flag=True, help="Also write sealed variables, whose values cannot be compared.")
@click.option(
    "--despite-old-logins", is_flag=True, help="Push although a variable that is not declared holds an old login."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=900,
    show_default=True,
    help="How long to wait for all deployments together [seconds].",
)
def push_command(
    stack: str,
    services: tuple[str, ...],
    no_deploy: bool,
    no_wait: bool,
    write_sealed: bool,
    despite_old_logins: bool,
    timeout: float,
) -> Push:
    """Set the variables that differ from the declaration, deploy each changed service once, and wait for it.

    Exit codes: 0 done, 2 usage, a fault in the stack file or the token, or a refusal, 3 could not connect and nothing
    was changed, 4 a service is not as declared: run it again.
    """
    from engarde.railway.api import Api, token
    from engarde.railway.audit import left_behind
    from engarde.railway.planning import plan
    from engarde.railway.pushing import How, push, refuse_left_behind, refuse_new

    declared = read(FOLDER, stack)
    how = How(not no_deploy, not no_wait, write_sealed, timeout)
    with Api(token(), say) as api:
        planned = plan(declared, api, services)
        if how.deploy:
            refuse_new(planned)
        old = left_behind(declared, api, planned, services)
        if not despite_old_logins:
            refuse_left_behind(old)
        for login in old:
            say(str(login))
        return push(planned, api, how, lambda who, what: say(f"{who}: {what}"))


@command("audit", group=railway_command, short_help="List variables with credentials of others, or old ones.")
def audit_command(stack: str) -> Findings:
    """List variables that hold credentials of the superuser or of another service, or old ones.

    Exit codes: 0 none found, 1 some found, 2 usage, a fault in the stack file or the token, 3 could not connect.
    """
    from engarde.output.show import Findings
    from engarde.railway.api import Api, token
    from engarde.railway.audit import audit

    declared = read(FOLDER, stack)
    with Api(token(), say) as api:
        findings = audit(declared, api)
    return Findings(findings, "no variable holds credentials other than its service's own")
