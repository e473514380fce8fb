"""Hands the URLs of a rotation to Railway."""

from __future__ import annotations

from engarde.errors import Unfinished
from engarde.model import Stack
from engarde.railway.api import Api, token
from engarde.railway.planning import Plan, plan
from engarde.railway.pushing import How, push
from engarde.rotate.delivery import Deliverer, Login
from engarde.rotations import called
from engarde.terminal import say


def to_railway(stack: Stack) -> Deliverer:
    """The deliverer of a stack whose file says where its services run."""

    def planned(api: Api, login: Login) -> Plan:
        return plan(stack, api, [called(login)])

    def check(login: Login) -> None:
        if login.on_railway:
            with Api(token(), say) as api:
                planned(api, login)

    def deliver(login: Login) -> str | None:
        if not login.on_railway:
            return None
        with Api(token(), say) as api:
            # Sealed ones too: whatever they held, it is the old password's.
            ends = push(planned(api, login), api, How(sealed=True), lambda who, what: say(f"{who}: {what}"))
        told = "; ".join(f"{end.step.service}: {end.says}" for end in ends)
        if not all(end.good for end in ends):
            raise Unfinished(told)
        return told

    return Deliverer(check, deliver)
