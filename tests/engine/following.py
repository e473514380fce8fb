"""A how-to page of the docs, followed: its blocks are run or declared in the page's order, and print what it says."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML

from engarde.declaration.declared import NOTHING
from launcher.paths import PROJECT
from tests.engine.program import LIMIT, STACK, STACK_FILE, Project
from tests.markdown import Block, Page
from tests.warm.processes import python

AUTHOR = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Operator"), ("EMAIL", "operator@example.com"))
}


@dataclass(slots=True)
class HowTo:
    """What is left of a section of a page, for the stack of a test."""

    project: Project
    left: list[Block]
    words: Mapping[str, str]
    """what the test has in place of words of the page"""
    file: str
    """the stack file that its YAML is for"""
    environment: dict[str, str] = field(default_factory=dict, repr=False)

    def step(self, words: str, *, given: str = "", code: int | None = 0, whole: bool = False) -> str:
        """Takes the next block, in which these words have to be; returns what its commands print.

        Commands are run, and what the page says next that they print has to be among it. YAML is
        added to the stack file, and SQL run as the superuser.

        :param given: what is typed where something is asked.
        :param code: what the commands end with; None for any but 0.
        :param whole: whether a section of the YAML is all that the stack file is to say of it.
        """
        block = self._next()
        assert words in block.text, f"next comes {block}"
        if block.language == "yaml":
            self._declare(block, whole)
            return ""
        if block.language == "sql":
            self.project.database.run(self._filled(block))
            return ""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self._filled(block)],
            cwd=self.project.folder,
            env=self.environment,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LIMIT,
        )
        self.project.printed += done.stdout
        if self.project.state_file.exists():
            self.project.outputs()
        assert bool(done.returncode) if code is None else done.returncode == code, f"{done.returncode}\n{done.stdout}"
        if self.left and self.left[0].language == "text":
            said = " ".join(done.stdout.split())
            for line in self._filled(self._next()).splitlines():
                shown = ".*".join(re.escape(part.strip()) for part in " ".join(line.split()).split("…"))
                assert re.search(shown, said), f"{line}\nis not in\n{done.stdout}"
        return done.stdout

    def skip(self, words: str) -> None:
        """Passes over the next block, in which these words have to be: what it does no test can do."""
        block = self._next()
        assert words in block.text, f"next comes {block}"

    def _next(self) -> Block:
        return self.left.pop(0)

    def _declare(self, block: Block, whole: bool) -> None:
        yaml, file = _yaml(), self.project.folder / self.file
        document, new = yaml.load(file), yaml.load(self._filled(block))
        if whole:
            document["config"] |= new
        else:
            _add(document["config"], new)
        yaml.dump(document, file)

    def _filled(self, block: Block) -> str:
        text = re.sub(r"\bprod\b", STACK, block.text)
        for word, here in self.words.items():
            text = text.replace(word, here)
        return text


@contextmanager
def following(
    project: Project,
    page: str,
    heading: str,
    words: Mapping[str, str] = NOTHING,
    file: str = STACK_FILE,
    **environment: str,
) -> Iterator[HowTo]:
    """Follows the section under a heading of a page, and in the block all of its steps have to be taken."""
    declared = project.folder / STACK_FILE
    if (text := declared.read_text()).startswith("{"):
        # As operators write it, a line for each thing.
        _yaml().dump(json.loads(text), declared)
    command = project.folder / "bin/engarde"
    command.write_text(f'#!/bin/sh\nexec {shlex.join([python(), *project.tool_command()[1:]])} "$@"\n')
    command.chmod(0o755)
    base = project._environment()
    _keep(project)
    own = {
        "PATH": f"{command.parent}:{base['PATH']}",
        "PULUMI_SKIP_CONFIRMATIONS": "true",
        "PGOPTIONS": project.pgoptions or "",
    }
    howto = HowTo(project, _section(page, heading), words, file, {**base, **own, **AUTHOR, **environment})
    yield howto
    assert not howto.left, f"the page goes on: {howto.left[0]}"


def _add(there: dict[str, Any], new: dict[str, Any]) -> None:
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(there.get(key), dict):
            _add(there[key], value)
        elif value is not None or key not in there:
            there[key] = value


def _keep(project: Project) -> None:
    """Puts the stack file under version control."""
    git = ["git", "-C", str(project.folder)]
    for words in (["init", "--quiet"], ["add", STACK_FILE], ["commit", "--quiet", "--message", "as it is"]):
        subprocess.run([*git, *words], env=os.environ | AUTHOR, check=words[0] != "commit")


def _yaml() -> YAML:
    made = YAML()
    made.width = 1000  # a secret stays in its line
    return made


def _section(page: str, heading: str) -> list[Block]:
    path = PROJECT / "docs" / page
    lines = path.read_text().splitlines()
    [start] = [number for number, line in enumerate(lines, 1) if re.fullmatch(rf"#+ {re.escape(heading)}", line)]
    end = next((number for number, line in enumerate(lines[start:], start + 1) if re.match("##+ ", line)), len(lines))
    return [block for block in Page(path).blocks() if start < block.line <= end]
