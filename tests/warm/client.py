"""What is started in place of an interpreter; all it does is in `tests/warm/__init__.py`.

Its own start is what it costs, so it imports as little as it can: `socket` and `signal` would triple that.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import marshal
import os
import struct
import sys

PASSED_ON = (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP)


def main() -> None:
    # Until there is somebody to pass them on to.
    _signal.pthread_sigmask(_signal.SIG_BLOCK, PASSED_ON)
    ignored = [int(number) for number in PASSED_ON if _signal.getsignal(number) == _signal.SIG_IGN]
    door = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    door.connect(sys.argv[1])
    told = marshal.dumps((sys.argv[2:], dict(os.environ), os.getcwd(), os.getpgrp(), ignored))  # noqa: PTH109
    door.sendmsg([struct.pack("<q", len(told))], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, struct.pack("3i", 0, 1, 2))])
    while told:
        told = told[door.send(told) :]
    (child,) = struct.unpack("<q", door.recv(8))

    def pass_on(number: int, _: object) -> None:
        try:  # noqa: SIM105 (contextlib is another import)
            os.kill(child, number)
        except ProcessLookupError:
            pass  # It has ended meanwhile, and its end is about to be read.

    for number in PASSED_ON:
        if number not in ignored:
            _signal.signal(number, pass_on)
    _signal.pthread_sigmask(_signal.SIG_UNBLOCK, PASSED_ON)
    (code,) = struct.unpack("<q", door.recv(8))
    if code < 0:
        if -code not in (_signal.SIGKILL, _signal.SIGSTOP):
            _signal.signal(-code, _signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


main()
