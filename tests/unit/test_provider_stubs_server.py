"""The plugin process: whom it refuses, what it tells the engine of a failure, when it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import grpc
import pytest
from pulumi.runtime.proto import provider_pb2 as messages
from pulumi.runtime.proto.provider_pb2_grpc import ResourceProviderStub

ROOT = Path(__file__).parents[2]
SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Marks a value that is more than its parts; what follows it here is none of the engine's."""

TYPE = "random:index/randomPassword:RandomPassword"

Process = subprocess.Popen[str]


def start(**environment: str) -> Process:
    command = [sys.executable, "-m", "devtools.provider_stubs.random", "127.0.0.1:1"]
    clean = {name: value for name, value in os.environ.items() if name != "ENGARDE_ALLOW_STAND_INS"}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=clean | environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@pytest.fixture
def process() -> Iterator[Process]:
    with start() as plugin:
        yield plugin
        plugin.kill()


@contextmanager
def connected(process: Process) -> Iterator[ResourceProviderStub]:
    assert process.stdout
    with closing(grpc.insecure_channel(f"127.0.0.1:{process.stdout.readline().strip()}")) as channel:
        yield ResourceProviderStub(channel)


def check(process: Process, stack: str, type_: str = TYPE) -> messages.CheckResponse:
    request = messages.CheckRequest(urn=f"urn:pulumi:{stack}::engarde::{type_}::password")
    request.news.update({"length": 32})
    with connected(process) as plugin:
        response: messages.CheckResponse = plugin.Check(request, timeout=20)
    return response


def test_the_local_stack_is_served(process: Process) -> None:
    assert check(process, "local").inputs == {"length": 32}


def test_a_child_of_a_component_is_served(process: Process) -> None:
    assert check(process, "local", f"engarde:index:ServiceTenant${TYPE}").inputs == {"length": 32}


def test_any_other_stack_is_refused(process: Process) -> None:
    [failure] = check(process, "prod").failures
    assert "serve the stack local only, this is prod" in failure.reason


def test_another_stack_is_served_where_that_is_allowed() -> None:
    with start(ENGARDE_ALLOW_STAND_INS="1") as plugin:
        assert check(plugin, "prod").inputs == {"length": 32}
        plugin.kill()


def test_an_unknown_type_is_named_without_a_traceback(process: Process) -> None:
    [failure] = check(process, "local", "random:index/randomPet:RandomPet").failures
    assert "has no resource type random:index/randomPet:RandomPet" in failure.reason
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


def test_a_failed_operation_reaches_the_engine_as_the_plugins_words_alone(process: Process) -> None:
    request = messages.CreateRequest(urn=f"urn:pulumi:local::engarde::{TYPE}::password")
    request.properties.update({"length": 0})
    with connected(process) as plugin:
        plugin.Configure(messages.ConfigureRequest(), timeout=20)
        with pytest.raises(grpc.RpcError, match=r"1 error occurred:\s+\* such a password is impossible"):
            plugin.Create(request, timeout=20)
        with pytest.raises(grpc.RpcError, match="UNIMPLEMENTED"):
            plugin.Handshake(messages.ProviderHandshakeRequest(), timeout=20)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20) == ("", "")


def test_a_fault_of_the_plugin_tells_its_place_but_no_property(process: Process) -> None:
    request = messages.CreateRequest(urn=f"urn:pulumi:local::engarde::{TYPE}::password")
    request.properties.update({"keepers": {SIGNATURE: "hush"}})
    with connected(process) as plugin, pytest.raises(grpc.RpcError, match=r"ValueError at .*\.py:\d+") as raised:
        plugin.Create(request, timeout=20)
    assert "hush" not in str(raised.value)
