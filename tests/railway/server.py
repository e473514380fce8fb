"""HTTP, as a thread of the test's process."""

from __future__ import annotations

import json
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

PATH = "/graphql/v2"


@dataclass(frozen=True, slots=True)
class Post:
    """A request as it came."""

    headers: dict[str, str]
    source: str | None
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back, or nothing at all."""

    status: int | None
    text: str = ""
    json: bool = True
    headers: dict[str, str] = field(default_factory=dict)


class Answerer(Protocol):
    def answer(self, post: Post) -> Reply: ...

    def broke(self, error: BaseException) -> None: ...


def refused(status: int, *messages: str) -> Reply:
    """Errors without `data`."""
    return Reply(status, json.dumps({"errors": [{"message": message} for message in messages]}))


class Server(ThreadingHTTPServer):
    """Keeps connections open for the next request, and ends every one of them when it is closed."""

    daemon_threads = False
    request_queue_size = 64

    def __init__(self, answerer: Answerer) -> None:
        self.answerer = answerer
        self._lock, self._open = Lock(), set[socket.socket]()
        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}{PATH}"

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is none of the server's faults."""
        error = sys.exception()
        if error and not isinstance(error, ConnectionError):
            self.answerer.broke(error)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are two packets, and the second one would wait for the client's delayed acknowledgement.
    disable_nagle_algorithm = True
    server: Server

    def do_POST(self) -> None:
        address = urlsplit(self.path)
        headers = {name.title(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        source = parse_qs(address.query).get("source", [None])[0]
        if address.path != PATH:
            self._send(refused(404, f"Only {PATH} is served"))
        elif self.headers.get_content_type() != "application/json":
            self._send(refused(400, "The body's Content-Type is not application/json"))
        else:
            self._send(self.server.answerer.answer(Post(headers, source, body)))

    def do_GET(self) -> None:
        self._send(refused(405, "Only POST is served"))

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _send(self, reply: Reply) -> None:
        if reply.status is None:
            self.close_connection = True
            return
        content = reply.text.encode()
        self.send_response_only(reply.status)
        self.send_header("Content-Type", "application/json" if reply.json else "text/plain")
        self.send_header("Content-Length", str(len(content)))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
