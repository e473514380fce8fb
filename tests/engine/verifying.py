"""Verify on a test's stack, and the hand that does what its findings say."""

import json
import re
import shlex
from typing import Any
from unittest.mock import patch

from engarde.output.findings import Finding
from engarde.pulumi_cli.stacks import read
from engarde.pulumi_cli.state import Outputs, views
from engarde.verify.report import Report
from engarde.verify.run import Asked, verify
from tests.engine.admins import PASSWORD, SUPERUSER
from tests.engine.in_process import tool_here
from tests.engine.program import STACK, STACK_FILE, Project

LEFT = """
SELECT count(*) FROM pg_class WHERE relname LIKE 'engarde\\_probe\\_%'
UNION ALL SELECT count(*) FROM pg_roles WHERE rolname LIKE 'engarde\\_probe\\_%'
UNION ALL SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'engarde\\_probe\\_%'
"""
"""How much of a run's own is left: relations, roles, schemas."""


def verified(project: Project, **asked: Any) -> Report:
    """What verify reports; the engine's answers are those that the test has got from it already."""
    known = project.outputs()
    urls = known.get("analytics_urls", {})
    given = Outputs(known["database_urls"], known["analytics_url"], known["passwords"], urls, views(known))
    with (
        patch("engarde.checks.observed.outputs", return_value=given),
        patch("engarde.pulumi_cli.logins.admin_password", return_value=PASSWORD),
    ):
        return verify(read(project.folder, STACK), Asked(**asked), lambda left: None)


def told(report: Report) -> list[str]:
    """The findings in short, for a test's message."""
    return [
        f"{finding.check}: {finding.subject}: {finding.actual} -> {finding.remedy.text}" for finding in report.findings
    ]


def heal(project: Project, finding: Finding, choice: int = -1) -> None:
    """Does what the finding says, as whom it says; of a decision the choice of this number, counted from 0."""
    if finding.remedy.kind in ("sql", "decision"):
        who = SUPERUSER if finding.remedy.by_superuser else project.database.admin
        text = finding.remedy.text
        if finding.remedy.kind == "decision":
            _, *choices = text.split("-- ")
            text = choices[choice].partition("\n")[2]
        project.database.run_as(who, text)
    elif finding.remedy.text.startswith("bin/pulumi up"):
        project.succeeds(project.up(*finding.remedy.text.split()[2:-2]))
    elif finding.remedy.text.startswith("bin/engarde "):
        words = shlex.split(finding.remedy.text)[1:]
        done = tool_here(project, *words) if words[0] == "explain" else project.tool(*words)
        assert done.returncode == 0, done.stderr
    elif finding.remedy.kind == "edit":
        if first := finding.remedy.first:
            project.database.run_as(SUPERUSER, first.text)
        edit(project, finding.remedy.text.partition("\n")[0])
        project.succeeds(project.up())
    elif match := re.fullmatch(r"as (\w+): (.*;)", finding.remedy.text):
        [service] = [name for name, each in project.outputs()["services"].items() if each["role"] == match[1]]
        with project.connect(service) as session:
            session.execute(match[2].encode())
    else:
        # It only says who could tell more; what is wrong is another finding's.
        assert finding.check == "behaviour", finding


def edit(project: Project, line: str) -> None:
    """Writes `section.name.key: value` into the stack file."""
    path, value = line.split(": ", 1)
    document = json.loads((project.folder / STACK_FILE).read_text())
    section, *keys = path.split(".")
    at = document["config"][section]
    for key in keys[:-1]:
        at[key] = at.get(key) or {}
        at = at[key]
    listed = re.fullmatch(r"\[(.*)\]", value)
    at[keys[-1]] = listed[1].split(", ") if listed else int(value)
    (project.folder / STACK_FILE).write_text(json.dumps(document))
