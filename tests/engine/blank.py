"""An empty stack of the program, made once: the engine takes a second to make one, and a copy takes none."""

import json
import re
import shutil
import sys
from pathlib import Path

from engarde.declaration.loader import PASSWORD_KEY
from launcher.engine import Engine
from launcher.paths import PROJECT
from tests.engine.admins import PASSWORD
from tests.engine.database import Database
from tests.engine.program import BLANK, STACK_FILE, STATE, Project

PROGRAM = ("Pulumi.yaml", "__main__.py", "components", "engarde", "launcher", "devtools")


def make_blank(engine: Engine, folder: Path, database: Database) -> None:
    """A folder with the program and an empty stack that knows the admin's password, to be copied for each test."""
    (folder / STATE).mkdir(parents=True)
    for name in PROGRAM:
        (folder / name).symlink_to(PROJECT / name)
    (folder / ".venv").symlink_to(sys.prefix)
    # The tool asks the engine of its own project.
    (folder / "bin").mkdir()
    (folder / "bin/pulumi").symlink_to(engine.binary)
    blank = Project(engine, folder, database)
    for words, given in (
        (("stack", "init", "--no-select"), ""),
        (("config", "set", "--secret", PASSWORD_KEY), PASSWORD),
    ):
        done = blank.pulumi(*words, given=given)
        assert done.returncode == 0, done.stdout
    text = (folder / STACK_FILE).read_text()
    [salt], [secure] = re.findall(r"encryptionsalt: (\S+)", text), re.findall(r"secure: (\S+)", text)
    document = {"encryptionsalt": salt, "config": {f"engarde:{PASSWORD_KEY}": {"secure": secure}}}
    (folder / BLANK).write_text(json.dumps(document))


def copied(blank: Path, folder: Path, engine: Engine, database: Database) -> Project:
    """A stack of its own that nothing was declared in yet."""
    shutil.copytree(blank, folder, symlinks=True)
    return Project(engine, folder, database)
