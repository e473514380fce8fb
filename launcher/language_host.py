"""The Python language host for a Pulumi built from its Go module, which has none.

An engine starts two of them: one to ask which Python it is, and one to run the program. The SDK takes most of the time
that a host takes to start, so only what cannot do without it imports it; the other answers are put into bytes here.
"""

import os
import runpy
import signal
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType

import grpc

TOLD = 32
"""The exit code of a program that has printed the error itself, as in `components.engine`, which is not on this
process's path."""

OPTIONS = [("grpc.max_receive_message_length", 400 * 1024 * 1024), ("grpc.server_max_unrequested_time_in_server", 1800)]
"""As the SDK has them."""


class Told(grpc.RpcError):
    """Ends the SDK's run without output, as it does if the monitor is gone."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE


def about(_request: bytes, _context: object = None) -> bytes:
    """An `AboutResponse`: this executable and its version."""
    return _text(1, sys.executable) + _text(2, "{}.{}.{}".format(*sys.version_info))


def _text(field: int, text: str) -> bytes:
    """A text in a message: the number of its field, its length in two bytes of seven bits, itself."""
    encoded = text.encode()
    return bytes([field << 3 | 2, len(encoded) & 0x7F | 0x80, len(encoded) >> 7]) + encoded


def program_dependencies(_request: bytes, _context: object) -> bytes:
    """A `GetProgramDependenciesResponse`."""
    from importlib import metadata

    from pulumi.runtime.proto import language_pb2 as messages

    installed = [messages.DependencyInfo(name=found.name, version=found.version) for found in metadata.distributions()]
    return bytes(messages.GetProgramDependenciesResponse(dependencies=installed).SerializeToString())


def run(request: bytes, context: grpc.ServicerContext) -> bytes:
    """Runs the program; Pulumi starts a host for each operation, so that nothing is left of an earlier run.

    What went wrong has been logged to the engine by then, so it is told to stop, not to log it again.
    """
    from pulumi.automation._server import LanguageServer
    from pulumi.runtime.proto import language_pb2 as messages

    asked = messages.RunRequest.FromString(request)
    asked.args[:] = sys.argv[-1:]  # where the SDK's server for inline programs expects the engine's address
    told = False

    def program() -> None:
        nonlocal told
        try:
            run_program(Path(asked.info.program_directory, asked.info.entry_point))
        except SystemExit as ended:
            if ended.code != TOLD:
                raise
            told = True
            raise Told from None

    ended = LanguageServer(program).Run(asked, context)  # type: ignore[no-untyped-call]
    return bytes(messages.RunResponse(bail=told or bool(ended.error)).SerializeToString())


def run_program(path: Path) -> None:
    """Runs a program file or folder as `__main__`.

    :raises RunError: for any fault in it, without the frames before it.
    """
    from pulumi import RunError

    main = path / "__main__.py" if path.is_dir() else path
    sys.path.insert(0, str(main.parent))
    try:
        runpy.run_path(str(main), run_name="__main__")
    except RunError:
        raise
    except Exception as fault:
        shown = traceback.format_exception(type(fault), fault, _from(main, fault.__traceback__))
        raise RunError("the program failed with an unhandled exception:\n" + "".join(shown)) from fault


def _from(main: Path, frames: TracebackType | None) -> TracebackType | None:
    while frames and frames.tb_frame.f_code.co_filename != str(main):
        frames = frames.tb_next
    return frames


ANSWERS = {
    **dict.fromkeys(("GetPluginInfo", "GetRequiredPackages", "RuntimeOptionsPrompts"), lambda _request, _context: b""),
    "About": about,
    "GetProgramDependencies": program_dependencies,
    "Run": run,
}
"""The methods that Pulumi calls to start the program, and to install its dependencies."""


def main() -> None:
    """Serves until Pulumi interrupts it or is gone."""
    # Blocked in every thread and awaited in one: a handler would run late when another thread gets the signal.
    interrupts = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, interrupts)
    threading.Thread(target=_end_with_the_engine, daemon=True).start()
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        name: grpc.unary_unary_rpc_method_handler(answer) for name, answer in ANSWERS.items()
    }
    handlers["InstallDependencies"] = grpc.unary_stream_rpc_method_handler(lambda _request, _context: iter(()))
    host = grpc.method_handlers_generic_handler("pulumirpc.LanguageRuntime", handlers)
    server = grpc.server(ThreadPoolExecutor(), handlers=[host], options=OPTIONS)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    signal.sigwait(interrupts)
    os._exit(0)


def _end_with_the_engine() -> None:
    """Pulumi holds the other end of stdin, which closes when Pulumi ends, also if it is killed."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
