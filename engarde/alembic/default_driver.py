"""Which driver SQLAlchemy uses for a URL that names none: this depends on the project's version of SQLAlchemy."""

import re
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from engarde.util.files import read_text

OLD, NEW = "psycopg2", "psycopg"
NEW_FROM = Version("2.1")

FILES = ("*.lock", "requirements*.txt", "pyproject.toml")
UPWARDS = 3
"""How many folders are searched for them: the project's, then those above it."""

_VERSIONS = ("1.4", "2.0.9999", "2.1", "2.9999")
"""One version of each kind; a wide range holds one of them."""

_STATED = re.compile(
    r"""(?im)^\W*(?:name = )?["']?sqlalchemy["']?(?:\[[\w, ]*\])?\s*"""
    r"""(?:version = ["'](?P<locked>[\w.]+)|(?P<range>[<>=~!][<>=~!\d.*, ]*))"""
)


def default_drivers(folder: Path) -> set[str]:
    """The driver of the version that the project's files pin; both drivers if they pin none."""
    stated = _stated(folder)
    try:
        allowed = SpecifierSet(stated).filter(map(Version, {*_VERSIONS, *re.findall(r"\d+(?:\.\d+)*", stated)}))
        return {NEW if version >= NEW_FROM else OLD for version in allowed} or {OLD, NEW}
    except InvalidSpecifier:
        return {OLD, NEW}


def _stated(folder: Path) -> str:
    """The versions that the first file that names SQLAlchemy allows, as pip writes them."""
    folders = (folder, *folder.parents)[:UPWARDS]
    for place, pattern in ((place, pattern) for place in folders for pattern in FILES):
        for file in sorted(place.glob(pattern)):
            if found := _STATED.search(_text(file)):
                return f"=={found['locked']}" if found["locked"] else found["range"]
    return ""


def _text(file: Path) -> str:
    """Empty if it is not a file, is too large, or is not text."""
    try:
        return read_text(file)
    except (OSError, UnicodeError):
        return ""
