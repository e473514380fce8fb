"""Every form in which a secret stands in a text, each with the encoder that writes it as its programs do."""

import base64
import json
import shlex
from collections.abc import Callable
from urllib.parse import quote

Form = Callable[[str], str]


def sql(secret: str) -> str:
    """As a literal of SQL."""
    return "'" + secret.replace("'", "''") + "'"


def escaped(secret: str) -> str:
    """As a literal of SQL with escapes."""
    return "E'" + secret.replace("\\", "\\\\").replace("'", "\\'") + "'"


def dollars(secret: str, tag: str) -> str:
    """As a literal of SQL in dollars, where the secret allows that."""
    return sql(secret) if tag in f"{secret}$" else f"{tag}{secret}{tag}"


def keyword(secret: str) -> str:
    """As a value in libpq's keyword/value string."""
    return "'" + secret.replace("\\", "\\\\").replace("'", "\\'") + "'"


def encoded(secret: str) -> str:
    """As in a URL."""
    return quote(secret, safe="")


def dotenv(secret: str) -> str:
    """As a value in double quotes, where a backslash escapes."""
    return json.dumps(secret, ensure_ascii=False)


def yaml(secret: str) -> str:
    """As a YAML value in single quotes."""
    return sql(secret)


def passfile(secret: str) -> str:
    """As the last field of .pgpass."""
    return secret.replace("\\", "\\\\").replace(":", "\\:")


def csv(text: str) -> str:
    """As a field of a CSV log."""
    return '"' + text.replace('"', '""') + '"'


def basic(secret: str) -> str:
    """As HTTP's basic authentication has it."""
    return base64.b64encode(f"u:{secret}".encode()).decode()


ANY: dict[str, Form] = {
    # SQL
    "CREATE ROLE": lambda s: f"STATEMENT:  CREATE ROLE x LOGIN PASSWORD {sql(s)} VALID UNTIL 'infinity'",
    "ALTER USER": lambda s: f"[SQL: ALTER USER u PASSWORD {sql(s)}]",
    "ENCRYPTED": lambda s: f"alter role x encrypted password {sql(s)};",
    "two lines": lambda s: f"ALTER ROLE x PASSWORD\n  {sql(s)}",
    "E''": lambda s: f"ALTER ROLE x PASSWORD {escaped(s)} VALID UNTIL 'infinity'",
    "dollars": lambda s: f"ALTER ROLE x PASSWORD {dollars(s, '$$')} LOGIN",
    "tagged dollars": lambda s: f"ALTER ROLE x PASSWORD {dollars(s, '$p1$')} LOGIN",
    "U&''": lambda s: f"ALTER ROLE x PASSWORD U&{sql(s)}",
    "in JSON": lambda s: json.dumps({"query": f"ALTER ROLE x PASSWORD {sql(s)}", "user": "bob"}),
    "E'' in JSON": lambda s: json.dumps({"query": f"ALTER ROLE x PASSWORD {escaped(s)}", "user": "bob"}),
    "in JSON in JSON": lambda s: json.dumps({"log": json.dumps({"sql": f"ALTER ROLE x PASSWORD {sql(s)}"})}),
    "in a CSV log": lambda s: "2026-01-01,u,d," + csv(f"ALTER ROLE x PASSWORD {sql(s)}") + ",1",
    "in repr": lambda s: repr(f"ALTER ROLE x PASSWORD {sql(s)}"),
    "user mapping": lambda s: f"CREATE USER MAPPING FOR u SERVER s OPTIONS (user 'u', password {sql(s)})",
    "subscription": lambda s: f"CREATE SUBSCRIPTION s CONNECTION {sql('host=h password=' + keyword(s) + ' dbname=d')}",
    "IDENTIFIED BY": lambda s: f"CREATE USER x IDENTIFIED BY {sql(s)}",
    "SET PASSWORD": lambda s: f"SET PASSWORD FOR 'u'@'h' = PASSWORD({sql(s)})",
    "parameters": lambda s: f"DETAIL:  parameters: $1 = 'bob', $2 = {sql(s)}",
    "SQLAlchemy's parameters": lambda s: f"[SQL: SELECT 1]\n[parameters: {{'p': {s!r}}}]\n(Background)",
    "SQLAlchemy's tuple": lambda s: f"[parameters: ('bob', {s!r})]",
    "a unique key": lambda s: f"DETAIL:  Key (email, token)=(bob, {s}) already exists.",
    "a row": lambda s: f"DETAIL:  Failing row contains (1, bob, {s}).",
    # URLs
    "URL": lambda s: f"postgresql://u:{encoded(s)}@h:5432/d",
    "SQLAlchemy's URL": lambda s: f"could not parse 'postgresql+psycopg://u:{encoded(s)}@h/d'",
    "URL without @": lambda s: f"postgresql://u:{encoded('x' + s)}",
    "JDBC": lambda s: f"jdbc:postgresql://h/d?user=u&password={encoded(s)}&ssl=true",
    "MySQL's URL": lambda s: f"mysql://u:{encoded(s)}@h/d",
    "redis' URL": lambda s: f"redis://:{encoded(s)}@h:6379/0",
    "no scheme": lambda s: f"//u:{encoded(s)}@h/d",
    "URL in quotes": lambda s: f"url = {dotenv(f'postgresql://u:{s}@h/d')}",
    "URL in a variable": lambda s: f"DATABASE_URL=postgresql://u:{encoded(s)}@h/d",
    "URL in JSON with slashes": lambda s: json.dumps({"u": f"postgresql://u:{encoded(s)}@h/d"}).replace("/", "\\/"),
    "URL in a URL": lambda s: f"next=postgresql%3A%2F%2Fu%3A{encoded(encoded(s))}%40h%2Fd",
    "URL in a query": lambda s: f"GET /x?url={encoded(f'postgresql://u:{encoded(s)}@h/d')}&a=b",
    "password%3D": lambda s: f"options%26password%3D{encoded(encoded(s))}%26user%3Du",
    "query": lambda s: f"GET /login?password={encoded(s)}&user=u HTTP/1.1",
    "HTTP": lambda s: f"fatal: https://u:{encoded(s)}@github.com/x.git",
    # Names and values
    "keyword/value": lambda s: f"host=h user=u password={keyword(s)} dbname=d",
    "keyword/value in quotes": lambda s: f'connect("host=h password={keyword(s)}")',
    "JSON": lambda s: json.dumps({"password": s, "user": "bob"}),
    "JSON, compact": lambda s: json.dumps({"password": s, "user": "bob"}, separators=(",", ":")),
    "JSON, not only ASCII": lambda s: json.dumps({"password": s}, ensure_ascii=False),
    "JSON in JSON": lambda s: json.dumps({"log": json.dumps({"password": s})}),
    "JSON in JSON in JSON": lambda s: json.dumps({"a": json.dumps({"log": json.dumps({"password": s})})}),
    "a dictionary": lambda s: repr({"DB_PASSWORD": s}),
    "bytes": lambda s: f"password={s.encode()!r}",
    "env": lambda s: f"PGPASSWORD={shlex.quote(s)} psql -h h -U madansara_user",
    "export": lambda s: f"export PGPASSWORD={shlex.quote(s)}",
    ".env": lambda s: f"A=1\nDB_PASSWORD={dotenv(s)}\nB=2",
    "YAML": lambda s: f"db:\n  password: {yaml(s)}\n  host: h",
    "YAML, name and value": lambda s: f"- name: PGPASSWORD\n  value: {yaml(s)}",
    "pass=": lambda s: f"user=u pass={keyword(s)}",
    "PGPASS": lambda s: f"PGPASS={shlex.quote(s)}",
    "DB_PASS": lambda s: f"DB_PASS={shlex.quote(s)}",
    "=>": lambda s: f"passwd => {dotenv(s)}",
    "Ruby": lambda s: f':password=>{dotenv(s)}, :host=>"h"',
    "passphrase": lambda s: f"PULUMI_CONFIG_PASSPHRASE={shlex.quote(s)}",
    "secret": lambda s: f"client_secret: {yaml(s)}",
    "api-key": lambda s: f"api-key: {yaml(s)}",
    "api_key": lambda s: f"api_key = {dotenv(s)}",
    "pwd": lambda s: f"Server=h;Uid=u;Pwd={keyword(s)};Database=d",
    "XML attribute": lambda s: (
        f'<add key="db.password" value="{s.replace(chr(38), "&amp;").replace(chr(34), "&quot;")}"/>'
    ),
    "option": lambda s: f"tool --password {shlex.quote('x' + s)} --host h",
    "option with =": lambda s: f"tool --password={shlex.quote(s)} --host h",
    "-W": lambda s: f"psql -h h -W {shlex.quote('x' + s)}",
    "sshpass": lambda s: f"sshpass -p {shlex.quote('x' + s)} ssh h",
    "mysql -p": lambda s: f"mysql -h h -u u -p{shlex.quote('x' + s)}",
    "curl -u": lambda s: f"curl -u {shlex.quote('u:x' + s)} https://h",
    "--token": lambda s: f"railway --token {shlex.quote('x' + s)}",
    ".pgpass": lambda s: f"h:5432:d:u:{passfile(s)}",
    ".pgpass, any": lambda s: f"*:*:*:postgres:{passfile(s)}",
    "pgpass=": lambda s: f"pgpass={shlex.quote(f'h:5432:db:user:{passfile(s)}')}",
    "psql's variable": lambda s: f"\\set password {sql(s)}",
    # Headers
    "Basic": lambda s: f"Authorization: Basic {basic(s)}",
    "header in JSON": lambda s: json.dumps({"headers": {"Authorization": f"Bearer {s}"}}),
}
"""Forms for any printable secret."""

TOKEN: dict[str, Form] = {
    "bearer": lambda s: f"curl -H 'Authorization: Bearer {s}' https://h",
    "Bearer, in a line": lambda s: f"PASSWORD 'x' Authorization: Bearer {s} and more",
    "bearer alone": lambda s: f"sent Bearer {s}0",
    "Project-Access-Token": lambda s: f"Project-Access-Token: {s}",
    "x-api-key": lambda s: f"> x-api-key: {s}",
    "X-Auth-Token": lambda s: f"X-Auth-Token: {s}",
    "cookie": lambda s: f"Cookie: a=1; session={s}; b=2",
    "Set-Cookie": lambda s: f"< Set-Cookie: sid={s}; Path=/; HttpOnly",
    "RAILWAY_TOKEN": lambda s: f"RAILWAY_TOKEN={s}",
    "PULUMI_ACCESS_TOKEN": lambda s: f"PULUMI_ACCESS_TOKEN={s} bin/pulumi up",
    "AWS_SECRET_ACCESS_KEY": lambda s: f"AWS_SECRET_ACCESS_KEY={s}",
    "aws_session_token": lambda s: f"aws_session_token = {s}",
    "pul-": lambda s: f"logged in with pul-{s}",
    "ghp_": lambda s: f"remote: ghp_{s} is not valid",
    "github_pat_": lambda s: f"remote: github_pat_{s}",
    "glpat-": lambda s: f"glpat-{s}",
    "GitHub in a URL": lambda s: f"https://{s}@github.com/x",
    "JWT": lambda s: f"got eyJ{s}.eyJ{s}.{s} from it",
    "SCRAM": lambda s: f"rolpassword SCRAM-SHA-256$4096:{s}==${s}=:{s}=",
    "private key": lambda s: f"-----BEGIN RSA PRIVATE KEY-----\n{s}\n{s}\n-----END RSA PRIVATE KEY-----",
    "private key in JSON": lambda s: json.dumps({"k": f"-----BEGIN PRIVATE KEY-----\n{s}\n-----END PRIVATE KEY-----"}),
    "unquoted in YAML": lambda s: f"  db_password: {s}",
    "unquoted env": lambda s: f"PGPASSWORD={s} psql",
    "unquoted, then more": lambda s: f"passwd: {s}, next",
    "JSON, unquoted": lambda s: f"{{password: {s}}}",
    "ADO": lambda s: f"Server=h;User Id=u;Password={s};Database=d",
    "pgx": lambda s: f"ConnConfig{{Host:h Password:{s} Database:d}}",
    "XML": lambda s: f"<password>{s}</password>",
    "requirepass": lambda s: f"requirepass {s}",
    "redis-cli": lambda s: f"redis-cli -h h -a {s} ping",
    "netrc": lambda s: f"machine h login u password {s}",
    "YAML block": lambda s: f"password: |\n  {s}\nhost: h",
    "interpolation": lambda s: f"invalid interpolation syntax in 'postgresql://u:{s}%40@h/d'",
}
"""Forms for a secret of letters and digits, as tokens are, or where nothing else can be written."""

HEX: dict[str, Form] = {
    "md5": lambda s: f"rolpassword md5{s}",
    "AWS_ACCESS_KEY_ID": lambda s: f"AKIA{s[:16].upper()}",
}
"""Forms for 32 hexadecimal digits."""
