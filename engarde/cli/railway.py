"""The commands that deliver to Railway: plan, push, audit."""

from __future__ import annotations

import sys

import click

from engarde.cli.options import output_option, stack_option
from engarde.engine import FOLDER
from engarde.errors import Unfinished
from engarde.stackfile import read
from engarde.terminal import put, say

_services = click.option(
    "--service", "services", multiple=True, help="Only what is this service's, or analytics; may be repeated."
)


@click.group("railway")
def railway_command() -> None:
    """Deliver each service's DATABASE_URL to Railway.

    The token comes from RAILWAY_TOKEN (a project's) or RAILWAY_API_TOKEN (an account's or a workspace's).
    """


@railway_command.command("plan")
@stack_option
@_services
@output_option
def plan_command(stack: str, services: tuple[str, ...], output: str) -> None:
    """Show what `push` would do. Exit code 1 when there is anything to do."""
    from engarde.railway import show
    from engarde.railway.api import Api, token
    from engarde.railway.planning import left_behind, plan
    from engarde.show import console

    declared = read(FOLDER, stack)
    with Api(token(), say) as api:
        found = plan(declared, api, services)
        old = left_behind(declared, api, found, services)
    if output == "json":
        put(show.planned_data(found, old))
    else:
        console().print(show.planned(found, old))
    sys.exit(1 if old or found.to_do else 0)


@railway_command.command("push")
@stack_option
@_services
@output_option
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
    output: str,
    no_deploy: bool,
    no_wait: bool,
    write_sealed: bool,
    despite_old_logins: bool,
    timeout: float,
) -> None:
    """Write what is other than declared, then deploy each changed service once, and wait for it.

    Exit code 4 when a service is not as it should be; running it again finishes.
    """
    from engarde.railway import show
    from engarde.railway.api import Api, token
    from engarde.railway.planning import left_behind, plan
    from engarde.railway.pushing import How, push, refuse_left_behind, refuse_new
    from engarde.show import console

    declared = read(FOLDER, stack)
    how = How(not no_deploy, not no_wait, write_sealed, timeout)
    with Api(token(), say) as api:
        planned = plan(declared, api, services)
        if how.deploy:
            refuse_new(planned)
        old = left_behind(declared, api, planned, services)
        if not despite_old_logins:
            refuse_left_behind(old)
        for each in old:
            say(str(each))
        ends = push(planned, api, how, lambda who, what: say(f"{who}: {what}"))
    if output == "json":
        put(show.pushed_data(ends))
    else:
        console().print(show.pushed(ends))
    sys.exit(0 if all(end.good for end in ends) else Unfinished.exit_code)


@railway_command.command("audit")
@stack_option
@output_option
def audit_command(stack: str, output: str) -> None:
    """List variables that hold the superuser's credentials, another service's, or older ones.

    Exit code 1 when there are any.
    """
    from engarde.railway.api import Api, token
    from engarde.railway.audit import audit
    from engarde.show import as_data, console, document, listed

    declared = read(FOLDER, stack)
    with Api(token(), say) as api:
        findings = audit(declared, api)
    if output == "json":
        put(document(findings=[as_data(each) for each in findings]))
    elif findings:
        console().print(listed(findings))
    else:
        put("no variable holds more than its service's own credentials")
    sys.exit(1 if findings else 0)
