"""How a rotation or a move hands out new URLs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engarde.declaration.model import Analytics, Service, Stack
from engarde.declaration.resource_names import login_name
from engarde.errors import EngardeError, Unfinished
from engarde.util.terminal import say

if TYPE_CHECKING:
    from engarde.railway.project import Values

Login = Service | Analytics


@dataclass(frozen=True, slots=True)
class Deliverer:
    """What hands the new URLs of a login to where it runs; each call ends in an `EngardeError` where it cannot."""

    check: Callable[[Login], object]
    """whether it could, asked before anything is changed"""
    deliver: Callable[[Login], str | None]
    """pushes, deploys and waits for the end of it; a sentence on what was done, or None where a login goes nowhere"""


def deliverer(stack: Stack) -> Deliverer:
    """That of the place where the stack file says that its services run: Railway, or none."""
    if not stack.railway:
        return Deliverer(check=lambda _: None, deliver=lambda _: None)
    # It takes long to import, and is seldom needed.
    from engarde.railway.api import Api, token
    from engarde.railway.audit import left_behind
    from engarde.railway.planning import plan
    from engarde.railway.pushing import How, push

    held: dict[str | None, Values] = {}

    def check(login: Login) -> None:
        if login.on_railway:
            with Api(token(), say) as api:
                plan(stack, api, [login_name(login)])

    def deliver(login: Login) -> str | None:
        if not login.on_railway:
            return None
        with Api(token(), say) as api:
            found = plan(stack, api, [login_name(login)])
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
