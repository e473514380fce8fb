"""What the doctor finds in a test's stack, and its remedies taken at their word."""

import json
import subprocess
from typing import Any

from ruamel.yaml import YAML

from tests.engine.admins import SUPERUSER
from tests.engine.in_process import tool_here
from tests.engine.program import LIMIT, STACK_FILE, Project

DOCTOR = ("doctor", "--output", "json")
Found = dict[str, Any]


def examined(project: Project, *options: str) -> list[Found]:
    """The findings as JSON has them; the exit code says whether there are any."""
    return _findings(tool_here(project, *DOCTOR, *options))


def examined_by_tool(project: Project) -> list[Found]:
    """The same by a process of its own, which asks Pulumi."""
    return _findings(project.tool(*DOCTOR))


def _findings(done: "subprocess.CompletedProcess[str]") -> list[Found]:
    assert done.returncode in (0, 1), done.stderr
    document = json.loads(done.stdout)
    assert document["version"] == 2
    assert bool(document["findings"]) == bool(done.returncode)
    found: list[Found] = document["findings"]
    return found


def told(found: list[Found]) -> set[tuple[str, str]]:
    """Check and subject of each."""
    return {(each["check"], each["subject"]) for each in found}


def heal(project: Project, finding: Found) -> None:
    """Does what the remedy says, and nothing else: SQL as whom it names, a command in a shell, lines in the file."""
    remedy = finding["remedy"]
    match remedy["kind"]:
        case "sql":
            who = SUPERUSER if remedy["bySuperuser"] else project.database.admin
            project.database.run_as(who, *remedy["text"].splitlines())
        case "command":
            done = subprocess.run(
                ["sh", "-ec", remedy["text"]],
                cwd=project.folder,
                env={**project._environment(), "PULUMI_SKIP_CONFIRMATIONS": "true"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=LIMIT,
            )
            assert done.returncode == 0, done.stdout + done.stderr
        case "edit":
            edit(project, remedy["text"])


def edit(project: Project, lines: str) -> None:
    """Puts the lines into the stack file, beside what stands there."""
    path = project.folder / STACK_FILE
    document = YAML(typ="safe").load(path)
    _merge(document["config"], YAML(typ="safe").load(lines))
    path.write_text(json.dumps(document))


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict):
            into[key] = into.get(key) or {}
            _merge(into[key], value)
        else:
            into[key] = value
