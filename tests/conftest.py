"""The engine under test."""

import pytest

from tests.engines import under_test
from toolchain.engine import Engine


@pytest.fixture(scope="session")
def engine() -> Engine:
    return under_test()
