"""What a request passes before and after it is executed: the record, the limit, and what a test has planned."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from threading import Event, RLock
from time import monotonic
from typing import Any

from tests.railway.access import Access, kind_of
from tests.railway.answering import execute, schema
from tests.railway.documents import Asked, Invalid, understand
from tests.railway.faults import Callback, Delay, Dropped, Fault, Http, Message, Planned, due
from tests.railway.requests import SECOND, Request, RootField
from tests.railway.server import Post, Reply, refused
from tests.railway.world import World

NOTHING = Reply(None)
TOO_MANY = Http(429, retry_after="1")


@dataclass(slots=True)
class Gate:
    world: World
    lock: RLock
    """held by whoever reads or changes the world"""
    per_second: int | None
    requests: list[Request] = field(default_factory=list)
    faults: list[Planned[Fault]] = field(default_factory=list)
    before: list[Planned[Callback]] = field(default_factory=list)
    after: list[Planned[Callback]] = field(default_factory=list)
    broken: list[BaseException] = field(default_factory=list)
    closing: Event = field(default_factory=Event)
    _recent: deque[float] = field(default_factory=deque)

    def broke(self, error: BaseException) -> None:
        self.broken.append(error)

    def answer(self, post: Post) -> Reply:
        with self.lock:
            request = Request(monotonic(), kind_of(post.headers), post.headers, post.source)
            self.requests.append(request)
            limited = self._limited(request.at)
        reply = _http(TOO_MANY) if limited else self._checked(post, request)
        request.status = reply.status
        return reply

    def _limited(self, now: float) -> bool:
        if self.per_second is None:
            return False
        while self._recent and self._recent[0] <= now - SECOND:
            self._recent.popleft()
        self._recent.append(now)
        return len(self._recent) > self.per_second

    def _checked(self, post: Post, request: Request) -> Reply:
        if not post.headers.get("User-Agent"):
            return _refused(request, "The request has no User-Agent")
        if not post.source:
            return _refused(request, "The address has no `?source=`")
        try:
            asked = understand(schema(), json.loads(post.body))
        except ValueError:
            return _refused(request, "The body is no JSON")
        except Invalid as error:
            return _refused(request, *error.messages)
        with self.lock:
            names = [next(filter(None, map(self.world.service_name, root.ids)), None) for root in asked.roots]
        request.roots = tuple(
            RootField(root.name, root.key, name) for root, name in zip(asked.roots, names, strict=True)
        )
        request.variables, request.writes = asked.variables, asked.writes
        return self._planned(post, request, asked)

    def _planned(self, post: Post, request: Request, asked: Asked) -> Reply:
        self._call(self.before, request)
        with self.lock:
            fault, key = next(iter(due(self.faults, request, most=1)), (None, ""))
        if isinstance(fault, Http | Dropped) and not fault.applied:
            return _failed(fault)
        body = self._executed(post, request, asked, {key: fault.text} if isinstance(fault, Message) else {})
        self._call(self.after, request)
        if isinstance(fault, Http | Dropped):
            return _failed(fault)
        if isinstance(fault, Delay):
            self.closing.wait(fault.seconds)
        request.errors = tuple(error["message"] for error in body.get("errors", ()))
        return Reply(200, json.dumps(body))

    def _executed(self, post: Post, request: Request, asked: Asked, failing: dict[str, str]) -> dict[str, Any]:
        with self.lock:
            body = execute(self.world, Access.of(self.world, post.headers), asked, failing)
            request.applied = True
        return body

    def _call(self, planned: list[Planned[Callback]], request: Request) -> None:
        """Calls back without the lock, so that the test can look at everything."""
        with self.lock:
            callbacks = [callback for callback, _ in due(planned, request)]
        for callback in callbacks:
            callback(request)


def _failed(fault: Http | Dropped) -> Reply:
    return _http(fault) if isinstance(fault, Http) else NOTHING


def _http(fault: Http) -> Reply:
    headers = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
    return Reply(fault.status, fault.body, json=False, headers=headers)


def _refused(request: Request, *messages: str) -> Reply:
    request.errors = messages
    return refused(400, *messages)
