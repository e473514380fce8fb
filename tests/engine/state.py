"""A stack's state with its secrets in clear, read and written as Pulumi does; a start of it takes half a second."""

import hashlib
import json
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KIND, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
"""What tells a secret from any other object."""

ROUNDS = 1_000_000
NONCE = 12
"""In bytes."""


def in_clear(state: Any, passphrase: str) -> dict[str, Any]:
    """What the state of a file backend holds, secrets as they are; nothing where nothing was brought up."""
    latest = state["checkpoint"].get("latest") or {}
    found: dict[str, Any] = _walk(latest, lambda secret: json.loads(_cipher(latest, passphrase).opened(secret)))
    return found


def shown(state: Any, passphrase: str) -> dict[str, Any]:
    """The same with each secret marked as one, as `pulumi stack export --show-secrets` has it."""
    latest = state["checkpoint"].get("latest") or {}
    found: dict[str, Any] = _walk(
        latest, lambda secret: {KIND: SECRET, "plaintext": _cipher(latest, passphrase).opened(secret)}
    )
    return found


def at_another_port(state: Any, passphrase: str, old: int, new: int) -> Any:
    """The state of the same stack on a server that listens elsewhere: also the URLs in it, which are secrets."""
    latest = state["checkpoint"]["latest"]

    def moved(value: Any) -> Any:
        match value:
            case int() if value == old and not isinstance(value, bool):
                return new
            case str():
                return str(new) if value == str(old) else re.sub(rf":{old}(?!\d)", f":{new}", value)
        return value

    def kept_secret(secret: str) -> dict[str, str]:
        opener = _cipher(latest, passphrase)
        clear = _walk(json.loads(opener.opened(secret)), _never, moved)
        return {KIND: SECRET, "ciphertext": opener.closed(_json(clear))}

    return state | {"checkpoint": state["checkpoint"] | {"latest": _walk(latest, kept_secret, moved)}}


def _walk(value: Any, secret: Callable[[str], Any], plain: Callable[[Any], Any] = lambda value: value) -> Any:
    match value:
        case dict() if value.get(KIND) == SECRET:
            return secret(value["ciphertext"])
        case dict():
            return {key: _walk(item, secret, plain) for key, item in value.items()}
        case list():
            return [_walk(item, secret, plain) for item in value]
    return plain(value)


def _json(value: Any) -> str:
    # As Go writes it, so that `pulumi stack export` and the state show the same text.
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return text.translate({ord(letter): f"\\u{ord(letter):04x}" for letter in "&<>"})


def _never(secret: str) -> Any:
    raise AssertionError("a secret stands within a secret")


class Cipher:
    """What a passphrase and a stack's salt make: AES-256-GCM, each text as `v1:NONCE:TEXT`."""

    def __init__(self, passphrase: str, salt: str) -> None:
        key = hashlib.pbkdf2_hmac("sha256", passphrase.encode(), b64decode(salt.split(":")[1]), ROUNDS, dklen=32)
        self._cipher = AESGCM(key)

    def opened(self, text: str) -> str:
        _, nonce, sealed = text.split(":")
        return self._cipher.decrypt(b64decode(nonce), b64decode(sealed), None).decode()

    def closed(self, text: str) -> str:
        nonce = os.urandom(NONCE)
        sealed = self._cipher.encrypt(nonce, text.encode(), None)
        return f"v1:{b64encode(nonce).decode()}:{b64encode(sealed).decode()}"


# The key takes as long as all the rest of a start, and every copy of the empty stack has the same.
cipher = cache(Cipher)


def _cipher(latest: Any, passphrase: str) -> Cipher:
    return cipher(passphrase, latest["secrets_providers"]["state"]["salt"])
