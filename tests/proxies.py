"""A way to a server that stops carrying: at the login, after it, in the middle of an answer, or drop by drop."""

import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

from devtools.server import HOST

Mode = Literal["open", "frozen", "after login", "in an answer", "drip"]
"""What becomes of a connection: it is carried, nothing of it is, nothing after its login, after a few bytes of its
second answer, or from there on a byte every few seconds."""

READY = b"Z\x00\x00\x00\x05"
"""What a server says when it waits for a query."""
OF_AN_ANSWER = 9
"""How much of it comes through [bytes]."""
DRIP = 5.0
"""Between two bytes [seconds]."""


@dataclass(slots=True)
class Proxy:
    """One port that leads to a server; its mode may change while connections are open, and holds for all of them."""

    server: int
    port: int = 0
    mode: Mode = "open"
    spared: int = 0
    """how many connections are carried whole, from the next one on"""
    _over: threading.Event = field(default_factory=threading.Event)

    def serve(self, listening: socket.socket) -> None:
        listening.settimeout(0.2)
        while not self._over.is_set():
            with suppress(TimeoutError):
                client = listening.accept()[0]
                spared, self.spared = self.spared > 0, max(0, self.spared - 1)
                threading.Thread(target=self._carry, args=(client, spared), daemon=True).start()

    def _carry(self, client: socket.socket, spared: bool) -> None:
        answers, sent = 0, 0
        with client, socket.create_connection((HOST, self.server)) as server, selectors.DefaultSelector() as both:
            both.register(client, selectors.EVENT_READ, server)
            both.register(server, selectors.EVENT_READ, client)
            with suppress(OSError):
                while not self._over.is_set():
                    mode = "open" if spared else self.mode
                    stopped = mode == "frozen" or (mode != "open" and answers > 0 and (mode == "after login" or sent))
                    if stopped and mode != "drip":
                        time.sleep(0.05)
                        continue
                    for key, _ in both.select(0.05):
                        from_server = key.fileobj is server
                        if stopped and from_server:
                            self._over.wait(DRIP)
                        limit = 1 if stopped and from_server else 1 << 16
                        data = key.fileobj.recv(limit)  # type: ignore[union-attr]
                        if not data:
                            return
                        if from_server and answers > 1 and mode in ("in an answer", "drip") and not stopped:
                            key.data.sendall(data[:OF_AN_ANSWER])
                            sent = OF_AN_ANSWER
                            for each in data[OF_AN_ANSWER:] if mode == "drip" else b"":
                                self._over.wait(DRIP)
                                key.data.sendall(bytes([each]))
                            continue
                        key.data.sendall(data)
                        answers += from_server and READY in data


@contextmanager
def proxy(server: int, mode: Mode = "open") -> Iterator[Proxy]:
    """A proxy on a free port, until the end of the block."""
    with socket.create_server((HOST, 0)) as listening:
        made = Proxy(server, listening.getsockname()[1], mode)
        serving = threading.Thread(target=made.serve, args=(listening,))
        serving.start()
        try:
            yield made
        finally:
            made._over.set()
            serving.join()
