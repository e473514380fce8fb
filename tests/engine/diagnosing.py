"""Errors provoked on a real server, what the tool says of them, and its fixes taken at their word."""

import json
import subprocess
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from ruamel.yaml import YAML

from tests.engine.admins import SUPERUSER
from tests.engine.in_process import tool_here
from tests.engine.program import LIMIT, STACK, STACK_FILE, Project

DOCTOR = ("doctor", "--stack", STACK, "--output", "json", "-")
Diagnosis = dict[str, Any]


def diagnosed(project: Project, text: str) -> tuple[int, Diagnosis]:
    """The exit code, and the diagnosis as JSON has it; no password of the stack may be in it."""
    return _judged(project, tool_here(project, *DOCTOR, given=text))


def diagnosed_by_tool(project: Project, text: str) -> tuple[int, Diagnosis]:
    """The same by a process of its own, which asks Pulumi."""
    return _judged(project, project.tool(*DOCTOR, given=text))


def _judged(project: Project, done: "subprocess.CompletedProcess[str]") -> tuple[int, Diagnosis]:
    assert done.stdout, done.stderr
    # A URL is handed out by the command that the fix names, never by the diagnosis.
    assert not [secret for secret in project.passwords if secret in done.stdout + done.stderr]
    found: Diagnosis = json.loads(done.stdout)
    assert found["version"] == 2
    return done.returncode, found


def marks(found: Diagnosis) -> dict[str, str]:
    """Cause -> what was found of it."""
    return {each["cause"]: each["verdict"] for each in found["causes"]}


def told(found: Diagnosis) -> str:
    """All of it, for a failed test."""
    so = [f"{each['cause']}: {each['reason']}" for each in found["causes"] if each["verdict"] != "ruled out"]
    return "\n".join([found["symptom"], found["line"], *so, json.dumps(found["remedy"], ensure_ascii=False)])


def said(provoke: Callable[[], object]) -> str:
    """The server's or the driver's words when this fails, as it has to."""
    with pytest.raises(psycopg.Error) as caught:
        provoke()
    return f"{type(caught.value).__module__}.{type(caught.value).__name__}: {caught.value}"


def heal(project: Project, fix: dict[str, Any]) -> str:
    """Does what a fix says and nothing else; what a command prints."""
    match fix["kind"]:
        case "sql":
            who = SUPERUSER if fix["bySuperuser"] else project.database.admin
            project.database.run_as(who, *fix["text"].splitlines())
        case "command":
            return in_shell(project, fix["text"])
        case "edit":
            if first := fix.get("first"):
                heal(project, first)
            edit(project, fix["text"])
            project.succeeds(project.up("--refresh"))
        case kind:
            pytest.fail(f"a test has to do {kind} by itself: {fix['text']}")
    return ""


def in_shell(project: Project, text: str) -> str:
    """Runs commands as a person in the project's folder does."""
    tool = project.folder / "bin/engarde"
    if not tool.exists():
        words = project.tool_command()
        tool.write_text(f"#!/bin/sh\nexec '{words[0]}' -P -c \"{words[3]}\" '{words[4]}' \"$@\"\n")
        tool.chmod(0o755)
    environment = project._environment()
    # The program asks for no confirmation where it is told so, as a person would.
    environment |= {"PULUMI_NON_INTERACTIVE": "true", "PATH": f"{_clients(project)}:{environment['PATH']}"}
    done = subprocess.run(
        ["sh", "-ec", _confirmed(text)],
        cwd=project.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _confirmed(text: str) -> str:
    """The commands, with what a person answers where they ask."""
    up = text.replace("bin/pulumi up ", "bin/pulumi up --yes --skip-preview ")
    return up.replace("bin/engarde retire ", "bin/engarde retire --yes-drop-data ")


def _clients(project: Project) -> str:
    # A pg_dump of an older major refuses the server.
    return str(project.database.server.bin_dir)


def edit(project: Project, lines: str) -> None:
    """Puts the lines of a fix into the stack file: what is a list there gets the items that it lacks."""
    yaml = YAML(typ="safe", pure=True)
    file = project.folder / STACK_FILE
    document = yaml.load(file.read_text())
    _merge(document["config"], yaml.load(lines))
    # JSON is YAML.
    file.write_text(json.dumps(document, indent=2))


def _table(entry: Any) -> Any:
    return entry.get("table") if isinstance(entry, dict) else entry


def _merge(there: dict[str, Any], new: dict[str, Any]) -> None:
    for key, value in new.items():
        if isinstance(value, dict):
            there[key] = there.get(key) or {}
            _merge(there[key], value)
        elif isinstance(value, list) and key != "engarde:shutOut":
            tables = [_table(each) for each in value]
            there[key] = [*(each for each in there.get(key) or [] if _table(each) not in tables), *value]
        else:
            there[key] = value
