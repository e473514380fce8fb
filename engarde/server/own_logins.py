"""What a role alone is asked for: its own objects, which run what it likes with the rights of whoever reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from engarde.errors import NotAnswered, Unreachable
from engarde.server.credentials import Access
from engarde.server.session import Session, session

AT_ONCE = 4
"""Logins at a time: most of a login is waiting, and a live server has no slots to spare."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class NotRead:
    """A login that did not answer, and why."""

    reason: str


def ask(logins: Iterable[Access], question: Callable[[Session, Access], Answer]) -> dict[str, Answer | NotRead]:
    """Role -> what it finds, each in a session of its own that can only read."""

    def one(login: Access) -> Answer | NotRead:
        try:
            with session(login) as asked:
                asked.do("own_begin")
                return question(asked, login)
        except NotAnswered as refusal:
            return NotRead(f"the server answers {login.role} with {refusal}")
        except Unreachable as error:
            return NotRead(f"{login.role} was not let in: {error}")

    chosen = {login.role: login for login in logins}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(chosen, pool.map(one, chosen.values()), strict=True))
