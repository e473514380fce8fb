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
    # Until there is somebody to pass it on to, an interrupt ends this process without a word.
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    door = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    door.connect(sys.argv[1])
    told = marshal.dumps((sys.argv[2:], dict(os.environ), os.getcwd(), os.getpgrp()))  # noqa: PTH109
    door.sendmsg([struct.pack("<q", len(told))], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("3i", 0, 1, 2))])
    while told:
        told = told[door.send(told) :]
    (child,) = struct.unpack("<q", door.recv(8))

    def pass_on(number: int, _: object) -> None:
        try:  # noqa: SIM105 (contextlib is another import)
            os.kill(child, number)
        except ProcessLookupError:
            pass  # It has ended meanwhile, and its end is about to be read.

    for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
        _signal.signal(number, pass_on)
    answer = door.recv(8)
    os._exit(struct.unpack("<q", answer)[0] & 0xFF if answer else 1)


main()
