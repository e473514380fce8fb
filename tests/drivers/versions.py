"""The versions that are tried: those that the lock files and requirements pin."""

import json
import re
from importlib import metadata

from tests.drivers.runtimes import HERE
from tests.drivers.table import Driver


def versions(driver: Driver) -> str:
    """Each package of the driver's, by its registry's name, with its version."""
    return ", ".join(f"{package} {_version(driver.runtime.name, package)}" for package in driver.packages)


def _version(runtime: str, package: str) -> str:
    if runtime == "python":
        return metadata.version(package)
    if runtime == "sqlalchemy21":
        own = dict(re.findall(r"^(\S+)==(\S+)$", (HERE / runtime / "requirements.txt").read_text(), re.MULTILINE))
        return str(own.get(package) or metadata.version(package))
    if runtime == "node":
        return str(json.loads((HERE / "node/package.json").read_text())["dependencies"][package])
    if runtime == "java":
        group, artifact = package.split(":")
        pinned = rf"<groupId>{group}</groupId>\s*<artifactId>{artifact}</artifactId>\s*<version>(.*)</version>"
        [found] = re.findall(pinned, (HERE / "java/pom.xml").read_text())
        return str(found)
    [version] = re.findall(rf"^require {re.escape(package)} v(\S+)$", (HERE / "go/go.mod").read_text(), re.MULTILINE)
    return str(version)
