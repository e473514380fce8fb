"""The tool that tests run in their own process says what it says as a process of its own."""

import json
import re
from collections.abc import Iterator

import pytest

from tests.conftest import Stacks
from tests.engine.in_process import tool_here
from tests.engine.program import Project

pytestmark = pytest.mark.xdist_group("copies")
SECTIONS = {"services": {"madansara": None, "sankore": {"urlFormat": "jdbc"}}, "analytics": {}}
DENIED = "madansara_user: permission denied for table things"
COMMANDS = {
    "nothing is wrong": ("doctor",),
    "an error": ("doctor", DENIED),
    "an error for machines": ("doctor", "--output", "json", DENIED),
    "an error on its input": ("doctor", "-"),
    "what is no error": ("doctor", "all", "is", "well"),
    "an explanation": ("explain", "madansara", "public.users"),
    "what is not there": ("explain", "madansara", "nowhere.at_all"),
    "verify": ("verify", "--output", "json"),
    "a URL": ("url", "sankore"),
    "a rotation": ("rotate", "sankore", "--dry-run"),
    "a backup": ("backup", "sankore", "--dry-run"),
    "migrations": ("migrate", "status"),
    "a delivery": ("railway", "plan"),
    "a move": ("split", "plan", "sankore", "--to", "elsewhere"),
    "an option that there is not": ("doctor", "--nothing"),
}


@pytest.fixture(scope="module")
def project(stacks: Stacks) -> Iterator[Project]:
    with stacks(**SECTIONS) as project:
        yield project


def timeless(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if "under way" not in line]
    return [re.sub(r"took [0-9.]+ s|[0-9-]+T[0-9-]+Z", "", line) for line in lines]


@pytest.mark.parametrize("name", COMMANDS)
def test_it_says_the_same(project: Project, name: str) -> None:
    there = project.tool(*COMMANDS[name], given=DENIED)
    here = tool_here(project, *COMMANDS[name], given=DENIED)
    assert here.returncode == there.returncode
    assert (timeless(here.stdout), timeless(here.stderr)) == (timeless(there.stdout), timeless(there.stderr))


def test_pulumi_answers_what_is_answered_for_it(project: Project) -> None:
    assert json.loads(project.pulumi("stack", "output", "--json", "--show-secrets").stdout) == project.outputs()
    assert json.loads(project.pulumi("stack", "export").stdout)["deployment"] == project.deployment()
    shown = project.pulumi("stack", "export", "--show-secrets")
    assert json.loads(shown.stdout)["deployment"] == project.deployment(show_secrets=True)
    assert project.pulumi("config", "get", "adminPassword").stdout == f"{project.admin_password()}\n"
