"""A request to Railway is given up in time, also where its answer comes drop by drop."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from engarde.errors import Unreachable
from engarde.railway.api import ANOTHER_URL, Api, Token, Unsure
from engarde.util.timeouts import VARIABLE

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"data": {}}'
DRIP = 0.2
LONG = 10.0
"""For which no test waits [seconds]."""


@pytest.fixture(params=[0, 60, len(ANSWER)], ids=["before its head", "in its head", "in its body"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """A server that says the first bytes of an answer at once, and then one after another."""
    over = threading.Event()

    def answer(client: socket.socket) -> None:
        with client:
            client.recv(1 << 16)
            client.sendall(ANSWER[: request.param])
            for each in ANSWER[request.param :] + b" " * 1000:
                if over.wait(DRIP):
                    return
                client.sendall(bytes([each]))

    def serve(listening: socket.socket) -> None:
        while not over.is_set():
            try:
                threading.Thread(target=answer, args=(listening.accept()[0],), daemon=True).start()
            except TimeoutError:
                continue

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        serving = threading.Thread(target=serve, args=(listening,))
        serving.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        over.set()
        serving.join()


@pytest.mark.parametrize("once", [False, True])
def test_an_answer_that_drips(address: str, monkeypatch: pytest.MonkeyPatch, *, once: bool) -> None:
    monkeypatch.setenv(VARIABLE, "railway.request=0.5,railway.patience=1")
    said: list[str] = []
    start = time.monotonic()
    given_up = pytest.raises(Unsure if once else Unreachable, match=r"no whole answer within 0\.5 s")
    with Api(Token({}, "RAILWAY_TOKEN"), said.append, {ANOTHER_URL: address}) as api, given_up:
        api.ask("{ me }", once=once)
    assert time.monotonic() - start < LONG
    # What may have been done is not asked for again.
    assert bool(said) is not once
