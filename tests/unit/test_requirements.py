"""What production installs is enough for the program and for every command of the tool."""

import subprocess
import sys

from launcher.paths import PROJECT

ALONE = """
import importlib, pkgutil, re, sys
from importlib import metadata
from pathlib import Path

known = {}
for name, places in metadata.packages_distributions().items():
    for place in places:
        known.setdefault(re.sub("[-_.]+", "-", place).lower(), set()).add(name)

def needed(requirement, seen):
    name, extras = re.match(r"([\\w.-]+)(?:\\[(.*?)\\])?", requirement).groups()
    key = re.sub("[-_.]+", "-", name).lower()
    if (key, extras) in seen or key not in known:
        return
    seen.add((key, extras))
    for line in metadata.requires(name) or ():
        extra = re.search(r"extra == [\\"'](.*?)[\\"']", line)
        if extra is None or extra[1] in (extras or "").split(","):
            needed(line, seen)

seen = set()
for line in Path("requirements.txt").read_text().splitlines():
    if line and not line.startswith("#"):
        needed(line, seen)
allowed = {module for key, _ in seen for module in known[key]}
barred = {module for modules in known.values() for module in modules} - allowed | {"devtools", "tests"}

class Bar:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in barred:
            raise ModuleNotFoundError(f"{name} is not in requirements.txt", name=name)

sys.meta_path.insert(0, Bar())
for package in ("engarde", "components", "launcher"):
    for found in pkgutil.walk_packages([package], f"{package}."):
        if found.name.rpartition(".")[2] not in ("__main__", "language_host"):
            importlib.import_module(found.name)
from engarde.cli import main
main(["--help"], standalone_mode=False)
"""


def test_requirements_are_enough_to_import_all_of_the_product() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "verify" in done.stdout
