"""No secret is printed again, in whatever form it stands in a text; what is no secret stays as it is."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engarde.doctor.error_text import LONGEST_NAME
from engarde.doctor.matching import lines, match
from engarde.doctor.symptoms import SYMPTOMS
from engarde.util.masking import MASK, masked
from tests.unit.secrets_in_forms import ANY, HEX, TOKEN

PRINTABLE = "".join(chr(code) for code in range(32, 127)) + "äß€數"
ERROR = "permission denied for schema x"
PARTS = 8
"""So many characters of a secret are too many to be seen."""

secrets = st.text(PRINTABLE, min_size=12, max_size=40).map(str.strip).filter(lambda each: len(each) > 10)
tokens = st.text(string.ascii_letters + string.digits, min_size=24, max_size=40)
digits = st.text("0123456789abcdef", min_size=32, max_size=32)


def shown_of(secret: str, text: str, plain: str) -> set[str]:
    """The parts of a secret that a text still shows and that the text around it does not hold by itself."""
    parts = {secret[at : at + PARTS] for at in range(len(secret) - PARTS + 1)}
    return {part for part in parts if part in text and part not in plain}


def check(form: str, text: str, secret: str, plain: str) -> None:
    safe = masked(text)
    assert not shown_of(secret, safe, plain), (form, text, safe)
    assert MASK in safe
    error = "\n".join(lines(text))
    assert not shown_of(secret, error, plain), (form, text, error)


@pytest.mark.parametrize("form", ANY)
@settings(deadline=None)
@given(secret=secrets)
@example('it\'s a \\ "secret" with @ % : / $ & = ; ,')
@example("ends with a backslash\\")
@example("'starts with a quote")
@example("a';ALTER ROLE y PASSWORD 'b")
@example("token='nested in it'")
@example("NO 000000000")
def test_any_secret(form: str, secret: str) -> None:
    check(form, ANY[form](secret), secret, ANY[form]("x"))


@pytest.mark.parametrize("form", TOKEN)
@settings(deadline=None, max_examples=30)
@given(secret=tokens)
def test_a_token(form: str, secret: str) -> None:
    check(form, TOKEN[form](secret), secret, TOKEN[form]("x"))


@pytest.mark.parametrize("form", HEX)
@settings(deadline=None, max_examples=30)
@given(secret=digits)
def test_a_hash(form: str, secret: str) -> None:
    check(form, HEX[form](secret), secret, "")


@given(st.text(PRINTABLE, min_size=10, max_size=40))
def test_what_is_known_to_be_secret(secret: str) -> None:
    for text in (f"said {secret} twice: {secret}", f"u:{ANY['URL'](secret)}"):
        assert not shown_of(secret, masked(text, secret), "said  twice: postgresql://u:@h:5432/d")


ORDINARY = """\
password authentication failed for user "madansara_user"
FATAL:  password authentication failed for user 'x' (SQLSTATE 28P01)
fe_sendauth: no password supplied
(1045, "Access denied for user 'x'@'10.0.0.1' (using password: YES)")
The server requested password-based authentication, but no password was provided
password_encryption = scram-sha-256
SET password_encryption = 'md5'
asyncpg.exceptions.InvalidPasswordError: password authentication failed for user "a"
ERROR:  syntax error at or near "TOKEN" at character 12
Unexpected token '<', "<html>" is not valid JSON
column "password" does not exist
permission denied for table secrets
INSERT INTO users ("email", "password", "name") VALUES ($1, $2, $3)
SELECT password, token FROM users WHERE api_key = $1
ALTER ROLE x PASSWORD NULL
CREATE ROLE x LOGIN NOBYPASSRLS CONNECTION LIMIT 5 PASSWORD NULL VALID UNTIL 'infinity'
error: passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE environment variables
PULUMI_CONFIG_PASSPHRASE_FILE=/run/secrets/passphrase
incorrect passphrase
secretsprovider: passphrase
SASL authentication failed
max_tokens: 4096, total_tokens=17
2026-01-01 10:22:33.123 UTC [12345] madansara_user@railway ERROR:  permission denied for schema sankore
connection to server at "h" (10.0.0.1), port 5432 failed: FATAL:  role "a" does not exist
connection to server at "2001:db8::1", port 5432 failed: Connection refused
postgresql://madansara_user@h:5432/d?sslmode=require
http://localhost:8000/users?email=bob@example.com
postgresql://h:5432/d: no such host
psql -h h -p 5432 -U madansara_user -d railway -W
duplicate key value violates unique constraint "pg_db_role_setting_databaseid_rol_index"
DETAIL:  Key (email)=(bob) already exists.
File "/app/auth/tokens.py", line 12, in password_reset
host=h port=5432 user=u dbname=d sslmode=require
{"level": "error", "password": null, "user": "bob", "host": "h"}
main.c:123:45: error: expected ';'
using SCRAM-SHA-256 over TLS
"""


@pytest.mark.parametrize("text", ORDINARY.splitlines())
def test_what_is_no_secret_stays(text: str) -> None:
    assert masked(text) == text


WORDS = "the server lets nobody in: 42501, (role) \"a_user\" or 'b' at h:5432/d is x; \\ % @ $1"


@given(st.lists(st.sampled_from(WORDS.split(" "))))
def test_a_text_without_secrets_is_unchanged(words: list[str]) -> None:
    text = " ".join(words)
    assert masked(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("postgresql://u:S3cret@h:5432/d", f"postgresql://u:{MASK}@h:5432/d"),
        ("host=h user=u password='S3 cret' dbname=d", f"host=h user=u password='{MASK}' dbname=d"),
        (
            "jdbc:postgresql://h/d?user=u&password=S3cret&ssl=true",
            f"jdbc:postgresql://h/d?user=u&password={MASK}&ssl=true",
        ),
        ("Server=h;Password=S3cret;Database=d", f"Server=h;Password={MASK};Database=d"),
        ("PGPASSWORD=S3cret psql -U u", f"PGPASSWORD={MASK} psql -U u"),
        ("ALTER ROLE u PASSWORD 'S3''cret' LOGIN", f"ALTER ROLE u PASSWORD '{MASK}' LOGIN"),
        ('{"password":"S3cret","user":"u"}', f'{{"password":"{MASK}","user":"u"}}'),
        (
            r'{"log":"{\"password\":\"S3cret\",\"user\":\"u\"}"}',
            rf'{{"log":"{{\"password\":\"{MASK}\",\"user\":\"u\"}}"}}',
        ),
        ("postgresql%3A%2F%2Fu%3AS3cret%40h%2Fd", f"postgresql%3A%2F%2Fu%3A{MASK}%40h%2Fd"),
        ("h:5432:d:u:S3cret", f"h:5432:d:u:{MASK}"),
        ("DETAIL:  Key (token)=(S3cret) already exists.", f"DETAIL:  Key (token)=({MASK}."),
    ],
)
def test_names_around_a_secret_stay(text: str, left: str) -> None:
    assert masked(text) == left


@pytest.mark.parametrize("form", ANY)
def test_the_error_beside_a_secret_is_heard(form: str) -> None:
    secret = "S3cret'with \"all@ %of\\ it"
    text = f"madansara: {ERROR}\n{ANY[form](secret)}\n{ERROR} with {ANY[form](secret)}"
    error = match(text, SYMPTOMS)
    assert error and error.symptom.name == "denied-schema"
    assert not shown_of(secret, error.line + repr(error.named) + repr(error.lines), ERROR)


LONG = 100_000
REPEATED = (
    *"a\"'@=:$% \\",
    *(
        "password=",
        "password= ",
        "password='",
        "password 'x' ",
        "password $a$",
        "://",
        "//a:",
        "//a:@",
        "postgresql://u:",
    ),
    *(
        "$$",
        '\\"',
        "%41",
        "''",
        "eyJ",
        "[parameters: ",
        "token)=(",
        "<a",
        "mysql ",
        " -p",
        "cookie: a; ",
        "a:5432:b:c:",
    ),
    *("-----begin private key-----", "authorization: ", "password value ", "password\n", 'relation "', "role ", "${{ "),
    *("created by a@", "file://", 'user="', 'FROM "', "must be owner of ", 'connection to server at "h" (', '{"a":'),
)


@pytest.mark.parametrize("part", REPEATED)
def test_the_time_grows_as_the_text_does(part: str) -> None:
    text = f'relation "x" does not exist {part * (LONG // len(part))} {ERROR}'
    start = time.process_time()
    assert match(text, SYMPTOMS)
    # A tenth of what a line of 1 MB may take, and room for a slow machine: with its square it would be minutes.
    assert time.process_time() - start < 1


def test_a_name_goes_no_further_than_a_name_can() -> None:
    error = match(f"{ERROR} {'a ' * LONG}", SYMPTOMS)
    assert error and error.named.object and len(error.named.object) <= LONGEST_NAME
