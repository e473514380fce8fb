"""The program under the clock: what an operator runs, in the environment that `bin/pulumi` gives stack `local`."""

import json
from pathlib import Path

from engarde.util.workspaces import file_backend
from launcher import command
from launcher.engine import ToolchainError
from tests.bench import process
from tests.bench.tool import Command, Phase, Tool
from tests.engine.program import PASSPHRASE, STACK, STATE, Project, environment

PHASES = {
    Phase.UP: ("up", "--yes", "--skip-preview"),
    Phase.PREVIEW: ("preview", "--expect-no-changes"),
    Phase.REFRESH: ("preview", "--refresh", "--expect-no-changes"),
    Phase.DESTROY: ("destroy", "--yes", "--skip-preview"),
}


def program(project: Project) -> Tool:
    """The program with a declared stack."""
    folder = project.folder
    (folder / "passphrase").write_text(PASSPHRASE)
    given = environment(project.engine) | command.in_files(file_backend(folder / STATE), folder / "passphrase")

    def resources() -> int:
        return _exported(folder, _words(project, "stack", "export", "--file", "exported"), given)

    commands = {phase: Command(_words(project, *words)) for phase, words in PHASES.items()}
    return Tool("pulumi", folder, given, commands, resources)


def warm(tool: Tool) -> None:
    """Has everything read once that the first measured process would else read from the disk.

    :raises ToolchainError: where the program does not get as far as its first resource.
    """
    words = tool.commands[Phase.PREVIEW].words
    done = process.run([word for word in words if word != "--expect-no-changes"], tool.folder, tool.environment)
    if done.exit:
        raise ToolchainError("\n".join(process.errors("the program", done, [])))


def _words(project: Project, *words: str) -> tuple[str, ...]:
    return (project.engine.binary, *words, "--stack", STACK, "--non-interactive", "--color", "never")


def _exported(folder: Path, words: tuple[str, ...], given: dict[str, str]) -> int:
    """The resources of a plugin in the state, which components and providers are not."""
    done = process.run(words, folder, given)
    if done.exit:
        raise ToolchainError("\n".join(process.errors("the state", done, [])))
    resources = json.loads((folder / "exported").read_text())["deployment"].get("resources") or ()
    return sum(1 for resource in resources if resource.get("custom") and not resource["type"].startswith("pulumi:"))
