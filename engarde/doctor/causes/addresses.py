"""Causes of servers that are not found or do not answer."""

from engarde.doctor import remedies
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, confirmed, ruled_out, unknown
from engarde.errors import Why
from engarde.output.findings import Remedy

PRIVATE = ".railway.internal"
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def _hosts(facts: Facts) -> set[str]:
    return {facts.stack.server.host, facts.stack.service_address.host}


def _reference(facts: Facts) -> Answer:
    if "${{" in facts.error.text or "$%7B%7B" in facts.error.text:
        return confirmed("the URL still holds ${{…}}, which only Railway's variables resolve")
    return ruled_out("the text holds no ${{…}}")


def _private(facts: Facts) -> Answer:
    host = facts.named.host or ""
    if host.endswith(PRIVATE) or (host == facts.stack.service_address.host != facts.stack.server.host):
        return confirmed(f"{host} is known inside of Railway only")
    return ruled_out(f"{host or 'the host'} is not Railway's private one")


def _down(facts: Facts) -> Answer:
    server = facts.stack.server
    if (refusal := facts.refusal) is None:
        return ruled_out(f"the admin logs in at {server.host}:{server.port}")
    if refusal.why in (Why.NOT_FOUND, Why.NOT_ANSWERED):
        return confirmed(refusal.reason)
    return ruled_out(f"{server.host}:{server.port} answers: {refusal.reason}")


def _default(facts: Facts) -> Answer:
    if facts.named.host in LOCAL and facts.stack.service_address.host not in LOCAL:
        return confirmed(f"{facts.named.host} is what drivers use without a URL, and the services' server is not there")
    return ruled_out("the host is not that of a driver without a URL")


def _another(facts: Facts) -> Answer:
    host, port = facts.named.host, facts.named.port
    if host is None:
        return ruled_out("the text names no host")
    ports = {
        facts.stack.server.host: facts.stack.server.port,
        facts.stack.service_address.host: facts.stack.service_address.port,
    }
    if host not in _hosts(facts):
        return confirmed(f"{host} is no address of the stack file ({', '.join(sorted(_hosts(facts)))})")
    if port and port.isdigit() and int(port) not in (ports[host], facts.stack.server.port):
        return confirmed(f"{host} is at port {ports[host]}, not {port}")
    return ruled_out(f"{host} is in the stack file")


def _unresolved(facts: Facts) -> Answer:
    server = facts.stack.server
    if (refusal := facts.refusal) is None:
        return ruled_out(f"{server.host} is found here, and answers")
    return confirmed(refusal.reason) if refusal.why is Why.NOT_FOUND else unknown(refusal.reason)


def _start(facts: Facts) -> Remedy:
    server = facts.stack.server
    if facts.stack.name == "local":
        return remedies.command("make up")
    where = f"engarde:server ({server.host}:{server.port})"
    return remedies.code(f"start PostgreSQL and its TCP proxy on Railway, and compare the proxy's address with {where}")


def _operators(facts: Facts) -> Remedy:
    return remedies.url(facts, remedies.only(facts.suspects), "operator")


def _address(facts: Facts) -> Remedy:
    return remedies.edit("engarde:server", "host", value="HOST.proxy.rlwy.net")


def _variable(facts: Facts) -> Remedy:
    return remedies.code(
        "set the URL as a variable of the service on Railway: a .env file or a shell leaves ${{…}} as it is"
    )


REFERENCE = Cause("a reference to a Railway variable was not resolved", _reference, _variable)
PRIVATE_HOST = Cause("the private host is used from outside of Railway", _private, _operators)
NO_URL = Cause("the service has no DATABASE_URL and uses a default", _default, remedies.new_url)
OTHER = Cause("the URL names another server", _another, remedies.new_url)
DOWN = Cause("the server does not answer", _down, _start)
UNRESOLVED = Cause("the stack file names a host that is not found", _unresolved, _address)
