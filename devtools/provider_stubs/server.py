"""A provider stub as a plugin process: it serves until Pulumi interrupts it or is gone."""

import asyncio
import os
import signal
import threading
import traceback
from collections.abc import Awaitable, Callable
from importlib import metadata
from typing import Any, NoReturn

import grpc
from google.protobuf.message import Message
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

from devtools.provider_stubs.provider import StandIn
from devtools.provider_stubs.resource import Backend, Package
from devtools.provider_stubs.values import Failure, HalfDone

STACK = "local"
ALLOWED = "ENGARDE_ALLOW_STAND_INS"


def main(package: Package[Backend]) -> NoReturn:
    """Serves a package to the Pulumi that started this process."""
    asyncio.run(_serve(package))
    # The threads of interrupted operations are not waited for.
    os._exit(0)


async def _serve(package: Package[Backend]) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    threading.Thread(target=_wait_for_end, args=(loop, ended), daemon=True).start()
    stand_in = StandIn(package)
    server = grpc.aio.server(interceptors=[Guard()], options=_GRPC_CHANNEL_OPTIONS)
    # The official plugin's version, which is its Python package's.
    servicer = Servicer([], metadata.version(f"pulumi-{package.name}"), stand_in, engine_address="")
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await ended.wait()
    await stand_in.cancel()


def _wait_for_end(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """Pulumi holds the other end of stdin, which closes when Pulumi ends, also if it is killed."""
    while os.read(0, 1024):
        pass
    loop.call_soon_threadsafe(ended.set)


class Servicer(ProviderServicer):
    """Corrects the SDK's server."""

    async def Read(self, request: provider_pb2.ReadRequest, context: Any) -> provider_pb2.ReadResponse:
        """At an import, a resource is missing when the answer holds no properties, not when it holds none of them."""
        response: provider_pb2.ReadResponse = await super().Read(request, context)
        return response if response.id else provider_pb2.ReadResponse()


class Guard(grpc.aio.ServerInterceptor):
    """Refuses other stacks, and turns exceptions into answers that Pulumi understands."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)

        async def answer(request: Message, context: Any) -> Any:
            try:
                if reason := _refusal(getattr(request, "urn", "")):
                    raise Failure(reason)
                return await _called(handler, request, context)
            except NotImplementedError:
                await context.abort(grpc.StatusCode.UNIMPLEMENTED, "the provider stub does not support that")
            except HalfDone as failure:
                await context.abort_with_status(_Status(failure))
            except Failure as failure:
                if isinstance(request, provider_pb2.CheckRequest):
                    return provider_pb2.CheckResponse(failures=[provider_pb2.CheckFailure(reason=str(failure))])
                await context.abort(grpc.StatusCode.UNKNOWN, str(failure))
            except Exception as fault:
                # Its message may hold a property's value; its place in the code does not.
                place = traceback.extract_tb(fault.__traceback__)[-1]
                where = f"{type(fault).__name__} at {place.filename}:{place.lineno}"
                await context.abort(grpc.StatusCode.INTERNAL, f"a fault of the stand-in plugin: {where}")

        return grpc.unary_unary_rpc_method_handler(answer, handler.request_deserializer, handler.response_serializer)


async def _called(handler: Any, request: Message, context: Any) -> Any:
    """Raises what an operation raised; the SDK has put an exception around it, with a stack in its message."""
    try:
        return await handler.unary_unary(request, context)
    except Exception as raised:
        own = raised.__context__ if type(raised) is Exception else None
        raise own or raised from None


def _refusal(urn: str) -> str:
    """Why a resource is refused; empty if it is not, or if there is none."""
    stack = urn.split("::")[0].rpartition(":")[2]
    if stack in ("", STACK) or os.environ.get(ALLOWED) == "1":
        return ""
    return (
        f"stand-in plugins serve the stack {STACK} only, this is {stack}: run it where the official plugins"
        f" can be had, or set {ALLOWED}=1 if you know that no production hangs on it"
    )


class _Status(grpc.Status):
    """Tells Pulumi that a resource exists although the operation on it failed."""

    def __init__(self, failure: HalfDone) -> None:
        initialised = provider_pb2.ErrorResourceInitFailed(
            id=str(failure.properties["id"].value),
            properties=PropertyValue.marshal_map(failure.properties),
            reasons=[str(failure)],
        )
        status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=str(failure))
        status.details.add().Pack(initialised)
        self.code = grpc.StatusCode.UNKNOWN
        self.details = str(failure)
        self.trailing_metadata = (("grpc-status-details-bin", status.SerializeToString()),)
