"""Causes that lie in which role logs in."""

from engarde.doctor import remedies
from engarde.doctor.attribution import is_admin
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, confirmed, ruled_out, unknown
from engarde.pulumi_cli.resource_names import login_name


def _check(facts: Facts) -> Answer:
    stack, said = facts.stack, facts.role
    owners = {login.role: login_name(login) for login in stack.logins}
    if said in owners:
        return ruled_out(f"{said} is the role of {owners[said]}")
    schema = facts.known_as([service.schema_ for service in stack.services])
    service = facts.service_of(schema) if schema else None
    if said:
        what = "is the admin" if is_admin(stack, said) else "is no role of this stack"
        return confirmed(f"{said} {what}", remedies.url(facts, service.name if service else remedies.SERVICE))
    known = {*owners, stack.server.user, *(outsider.name for outsider in stack.outside_roles)}
    others = [entrant.name for entrant in facts.entrants.values() if entrant.connect and not entrant.superuser]
    if strangers := sorted({*others} - known):
        return unknown(f"the text names no role, and {', '.join(strangers)} may connect, too")
    return ruled_out(f"no role but those of the stack file may connect to {stack.server.database}")


WRONG_ROLE = Cause("the URL names another role than the service's own", _check, remedies.new_url)
