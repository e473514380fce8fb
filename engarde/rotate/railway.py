"""Hands the URLs of a rotation to Railway."""

from __future__ import annotations

from dataclasses import replace

from engarde.declaration.model import Stack
from engarde.errors import EngardeError, Unfinished
from engarde.pulumi_cli.resource_names import login_name
from engarde.railway.api import Api, token
from engarde.railway.planning import Plan, left_behind, plan
from engarde.railway.project import Values
from engarde.railway.pushing import How, push
from engarde.rotate.delivery import Deliverer, Login
from engarde.util.terminal import say


def to_railway(stack: Stack) -> Deliverer:
    """The deliverer of a stack whose file says where its services run."""

    def planned(api: Api, login: Login) -> Plan:
        return plan(stack, api, [login_name(login)])

    def check(login: Login) -> None:
        if login.on_railway:
            with Api(token(), say) as api:
                planned(api, login)

    held: dict[str | None, Values] = {}

    def deliver(login: Login) -> str | None:
        if not login.on_railway:
            return None
        with Api(token(), say) as api:
            found = planned(api, login)
            # Sealed ones too: whatever they held, it is the old password's.
            pushed = push(found, api, How(sealed=True), lambda who, what: say(f"{who}: {what}"))
            told = [f"{end.step.service}: {end.says}" for end in pushed.ends]
            if pushed.exit_code:
                raise Unfinished("; ".join(told))
            # What nobody writes is as it was when the first login was delivered.
            held.update(found.held)
            try:
                told += map(str, left_behind(stack, api, replace(found, held=held), [login_name(login)]))
            except EngardeError as error:
                told.append(f"whether other variables hold the old login is not known: {error}")
        return "; ".join(told)

    return Deliverer(check, deliver)
