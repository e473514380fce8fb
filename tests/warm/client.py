"""What the engine starts in place of an interpreter; all it does is in `tests/warm/__init__.py`.

Its own start is what it costs, so it imports as little as it can: `socket` and `signal` would triple that.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import marshal
import os
import struct
import sys


def main() -> None:
    door = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    door.connect(sys.argv[1])
    told = marshal.dumps((sys.argv[2:], dict(os.environ), os.getcwd(), os.getpgrp()))  # noqa: PTH109
    door.sendmsg([struct.pack("<q", len(told))], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("3i", 0, 1, 2))])
    while told:
        told = told[door.send(told) :]
    (child,) = struct.unpack("<q", door.recv(8))
    for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
        _signal.signal(number, lambda number, _: os.kill(child, number))
    answer = door.recv(8)
    os._exit(struct.unpack("<q", answer)[0] & 0xFF if answer else 1)


main()
