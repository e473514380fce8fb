"""Causes of errors of TLS and certificates."""

from engarde.checks.server import ENCRYPTED
from engarde.declaration.resource_names import login_name
from engarde.doctor import remedies
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, confirmed, ruled_out, unknown
from engarde.output.findings import Remedy

VERIFYING = ("verify-ca", "verify-full")
NODE = (
    "self-signed certificate",
    "self signed certificate",
    "unable to verify the first",
    "depth_zero",
    "cert_in_chain",
)


def _section(facts: Facts) -> str:
    """The section of the address: the admin's if the text says that it was the admin."""
    return "engarde:server" if facts.is_admin else "engarde:serviceAddress"


def _declared(facts: Facts) -> str | None:
    stack = facts.stack
    return stack.server.sslmode if _section(facts) == "engarde:server" else stack.service_address.sslmode


def _require(facts: Facts) -> Remedy:
    return _mode(facts, "require")


def _disable(facts: Facts) -> Remedy:
    return _mode(facts, "disable")


def _mode(facts: Facts, mode: str) -> Remedy:
    section = _section(facts)
    if section == "engarde:server":
        return remedies.edit(section, "sslmode", value=mode)
    address = facts.stack.service_address
    where = remedies.scalar(address.host)
    return Remedy("edit", f"{section}:\n  host: {where}\n  port: {address.port}\n  sslmode: {mode}")


def _has_tls(facts: Facts) -> bool:
    return facts.observed.settings("ssl").get("ssl") == "on"


def _server_has_none(facts: Facts) -> Answer:
    if _has_tls(facts):
        return ruled_out("the server has TLS switched on")
    return confirmed("the server has TLS switched off")


def _declared_too_strict(facts: Facts) -> Answer:
    mode = _declared(facts)
    if mode in ENCRYPTED:
        return confirmed(f"{_section(facts)} says sslmode: {mode}")
    return ruled_out(f"{_section(facts)} does not ask for TLS")


def _verifies(facts: Facts) -> Answer:
    mode = _declared(facts)
    if mode in VERIFYING:
        return confirmed(f"{_section(facts)} says sslmode: {mode}, but no known authority signs Railway's certificate")
    return ruled_out(f"{_section(facts)} does not ask to verify certificates")


def _plain_in_node(facts: Facts) -> Answer:
    if _declared(facts) in (None, "disable"):
        return ruled_out("no exported URL has an sslmode")
    said = facts.error.text.lower()
    plain = [service for service in facts.services if service.url_format == "plain"]
    if plain and any(word in said for word in NODE):
        remedy = remedies.edit("engarde:services", remedies.only(plain), "urlFormat", value="node-postgres")
        because = "has a plain URL with an sslmode, and node-postgres verifies the certificate then"
        return confirmed(f"{login_name(plain[0])} {because}", remedy)
    return ruled_out("this is not node-postgres with a plain URL")


def _own_url(facts: Facts) -> Answer:
    if _declared(facts) is None:
        return confirmed("no exported URL has an sslmode: the service's own URL or its code asks for it")
    return ruled_out("the exported URLs have an sslmode")


def _wants_tls(facts: Facts) -> Answer:
    if facts.named.detail and "no encryption" not in facts.named.detail and "SSL off" not in facts.named.detail:
        return ruled_out("the connection used TLS")
    if _declared(facts) in ENCRYPTED:
        return ruled_out(f"{_section(facts)} asks for TLS already, so the service has another URL")
    if not _has_tls(facts):
        return ruled_out("the server has TLS switched off")
    return confirmed("the server accepts only TLS connections, and no exported URL asks for TLS")


def _no_rule(facts: Facts) -> Answer:
    known = facts.catalog.roles.get(facts.stack.server.user)
    if not known or not known.superuser:
        return unknown(f"{facts.stack.server.user} may not read pg_hba.conf")
    if facts.role is None:
        return unknown("the text does not name the role")
    who, where = facts.role, facts.named.database or facts.stack.server.database
    matching = [
        (kind, method)
        for kind, databases, roles, method in facts.session.tuples("entrance_rules")
        if kind != "local" and {"all", who} & {*roles} and {"all", where} & {*databases}
    ]
    if not matching:
        return confirmed(f"pg_hba.conf has no line for {who} in {where}")
    if matching[0][1] == "reject":
        return confirmed(f"pg_hba.conf rejects {who} in {where}")
    if all(kind == "hostssl" for kind, _ in matching):
        return confirmed(f"pg_hba.conf accepts {who} in {where} with TLS only", _require(facts))
    return ruled_out(f"pg_hba.conf has lines for {who} in {where}, but for other addresses")


def _rule(facts: Facts) -> Remedy:
    line = f"host {facts.stack.server.database} all 0.0.0.0/0 scram-sha-256"
    return remedies.command(
        f"echo '{line}' >> \"$PGDATA/pg_hba.conf\"  # on the server's machine",
        f"bin/engarde psql admin --stack {facts.stack.name} -c 'SELECT pg_reload_conf()'",
    )


STRICT = Cause("the stack file asks for TLS, but the server has none", _declared_too_strict, _disable)
OFF = Cause("the server has no TLS", _server_has_none, _disable)
VERIFY = Cause("the stack file asks to verify a certificate that no known authority has signed", _verifies, _require)
NODE_PLAIN = Cause("node-postgres treats every sslmode as verify-full", _plain_in_node, _require)
OWN = Cause("the service's own URL or code asks for stricter TLS", _own_url, remedies.new_url)
WANTS_TLS = Cause("the server requires TLS, but the URL does not ask for it", _wants_tls, _require)
NO_RULE = Cause("pg_hba.conf does not allow the login", _no_rule, _rule)
