"""One fake with a project of two environments."""

from collections.abc import Iterator

import pytest

from tests.railway.fake import Fake
from tests.railway.given import GivenProject


@pytest.fixture
def fake() -> Iterator[Fake]:
    with Fake() as open_fake:
        yield open_fake


@pytest.fixture
def project(fake: Fake) -> GivenProject:
    return fake.project("engarde", "production", "staging")
