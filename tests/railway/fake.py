"""The fake as a test holds it."""

from __future__ import annotations

from datetime import timedelta
from threading import RLock, Thread
from types import TracebackType
from typing import Self

from tests.railway import deploying
from tests.railway.faults import Callback, Fault, Planned
from tests.railway.gate import Gate
from tests.railway.given import GivenProject
from tests.railway.requests import Request, most_in_a_second
from tests.railway.server import Server
from tests.railway.world import Clock, Project, World


class Fake:
    """Railway's API on a free port of this machine while it is open; raises at its end what broke inside it."""

    def __init__(
        self,
        *,
        page_size: int = 20,
        per_second: int | None = None,
        refuses_overlaps: bool = False,
        ahead: timedelta = timedelta(),
    ) -> None:
        """Takes so many requests in any second, and is `ahead` of this machine's clock."""
        self.world = World(Clock(ahead), page_size, refuses_overlaps=refuses_overlaps)
        self.lock = RLock()
        self._gate = Gate(self.world, self.lock, per_second)
        self._server = Server(self._gate)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gate.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        if self._gate.broken and error is None:
            raise self._gate.broken[0]

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def account_token(self) -> str:
        return self.world.account_token

    def environment(self, token: str | None = None) -> dict[str, str]:
        """What a client finds the fake by, with a project's token or, without one, the account's."""
        token = token or self.account_token
        variable = "RAILWAY_TOKEN" if token in self.world.tokens else "RAILWAY_API_TOKEN"
        return {"ENGARDE_RAILWAY_URL": self.url, variable: token}

    def project(self, name: str, *environments: str) -> GivenProject:
        with self.lock:
            made = Project(name)
            self.world.projects.append(made)
        given = GivenProject(self.world, self.lock, made)
        for environment in environments or ("production",):
            given.environment(environment)
        return given

    def fail(self, field: str, fault: Fault, *, service: str | None = None, times: int = 1, skip: int = 0) -> None:
        """Plans a fault for a root field (`*` for any), after letting `skip` such requests through."""
        with self.lock:
            self._gate.faults.append(Planned(fault, field, service, skip, times))

    def before(
        self, field: str, callback: Callback, *, service: str | None = None, times: int = 1, skip: int = 0
    ) -> None:
        """Has `callback` called when a request has come and nothing has been done."""
        with self.lock:
            self._gate.before.append(Planned(callback, field, service, skip, times))

    def after(
        self, field: str, callback: Callback, *, service: str | None = None, times: int = 1, skip: int = 0
    ) -> None:
        """Has `callback` called when a request has had its effect and nothing has been answered."""
        with self.lock:
            self._gate.after.append(Planned(callback, field, service, skip, times))

    def heal(self) -> None:
        """Forgets what is still planned."""
        with self.lock:
            self._gate.faults, self._gate.before, self._gate.after = [], [], []

    def settle(self) -> None:
        """Takes every deployment to its end."""
        with self.lock:
            for deployment in list(self.world.deployments()):
                deploying.settle(self.world, deployment)

    def forget(self) -> None:
        """Empties the record of requests."""
        with self.lock:
            self._gate.requests = []

    @property
    def requests(self) -> list[Request]:
        return self._gate.requests

    @property
    def writes(self) -> list[Request]:
        return [request for request in self.requests if request.writes]

    @property
    def fields(self) -> list[str]:
        """The root fields of all requests, in their order."""
        return [name for request in self.requests for name in request.fields]

    @property
    def total(self) -> int:
        return len(self.requests)

    @property
    def most_in_a_second(self) -> int:
        return most_in_a_second(self.requests)
