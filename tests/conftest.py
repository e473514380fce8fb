"""The engine under test."""

import os
from pathlib import Path

import pytest

from toolchain import engine as engines

OVERRIDE = "ENGARDE_TEST_TOOLCHAIN"


@pytest.fixture(scope="session")
def engine() -> engines.Engine:
    """The project's own engine with its plugins, or those of the folder that the environment names."""
    if not (folder := os.environ.get(OVERRIDE)):
        return engines.found()
    home = {"PULUMI_HOME": str(Path(folder, "home")), "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true"}
    return engines.Engine(binary=str(Path(folder, "bin/pulumi")), version="", official=True, environment=home)
