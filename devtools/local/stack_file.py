"""Pulumi.local.yaml: derived from Pulumi.prod.yaml once, then the user's; only the address is rewritten."""

import io
from collections.abc import Mapping, Sequence

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from devtools.local import state
from devtools.local.state import DERIVED, Admin
from devtools.local.state import STACK_FILE as FILE
from engarde.declaration import loader, stack_names
from engarde.declaration.loader import PASSWORDS_KEY
from engarde.errors import ConfigError
from engarde.util.files import read_text
from engarde.util.terminal import tell
from launcher.paths import PROJECT

MODEL = PROJECT / "Pulumi.prod.yaml"
HEADER = f"""{DERIVED}; yours to edit.
`make up` rewrites the server's address alone, `make clean` removes the file."""
READABLE = 0o644
SALT = "encryptionsalt"
SERVER, SERVICES, DATABASES, EXISTING, EXTENSIONS, ANALYTICS, PASSWORD = (
    f"{stack_names.PROJECT}:{key}"
    for key in ("server", "services", "databases", "existingSchemas", "extensions", "analytics", loader.PASSWORD_KEY)
)
LEAVES = "leaves"
# Where production's services are, and are delivered to: a URL of this server must never end there.
ELSEWHERE = {
    f"{stack_names.PROJECT}:{key}"
    for key in ("serviceAddress", "unpooledAddress", "shutOut", "railway", "databases", PASSWORDS_KEY)
}
# What production says about its own server; the rest of it holds here too.
PRODUCTION_ONLY = ("host", "port", "user", "sslmode", "superuser", "protect", "leaves")


def write_for(admin: Admin, before: Admin | None) -> None:
    """Makes the file unless it is there, and lets it name the server."""
    fresh = not _text()
    document = _derived(admin) if fresh else _document()
    server = document["config"].get(SERVER)
    if not isinstance(server, dict):
        return  # a fault, which reading the stack reports together with all others
    wanted: dict[str, object] = {"host": admin.host, "port": admin.port}
    if fresh or not admin.embedded or before is None or not before.embedded:
        wanted |= {"user": admin.user, "superuser": admin.superuser, "sslmode": admin.sslmode}
        wanted |= {"database": admin.database} if admin.database else {}
    if any(server.get(key) != value for key, value in wanted.items()):
        server.update({key: value for key, value in wanted.items() if value is not None})
        for key in [key for key, value in wanted.items() if value is None]:
            server.pop(key, None)
        if before and before.embedded and admin.embedded and (before.host, before.port) != (admin.host, admin.port):
            # The same data, at another port: the guard cannot ask the old one, where nobody answers any more.
            own = [service.get("database") for service in (document["config"].get(SERVICES) or {}).values() if service]
            names = dict.fromkeys([server.get("database"), *own])
            server[LEAVES] = [f"{before.host}:{before.port}/{name}" for name in names if name]
        _write(document)
        tell(f"{FILE.name} {'derived from ' + MODEL.name if fresh else 'rewritten'} for {admin}")


def settle() -> None:
    """Removes what the file says for one change only, after that is made."""
    document = _document()
    server = document["config"].get(SERVER)
    if isinstance(server, dict) and server.pop(LEAVES, None):
        _write(document)


def declare(services: Mapping[str, Mapping[str, object]], extensions: Sequence[str]) -> None:
    """Adds what is missing of these; what exists already is the user's."""
    document = _document()
    declared = document["config"][SERVICES]
    missing = [(name, key) for name, keys in services.items() for key in keys.keys() - (declared[name] or {}).keys()]
    for name, key in missing:
        declared[name] = declared[name] or {}
        declared[name][key] = services[name][key]
    wanted = document["config"].get(EXTENSIONS) or {}
    absent = [name for name in extensions if name not in wanted]
    if missing or absent:
        document["config"][EXTENSIONS] = wanted
        wanted.update({name: {} for name in absent})
        _write(document)
        tell(f"{FILE.name} now declares the migrations of {', '.join(services)} and what they need")


def is_sealed() -> bool:
    """Whether the file holds the admin's password, encrypted."""
    document = _document()
    return SALT in document and PASSWORD in document["config"]


def unseal() -> None:
    """Removes what a lost passphrase encrypted, which can never be read again."""
    if _text():
        document = _document()
        if any([document.pop(SALT, None), document["config"].pop(PASSWORD, None)]):
            _write(document)


def _derived(admin: Admin) -> CommentedMap:
    document = _document(MODEL.read_text())
    config = document["config"]
    production = config.get(SERVER) or {}
    config.ca.items.pop(SERVER, None)  # a comment that tells of production's server
    config[SERVER] = CommentedMap({key: value for key, value in production.items() if key not in PRODUCTION_ONLY})
    for schema in (config.get(EXISTING) or {}).values():
        creators = schema.get("creators") if isinstance(schema, dict) else None
        if creators == [production.get("user", "postgres")]:
            creators[0] = admin.user
    # Neither does a protected service let go of a trial, nor is there a role to adopt on a server that is new.
    for login in [*(config.get(SERVICES) or {}).values(), config.get(ANALYTICS)]:
        for left_out in ("protect", "adopt", "railway", LEAVES) if isinstance(login, dict) else ():
            login.pop(left_out, None)
    _bring_home(config)
    # Production's own logins and encryption stay there.
    for left_out in {*ELSEWHERE, PASSWORD} & config.keys():
        del config[left_out]
    for left_out in document.keys() - {"config"}:
        del document[left_out]
    document.yaml_set_start_comment(HEADER)
    return document


def _bring_home(config: CommentedMap) -> None:
    """What production has on other servers is here in the shared database of the only server."""
    others, shared = set(config.get(DATABASES) or {}), (config.get(SERVER) or {}).get("database")
    for service in (config.get(SERVICES) or {}).values():
        if isinstance(service, dict) and service.get("database") in others:
            del service["database"]
    for extension in (config.get(EXTENSIONS) or {}).values():
        if isinstance(extension, dict) and others & set(extension.get("databases") or ()):
            there = [shared if name in others else name for name in extension["databases"]]
            extension["databases"] = list(dict.fromkeys(there))


def _text() -> str:
    """Empty also for a file that a killed engine had just begun to write."""
    return read_text(FILE).strip() if FILE.exists() else ""


def _document(text: str | None = None) -> CommentedMap:
    try:
        document = _yaml().load(_text() if text is None else text)
    except YAMLError:
        document = None
    if not isinstance(document, CommentedMap) or not isinstance(document.get("config"), CommentedMap):
        raise ConfigError(f"{FILE.name} or {MODEL.name} is not valid YAML, or has no map `config` at the top")
    return document


def _write(document: CommentedMap) -> None:
    text = io.StringIO()
    _yaml().dump(document, text)
    state.write(FILE, text.getvalue(), READABLE)


def _yaml() -> YAML:
    """Round trip: comments, order and quotes stay."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml
