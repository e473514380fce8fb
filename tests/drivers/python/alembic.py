"""Alembic: `set_main_option`, then a migration up and down."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from tests.drivers.python.told import tell


def login(url: str) -> str:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("sqlalchemy.url", url)
    found: list[str] = []
    config.attributes["found"] = found
    command.downgrade(config, "base")
    command.upgrade(config, "head")
    return found[-1]


tell(login)
