"""The Python language host for an engine built from its Go module, which comes without one."""

import os
import runpy
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path
from types import TracebackType

import grpc
from pulumi import RunError
from pulumi.automation._server import LanguageServer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import language_pb2 as messages
from pulumi.runtime.proto.language_pb2_grpc import add_LanguageRuntimeServicer_to_server

TOLD = 32
"""The exit code of a program that has said by itself what is wrong."""


class Told(grpc.RpcError):
    """Ends the SDK's run without another word, as it ends where the monitor is gone."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE


class LanguageHost(LanguageServer):
    """Adds to the SDK's server for inline programs what an engine asks when it starts the program itself."""

    def __init__(self, engine_address: str) -> None:
        super().__init__(program=lambda: None)
        self.engine_address = engine_address

    def Handshake(
        self, request: messages.LanguageHandshakeRequest, _: grpc.ServicerContext
    ) -> messages.LanguageHandshakeResponse:
        self.engine_address = request.engine_address
        return messages.LanguageHandshakeResponse()

    def Run(self, request: messages.RunRequest, context: grpc.ServicerContext) -> messages.RunResponse:
        """Runs the program; the engine starts a host per operation, so nothing is left of an earlier run.

        What went wrong has been logged to the engine by then, so it is told to stop, not to log it again.
        """
        told = False

        def program() -> None:
            nonlocal told
            try:
                run_program(Path(request.info.program_directory, request.info.entry_point))
            except SystemExit as ended:
                if ended.code != TOLD:
                    raise
                told = True
                raise Told from None

        self.program = program
        request.args[:] = [self.engine_address]
        ended: messages.RunResponse = super().Run(request, context)  # type: ignore[no-untyped-call]
        return messages.RunResponse(bail=told or bool(ended.error))

    def InstallDependencies(
        self, _request: messages.InstallDependenciesRequest, _: grpc.ServicerContext
    ) -> Iterator[messages.InstallDependenciesResponse]:
        return iter(())

    def RuntimeOptionsPrompts(
        self, _request: messages.RuntimeOptionsRequest, _: grpc.ServicerContext
    ) -> messages.RuntimeOptionsResponse:
        return messages.RuntimeOptionsResponse()

    def GetProgramDependencies(
        self, _request: messages.GetProgramDependenciesRequest, _: grpc.ServicerContext
    ) -> messages.GetProgramDependenciesResponse:
        installed = [
            messages.DependencyInfo(name=distribution.name, version=distribution.version)
            for distribution in metadata.distributions()
        ]
        return messages.GetProgramDependenciesResponse(dependencies=installed)


def run_program(path: Path) -> None:
    """Runs a program file or folder as `__main__`.

    :raises RunError: for any fault in it, without the frames before it.
    """
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


def main() -> None:
    """Serves until the engine interrupts it or is gone."""
    # Blocked in every thread and awaited in one: a handler would run late when another thread gets the signal.
    interrupts = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, interrupts)
    threading.Thread(target=_end_with_the_engine, daemon=True).start()
    server = grpc.server(ThreadPoolExecutor(), options=_GRPC_CHANNEL_OPTIONS)
    add_LanguageRuntimeServicer_to_server(LanguageHost(sys.argv[-1]), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    signal.sigwait(interrupts)
    os._exit(0)


def _end_with_the_engine() -> None:
    """The engine holds the other end of stdin, which closes when it has ended, killed or not."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main()
