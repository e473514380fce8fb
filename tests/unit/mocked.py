"""Runs the whole program against Pulumi mocks and keeps what it asked the engine for."""

from __future__ import annotations

import asyncio
import json
import runpy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pulumi
from pulumi.runtime import mocks, rpc, set_all_config
from pulumi.runtime.settings import ROOT

from components.engine import TOLD
from engarde.declaration.model import Table
from engarde.preflight.server_facts import ServerFacts
from engarde.server.functions import Functions

PROGRAM = Path(__file__).resolve().parents[2] / "__main__.py"


class Ended(Exception):
    """The program has said this and ended."""


@dataclass(frozen=True, slots=True)
class Registered:
    """A resource as the program registered it."""

    name: str
    type: str
    inputs: Mapping[str, Any]
    secret_inputs: frozenset[str]
    parent: str
    depends_on: frozenset[str]
    protect: bool
    retain_on_delete: bool
    deleted_with: str
    delete_before_replace: bool
    import_id: str
    ignore_changes: tuple[str, ...]
    aliases: tuple[str, ...]
    provider: str


@dataclass
class Ran:
    """What a run of the program left behind."""

    resources: dict[str, Registered] = field(default_factory=dict)
    urns: list[str] = field(default_factory=list)
    """of every resource, as often as it was registered"""
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    exports: dict[str, pulumi.Output[Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    settings: dict[str, Sequence[str]] = field(default_factory=dict)
    """statements by the role that they are about"""

    def value(self, export: str) -> Any:
        """The value of an export."""
        return asyncio.run(_future(self.exports[export]))

    def is_secret(self, export: str) -> bool:
        """Whether the engine would show the export as a secret."""
        return asyncio.run(self._secret(export))

    async def _secret(self, export: str) -> bool:
        return await self.exports[export].is_secret()


async def _future(output: pulumi.Output[Any]) -> Any:
    return await output.future()


def _name(urn: str) -> str:
    return urn.split("::", 3)[3] if urn else ""


class _Monitor(mocks.MockMonitor):
    def __init__(self, given: mocks.Mocks, ran: Ran) -> None:
        super().__init__(given)
        self.ran = ran

    def RegisterResource(self, request: Any) -> Any:
        if request.type == "pulumi:pulumi:Stack":
            return super().RegisterResource(request)  # type: ignore[no-untyped-call]
        inputs = rpc.deserialize_properties(request.object)
        self.ran.resources[request.name] = Registered(
            name=request.name,
            type=request.type,
            inputs={name: rpc.unwrap_rpc_secret(value) for name, value in inputs.items()},
            secret_inputs=frozenset(n for n, value in inputs.items() if rpc.is_rpc_secret(value)),
            parent=_name(request.parent),
            depends_on=frozenset(map(_name, request.dependencies)),
            protect=request.protect,
            retain_on_delete=request.retainOnDelete,
            deleted_with=_name(request.deletedWith),
            delete_before_replace=request.deleteBeforeReplace,
            import_id=request.importId,
            ignore_changes=tuple(request.ignoreChanges),
            aliases=tuple(alias.spec.name for alias in request.aliases if alias.spec.name),
            provider=_name(request.provider).partition("::")[0],
        )
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        self.ran.urns.append(answer.urn)
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self.ran.outputs[_name(request.urn)] = rpc.deserialize_properties(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


class _Server(mocks.Mocks):
    """Plugins that make all they are asked for, and an engine with this state."""

    def __init__(self, state: Mapping[str, Any]) -> None:
        self.state = state

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        made = {"result": f"generated-for-{args.name}"} if args.typ.endswith(":RandomPassword") else {}
        return f"{args.name}-id", {**args.inputs, **made}

    def call(self, args: mocks.MockCallArgs) -> Any:
        assert args.token == "pulumi:pulumi:readStackResourceOutputs", args.token
        return {"name": args.args["stackName"], "outputs": dict(self.state)}


@contextmanager
def _captured(ran: Ran) -> Iterator[None]:
    """`pulumi.export` and warnings end in the run instead of in a stack."""
    with (
        patch(
            "pulumi.export", side_effect=lambda name, value: ran.exports.update({name: pulumi.Output.from_input(value)})
        ),
        patch("pulumi.log.warn", side_effect=lambda message, **_: ran.warnings.append(message)),
        patch("pulumi.log.error", side_effect=lambda message, **_: ran.errors.append(message)),
    ):
        yield


def set_mocks(given: Any, **settings: Any) -> None:
    """The SDK's own, with an event loop and a stack in it: Python from 3.12 on makes no loop for that."""
    asyncio.set_event_loop(asyncio.new_event_loop())
    ROOT.set(None)
    mocks.set_mocks(given, **settings)


def run(
    config: Mapping[str, Any],
    *,
    tables: frozenset[Table] = frozenset(),
    functions: Functions | None = None,
    roles: frozenset[str] = frozenset(),
    found_settings: Mapping[str, Mapping[str, str]] | None = None,
    state: Mapping[str, Any] | None = None,
    password: str = "admin-password",
    stack: str = "local",
    ran: Ran | None = None,
) -> Ran:
    """Runs the program with this configuration of project `engarde`; a run that is given outlives a fault."""
    ran = ran or Ran()
    server = _Server(state or {})
    set_mocks(server, project="engarde", stack=stack, monitor=_Monitor(server, ran))
    given = {f"engarde:{name}": json.dumps(value) for name, value in config.items()}
    secrets = ["engarde:adminPassword", *(["engarde:adminPasswords"] if "adminPasswords" in config else [])]
    set_all_config({**given, "engarde:adminPassword": password}, secrets)

    @mocks.test  # type: ignore[untyped-decorator]
    def program() -> None:
        try:
            runpy.run_path(str(PROGRAM))
        except SystemExit as ended:
            assert ended.code == TOLD
            raise Ended(*ran.errors) from None

    with (
        _captured(ran),
        patch(
            "engarde.preflight.server_facts.survey",
            return_value=ServerFacts(tables, roles, found_settings or {}, functions=functions or {}),
        ),
        patch("engarde.preflight.abandoned_rows.refuse"),
        patch("engarde.server.blocking.start"),
        patch("engarde.server.role_settings.apply", side_effect=lambda part, _, wanted: ran.settings.update(wanted)),
    ):
        program()
    return ran
