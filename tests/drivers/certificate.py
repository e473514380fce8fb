"""TLS for a running server, with a certificate that nobody vouches for, as Railway's."""

import time
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from devtools.server import give_to_server_user
from tests.engine.database import Database

LIMIT = 10
"""For the server to read its settings anew (seconds)."""


def switch_on(database: Database) -> None:
    """Gives the server a self-signed certificate and returns once it speaks TLS."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    files = {
        "server.key": key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain),
        "server.crt": _self_signed(key).public_bytes(pem),
    }
    for name, content in files.items():
        path = database.server.data / name
        path.touch(0o600)
        path.write_bytes(content)
        give_to_server_user(path)
    database.run("ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")
    end = time.monotonic() + LIMIT
    while database.value("SHOW ssl") != "on":
        assert time.monotonic() < end, database.server.log.read_text()
        time.sleep(0.02)


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
