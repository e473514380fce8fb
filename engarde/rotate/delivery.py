"""How a rotation or a move delivers new URLs."""

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
    """Delivers the new URLs of a login to the place where it runs; a call that fails raises an `EngardeError`."""

    check: Callable[[Login], object]
    """whether it could deliver, asked before anything is changed"""
    deliver: Callable[[Login], str | None]
    """pushes, deploys and waits; returns a sentence on what was done, or None if the login is delivered nowhere"""


def deliverer(stack: Stack) -> Deliverer:
    """Delivers to Railway if the stack file has `engarde:railway`, else nowhere."""
    if not stack.railway:
        return Deliverer(check=lambda _: None, deliver=lambda _: None)
    # Its import is slow, and seldom needed.
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
            # Sealed variables, too: they hold the old password.
            pushed = push(found, api, How(sealed=True), lambda who, what: say(f"{who}: {what}"))
            told = [f"{end.step.service}: {end.says}" for end in pushed.ends]
            if pushed.exit_code:
                raise Unfinished("; ".join(told))
            # Variables that nothing writes stay as they were when the first login was delivered.
            held.update(found.held)
            try:
                told += map(str, left_behind(stack, api, replace(found, held=held), [login_name(login)]))
            except EngardeError as error:
                told.append(f"could not check whether other variables hold the old login: {error}")
        return "; ".join(told)

    return Deliverer(check, deliver)
