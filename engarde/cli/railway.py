"""The commands that deliver to Railway: plan, push, audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engarde.cli.options import command
from engarde.declaration.loader import FOLDER, read
from engarde.util.terminal import say

if TYPE_CHECKING:
    from engarde.output.show import Findings
    from engarde.railway.pushing import Preview, Push

_services = click.option(
    "--service", "services", multiple=True, help="Only what is this service's, or analytics; may be repeated."
)


@click.group("railway")
def railway_command() -> None:
    """Deliver each service's DATABASE_URL to Railway.

    The token comes from RAILWAY_TOKEN (a project's) or RAILWAY_API_TOKEN (an account's or a workspace's).
    """


@command("plan", group=railway_command)
@_services
def plan_command(stack: str, services: tuple[str, ...]) -> Preview:
    """Show what `push` would do. Exit code 1 when there is anything to do."""
    from engarde.railway.api import Api, token
    from engarde.railway.audit import left_behind
    from engarde.railway.planning import plan
    from engarde.railway.pushing import Preview

    declared = read(FOLDER, stack)
    with Api(token(), say) as api:
        found = plan(declared, api, services)
        return Preview(found, left_behind(declared, api, found, services))


@command("push", group=railway_command)
@_services
@click.option("--no-deploy", is_flag=True, help="Only write the variables.")
@click.option("--no-wait", is_flag=True, help="Begin the deployments and do not watch them.")
@click.option("--write-sealed", is_flag=True, help="Write sealed variables too, whose values nobody can compare.")
@click.option(
    "--despite-old-logins", is_flag=True, help="Go on where a variable that is not declared holds an older login."
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0),
    default=900,
    show_default=True,
    help="For all deployments together [seconds].",
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
    """Write what is other than declared, then deploy each changed service once, and wait for it.

    Exit code 4 when a service is not as it should be; running it again finishes.
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


@command("audit", group=railway_command)
def audit_command(stack: str) -> Findings:
    """List variables that hold the superuser's credentials, another service's, or older ones.

    Exit code 1 when there are any.
    """
    from engarde.output.show import Findings
    from engarde.railway.api import Api, token
    from engarde.railway.audit import audit

    declared = read(FOLDER, stack)
    with Api(token(), say) as api:
        findings = audit(declared, api)
    return Findings(findings, "no variable holds more than its service's own credentials")
