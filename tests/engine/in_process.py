"""The tool, run in this process: a start of it and of Pulumi, whom it asks for what is in the state, takes a second."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache, partial
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from click.testing import CliRunner

from engarde.cli import main
from engarde.declaration.loader import FOLDER, PASSWORD_KEY
from engarde.pulumi_cli import process, state
from tests.engine.program import Project
from tests.warm.processes import kept_paths, load_all

Done = subprocess.CompletedProcess[str]


def tool_here(project: Project, *words: str, given: str = "", **environment: str) -> Done:
    """Runs `bin/engarde` as `Project.tool` does, for a test of what it says and not of how it runs."""
    with _within(project, environment):
        done = CliRunner().invoke(main, words, input=given, prog_name="engarde")
    return Done(words, done.exit_code, done.stdout, done.stderr)


@contextmanager
def _within(project: Project, environment: Mapping[str, str]) -> Iterator[None]:
    state.admin_password.cache_clear()
    with ExitStack() as patches:
        patches.enter_context(patch.dict(os.environ, {**project._environment(), **environment}, clear=True))
        patches.enter_context(patch("engarde.pulumi_cli.state.engine", partial(_answered, project, process.engine)))
        for module, name, path in _folders():
            patches.enter_context(patch.object(module, name, project.folder / path))
        yield
    state.admin_password.cache_clear()


def _answered(project: Project, pulumi: Callable[..., Done], *words: str, **options: Any) -> Done:
    """What Pulumi answers, which is asked itself where the state or the stack file do not say it."""
    answer = ""
    match words:
        case ("stack", "output", "--json", "--show-secrets", "--stack", _):
            answer = json.dumps(project.outputs())
        case ("stack", "export", "--stack", _):
            answer = json.dumps({"deployment": project.deployment()})
        case ("stack", "export", "--show-secrets", "--stack", _):
            answer = json.dumps({"deployment": project.deployment(show_secrets=True)})
        case ("config", "get", key, "--stack", _) if key == PASSWORD_KEY:
            answer = project.admin_password()
        case ("whoami", "--json"):
            answer = json.dumps({"url": os.environ["PULUMI_BACKEND_URL"]})
    return Done(words, 0, f"{answer}\n", "") if answer else pulumi(*words, **options)


@cache
def _folders() -> list[tuple[ModuleType, str, Path]]:
    """Where the tool's modules keep the folder that it works in, or a place below it."""
    load_all("engarde")
    return kept_paths(("engarde",), FOLDER)
