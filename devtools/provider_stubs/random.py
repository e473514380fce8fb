"""The stub of `random`: `randomPassword:RandomPassword`, a password that stays until one of its properties changes."""

import secrets
import string

import bcrypt

from devtools.provider_stubs.resource import Kind, Package, Property, ResourceType, Works
from devtools.provider_stubs.server import main
from devtools.provider_stubs.values import Failure, Properties

CHARACTERS = {
    "lower": string.ascii_lowercase,
    "upper": string.ascii_uppercase,
    "numeric": string.digits,
    "special": "!@#$%&*()-_=+[]{}<>:?",
}
BCRYPT_LIMIT = 72
"""How much of a password bcrypt takes (bytes)."""


def create(_machine: Works, planned: Properties) -> Properties:
    result = _password(planned)
    # Cost and prefix as the official plugin has them.
    hashed = bcrypt.hashpw(result.encode()[:BCRYPT_LIMIT], bcrypt.gensalt(10, prefix=b"2a"))
    return planned.with_(id="none", number=planned.flag("numeric"), result=result, bcryptHash=hashed.decode())


def read(_machine: Works, known: Properties) -> Properties:
    """A password is only in the state."""
    return known


def delete(_machine: Works, _known: Properties) -> None:
    """A password leaves nothing outside the state."""


def _password(planned: Properties) -> str:
    """Random characters of the chosen classes, with the minimum number of each."""
    classes = CHARACTERS | ({"special": special} if (special := planned.text("overrideSpecial")) else {})
    every = "".join(characters for name, characters in classes.items() if planned.flag(name))
    needed = [secrets.choice(classes[name]) for name in classes for _ in range(planned.number(_minimum(name)))]
    length = planned.number("length")
    if not every or length < max(1, len(needed)):
        raise Failure(
            "such a password is impossible: it has no length, no class of characters, or minimums beyond its length"
        )
    characters = needed + [secrets.choice(every) for _ in range(length - len(needed))]
    secrets.SystemRandom().shuffle(characters)
    return "".join(characters)


def _minimum(name: str) -> str:
    return f"min{name.capitalize()}"


TYPE = ResourceType(
    name="random:index/randomPassword:RandomPassword",
    properties=(
        Property("keepers", Kind.MAP, replaces=True),
        Property("length", Kind.NUMBER, required=True, replaces=True),
        *(Property(name, Kind.FLAG, otherwise=True, replaces=True) for name in CHARACTERS),
        # The deprecated name of `numeric`, which the official plugin still records.
        Property("number", Kind.FLAG, otherwise=True, given=False),
        *(Property(_minimum(name), Kind.NUMBER, otherwise=0, replaces=True) for name in CHARACTERS),
        Property("overrideSpecial", replaces=True),
        Property("result", secret=True, computed=True, given=False),
        Property("bcryptHash", secret=True, computed=True, given=False),
    ),
    create=create,
    read=read,
    delete=delete,
    newer_framework=True,
    meta='{"schema_version":"3"}',
)


if __name__ == "__main__":
    main(Package(name="random", connect=lambda _settings: Works(), resources=(TYPE,)))
