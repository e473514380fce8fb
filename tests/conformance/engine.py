"""One command of the real engine on a scenario's project, and what it says it did."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launcher.engine import Engine

PROGRAM = Path(__file__).with_name("program")
STACK = "local"
LIMIT = 180.0
"""Of one command (seconds)."""

SECRET_KEY, SECRET_SIGNATURE = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
BRIDGE_LOG = "sdk.helper_schema: "
"""Marks the copy of an error that the official plugins log before they return it."""

BULLET = re.compile(r"^\t\* (.*)$", re.MULTILINE)
ENGINE_PREFIX = re.compile(r"^(?:deleting|updating|creating) urn:\S+: ")
SKIPPED_PREVIEW = ("--yes", "--skip-preview")


@dataclass(frozen=True, slots=True)
class Run:
    """What the engine reports of one command."""

    exit: int
    steps: tuple[Any, ...]
    errors: tuple[str, ...]
    output: str


@dataclass(frozen=True, slots=True)
class Project:
    """A program, its stack and its file backend, in a folder of their own."""

    engine: Engine
    folder: Path

    @classmethod
    def make(cls, engine: Engine, folder: Path) -> "Project":
        """A project with an empty stack."""
        shutil.copytree(PROGRAM, folder)
        (folder / "state").mkdir()
        project = cls(engine, folder)
        made = project._pulumi("stack", "init", STACK)
        assert made.returncode == 0, made.stdout
        return project

    def write(self, provider: Mapping[str, Any], resources: list[dict[str, Any]]) -> None:
        """Makes these resources the program."""
        program = {"server": provider, "resources": resources}
        (self.folder / "program.json").write_text(json.dumps(program))

    def run(self, command: str) -> Run:
        """Runs a command, one resource at a time."""
        events = self.folder / "events"
        events.unlink(missing_ok=True)
        confirmed = () if command == "preview" else SKIPPED_PREVIEW
        done = self._pulumi(command, *confirmed, "--stack", STACK, "--parallel", "1", "--event-log", str(events))
        told = [json.loads(line) for line in events.read_text().splitlines()] if events.exists() else []
        return Run(done.returncode, tuple(_steps(told)), tuple(_errors(told)), done.stdout)

    def state(self) -> tuple[Any, ...]:
        """What the stack's checkpoint holds of every resource but providers."""
        path = self.folder / "state/.pulumi/stacks/conformance" / f"{STACK}.json"
        latest = json.loads(path.read_text())["checkpoint"].get("latest") or {}
        kept = [each for each in latest.get("resources", ()) if not each["type"].startswith("pulumi:")]
        return tuple(sorted((_resource(each) for each in kept), key=lambda each: str(each["name"])))

    def _pulumi(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [self.engine.binary, *arguments, "--non-interactive", "--color", "never"],
            cwd=self.folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LIMIT,
        )

    def _environment(self) -> dict[str, str]:
        # What points the caller's engine at a backend or an account of his must not reach this one.
        own = {
            name: value for name, value in os.environ.items() if name == "PULUMI_HOME" or not name.startswith("PULUMI_")
        }
        path = os.pathsep.join([str(Path(sys.executable).parent), own.get("PATH", "")])
        return {
            **own,
            "PATH": path,
            **self.engine.environment,
            "PULUMI_BACKEND_URL": f"file://{self.folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "conformance",
            "PULUMI_DISABLE_CHECKPOINT_BACKUPS": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DEBUG_COMMANDS": "true",  # else the engine has no --event-log
        }


def _steps(events: list[Any]) -> list[Any]:
    told = [event["resourcePreEvent"]["metadata"] for event in events if "resourcePreEvent" in event]
    steps = [
        {
            "name": _name(each["urn"]),
            "op": each["op"],
            "diffs": sorted(each.get("diffs", ())),
            "keys": sorted(each.get("keys", ())),
        }
        for each in told
        if not each["type"].startswith("pulumi:") and each["op"] != "same"
    ]
    return sorted(steps, key=lambda step: (step["name"], step["op"]))


def _errors(events: list[Any]) -> Iterator[str]:
    """What the plugin answered where it failed, without what the engine and the bridge put around it."""
    for event in events:
        told = event.get("diagnosticEvent", {})
        message, urn = told.get("message", ""), told.get("urn", "")
        of_a_resource = urn and "::pulumi:pulumi:Stack::" not in urn
        if told.get("severity") == "error" and of_a_resource and BRIDGE_LOG not in message:
            # A failure that still changed something comes wrapped in another; the innermost is the plugin's.
            yield from BULLET.findall(message)[-1:] or [ENGINE_PREFIX.sub("", message).strip()]


def _resource(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": raw["id"],
        "inputs": _plain(raw.get("inputs", {})),
        "name": _name(raw["urn"]),
        "outputs": _plain(raw.get("outputs", {})),
        "type": raw["type"],
    }


def _plain(value: Any) -> Any:
    """A property without what the engine keeps beside it, and without secrets."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get(SECRET_KEY) == SECRET_SIGNATURE:
        return "<secret>"
    return {name: _plain(each) for name, each in value.items() if not name.startswith("__")}


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]
