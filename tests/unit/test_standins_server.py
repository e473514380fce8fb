"""The plugin process: whom it refuses, what it tells the engine of a failure, when it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2 as messages
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

ROOT = Path(__file__).parents[2]
TYPE = "random:index/randomPassword:RandomPassword"

Process = subprocess.Popen[str]


def start(**environment: str) -> Process:
    command = [sys.executable, "-m", "toolchain.standins.random", "127.0.0.1:1"]
    clean = {name: value for name, value in os.environ.items() if name != "ENGARDE_ALLOW_STAND_INS"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=clean | environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@pytest.fixture
def process() -> Iterator[Process]:
    with start() as plugin:
        yield plugin
        plugin.kill()


def check(process: Process, stack: str, type_: str = TYPE) -> messages.CheckResponse:
    assert process.stdout
    request = messages.CheckRequest(urn=f"urn:pulumi:{stack}::engarde::{type_}::password")
    request.news.update({"length": 32})
    with closing(grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}")) as channel:
        response: messages.CheckResponse = ResourceProviderStub(channel).Check(request, timeout=20)
    return response


def test_the_local_stack_is_served(process: Process) -> None:
    assert check(process, "local").inputs == {"length": 32}


def test_any_other_stack_is_refused(process: Process) -> None:
    with pytest.raises(grpc.RpcError, match="serve the stack local only, this is prod"):
        check(process, "prod")


def test_another_stack_is_served_where_that_is_allowed() -> None:
    with start(ENGARDE_ALLOW_STAND_INS="1") as plugin:
        assert check(plugin, "prod").inputs == {"length": 32}
        plugin.kill()


def test_an_unknown_type_is_named_without_a_traceback(process: Process) -> None:
    with pytest.raises(grpc.RpcError, match="does not know the resource type random:index/randomPet:RandomPet"):
        check(process, "local", "random:index/randomPet:RandomPet")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20) == ("", "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_quietly_when_it_is_interrupted(process: Process, number: signal.Signals) -> None:
    check(process, "local")
    process.send_signal(number)
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0


def test_it_ends_when_the_engine_is_gone(process: Process) -> None:
    check(process, "local")
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == 0
