"""Causes of `relation … does not exist` and `schema … does not exist`."""

from engarde.declaration.model import Analytics, Service
from engarde.declaration.names import PUBLIC
from engarde.doctor import paths, remedies
from engarde.doctor.attribution import is_admin
from engarde.doctor.declarations import declaring, sees
from engarde.doctor.facts import Facts
from engarde.doctor.model import Answer, Cause, bring_back, confirmed, ruled_out, unknown
from engarde.doctor.rows import Relation
from engarde.output.findings import Finding, Remedy
from engarde.pulumi_cli.resource_names import login_name


def seekers(facts: Facts) -> tuple[Service | Analytics, ...]:
    """Who looked for the table: without a role in the text the services that have one of the name, or else all."""
    if len(facts.suspects) < 2:
        return facts.suspects
    places = {relation.schema for relation in facts.relations}
    owners = tuple(service for service in facts.stack.services if service.schema_ in places)
    return owners or facts.suspects


def _written(facts: Facts) -> Relation | None:
    """The relation, where the error names it with its schema and it is there."""
    return next(
        (relation for relation in facts.relations if f"{relation.schema}.{relation.name}" in facts.guesses), None
    )


def found_by(facts: Facts, login: Service | Analytics) -> Relation | None:
    """What the login finds under the name now."""
    if written := _written(facts):
        return written
    for schema in paths.path(facts, login.role):
        for relation in facts.relations:
            if relation.schema == schema and relation.name in facts.guesses and facts.may_use(login.role, schema):
                return relation
    return None


def _is_elsewhere(facts: Facts) -> Answer:
    for login in seekers(facts):
        if found_by(facts, login):
            continue
        for relation in sorted(
            facts.relations, key=lambda relation: not sees(facts.stack, login, relation.schema, relation.name)
        ):
            if relation.name in facts.guesses:
                place = f"{relation.schema}.{relation.name}"
                if relation.schema in paths.path(facts, login.role):
                    return confirmed(
                        f"{login.role} may not enter {relation.schema}, so it does not see {place}", bring_back(facts)
                    )
                if sees(facts.stack, login, relation.schema, relation.name):
                    return confirmed(
                        f"it is {place}, which {login_name(login)} may read", remedies.code(f"write {place}")
                    )
                known = facts.service_of(relation.schema) or any(
                    s.name == relation.schema for s in facts.stack.existing_schemas
                )
                remedy = declaring(facts, [login], relation.schema, relation.name) if known else None
                return confirmed(f"it is {place}, and not in {', '.join(paths.path(facts, login.role))}", remedy)
    return ruled_out("nothing of the name is in another schema only")


def _other_case(facts: Facts) -> Answer:
    exact = {
        relation.schema for relation in facts.relations if relation.name in facts.guesses or relation == _written(facts)
    }
    for login in seekers(facts):
        for relation in facts.relations:
            if found_by(facts, login) is None and relation.schema not in exact:
                quoted = '"' + relation.name.replace('"', '""') + '"'
                because = f"{relation.schema} has {quoted}; without quotes a name means the one in small letters"
                return confirmed(because, remedies.code(f"write {quoted}, with its quotes"))
    return ruled_out("nothing differs from the name in its case only")


def _not_migrated(facts: Facts) -> Answer:
    if facts.relations:
        return ruled_out("something of this name is there")
    if facts.named.object is None:
        return unknown("the text does not say what is missing")
    filled = {relation.schema for relation in facts.catalog.relations}
    migrated = {relation.schema for relation in facts.relations_called(["alembic_version"])}
    services = [login for login in seekers(facts) if isinstance(login, Service)]
    empty = [service.schema_ for service in services if service.schema_ not in filled]
    bare = [service.schema_ for service in services if service.schema_ not in migrated]
    state = (
        f"{', '.join(empty)} holds no table" if empty else f"{', '.join(bare)} has no alembic_version" if bare else ""
    )
    return confirmed("; ".join(filter(None, ("nothing of this name is in any schema", state))))


def _other_role(facts: Facts) -> Answer:
    said = facts.role
    logins = {login.role for login in facts.stack.logins}
    if said in logins:
        return ruled_out(f"{said} is a role of the stack")
    if said:
        what = "the admin" if is_admin(facts.stack, said) else "no role of this stack"
        return confirmed(f"{said} is {what}, whose search_path leads to no service's schema")
    known = {*logins, *(outsider.name for outsider in facts.stack.outside_roles)}
    others = [
        client
        for client in facts.clients
        if client.database == facts.stack.server.database
        and client.role not in known
        and not paths_of_tools(client.application)
    ]
    if others:
        return unknown(f"the text names no role; connected, and no service's, is now {others[0]}")
    return ruled_out("nobody is connected who is not of the stack")


def paths_of_tools(application: str) -> bool:
    """Whether an application is an operator's and no service."""
    return application.lower().startswith(("psql", "pg_dump", "engarde", "terraform", "pulumi", "pgadmin", "dbeaver"))


def _is_gone(facts: Facts, finding: Finding) -> bool:
    services = [service.schema_ for service in facts.stack.services]
    about = services if facts.named.object is None else [facts.known_as(services)]
    return finding.subject in {f"schema {name}" for name in about}


def _schema_in_other_case(facts: Facts) -> Answer:
    lowered = {name.lower(): name for name in facts.catalog.schemas}
    found = facts.known_as(facts.catalog.schemas)
    alike = next((lowered[guess.lower()] for guess in facts.guesses if guess.lower() in lowered), None)
    if alike and not found:
        quoted = '"' + alike.replace('"', '""') + '"'
        return confirmed(f"the schema is {quoted}, and keeps its case in quotes only", remedies.code(f"write {quoted}"))
    return ruled_out("no schema differs from the name in its case only")


def _schema_of_service(facts: Facts) -> Answer:
    if facts.named.object is None or facts.known_as(facts.catalog.schemas):
        return ruled_out("it is there")
    by_name = {service.name: service for service in facts.stack.services}
    if (found := by_name.get(facts.known_as(by_name) or "")) and found.schema_ not in facts.guesses:
        return confirmed(f"{found.name}'s schema is {found.schema_}", remedies.code(f"write {found.schema_}"))
    if facts.known_as([*(s.schema_ for s in facts.stack.services), PUBLIC]):
        return ruled_out("it is declared")
    name = facts.guesses[-1]
    return confirmed("no service of the stack file has it", remedies.edit("engarde:services", name, value="{}"))


def _migrate_as(facts: Facts, who: str) -> Remedy:
    url = f'DATABASE_URL="$(bin/engarde url {who} --stack {facts.stack.name})"'
    return remedies.command(f"{url} alembic upgrade head")


def _migrate(facts: Facts) -> Remedy:
    return _migrate_as(facts, remedies.only(facts.suspects))


def _say_where(facts: Facts) -> Remedy:
    return remedies.code("write the table with its schema")


def _quote(facts: Facts) -> Remedy:
    return remedies.code("write the name in double quotes, as it was made")


SEARCH_PATH = paths.changed("the role's search_path is not its schema", seekers)
OTHER_CASE = Cause("its name has capitals and wants quotes", _other_case, _quote)
ELSEWHERE = Cause("it is in another schema", _is_elsewhere, _say_where)
NOT_MIGRATED = Cause("the service's migrations have not run", _not_migrated, _migrate)
OTHER_ROLE = Cause("the service logs in as another role", _other_role, remedies.new_url)
GONE = Cause.of_check(
    "the schema was dropped, or never brought up",
    "schema",
    because="{subject} {actual}",
    otherwise="every declared schema that it may be about is there",
    so=_is_gone,
)
SCHEMA_CASE = Cause("the schema's name has capitals and wants quotes", _schema_in_other_case, _quote)
UNDECLARED = Cause("no service has this schema", _schema_of_service, _say_where)
