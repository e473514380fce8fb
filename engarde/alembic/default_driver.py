"""Which driver SQLAlchemy takes for a URL that names none: that depends on the version that a project has."""

import re
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from engarde.util.files import read_text

OLD, NEW = "psycopg2", "psycopg"
NEW_FROM = Version("2.1")

FILES = ("*.lock", "requirements*.txt", "pyproject.toml")
UPWARDS = 3
"""How many folders are looked through for them, the project's and those that it is in."""

_VERSIONS = ("1.4", "2.0.9999", "2.1", "2.9999")
"""Of each kind one; a range that is wide enough holds one of them."""

_STATED = re.compile(
    r"""(?im)^\W*(?:name = )?["']?sqlalchemy["']?(?:\[[\w, ]*\])?\s*"""
    r"""(?:version = ["'](?P<locked>[\w.]+)|(?P<range>[<>=~!][<>=~!\d.*, ]*))"""
)


def default_drivers(folder: Path) -> set[str]:
    """The one of the version that the project's files pin; both where they do not tell."""
    stated = _stated(folder)
    try:
        allowed = SpecifierSet(stated).filter(map(Version, {*_VERSIONS, *re.findall(r"\d+(?:\.\d+)*", stated)}))
        return {NEW if version >= NEW_FROM else OLD for version in allowed} or {OLD, NEW}
    except InvalidSpecifier:
        return {OLD, NEW}


def _stated(folder: Path) -> str:
    """The versions that the first file allows which names SQLAlchemy, as pip spells them."""
    folders = (folder, *folder.parents)[:UPWARDS]
    for place, pattern in ((place, pattern) for place in folders for pattern in FILES):
        for file in sorted(place.glob(pattern)):
            if found := _STATED.search(_text(file)):
                return f"=={found['locked']}" if found["locked"] else found["range"]
    return ""


def _text(file: Path) -> str:
    """Empty where it is no file, too large, or no text: that says nothing of a version."""
    try:
        return read_text(file)
    except (OSError, UnicodeError):
        return ""
