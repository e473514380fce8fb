"""A client of Railway's public API: keeps below its rate limit, retries if that is safe, and explains errors."""

import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, NoReturn, Self

import httpx
import tenacity

from engarde.errors import EngardeError, Refused, Unreachable
from engarde.util.masking import masked
from engarde.util.timeouts import seconds

URL = "https://backboard.railway.com/graphql/v2"
ANOTHER_URL = "ENGARDE_RAILWAY_URL"
"""Names another address of the API; without TLS only one on this machine, because the token is sent there."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")

PACE = 0.11
"""Between two requests; the smallest plan allows ten in a second [seconds]."""
ANSWER = 30.0
"""How long a connection may be silent [seconds]."""
BUSY = (429, 502, 503, 504)

WRONG_TOKEN = ("Not Authorized", "Project Token not found")
_RETRY_AFTER = re.compile(r"\d+(\.\d+)?")


class Answered(EngardeError):
    """Railway refuses the request; `message` is its own text."""

    def __init__(self, message: str) -> None:
        super().__init__(f"Railway says: {message}")
        self.message = message


class Unsure(Unreachable):
    """The request may have had its effect; only another look tells."""


class _Again(Exception):
    """The request may be sent again."""

    def __init__(self, why: str, after: float | None = None, *, done: bool = False) -> None:
        super().__init__(why)
        self.after = after
        self.done = done
        """it may have had its effect"""


@dataclass(frozen=True, slots=True)
class Token:
    """Access to one environment of a project, or to everything of an account or a workspace."""

    header: dict[str, str]
    variable: str
    """the environment variable that it came from"""

    @property
    def of_project(self) -> bool:
        """Whether it is for one environment only."""
        return self.variable == "RAILWAY_TOKEN"


def token() -> Token:
    """The token of this process; a project token comes first, as in Railway's own CLI.

    :raises Refused: there is none.
    """
    if own := os.environ.get("RAILWAY_TOKEN", "").strip():
        return Token({"Project-Access-Token": own}, "RAILWAY_TOKEN")
    if own := os.environ.get("RAILWAY_API_TOKEN", "").strip():
        return Token({"Authorization": f"Bearer {own}"}, "RAILWAY_API_TOKEN")
    raise Refused(
        "no token for Railway. Set RAILWAY_TOKEN to a project token (on Railway: project settings, Tokens), or"
        " RAILWAY_API_TOKEN to an account or workspace token"
    )


class Api:
    """One session with Railway; close it, or use it as a context."""

    def __init__(self, token: Token, say: Callable[[str], None], environment: Mapping[str, str] = os.environ) -> None:
        """`say` is told what a request waits for."""
        self.token = token
        self._say = say
        self._last = 0.0
        self._url = _address(environment)
        self._client = self._made()

    def _made(self) -> httpx.Client:
        return httpx.Client(
            # With a query string a wider limit applies at the edge.
            params={"source": "engarde"},
            headers={**self.token.header, "User-Agent": "engarde"},
            timeout=ANSWER,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def ask(self, document: str, *, once: bool = False, **variables: Any) -> Any:
        """The data that a document asks for; `once` if a second effect would do harm.

        :raises Answered: Railway refuses.
        :raises Refused: Railway does not accept the token.
        :raises Unsure: with `once`, it is unknown whether the request had its effect.
        :raises Unreachable: no answer after all retries.
        """
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, _Again) and not (once and error.done)),
            wait=_wait,
            stop=tenacity.stop_after_delay(seconds("railway.patience")),
            before_sleep=lambda state: self._say(f"Railway: {_why(state)}; retrying"),
            reraise=True,
        )
        try:
            return retrying(self._ask, document, variables)
        except _Again as why:
            kind = Unsure if once and why.done else Unreachable
            raise kind(f"Railway does not answer: {why}. Run the command again later") from None

    def _ask(self, document: str, variables: dict[str, Any]) -> Any:
        time.sleep(max(0.0, self._last + PACE - time.monotonic()))
        self._last = time.monotonic()
        try:
            answer = self._answer({"query": document, "variables": variables})
        except httpx.ConnectError:
            raise _Again("no connection") from None
        except httpx.HTTPError as error:
            # Without its text, which may quote the request.
            raise _Again(f"the connection broke ({type(error).__name__})", done=True) from None
        if answer.status_code in BUSY:
            stated = answer.headers.get("Retry-After", "")
            after = float(stated) if _RETRY_AFTER.fullmatch(stated) else None
            raise _Again(f"HTTP {answer.status_code}", after, done=answer.status_code != 429)
        if answer.status_code != httpx.codes.OK:
            raise Unreachable(
                f"Railway answers with HTTP {answer.status_code}: it does not know this address or request"
            )
        try:
            said = answer.json()
        except ValueError:
            raise _Again("its answer was cut off", done=True) from None
        if errors := said.get("errors"):
            self._refuse(str(errors[0].get("message")), variables)
        return said["data"]

    def _answer(self, body: dict[str, Any]) -> httpx.Response:
        """The whole answer; httpx limits each read only, so a slow trickle of bytes would never end."""
        client, answer, limit = self._client, Future[httpx.Response](), seconds("railway.request")

        def ask() -> None:
            try:
                answer.set_result(client.post(self._url, json=body))
            except Exception as error:
                answer.set_exception(error)

        threading.Thread(target=ask, daemon=True).start()
        try:
            return answer.result(limit)
        except TimeoutError:
            # The thread keeps the old client, for as long as bytes trickle in.
            self._client = self._made()
            raise _Again(f"no whole answer within {limit:g} s", done=True) from None

    def _refuse(self, message: str, variables: dict[str, Any]) -> NoReturn:
        if message in WRONG_TOKEN:
            kind = "project" if self.token.of_project else "account or workspace"
            raise Refused(
                f"Railway does not accept {self.token.variable} ({message}). Set it to a valid {kind} token for the"
                " project and the environment in engarde:railway"
            )
        written = variables.get("input", {}).get("variables", {})
        raise Answered(masked(message, *written.values()))


def _address(environment: Mapping[str, str]) -> httpx.URL:
    try:
        url = httpx.URL(environment.get(ANOTHER_URL) or URL)
    except httpx.InvalidURL:
        # Without its text, which may quote the value.
        raise Refused(f"{ANOTHER_URL} is not a URL; Railway's own is {URL}") from None
    if url.scheme != "https" and url.host not in LOOPBACK:
        raise Refused(f"{ANOTHER_URL} must begin with https://, because the token is sent there")
    return url


_growing = tenacity.wait_random_exponential(multiplier=0.5, max=15)


def _why(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _wait(state: tenacity.RetryCallState) -> float:
    error = _why(state)
    stated = error.after if isinstance(error, _Again) else None
    return _growing(state) if stated is None else min(stated, seconds("railway.patience"))
