"""Which engine is tested and measured."""

import os
from pathlib import Path

from launcher.engine import Engine, found
from launcher.install import version_of

OVERRIDE = "ENGARDE_TEST_TOOLCHAIN"


def under_test() -> Engine:
    """The project's own engine with its plugins, or those of the folder that the environment names."""
    if not (folder := os.environ.get(OVERRIDE)):
        return found()
    home = {"PULUMI_HOME": str(Path(folder, "home")), "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}
    binary = Path(folder, "bin/pulumi")
    return Engine(str(binary), str(version_of(binary)), official=True, environment=home)
