"""What production installs is enough for the program and for every command of the tool, and locked as it is."""

import subprocess
import sys

import pytest

from devtools.ci.lint import unlocked
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


REQUIREMENTS = """\
# What production needs.
psycopg[binary]==3.3.9
ruamel.yaml==0.19.1
"""
LOCK = """\
psycopg[binary]==3.3.9 \\
    --hash=sha256:01 \\
    --hash=sha256:02
    # via -r requirements.txt
psycopg-binary==3.3.9 ; implementation_name != 'pypy' \\
    --hash=sha256:03
    # via psycopg
ruamel-yaml==0.19.1 \\
    --hash=sha256:04
    # via
    #   -r requirements.txt
    #   another
"""


@pytest.mark.parametrize(
    ("old", "new", "differing"),
    [
        ("", "", []),
        ("# What production needs.\n", "", []),
        ("0.19.1", "0.19.2", ["ruamel-yaml", "ruamel.yaml"]),
        ("[binary]", "", ["psycopg"]),
        ("ruamel.yaml==0.19.1\n", "", ["ruamel-yaml"]),
        ("0.19.1\n", "0.19.1\nclick==8.5.1\n", ["click"]),
    ],
)
def test_a_lock_of_other_requirements_is_told(old: str, new: str, differing: list[str]) -> None:
    assert unlocked(REQUIREMENTS.replace(old, new), LOCK) == differing
